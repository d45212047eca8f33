"""How many results one call of a step is asked for, at run time: what the order of instances is counted by (rule 15)."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from zenflow.catalog.model import Catalog, Tool
from zenflow.catalog.outputs import COUNT_FIELDS, asked_count
from zenflow.engine.expansion.expander import ExpectedCount
from zenflow.engine.expansion.scope import Blocked
from zenflow.expr.evaluate import ExpressionError
from zenflow.expr.tree import evaluate_tree
from zenflow.expr.values import Pending, Value
from zenflow.plan.fanout import step_field_of
from zenflow.recipe.actions import ACTION_RESULTS, TOOL_RESULTS
from zenflow.recipe.model import Recipe, StepSpec


def expected_count_function(tools: Mapping[str, Tool], defaults: Mapping[str, int]) -> ExpectedCount:
    """The function for one run: by the tools' schemas, or, offline, by the defaults that the run wrote down."""

    def expected_count(spec: StepSpec, scope: Mapping[str, Value], field: str) -> int:
        if spec.recipe is not None:
            return _expected_of_recipe(spec, spec.recipe, scope, field, expected_count)
        if _gives_one(spec, field):
            return 1
        params = _known({name: spec.with_[name] for name in COUNT_FIELDS if name in spec.with_}, scope)
        if spec.kind == "action":
            return asked_count(spec.uses, params)
        tool = tools.get(spec.uses)
        if tool is not None:
            return asked_count(tool, params)
        known = next((v for v in params.values() if isinstance(v, int) and not isinstance(v, bool)), None)
        return known if known is not None else defaults.get(spec.uses, 1)

    return expected_count


def _gives_one(spec: StepSpec, field: str) -> bool:
    """Whether a field is one value and no list: `asset_id`, `prompt`, `call_id`, …"""
    results = TOOL_RESULTS if spec.kind == "tool" else ACTION_RESULTS.get(spec.uses, {})  # type: ignore[call-overload]
    known = results.get(field)
    return known is not None and known.name not in ("array", "any")


def _expected_of_recipe(
    spec: StepSpec, recipe: Recipe, scope: Mapping[str, Value], field: str, expected_count: ExpectedCount
) -> int:
    """An output that is exactly one inner step's field is asked for as often as that step is, times its instances."""
    plain = step_field_of(recipe.outputs.get(field))
    if plain is None or plain[1] is None or plain[0] not in recipe.steps:
        return 1
    inner = recipe.steps[plain[0]]
    given = _known(spec.with_, scope)
    defaults = {name: one.default for name, one in recipe.inputs.items() if not one.required}
    inner_scope: dict[str, Value] = {"inputs": {**defaults, **given}, "steps": Pending(), "item": Pending()}
    return expected_count(inner, inner_scope, plain[1]) * _instances(inner, inner_scope)


def _instances(spec: StepSpec, scope: Mapping[str, Value]) -> int:
    if spec.foreach is None:
        return 1
    elements = _known({"foreach": spec.foreach}, scope).get("foreach")
    if isinstance(elements, list):
        return len(elements)
    if isinstance(elements, dict) and all(isinstance(one, list) for one in elements.values()):
        return prod(len(one) for one in elements.values())
    return 1


def _known(written: Mapping[str, Any], scope: Mapping[str, Value]) -> dict[str, Any]:
    """What of it can be said now; the rest is left out."""
    found: dict[str, Any] = {}
    for name, value in written.items():
        try:
            found[name] = evaluate_tree(value, scope)
        except (ExpressionError, Blocked):
            continue
    return found


def default_counts(catalog: Catalog, recipe: Recipe) -> dict[str, int]:
    """What each generation tool of a recipe gives when its count is left out: kept with the run, for looking at it offline."""
    found: dict[str, int] = {}
    for spec in recipe.steps.values():
        tool = catalog.tools.get(spec.uses)
        if spec.kind == "tool" and tool is not None:
            found[spec.uses] = asked_count(tool, {})
        elif spec.recipe is not None:
            found.update(default_counts(catalog, spec.recipe))
    return found
