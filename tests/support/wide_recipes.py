"""Random recipes of the whole language, with the words that a person types for their inputs: every rule, in small.

`recipes` varies fan-out, counts and conditions; here stand inputs of every kind (CSV, a folder, defaults, null), `origin`,
`previous`, `pick`, the helpers, recipes within recipes, and values that are absent, null or skipped. Each is valid, and
each runs to its end where nothing fails. It knows nothing of plans or runs.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_WORDS = ("red", "blue", "green", "gold", "grey")
_HEAD = """\
inputs:
  photos: {type: array, items: {type: image}}
  rows: {type: array, items: {type: object, properties: {name: {type: string}, many: {type: integer}}, required: [name]}}
  words: {type: array, items: {type: string}, default: [red, blue]}
  n: {type: integer, minimum: 1, maximum: 3, default: 2}
  want: {type: boolean, default: true}
  note: {type: string, default: null}
"""
_INNERMOST = """\
inputs:
  picture: {type: string, default: null}
  word: {type: string}
steps:
  draw:
    uses: image_editor
    with: {prompt: "${{ inputs.word }}", image_assets: ["${{ inputs.picture }}"], number_of_images: 2}
outputs:
  pictures: ${{ steps.draw.asset_ids }}
  first: ${{ steps.draw.asset_id }}
"""
_INNER = """\
inputs:
  words: {type: array, items: {type: string}}
  picture: {type: string, default: null}
budget: ${{ 100 * (inputs.words | length) + 10 }}
steps:
  each:
    foreach: ${{ inputs.words }}
    uses: ./innermost.yaml
    with: {word: "inner ${{ item }}", picture: "${{ inputs.picture }}"}
  up:
    foreach: ${{ steps.each.first }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}"}
outputs:
  pictures: ${{ steps.each.pictures }}
  large: ${{ steps.up.asset_ids }}
  first: ${{ steps.each[0].first }}
"""


@dataclass(slots=True)
class WideRecipe:
    """Text, the files beside it, and what is typed: `-i` words, and the choices of its picks."""

    text: str
    others: dict[str, str] = field(default_factory=dict)
    words: list[tuple[str, str]] = field(default_factory=list)
    picks: dict[str, list[int]] = field(default_factory=dict)
    helpers: bool = True  # the deployment has `craft_prompt` and `describe`


def wide_recipe(seed: int, folder: Path) -> WideRecipe:
    """The same for the same seed; `folder` gets the files that its inputs name."""
    return _Writer(random.Random(f"wide-{seed}")).write(folder)


@dataclass(frozen=True, slots=True)
class _Made:
    """A step whose pictures others may use. `sure`: it is never skipped, and gives at least one."""

    name: str
    many: bool
    sure: bool
    root: str | None = None  # the step of `rows` or words that `origin` leads back to


class _Writer:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._made: list[_Made] = []
        self._lines: list[str] = []
        self._recipe = WideRecipe("", helpers=chance.random() < 0.8)
        self._outputs: list[str] = []

    def write(self, folder: Path) -> WideRecipe:
        self._inputs(folder)
        kinds = list(self._kinds().values())
        for number in range(self._chance.randint(2, 6)):
            self._chance.choice(kinds)(f"s{number}")
        if self._made:
            self._save()
        self._recipe.text = (
            _HEAD + "steps:\n" + "\n".join(self._lines) + "\noutputs:\n" + "\n".join(self._outputs) + "\n"
        )
        return self._recipe

    def _kinds(self) -> dict[str, Callable[[str], None]]:
        return {
            "rows": self._rows,
            "matrix": self._matrix,
            "chain": self._chain,
            "photos": self._photos,
            "prompts": self._prompts,
            "over": self._over,
            "again": self._again,
            "maybe": self._maybe,
            "one": self._one,
            "choose": self._choose,
            "inner": self._inner,
            "failing": self._told_apart,
        }

    def _inputs(self, folder: Path) -> None:
        photos = folder / "photos"
        photos.mkdir(parents=True)
        for number in range(self._chance.randint(1, 3)):
            (photos / f"p{number}.png").write_bytes(small_png(number))
        rows = [
            f"{self._chance.choice(_WORDS)} {i},{self._chance.choice(['', '1', '2'])}"
            for i in range(self._chance.randint(0, 3))
        ]
        (folder / "rows.csv").write_text("\n".join(["name,many", *rows]) + "\n", encoding="utf-8")
        words = [
            ("photos", str(photos if self._chance.random() < 0.5 else photos / "*.png")),
            ("rows", f"@{folder}/rows.csv"),
        ]
        words += [
            ("words", f"[{', '.join(self._chance.sample(_WORDS, self._chance.randint(1, 3)))}]"),
            ("n", self._chance.choice("123")),
            ("want", self._chance.choice(["true", "false"])),
            ("note", self._chance.choice(["a note", "@@home"])),
        ]
        self._recipe.words = [one for one in words if one[0] in ("photos", "rows") or self._chance.random() < 0.5]

    def _write(self, name: str, uses: str, with_: list[str], *more: str) -> None:
        self._lines += [f"  {name}:", f"    uses: {uses}", *(f"    {line}" for line in more if line)]
        self._lines += ["    with:", *(f"      {line}" for line in with_)]

    def _some(self, *, sure: bool = False) -> _Made | None:
        found = [one for one in self._made if one.sure or not sure]
        return self._chance.choice(found) if found else None

    # ------------------------------------------------------------------------------------------------ pictures out of inputs

    def _rows(self, name: str) -> None:
        """Of a CSV: an empty cell is null, and null is not sent."""
        self._write(
            name,
            "image_editor",
            ['prompt: "${{ item.name }} ${{ index }}"', "number_of_images: ${{ item.many }}", *self._quality()],
            "foreach: ${{ inputs.rows }}",
            self._chance.choice(["", "if: ${{ index != 1 }}", "retry: 1"]),
        )
        self._made.append(_Made(name, True, False, name))

    def _matrix(self, name: str) -> None:
        self._write(
            name,
            "image_editor",
            ["prompt: \"${{ item.word | title }} ${{ item.number | pad(2) }} ${{ inputs.note | default('plain') }}\""],
            "foreach: {word: '${{ inputs.words }}', number: '${{ range(inputs.n) }}'}",
        )
        self._made.append(_Made(name, True, True, name))

    def _chain(self, name: str) -> None:
        """One after the other, each made of the one before."""
        self._write(
            name,
            "image_editor",
            ['prompt: "older ${{ item }}"', 'image_assets: ["${{ previous.asset_id | default(null) }}"]'],
            f"foreach: {self._chance.choice(['[30, 60]', '${{ inputs.words }}'])}",
            self._chance.choice(["", "if: ${{ index != 0 }}"]),
        )
        self._made.append(_Made(name, True, False, name))

    def _photos(self, name: str) -> None:
        describe = self._chance.random() < 0.5
        self._write(f"{name}_up", "upload", ['source: "${{ item }}"'], "foreach: ${{ inputs.photos }}")
        text = "the same"
        if describe:
            self._write(
                f"{name}_say",
                "describe",
                ['asset_id: "${{ item.asset_id }}"'],
                f"foreach: ${{{{ steps.{name}_up }}}}",
                "on_error: continue",
            )
            text = f"${{{{ steps.{name}_say[index].description | default('unknown') }}}}"
        self._write(
            name,
            "image_editor",
            [f'prompt: "{text}"', 'image_assets: ["${{ item.asset_id }}"]'],
            f"foreach: ${{{{ steps.{name}_up }}}}",
        )
        self._made.append(_Made(name, True, True))

    def _prompts(self, name: str) -> None:
        """Prompts that are written by the service, or by nobody where the deployment has no such helper."""
        self._write(
            f"{name}_craft",
            "craft_prompt",
            ['brief: "${{ item }}"', "tool_name: image_editor", "model: any"],
            "foreach: ${{ inputs.words }}",
            "on_error: continue",
        )
        self._write(
            name,
            "image_editor",
            [f'prompt: "${{{{ steps.{name}_craft[index].prompt | default(item) }}}}"'],
            "foreach: ${{ inputs.words }}",
        )
        self._made.append(_Made(name, True, True, name))

    # ------------------------------------------------------------------------------------------------ pictures of pictures

    def _over(self, name: str) -> None:
        """Per picture; with the word that it began with, where there is one."""
        source = self._some()
        if source is None:
            return self._rows(name)
        back = f"${{{{ origin.{source.root}.item | tojson }}}}" if source.root else "plain"
        self._write(
            name,
            "image_editor",
            [f"prompt: 'from {back} ${{{{ index }}}}'", 'image_assets: ["${{ item }}"]'],
            f"foreach: ${{{{ steps.{source.name}.asset_ids }}}}",
            self._chance.choice(["", "max: ${{ inputs.n * 8 }}", "max: 40"]),
            self._chance.choice(["", "if: ${{ inputs.want }}"]),
        )
        self._made.append(_Made(name, True, False, source.root if source.many else None))
        return None

    def _again(self, name: str) -> None:
        """Per instance, skipped with it."""
        source = self._some()
        if source is None or not source.many:
            return self._matrix(name)
        self._write(
            name,
            "upscaler",
            ['image_asset_id: "${{ item.asset_id }}"', "factor: ${{ 4 if inputs.want else null }}"],
            f"foreach: ${{{{ steps.{source.name} }}}}",
        )
        self._made.append(_Made(name, True, False, source.root))
        return None

    def _maybe(self, name: str) -> None:
        """A step that may be skipped, and a reader that says what it uses then."""
        condition = self._chance.choice(
            ["inputs.want", "inputs.note is defined", "inputs.n > 2", "(inputs.rows | length) > 1"]
        )
        self._write(f"{name}_if", "image_editor", ["prompt: perhaps"], f"if: ${{{{ {condition} }}}}")
        self._write(
            name,
            "image_editor",
            ["prompt: either way", f'image_assets: ["${{{{ steps.{name}_if.asset_id | default(null) }}}}"]'],
            self._chance.choice(["", f"needs: {name}_if"]),
        )
        self._made.append(_Made(name, False, True))

    def _one(self, name: str) -> None:
        """One instance of a fan-out, one beyond its end, and all of it."""
        source = self._some()
        if source is None or not source.many:
            return self._chain(name)
        place = self._chance.choice(["0", "-1", "7"])
        picture = f"steps.{source.name}[{place}].asset_id | default(null)"
        self._write(
            name,
            "videogen",
            [
                f"prompt: \"${{{{ steps.{source.name}.asset_ids | length }}}} of ${{{{ inputs.words | join(', ') }}}}\"",
                f'image_assets: ["${{{{ {picture} }}}}"]',
            ],
        )
        self._outputs.append(f"  {name}: ${{{{ steps.{name}.asset_id }}}}")
        return None

    def _choose(self, name: str) -> None:
        source = self._some(sure=True)
        if source is None:
            return self._matrix(name)
        self._write(
            f"{name}_pick",
            "pick",
            [f'asset_ids: "${{{{ steps.{source.name}.asset_ids }}}}"', "count: 2", "question: Which?"],
        )
        self._recipe.picks[f"{name}_pick"] = [1]
        self._write(
            name, "upscaler", ['image_asset_id: "${{ item }}"'], f"foreach: ${{{{ steps.{name}_pick.asset_ids }}}}"
        )
        self._made.append(_Made(name, True, True))
        return None

    def _inner(self, name: str) -> None:
        """A recipe that uses a recipe, once or per word; its lists are spliced in."""
        self._recipe.others |= {"inner.yaml": _INNER, "innermost.yaml": _INNERMOST}
        foreach = self._chance.choice(["", "foreach: ${{ inputs.words }}"])
        words = "${{ [item] }}" if foreach else "${{ inputs.words }}"
        source = self._some(sure=True)
        picture = f"${{{{ steps.{source.name}{'[0]' if source.many else ''}.asset_id }}}}" if source else "${{ null }}"
        self._write(name, "./inner.yaml", [f'words: "{words}"', f'picture: "{picture}"'], foreach)
        field = self._chance.choice(["pictures", "large"])
        self._write(
            f"{name}_after",
            "upscaler",
            ['image_asset_id: "${{ item }}"'],
            f"foreach: ${{{{ steps.{name}.{field} }}}}",
            "max: 12",
        )
        self._made.append(_Made(f"{name}_after", True, False))
        self._outputs.append(f"  {name}: ${{{{ steps.{name}.first }}}}")

    def _told_apart(self, name: str) -> None:
        """A skipped reader of a skipped step: nothing of it is paid."""
        self._write(f"{name}_not", "image_editor", ["prompt: never"], "if: false")
        self._write(name, "upscaler", [f'image_asset_id: "${{{{ steps.{name}_not.asset_id }}}}"'])
        self._made.append(_Made(name, False, False))

    # ------------------------------------------------------------------------------------------------------------- the end

    def _save(self) -> None:
        source = self._chance.choice(self._made)
        name = self._chance.choice(["", "${{ recipe.name }}/${{ index | pad(3) }}", "${{ run.id }}-${{ index }}"])
        if source.root and source.many and self._chance.random() < 0.5:
            name = f"${{{{ origin.{source.root}.index }}}}-${{{{ index }}}}"
        with_ = [f'asset_ids: "${{{{ steps.{source.name}.asset_ids }}}}"', f'name: "{name}"' if name else ""]
        self._write("save", self._chance.choice(["download", "preview"]), [line for line in with_ if line])
        self._outputs.append('  files: ${{ steps.save.files | map(attribute="path") }}')

    def _quality(self) -> list[str]:
        return self._chance.choice([[], ['quality: ${{ "fine" if inputs.want else null }}']])


def small_png(number: int) -> bytes:
    """Return a whole PNG of one pixel whose grey is `number`."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes([0, number % 256]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
