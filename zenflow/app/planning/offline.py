"""A plan without a service: schemas of the last snapshot, prices of the last time they were asked, the account as it was
seen last, and how old each of them is. What earlier runs have made is in the journal, and needs no service.

The snapshot is `schemas/tools/` of the workspace (`zenflow tools sync`), else the one that comes with zenflow. Prices and the
balance are those that this workspace's plans and runs have been told (`prices.json`, `accounts.json` beside the journal).
What has no price is named; a balance that nobody has seen is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from zenflow.app.config.settings import Settings
from zenflow.app.config.workspace import SNAPSHOT
from zenflow.app.connection import wiring
from zenflow.app.connection.wiring import ReadOnlyConnection
from zenflow.app.planning.prepare import Loaded, RecipeRequest, bounds_of, plan_for
from zenflow.app.queries.account_cache import CachedAccount, cached_account
from zenflow.app.queries.price_cache import PriceCache
from zenflow.catalog.model import Account, Catalog
from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.catalog.snapshot import read_snapshot
from zenflow.clock import Clock
from zenflow.plan.model import Plan
from zenflow.providers.base import AssetInfo, AssetUrl, ServiceError

NO_PRICE = "no price was asked for it yet: plan once while the service can be reached"


class LastAnswers:
    """A service that is not asked: its last answers. Assets are taken to be there still."""

    def __init__(self, settings: Settings, seen: CachedAccount | None, clock: Clock) -> None:
        self.server = settings.server
        self._settings = settings
        self._seen = seen
        self._prices = PriceCache.of(settings)
        self._clock = clock

    async def account(self) -> Account:
        if self._seen is None:
            raise ServiceError("unreachable", f"No account of {self.server} was seen yet.")
        return self._seen.account

    async def catalog(self, tools: Iterable[str] | None = None) -> Catalog:
        return snapshot_of(self._settings)

    async def quote(self, price_request: PriceRequest) -> Quote:
        return self._prices.find(price_request.key) or Quote(None, self._clock.now(), NO_PRICE)

    async def compare(self, tool: str, params: Mapping[str, Any], resolutions: Sequence[str] = ()) -> Mapping[str, Any]:
        raise ServiceError("unreachable", "Prices cannot be compared without the service.")

    async def download_urls(self, asset_ids: Sequence[str]) -> Sequence[AssetUrl]:
        return [AssetUrl(asset_id, "", None) for asset_id in asset_ids]

    async def asset(self, asset_id: str) -> AssetInfo:
        return AssetInfo(asset_id, "")  # nobody can say; a plan with the service does


async def offline_plan(loaded: Loaded, request: RecipeRequest, settings: Settings) -> Plan:
    """The plan as it was true when the prices were asked; `priced_at` is the oldest of them. Raises InvalidRecipe."""
    clock = wiring.clock()
    journal = wiring.open_journal(settings, clock, read_only=True)
    try:
        seen = cached_account(settings, journal)
        answers = LastAnswers(settings, seen, clock)
        to = ReadOnlyConnection(settings, answers, journal, clock)

        async def ask(price_requests: Sequence[PriceRequest]) -> Mapping[str, Quote]:
            return {price_request.key: await answers.quote(price_request) for price_request in price_requests}

        account = None if seen is None else seen.account
        bounds = bounds_of(request.budget, to, account)
        recipe, inputs = loaded.recipe, loaded.inputs.values
        plan = await plan_for(recipe, inputs, bounds, request.maxima, to, account, options=request.reuse, ask=ask)
        return replace(plan, balance_at=None if seen is None else seen.at)
    finally:
        await journal.close()


def snapshot_of(settings: Settings) -> Catalog:
    """The workspace's snapshot, else the packaged one."""
    own = settings.workspace.root / SNAPSHOT
    return read_snapshot(own) if any(own.glob("*.json")) else read_snapshot()
