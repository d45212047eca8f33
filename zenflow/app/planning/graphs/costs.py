"""What each step of a graph is expected to take, in seconds and credits, without the service.

Prices are those that the workspace has seen last. They need the recipe's inputs; without them seconds are still known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from zenflow.app.config.settings import Settings
from zenflow.app.planning.graphs.recipe_graph import RecipeGraph
from zenflow.app.planning.offline import offline_plan, snapshot_of
from zenflow.app.planning.prepare import RecipeRequest, load
from zenflow.catalog.outputs import usual_duration_s
from zenflow.errors import InvalidRecipe
from zenflow.plan.analysis.dependencies import longest_ways, topological_order
from zenflow.plan.model import Plan, PlannedStep


@dataclass(frozen=True, slots=True)
class Cost:
    """`seconds` of one instance, `credits` of all of them; None: no price is known."""

    seconds: float
    credits: Decimal | None


async def costs_of(graph: RecipeGraph, request: RecipeRequest, settings: Settings) -> Mapping[str, Cost]:
    """Return the expected cost of each step of the graph."""
    plan = await _plan_of(request, settings)
    if plan is not None:
        return {node.step_id: _planned(plan, node.step_id) for node in graph.nodes}
    tools = snapshot_of(settings).tools
    return {node.step_id: Cost(usual_duration_s(tools.get(node.uses, node.uses)), None) for node in graph.nodes}


async def _plan_of(request: RecipeRequest, settings: Settings) -> Plan | None:
    try:
        return await offline_plan(load(request), request, settings)
    except InvalidRecipe:  # an input is missing: the graph is the same without it
        return None


def _planned(plan: Plan, path: str) -> Cost:
    """Return the cost of a step; that of a recipe used as a step is its longest way and the sum of its credits."""
    own = plan.steps.get(path)
    inside = {name: step for name, step in plan.steps.items() if name.startswith(f"{path}/")}
    if not inside:
        return Cost(0.0, None) if own is None else Cost(own.usual_s, _credits(own))
    needs = {name: [before for before in step.needs if before in inside] for name, step in inside.items()}
    order = topological_order(list(inside), needs)
    ways = longest_ways(order, needs, {name: step.usual_s for name, step in inside.items()})
    known = [credits for credits in map(_credits, inside.values()) if credits is not None]
    return Cost(max(ways.values()), sum(known, Decimal(0)) if known else None)


def _credits(step: PlannedStep) -> Decimal | None:
    if not step.is_paid:
        return Decimal(0)
    return None if step.unpriced and not step.max_credits else step.credits.expected
