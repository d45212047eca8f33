"""How many results one call of a step is asked for, at run time: what the order of instances is counted by (rule 15)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zenflow.catalog.model import Catalog, Tool
from zenflow.catalog.outputs import COUNT_FIELDS, asked_count
from zenflow.engine.scope import Blocked
from zenflow.engine.unfold import Asked
from zenflow.expr.evaluate import ExpressionError
from zenflow.expr.tree import evaluate_tree
from zenflow.expr.values import Value
from zenflow.recipe.model import Recipe, StepSpec


def asked_by(tools: Mapping[str, Tool], defaults: Mapping[str, int]) -> Asked:
    """The function for one run: by the tools' schemas, or, offline, by the defaults that the run wrote down."""

    def asked(spec: StepSpec, scope: Mapping[str, Value]) -> int:
        if spec.kind == "recipe":
            return 1
        given = {name: spec.with_[name] for name in COUNT_FIELDS if name in spec.with_}
        try:
            params: dict[str, Any] = evaluate_tree(given, scope)
        except (ExpressionError, Blocked):
            params = {}
        if spec.kind == "action":
            return asked_count(spec.uses, params)
        tool = tools.get(spec.uses)
        if tool is not None:
            return asked_count(tool, params)
        known = next((v for v in params.values() if isinstance(v, int) and not isinstance(v, bool)), None)
        return known if known is not None else defaults.get(spec.uses, 1)

    return asked


def asked_defaults(catalog: Catalog, recipe: Recipe) -> dict[str, int]:
    """What each generation tool of a recipe gives when its count is left out: kept with the run, for looking at it offline."""
    found: dict[str, int] = {}
    for spec in recipe.steps.values():
        tool = catalog.tools.get(spec.uses)
        if spec.kind == "tool" and tool is not None:
            found[spec.uses] = asked_count(tool, {})
        elif spec.recipe is not None:
            found.update(asked_defaults(catalog, spec.recipe))
    return found
