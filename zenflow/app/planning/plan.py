"""What would a run do and cost? Nothing is submitted: what is handed to the plan cannot submit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zenflow.app.config.settings import Settings
from zenflow.app.connection.wiring import connect_read_only
from zenflow.app.planning.cheapest import Cheapest, cheapest
from zenflow.app.planning.compare import Comparison, compare
from zenflow.app.planning.offline import offline_plan
from zenflow.app.planning.plan_file import keep_plan, write_plan
from zenflow.app.planning.prepare import RecipeRequest, make_plan
from zenflow.app.planning.validate import load_or_raise
from zenflow.errors import UsageError
from zenflow.plan.model import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """What else is wanted of a plan."""

    keep_in: Path | None = None  # save it here
    compare: bool = False
    cheapest: bool = False  # the plan with the cheapest models and resolutions in place of the recipe's own
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """`plan` is the recipe's own, or, where that was wanted, the cheapest one: `cheapest` then says what it changes."""

    plan: Plan
    comparison: Comparison | None = None
    cheapest: Cheapest | None = None


async def plan(request: RecipeRequest, settings: Settings) -> Plan:
    """The plan with its verdict. Raises InvalidRecipe, ServiceError."""
    return (await plan_more(request, settings, PlanOptions())).plan


async def plan_more(request: RecipeRequest, settings: Settings, options: PlanOptions) -> Planned:
    """The plan, and whatever else is wanted of it. Raises InvalidRecipe, ServiceError, UsageError."""
    loaded = await load_or_raise(request, settings)
    if options.offline:
        return Planned(await offline_plan(loaded, request, settings))
    async with connect_read_only(settings) as to:
        found = await make_plan(loaded, request, to)
        comparison = await compare(found, to) if options.compare or options.cheapest else None
        cheaper = None
        if comparison is not None and options.cheapest:
            cheaper = await cheapest(found, comparison, loaded, request, to)
            found, loaded = cheaper.plan, cheaper.loaded
        if options.keep_in is not None:
            if cheaper is not None and not cheaper.inputs_suffice:
                raise _cannot_keep(cheaper)
            from zenflow.app.planning.reuse import uploads_of  # the engine, to see ahead

            saved = await keep_plan(found, loaded, to, await uploads_of(found, to))
            write_plan(request.current / options.keep_in, saved, settings.trust)
        return Planned(found, comparison, cheaper)


def _cannot_keep(cheaper: Cheapest) -> UsageError:
    """A saved plan stands on its recipe's files as they are."""
    changes = [keep for switch in cheaper.switches for keep in switch.keep if keep.input_name is None]
    said = "; ".join(f"{keep.file}, line {keep.line}: `{keep.field}: {keep.value}`" for keep in changes[:4])
    return UsageError(
        "ZF003",
        "The cheapest plan cannot be saved: it needs changes in the recipe, and a saved plan is of the recipe as it stands.",
        f"Write them first: {said}.",
    )
