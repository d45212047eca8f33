"""What would a run do and cost? Nothing is submitted: what is handed to the plan cannot submit."""

from __future__ import annotations

from zenflow.app.prepare import RecipeRequest, load, make_plan
from zenflow.app.settings import Settings
from zenflow.app.wiring import connect
from zenflow.plan.model import Plan


async def plan(request: RecipeRequest, settings: Settings) -> Plan:
    """The plan with its verdict. Raises InvalidRecipe, ServiceError."""
    loaded = load(request)
    async with connect(settings, read_only=True) as to:
        return await make_plan(loaded, request, to)
