"""A plan without a service: schemas of the last snapshot, prices of the last time they were asked, and how old both are.

The snapshot is `schemas/tools/` of the workspace (`zenflow tools sync`), else the one that comes with zenflow. Prices are those
that this workspace's plans and runs have been told (`prices.json` beside the journal). What has none is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from zenflow.app import wiring
from zenflow.app.prepare import Loaded, RecipeRequest
from zenflow.app.price_cache import PriceCache
from zenflow.app.settings import Settings
from zenflow.app.tools import SNAPSHOT
from zenflow.catalog.model import Catalog
from zenflow.catalog.prices import Question, Quote
from zenflow.catalog.snapshot import read_snapshot
from zenflow.credits import ZERO
from zenflow.plan.build import PlanRequest, build_plan
from zenflow.plan.model import BudgetLine, Plan

NO_PRICE = "no price was asked for it yet: plan once while the service can be reached"


async def offline_plan(loaded: Loaded, request: RecipeRequest, settings: Settings) -> Plan:
    """The plan as it was true when the prices were asked; `priced_at` is the oldest of them. Raises InvalidRecipe."""
    cache = PriceCache.of(settings)
    clock = wiring.clock()
    catalog = snapshot_of(settings)

    async def ask(questions: Sequence[Question]) -> Mapping[str, Quote]:
        now = clock.now()
        return {question.key: cache.find(question.key) or _unknown(now) for question in questions}

    bounds = [] if request.budget is None else [BudgetLine(request.budget, "--budget")]
    if settings.per_run is not None:
        bounds.append(BudgetLine(settings.per_run, "[budget] per_run"))
    plan_request = PlanRequest(
        recipe=loaded.recipe,
        inputs=loaded.inputs.values,
        server=settings.server,
        catalog=catalog,
        account=None,
        bounds=tuple(bounds),
        consent_nsfw=settings.allows_nsfw,
        max_overrides=request.maxima,
        committed_elsewhere=ZERO,
    )
    return await build_plan(plan_request, ask)


def snapshot_of(settings: Settings) -> Catalog:
    """The workspace's snapshot, else the packaged one."""
    own = settings.workspace.root / SNAPSHOT
    return read_snapshot(own) if any(own.glob("*.json")) else read_snapshot()


def _unknown(now: datetime) -> Quote:
    return Quote(None, now, NO_PRICE)
