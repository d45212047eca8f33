"""Random recipes for the scripted service: small graphs of every kind of fan-out, condition and nesting, from a seed.

Each is valid; which of its counts are known beforehand is left to chance. It knows nothing of plans or runs.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

_WORDS = ("red", "blue", "green", "gold", "grey")
_INNER = """
inputs:
  word: {{type: string}}
  images: {{type: array, items: {{type: string}}, default: []}}
steps:
  one:
    foreach: {looks}
    uses: image_editor
    with: {{prompt: "${{{{ inputs.word }}}} ${{{{ item }}}}", number_of_images: {count}}}
  two:
    foreach: ${{{{ steps.one.asset_ids }}}}
    uses: upscaler
    with: {{image_asset_id: "${{{{ item }}}}"}}
outputs:
  pictures: ${{{{ steps.two.asset_ids }}}}
  first: ${{{{ steps.one[0].asset_id }}}}
"""


@dataclass(slots=True)
class RandomRecipe:
    """The text of its steps, and of the recipe beside it that some step may use."""

    text: str
    others: dict[str, str] = field(default_factory=dict)


def random_recipe(seed: int) -> RandomRecipe:
    """The same for the same seed."""
    return _Writer(random.Random(f"recipe-{seed}")).write()


@dataclass(slots=True)
class _Step:
    name: str
    many: bool  # it fans out
    media: bool = True  # `asset_ids` are pictures
    free: bool = False


class _Writer:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._steps: list[_Step] = []
        self._lines: list[str] = []
        self._others: dict[str, str] = {}

    def write(self) -> RandomRecipe:
        for number in range(self._chance.randint(2, 6)):
            self._add(number)
        saved = self._chance.choice([step for step in self._steps if step.media] or self._steps)
        if saved.media:
            self._lines += [
                "  save:",
                "    uses: download",
                f'    with: {{asset_ids: "${{{{ steps.{saved.name}.asset_ids }}}}"}}',
            ]
        return RandomRecipe("steps:\n" + "\n".join(self._lines) + "\n", self._others)

    def _add(self, number: int) -> None:
        name = f"s{number}"
        pictures = [step for step in self._steps if step.media]
        kinds = ["fresh", "fresh", "llm"]
        if pictures:
            kinds += ["over field", "over field", "over step", "reader", "film", "inner"]
        getattr(self, "_" + self._chance.choice(kinds).replace(" ", "_"))(name, pictures)

    def _write(self, step: _Step, uses: str, with_: list[str], *more: str) -> None:
        self._lines += [f"  {step.name}:", f"    uses: {uses}", *(f"    {line}" for line in more if line)]
        self._lines += ["    with:", *(f"      {line}" for line in with_)]
        self._steps.append(step)

    # ------------------------------------------------------------------------------------------------- kinds of steps

    def _fresh(self, name: str, pictures: list[_Step]) -> None:
        """Pictures out of nothing: one, of a list, of a matrix; sometimes several of each call."""
        form = self._chance.choice(["one", "list", "matrix", "range"])
        foreach = {
            "one": "",
            "list": f"foreach: [{', '.join(self._words())}]",
            "matrix": f"foreach: {{a: [{', '.join(self._words())}], b: [1, 2]}}",
            "range": f"foreach: ${{{{ range({self._chance.randint(0, 3)}) }}}}",
        }[form]
        counts = ["1", "2", "3"] + (["${{ index + 1 }}"] if form != "one" else [])
        text = {"one": "a picture", "list": "${{ item }}", "matrix": "${{ item.a }} ${{ item.b }}"}.get(
            form, "number ${{ index }}"
        )
        self._write(
            _Step(name, form != "one"),
            "image_editor",
            [f'prompt: "{text}"', f"number_of_images: {self._chance.choice(counts)}"],
            foreach,
            self._condition(form != "one"),
            self._chance.choice(["", "", "retry: 1"]),
            self._chance.choice(["", "", "on_error: continue"]),
        )

    def _llm(self, name: str, pictures: list[_Step]) -> None:
        foreach = self._chance.choice(["", f"foreach: [{', '.join(self._words())}]"])
        self._write(_Step(name, bool(foreach), media=False), "run_any_llm", ['prompt: "say something"'], foreach)

    def _over_field(self, name: str, pictures: list[_Step]) -> None:
        """One call per picture of an earlier step, sometimes with a bound of its own."""
        source = self._chance.choice(pictures)
        bound = self._chance.choice(["", "", "max: 12", "max: 3"])
        self._write(
            _Step(name, True),
            "upscaler",
            ['image_asset_id: "${{ item }}"'],
            f"foreach: ${{{{ steps.{source.name}.asset_ids }}}}",
            bound,
            self._condition(True),
        )

    def _over_step(self, name: str, pictures: list[_Step]) -> None:
        many = [step for step in pictures if step.many]
        if not many:
            return self._over_field(name, pictures)
        source = self._chance.choice(many)
        self._write(
            _Step(name, True),
            "image_editor",
            ['prompt: "once more"', 'image_assets: ["${{ item.asset_id }}"]'],
            f"foreach: ${{{{ steps.{source.name} }}}}",
        )
        return None

    def _reader(self, name: str, pictures: list[_Step]) -> None:
        """One call that reads all of an earlier step; perhaps only when there is more than one picture."""
        source = self._chance.choice(pictures)
        condition = self._chance.choice(["", f"if: ${{{{ steps.{source.name}.asset_ids | length > 1 }}}}"])
        self._write(
            _Step(name, False),
            "image_editor",
            ['prompt: "all together"', f"image_assets: ${{{{ steps.{source.name}.asset_ids }}}}"],
            condition,
        )

    def _film(self, name: str, pictures: list[_Step]) -> None:
        source = self._chance.choice(pictures)
        self._write(
            _Step(name, False, media=False),
            "videogen",
            ['prompt: "a film"', f"image_assets: ${{{{ steps.{source.name}.asset_ids }}}}"],
        )

    def _inner(self, name: str, pictures: list[_Step]) -> None:
        """A recipe used as a step, of several words."""
        looks = self._chance.choice(["[a]", "[a, b]", "${{ range(2) }}"])
        self._others["inner.yaml"] = self._others.get("inner.yaml") or _INNER.format(
            looks=looks, count=self._chance.choice(["1", "2"])
        )
        foreach = self._chance.choice(["", f"foreach: [{', '.join(self._words())}]"])
        self._write(
            _Step(name, bool(foreach), media=False),
            "./inner.yaml",
            [f'word: "{"${{ item }}" if foreach else "word"}"'],
            foreach,
        )

    # ------------------------------------------------------------------------------------------------------- the rest

    def _words(self) -> list[str]:
        return list(self._chance.sample(_WORDS, self._chance.randint(1, 3)))

    def _condition(self, many: bool) -> str:
        """Known beforehand, or only when something was made."""
        choices = ["", "", ""]
        if many:
            choices.append("if: ${{ index != 1 }}")
        pictures = [step for step in self._steps if step.media]
        if pictures:
            choices.append(f"if: ${{{{ steps.{pictures[0].name}.asset_ids | length > 2 }}}}")
        return self._chance.choice(choices)
