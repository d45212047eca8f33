"""Recipes used as steps: each instance opens a frame of its own, and its outputs become the instance's results."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from zenflow.engine.expansion.scope import Blocked, frame_scope
from zenflow.engine.model.instances import Frame
from zenflow.expr.evaluate import ExpressionError, evaluate
from zenflow.expr.template import Template
from zenflow.expr.tree import evaluate_tree, pendings_in
from zenflow.expr.values import SKIPPED, Pending, Value, without_skipped
from zenflow.plan.fanout import parse_address
from zenflow.recipe.inputs.media_leaves import is_local_file, with_media
from zenflow.recipe.model import Recipe, StepSpec


def spec_at(recipe: Recipe, address: str) -> StepSpec | None:
    """The step of an instance, by its address; None where the recipe has it no more."""
    spec: StepSpec | None = None
    inside: Recipe | None = recipe
    for part in address.split("/"):
        spec = inside.steps.get(parse_address(part)[0]) if inside is not None else None
        inside = spec.recipe if spec is not None else None
    return spec


def missing_input(recipe: Recipe, inputs: Mapping[str, Any]) -> str | None:
    """The first required input that is not given."""
    return next((name for name, spec in recipe.inputs.items() if spec.required and name not in inputs), None)


def inputs_of(recipe: Recipe, given: Mapping[str, Any]) -> dict[str, Any]:
    """The given values, and the defaults of those that are not given: a file in a default is one beside this recipe."""
    values = dict(given)
    for name, spec in recipe.inputs.items():
        if name not in values and not spec.required:
            values[name] = with_media(spec.default, spec.schema, partial(_beside, recipe))
    return values


def _beside(recipe: Recipe, medium: str) -> str:
    return os.path.abspath(recipe.path.parent / medium) if is_local_file(medium) else medium


def budget_of(recipe: Recipe, inputs: Mapping[str, Any]) -> Decimal | None:
    """A recipe's own budget in credits, worked out from its inputs."""
    written = recipe.budget
    value = evaluate(written, {"inputs": dict(inputs)}) if isinstance(written, Template) else written
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None


def outputs_of(frame: Frame, scope: Mapping[str, Value]) -> dict[str, Any]:
    """Return the outputs as far as they exist. One that will not come, is not there yet, or whose expression has no value for
    the results that there are, is null: a run that is paid for is reported whatever its outputs are."""
    return {name: _output_or_null(written, scope) for name, written in frame.recipe.outputs.items()}


def _output_or_null(written: Any, scope: Mapping[str, Value]) -> Any:
    try:
        value = _output(written, scope)
    except ExpressionError:
        return None
    return None if value is SKIPPED else value


def results_of(frame: Frame) -> dict[str, Any]:
    """The same as results of the step that uses the recipe: what will not come is left out, and reads as skipped there."""
    scope = frame_scope(frame, tolerates_missing=True)
    return {name: value for name, value in _outputs(frame, scope) if value is not SKIPPED}


def _outputs(frame: Frame, scope: Mapping[str, Value]) -> Iterator[tuple[str, Any]]:
    for name, written in frame.recipe.outputs.items():
        yield name, _output(written, scope)


def _output(written: Any, scope: Mapping[str, Value]) -> Any:
    value = evaluate_tree(written, scope, existing=True)
    is_there = value is not SKIPPED and not isinstance(value, Pending) and not pendings_in(value)
    return without_skipped(value) if is_there else SKIPPED


def left_short_by(frame: Frame) -> str | None:
    """The instance whose failure leaves an output short or null; None when none does. A reader of a recipe's list would
    otherwise pay for what it makes of a part of it, and never know."""
    strict = frame_scope(frame)
    try:
        for written in frame.recipe.outputs.values():
            evaluate_tree(written, strict)
    except Blocked as blocked:
        return blocked.by
    return None
