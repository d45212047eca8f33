"""What would a run do and cost? Nothing is submitted: what is handed to the plan cannot submit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zenflow.app.compare import Comparison, compare
from zenflow.app.offline import offline_plan
from zenflow.app.prepare import RecipeRequest, make_plan
from zenflow.app.saved import keep_plan, write_plan
from zenflow.app.settings import Settings
from zenflow.app.validate import load_or_tell
from zenflow.app.wiring import inquire
from zenflow.plan.model import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWish:
    """What else is wanted of a plan."""

    keep_in: Path | None = None  # save it here
    compare: bool = False
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    plan: Plan
    comparison: Comparison | None = None


async def plan(request: RecipeRequest, settings: Settings) -> Plan:
    """The plan with its verdict. Raises InvalidRecipe, ServiceError."""
    return (await plan_more(request, settings, PlanWish())).plan


async def plan_more(request: RecipeRequest, settings: Settings, wish: PlanWish) -> Planned:
    """The plan, and whatever else is wanted of it. Raises InvalidRecipe, ServiceError, UsageError."""
    loaded = await load_or_tell(request, settings)
    if wish.offline:
        return Planned(await offline_plan(loaded, request, settings))
    async with inquire(settings) as to:
        found = await make_plan(loaded, request, to)
        if wish.keep_in is not None:
            from zenflow.app.reuse import uploads_of  # the engine, to see ahead

            saved = await keep_plan(found, loaded, to, await uploads_of(found, to))
            write_plan(request.current / wish.keep_in, saved)
        return Planned(found, await compare(found, to) if wish.compare else None)
