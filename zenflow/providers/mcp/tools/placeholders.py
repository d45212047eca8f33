"""The price of a call whose asset is not made yet, from a service that looks assets up before it names a price.

Usually a made-up id serves (docs/money.md, “Budget”). The page can also be read so that it is refused (“the same payload would
be rejected by create_task”: docs/service.md, “Generation”, `estimate_price`). Then the same call is priced in one of
two ways that cannot be
wrong about anything but the asset itself, which the mark `placeholder` says already: with an asset of the account's that does
exist, else by `compare_prices`, whose row for the model is the price of one call with these parameters. A field is never
left out for it: with and without references are two prices (docs/service.md, “Recorded answers”), and a base price is none.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from zenflow.catalog.prices import PLACEHOLDER_ASSET, PriceRequest, Quote
from zenflow.credits import price_from
from zenflow.providers.base import ServiceError
from zenflow.providers.mcp.session.answers import rows_at, text_at
from zenflow.providers.mcp.session.call import Caller
from zenflow.providers.mcp.tools import assets as files
from zenflow.providers.mcp.tools import tasks as jobs

TASKS_LOOKED_AT = 5  # three free questions each, once per connection
NO_PRICE_YET = (
    "the service names no price before the asset exists ({}); `max_credits` on the step says what it may cost"
)

_REFUSALS = (400, 404, 422)
_NO_ASSET = re.compile(
    r"\b(?:asset|image|video|audio|media|file|reference)s?\b.*\b(?:not (?:found|recogni[sz]ed|owned)|unknown|missing"
    r"|does not exist|no such)\b|\b(?:no such|no|unknown|unrecogni[sz]ed) (?:asset|image|video|audio|media|file)\b",
    re.I | re.S,
)

AskPrice = Callable[[PriceRequest], Awaitable[Quote]]
Compare = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


def wants_real_assets(price_request: PriceRequest, quote: Quote) -> bool:
    """Whether a refusal is about the made-up asset and nothing else: what else is wrong would be wrong later too."""
    if quote.credits is not None or quote.refusal is None or PLACEHOLDER_ASSET not in json.dumps(price_request.params):
        return False
    if quote.refusal_status is not None and quote.refusal_status not in _REFUSALS:
        return False
    said = [part for part in quote.violations if part.strip()] or [quote.refusal]
    return all(PLACEHOLDER_ASSET in part or _NO_ASSET.search(part[:2000]) for part in said)


class Placeholders:
    """One per connection: which assets of the account may stand in, by kind of media."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._looking: asyncio.Task[Mapping[str, str]] | None = None

    async def price(self, price_request: PriceRequest, refused: Quote, ask: AskPrice, compare: Compare) -> Quote:
        """Another answer, or the refusal with the way out."""
        other = await self._with_real_asset(price_request, ask) or await self._compared(price_request, refused, compare)
        if other is not None:
            return other
        return replace(refused, refusal=NO_PRICE_YET.format(refused.refusal), declined=False)

    async def _with_real_asset(self, price_request: PriceRequest, ask: AskPrice) -> Quote | None:
        assets = await self._assets()
        params = {name: _filled(name, value, assets) for name, value in price_request.params.items()}
        if PLACEHOLDER_ASSET in json.dumps(params):
            return None
        quote = await ask(replace(price_request, params=params))
        return quote if quote.credits is not None else None

    async def _compared(self, price_request: PriceRequest, refused: Quote, compare: Compare) -> Quote | None:
        credits = await self._price_in_comparison(price_request, compare)
        return None if credits is None else Quote(credits, refused.asked_at, placeholder=True)

    async def _price_in_comparison(self, price_request: PriceRequest, compare: Compare) -> Decimal | None:
        """The one row of this model (and resolution). Two of them with two prices say nothing."""
        try:
            answer = await compare(price_request.tool, price_request.params)
        except ServiceError:
            return None
        resolution = price_request.params.get("resolution")
        prices = {
            price_from(row.get("price"))
            for row in rows_at(answer, "prices", "items")
            if text_at(row, "model") == price_request.params.get("model")
            and (resolution is None or text_at(row, "resolution") in (None, resolution))
        }
        return prices.pop() if len(prices) == 1 else None

    async def _assets(self) -> Mapping[str, str]:
        """Looked for once, however many questions wait."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._looked(), name="assets that may stand in")
        return await asyncio.shield(self._looking)

    async def _looked(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        try:
            await self._look(found)
        except ServiceError:
            pass  # a convenience: what could not be asked is not there
        return found

    async def _look(self, found: dict[str, str]) -> None:
        """What the account's latest finished tasks have made: an asset of each kind."""
        tasks, _ = await jobs.list_tasks(self._caller, status="completed", limit=TASKS_LOOKED_AT)
        for task in tasks[:TASKS_LOOKED_AT]:
            whole = await jobs.get_task(self._caller, task.task_id)
            done = next((call for call in whole.calls if call.status == "completed"), None)
            made = await jobs.call_result(self._caller, done.call_id) if done is not None else None
            if made is not None and made.asset_ids:
                about = await files.asset(self._caller, made.asset_ids[0])
                found.setdefault(about.media_type.partition("/")[0], about.asset_id)


def _filled(name: str, value: Any, assets: Mapping[str, str]) -> Any:
    """Stand-ins replaced by assets of the kind that the field's name speaks of; a picture where it names none."""
    if isinstance(value, list):
        return [_filled(name, item, assets) for item in value]
    if isinstance(value, Mapping):
        return {key: _filled(f"{name} {key}", item, assets) for key, item in value.items()}
    if value != PLACEHOLDER_ASSET:
        return value
    kind = next((kind for kind in ("video", "audio") if kind in name.lower()), "image")
    return assets.get(kind, value)
