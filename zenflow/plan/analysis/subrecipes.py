"""Recipes used as steps: what they are given, how many different ones there are, what they may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zenflow.catalog.field_path import path_text
from zenflow.catalog.gates import Gates
from zenflow.catalog.messages import WRONG_TEXT as WRONG_FORM
from zenflow.catalog.messages import missing_parameter, problem_of
from zenflow.catalog.partial_validation import SchemaTrouble, errors_of, validator_of
from zenflow.expr.types import join, type_of
from zenflow.expr.values import Pending
from zenflow.plan.analysis.draft import Desk, Shape, Source, StepDraft, plus
from zenflow.plan.analysis.source_map import StepWhere
from zenflow.recipe.model import Recipe
from zenflow.recipe.schema.values import misfits

MOST_GROUPS = 64
"""Beyond this many different sets of inputs, the inputs that differ most count as not known yet: a plan stays small."""

_MEDIA = ("image", "video", "audio")


def bind(step: StepDraft, recipe: Recipe, desk: Desk) -> bool:
    """Whether the values are what the recipe's inputs take; problems are told. Names are checked when recipes are read."""
    where, before = StepWhere(step.spec), len(desk.problems)
    for shape in step.shapes:
        for name, spec in recipe.inputs.items():
            if name in shape.params:
                _check(name, shape.params[name], spec.schema, step, desk)
            elif spec.required:
                desk.tell(missing_parameter(step.spec.uses, (name,), _plain(spec.schema), where))
    return len(desk.problems) == before


def _check(name: str, value: Any, schema: Mapping[str, Any], step: StepDraft, desk: Desk) -> None:
    try:
        errors = errors_of(validator_of(_plain(schema)), value)
    except SchemaTrouble:
        return  # said where the input is declared
    for misfit in misfits(value, schema, (name,)):
        if misfit.kind == "form":
            text = f"`{path_text(misfit.path)}`: {misfit.message}"
            desk.error(WRONG_FORM, text, step.spec.places.value("with", *misfit.path))
    for error in errors:
        error.relative_path.appendleft(name)
        for problem in problem_of(step.spec.uses, error, _plain(schema), StepWhere(step.spec)):
            desk.tell(problem)


def _plain(schema: Any) -> Any:
    """An input's schema as JSON Schema knows it: media are text; patterns are matched by `recipe/schema/pattern`."""
    if isinstance(schema, Mapping):
        plain = {key: _plain(value) for key, value in schema.items() if key != "pattern" or isinstance(value, Mapping)}
        return {**plain, "type": "string"} if plain.get("type") in _MEDIA else plain
    return [_plain(item) for item in schema] if isinstance(schema, list) else schema


def grouped(step: StepDraft) -> None:
    """Fewer shapes: an input with many different values becomes one that is not known yet, of the same type."""
    names = {name for shape in step.shapes for name in shape.params}
    varied = {name for name in names if _several(step.shapes, name)}
    merged: dict[bool, Shape] = {}
    number_of: list[int] = []
    for shape in step.shapes:
        kept = merged.get(shape.sure)
        if kept is None:
            params = {n: _any_of(step, n) if n in varied else value for n, value in shape.params.items()}
            kept = merged[shape.sure] = Shape(params, shape.first, shape.sure)
        kept.weight = plus(kept.weight, shape.weight)
        number_of.append(list(merged).index(shape.sure))
    if step.which is not None:
        for place, number in enumerate(step.which):
            if number < len(number_of):
                step.which[place] = number_of[number]
    step.shapes = list(merged.values())


def _several(shapes: list[Shape], name: str) -> bool:
    first = shapes[0].params.get(name)
    return any(shape.params.get(name) != first for shape in shapes)


def _any_of(step: StepDraft, name: str) -> Pending:
    known = join(type_of(shape.params.get(name)) for shape in step.shapes[:100])
    return Pending(Source(f"inputs.{name}"), known)


def narrowed(gates: Gates, recipe: Recipe) -> Gates:
    """The inner recipe may do what both allow."""
    return replace(gates, nsfw="allow" if gates.nsfw == recipe.policy.nsfw == "allow" else "deny")
