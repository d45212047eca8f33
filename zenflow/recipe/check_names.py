"""Which names may be read where (rules 9, 14 and 17)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from zenflow.expr.failure import suggestion
from zenflow.expr.references import Reference
from zenflow.expr.template import Template
from zenflow.expr.tree import templates_in
from zenflow.problems import Problems
from zenflow.recipe.actions import TAKES_WHAT_EXISTS
from zenflow.recipe.model import Recipe, StepSpec
from zenflow.recipe.static_scope import origins_of

OUT_OF_SCOPE = "ZF320"
ONLY_AT_THE_END = "ZF321"
INPUTS_ONLY = "ZF322"
NO_ORIGIN = "ZF326"
UNKNOWN = "ZF310"
_EVERYWHERE = frozenset({"inputs", "steps", "recipe"})
_PER_INSTANCE = frozenset({"item", "index", "origin", "previous"})


def check_names(recipe: Recipe, step_ids: Sequence[str], problems: Problems) -> set[int]:
    """Reports names that do not stand for anything where they are; returns the ids of templates that read no such name."""
    usable: set[int] = set()
    for template, allowed, step, what in _templates(recipe):
        good = True
        for read in template.reads:
            good &= _check(read, allowed, recipe, step, step_ids, what, problems)
        if good:
            usable.add(id(template))
    return usable


def _templates(recipe: Recipe) -> Iterator[tuple[Template, frozenset[str], StepSpec | None, str]]:
    """Every template with the names that it may read."""
    inputs = frozenset({"inputs"})
    if isinstance(recipe.budget, Template):
        yield recipe.budget, inputs, None, "budget"
    for step in recipe.steps.values():
        if isinstance(step.max, Template):
            yield step.max, inputs, step, "max"
        yield from _each(step.foreach, _EVERYWHERE, step, "foreach")
        inside = _EVERYWHERE | _PER_INSTANCE if step.fans_out else _EVERYWHERE
        yield from _each(step.if_, inside, step, "if")
        for key, value in step.with_.items():
            names = inside
            if step.uses in TAKES_WHAT_EXISTS and key == "name":
                names = inside | {"index", "origin", "run"}
            yield from _each(value, names, step, "with")
    yield from _each(recipe.outputs, _EVERYWHERE | {"run"}, None, "outputs")


def _each(
    value: Any, allowed: frozenset[str], step: StepSpec | None, what: str
) -> Iterator[tuple[Template, frozenset[str], StepSpec | None, str]]:
    if isinstance(value, Template):
        yield value, allowed, step, what
    elif value is not None and type(value) is not bool:
        for _, template in templates_in(value):
            yield template, allowed, step, what


def _check(
    read: Reference,
    allowed: frozenset[str],
    recipe: Recipe,
    step: StepSpec | None,
    step_ids: Sequence[str],
    what: str,
    problems: Problems,
) -> bool:
    if read.root not in allowed:
        _report_scope(read, what, problems)
        return False
    first = read.path[0] if read.path else None
    if read.root == "steps" and type(first) is str and first not in step_ids:
        problems.error(
            UNKNOWN, f"there is no step `{first}`", read.place_of(1), suggestion(first, step_ids, "The steps")
        )
        return False
    if read.root == "inputs" and type(first) is str and first not in recipe.inputs:
        hint = suggestion(first, list(recipe.inputs), "The inputs") or f"Declare it: `inputs: {{{first}: string}}`."
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


def _report_scope(read: Reference, what: str, problems: Problems) -> None:
    if what in {"max", "budget"}:
        problems.error(
            INPUTS_ONLY,
            f"`{what}` is known before the run, and so reads `inputs` only",
            read.place_of(0),
            "A number, or an expression over `inputs.…`.",
        )
    elif read.root == "run":
        problems.error(
            ONLY_AT_THE_END, "`run` is known only in the `name` of a download and in `outputs`", read.place_of(0)
        )
    elif what == "foreach":
        problems.error(OUT_OF_SCOPE, f"`{read.root}` is made by `foreach`, and cannot stand in it", read.place_of(0))
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
            "Add `foreach: …` to the step, or read `inputs.…` or `steps.…`.",
        )


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
