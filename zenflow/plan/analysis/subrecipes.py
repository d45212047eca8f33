"""Recipes used as steps: what they are given, how many different ones there are, what they may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zenflow.catalog.field_path import path_text
from zenflow.catalog.gates import Gates
from zenflow.catalog.messages import WRONG_TEXT as WRONG_FORM
from zenflow.catalog.messages import missing_parameter, problem_of
from zenflow.catalog.plain_schema import SchemaTrouble, fits, is_plain
from zenflow.expr.types import join, type_of
from zenflow.expr.values import Pending
from zenflow.plan.analysis.draft import InstanceGroup, PlanContext, Source, StepDraft, plus
from zenflow.plan.analysis.source_map import StepWhere
from zenflow.recipe.model import Recipe
from zenflow.recipe.schema.values import mismatches

MOST_GROUPS = 64
"""Beyond this many different sets of inputs, the inputs that differ most count as not known yet: a plan stays small."""

_MEDIA = ("image", "video", "audio")


def bind(step: StepDraft, recipe: Recipe, context: PlanContext) -> bool:
    """Whether the values are what the recipe's inputs take; problems are told. Names are checked when recipes are read."""
    where, before = StepWhere(step.spec), len(context.problems)
    for group in step.groups:
        for name, spec in recipe.inputs.items():
            if name in group.params:
                _check(name, group.params[name], spec.schema, step, context)
            elif spec.required:
                context.report(missing_parameter(step.spec.uses, (name,), _plain(spec.schema), where))
    return len(context.problems) == before


def _check(name: str, value: Any, schema: Mapping[str, Any], step: StepDraft, context: PlanContext) -> None:
    try:
        errors = _errors(_plain(schema), value)
    except SchemaTrouble:
        return  # said where the input is declared
    for mismatch in mismatches(value, schema, (name,)):
        if mismatch.kind == "form":
            text = f"`{path_text(mismatch.path)}`: {mismatch.message}"
            context.error(WRONG_FORM, text, step.spec.places.value("with", *mismatch.path))
    for error in errors:
        error.relative_path.appendleft(name)
        for problem in problem_of(step.spec.uses, error, _plain(schema), StepWhere(step.spec)):
            context.report(problem)


def _errors(schema: Any, value: Any) -> list[Any]:
    if is_plain(schema, schema) and fits(schema, value, schema):
        return []
    from zenflow.catalog.partial_validation import errors_of, validator_of

    return errors_of(validator_of(schema), value)


def _plain(schema: Any) -> Any:
    """An input's schema as JSON Schema knows it: media are text; patterns are matched by `patterns`."""
    if isinstance(schema, Mapping):
        plain = {key: _plain(value) for key, value in schema.items() if key != "pattern" or isinstance(value, Mapping)}
        return {**plain, "type": "string"} if plain.get("type") in _MEDIA else plain
    return [_plain(item) for item in schema] if isinstance(schema, list) else schema


def grouped(step: StepDraft) -> None:
    """Fewer shapes: an input with many different values becomes one that is not known yet, of the same type."""
    names = {name for group in step.groups for name in group.params}
    differs_by_index = {name for name in names if _several(step.groups, name)}
    merged: dict[bool, InstanceGroup] = {}
    number_of: list[int] = []
    for group in step.groups:
        kept = merged.get(group.sure)
        if kept is None:
            params = {n: _any_of(step, n) if n in differs_by_index else value for n, value in group.params.items()}
            kept = merged[group.sure] = InstanceGroup(params, group.first, group.sure)
        kept.weight = plus(kept.weight, group.weight)
        number_of.append(list(merged).index(group.sure))
    if step.which is not None:
        for place, number in enumerate(step.which):
            if number < len(number_of):
                step.which[place] = number_of[number]
    step.groups = list(merged.values())


def _several(groups: list[InstanceGroup], name: str) -> bool:
    first = groups[0].params.get(name)
    return any(group.params.get(name) != first for group in groups)


def _any_of(step: StepDraft, name: str) -> Pending:
    known = join(type_of(group.params.get(name)) for group in step.groups[:100])
    return Pending(Source(f"inputs.{name}"), known)


def narrowed(gates: Gates, recipe: Recipe) -> Gates:
    """The inner recipe may do what both allow."""
    return replace(gates, nsfw="allow" if gates.nsfw == recipe.policy.nsfw == "allow" else "deny")
