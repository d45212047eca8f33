"""The steps that `--pick` names: there is such a step, it is a `pick`, and it may take so many.

Found before anything is spent; the engine would look for the step, never come upon it, and say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from zenflow.engine.expansion.subrecipes import spec_at
from zenflow.errors import UsageError
from zenflow.recipe.model import Recipe
from zenflow.suggest import nearest

PICK = "ZF007"


def check_picks(recipe: Recipe, picks: Mapping[str, tuple[int, ...]]) -> None:
    """Raises UsageError for a `--pick` of a step that is not there or is no `pick`, or of more than it may take."""
    for address, chosen in picks.items():
        said = f"--pick {address}={','.join(map(str, chosen))}"
        spec = spec_at(recipe, address)
        if spec is None:
            raise UsageError(PICK, f"`{said}`: there is no step `{address}`.", _those(address, _paths(recipe, "pick")))
        if spec.uses != "pick":
            hint = _those(address, _paths(recipe, "pick"))
            raise UsageError(PICK, f"`{said}`: `{address}` is no `pick`, it uses `{spec.uses}`.", hint)
        most = spec.with_.get("count", 1)
        if isinstance(most, int) and len(chosen) > most:
            raise UsageError(PICK, f"`{said}` names {len(chosen)}, and `{address}` takes at most {most}.", None)


def _paths(recipe: Recipe, uses: str, above: str = "") -> Iterator[str]:
    """Each step's path, those of recipes used as steps among them, of one action."""
    for name, spec in recipe.steps.items():
        if spec.uses == uses:
            yield above + name
        if spec.recipe is not None:
            yield from _paths(spec.recipe, uses, f"{above}{name}/")


def _those(path: str, known: Iterator[str]) -> str | None:
    names = list(known)
    near = nearest(path, names)
    if not names:
        return "The recipe has none."
    there = f"There is: {', '.join(f'`{name}`' for name in names[:10])}."
    return there if near is None else f"Did you mean `{near}`? {there}"
