"""Which names may be read where (rules 9, 14 and 17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from zenflow.expr.failure import suggestion
from zenflow.expr.references import Reference
from zenflow.problems import Problems
from zenflow.recipe.actions import TOLERATES_MISSING_INPUTS
from zenflow.recipe.checks.static_scope import origins_of
from zenflow.recipe.checks.templates import Placed
from zenflow.recipe.model import Recipe, StepSpec
from zenflow.suggest import Patience

OUT_OF_SCOPE = "ZF320"
ONLY_AT_THE_END = "ZF321"
INPUTS_ONLY = "ZF322"
NO_ORIGIN = "ZF326"
UNKNOWN = "ZF310"
_EVERYWHERE = frozenset({"inputs", "steps", "recipe"})
_PER_INSTANCE = frozenset({"item", "index", "origin", "previous"})
_IN_INSTANCES = _EVERYWHERE | _PER_INSTANCE
_IN_NAMES = _EVERYWHERE | {"index", "origin", "run"}
_AT_THE_END = _EVERYWHERE | {"run"}
_INPUTS = frozenset({"inputs"})


@dataclass(frozen=True, slots=True)
class _Known:
    """The names of one recipe."""

    recipe: Recipe
    steps: frozenset[str]
    step_ids: Sequence[str]  # the same in the order of the file
    patience: Patience = field(default_factory=Patience)


def check_names(
    recipe: Recipe,
    templates: Sequence[Placed],
    step_ids: Sequence[str],
    problems: Problems,
    *,
    inputs_known: bool = True,
) -> set[int]:
    """Reports names that stand for nothing where they are; returns the ids of the templates that read no such name.

    `inputs_known`: whether the inputs could be read; else nothing is said of names of inputs.
    """
    known = _Known(recipe, frozenset(step_ids), step_ids)
    usable: set[int] = set()
    for placed in templates:
        allowed = _allowed(placed)
        good = True
        for read in placed.template.reads:
            if read.root not in allowed:
                _report_scope(read, placed, recipe, problems)
                good = False
            elif read.root == "inputs" and not inputs_known:
                good = False
            else:
                good &= _check(read, known, placed.step, problems)
        if good:
            usable.add(id(placed.template))
    return usable


def _allowed(placed: Placed) -> frozenset[str]:
    """The names that may be read there."""
    key, step = placed.key, placed.step
    if key in {"budget", "max"}:
        return _INPUTS
    if key == "outputs":
        return _AT_THE_END
    if step is None or key == "foreach":
        return _EVERYWHERE
    if key == "with.name" and step.uses in TOLERATES_MISSING_INPUTS:
        return _IN_NAMES | _PER_INSTANCE if step.fans_out else _IN_NAMES
    return _IN_INSTANCES if step.fans_out else _EVERYWHERE


def _check(read: Reference, known: _Known, step: StepSpec | None, problems: Problems) -> bool:
    recipe, step_ids = known.recipe, known.step_ids
    first = read.path[0] if read.path else None
    if read.root == "steps" and type(first) is str and first not in known.steps:
        problems.error(
            UNKNOWN,
            f"there is no step `{first}`",
            read.place_of(1),
            suggestion(first, step_ids, "The steps", known.patience),
        )
        return False
    if read.root == "inputs" and type(first) is str and first not in recipe.inputs:
        near = suggestion(first, list(recipe.inputs), "The inputs", known.patience)
        hint = near or f"Declare it: `inputs: {{{first}: string}}`."
        problems.error(UNKNOWN, f"there is no input `{first}`", read.place_of(1), hint)
        return False
    if read.root in {"steps", "inputs"} and type(first) is not str:
        problems.error(
            UNKNOWN,
            f"`{read.root}` is followed by a name that is written out",
            read.place,
            f"As in `{read.root}.{'upload' if read.root == 'steps' else 'photo'}`.",
        )
        return False
    if read.root == "origin":
        return _check_origin(read, recipe, step, problems)
    return True


def _report_scope(read: Reference, placed: Placed, recipe: Recipe, problems: Problems) -> None:
    what = placed.key.partition(".")[0]
    if what in {"max", "budget"}:
        problems.error(
            INPUTS_ONLY,
            f"`{what}` is known before the run, and so reads `inputs` only",
            read.place_of(0),
            "A number, or an expression over `inputs.…`.",
        )
    elif read.root == "run":
        problems.error(
            ONLY_AT_THE_END,
            "`run` is known only in the `name` of a download and in `outputs`",
            read.place_of(0),
            "What is sent is the same in every run; what is to differ is an input.",
        )
    elif what == "foreach":
        problems.error(
            OUT_OF_SCOPE,
            f"`{read.root}` is made by `foreach`, and cannot stand in it",
            read.place_of(0),
            "It reads `inputs.…` or `steps.…`: what to go over.",
        )
    elif what == "outputs":
        problems.error(
            OUT_OF_SCOPE,
            f"`{read.root}` exists only inside a step with `foreach`",
            read.place_of(0),
            "Outputs read `steps.…`.",
        )
    else:
        problems.error(
            OUT_OF_SCOPE,
            f"`{read.root}` exists only in a step with `foreach`, and this one has none",
            read.place_of(0),
            _instead_of_instances(read, placed, recipe),
        )


def _instead_of_instances(read: Reference, placed: Placed, recipe: Recipe) -> str:
    """What a step without `foreach` may read. The name of a download knows where its file came from."""
    step = placed.step
    if step is not None and read.root == "item" and placed.key == "with.name":
        origins = origins_of(recipe, step)
        if origins:
            return f"The one that the file was made of: `${{{{ origin.{origins[-1]}.item }}}}`."
    return "Add `foreach: …` to the step, or read `inputs.…` or `steps.…`."


def _check_origin(read: Reference, recipe: Recipe, step: StepSpec | None, problems: Problems) -> bool:
    assert step is not None
    origins = origins_of(recipe, step)
    first = read.path[0] if read.path else None
    if first in origins:
        return True
    if not origins:
        problems.error(
            NO_ORIGIN,
            "`origin` exists where `foreach` is `steps.ID` or `steps.ID.FIELD`, or in a download of one such field",
            read.place_of(0),
        )
    elif type(first) is not str:
        problems.error(
            NO_ORIGIN,
            "`origin` is followed by the name of a step",
            read.place_of(0),
            suggestion("", origins, "The origins here"),
        )
    else:
        problems.error(
            NO_ORIGIN,
            f"the instances of this step do not come from `{first}`",
            read.place_of(1),
            suggestion(first, origins, "They come from"),
        )
    return False
