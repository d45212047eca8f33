"""Price questions: `estimate_price` and `compare_prices` (docs/service.md, “Generation”). Neither spends anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.clock import Clock
from zenflow.credits import Credits, price_from
from zenflow.providers.base import ServiceError
from zenflow.providers.mcp.session.answers import first
from zenflow.providers.mcp.session.call import PREFIX, Caller, arguments_of, ask, content_of
from zenflow.providers.mcp.session.failures import error_of, no_in

_PRICES = (
    *("price", "total_price", "credits", "cost"),
    *("raw.total_price", "raw.price", "raw.total", "raw.credits", "raw.cost"),
    *("max_price", "price_max", "raw.max_price", "raw.price_max"),
)
_UPPER_ENDS = ("max", "maximum", "high", "upper", "to", "total", "total_price", "price", "credits", "amount")
_REFUSALS = (400, 403, 404, 422)


async def quote(caller: Caller, clock: Clock, price_request: PriceRequest) -> Quote:
    """The price of one call. A tool result that says no for a reason of its own is an answer; trouble raises."""
    asked_at = clock.now()
    answer = await caller.call(
        PREFIX + "estimate_price", arguments_of({"tool_name": price_request.tool, "params": dict(price_request.params)})
    )
    no = no_in(answer)
    if no is not None:
        # Without a number (“Unknown tool_name — …”) it is a refusal too: the same question gets the same answer.
        if no.status in _REFUSALS or (no.status is None and no.trouble != "absent"):
            words = "; ".join([no.message, *(v for v in no.violations if v not in no.message)])
            declined = no.status in _REFUSALS or bool(no.violations)
            return Quote(None, asked_at, words, no.status, price_request.placeholder, no.violations, declined)
        raise error_of(no, "estimate_price", answer.facts)
    content = content_of(answer, "estimate_price")
    credits = _price(content)
    refusal = None if credits is not None else "the answer holds no price (a price is a number from 0 to 10^15)"
    return Quote(credits, asked_at, refusal, None, price_request.placeholder)


def _price(content: Mapping[str, Any]) -> Credits | None:
    """One number; of a price from–to the upper end: a budget that holds for it holds for each (docs/service.md,
    “Generation”: best effort)."""
    for key in _PRICES:
        found = _number(first(content, key))
        if found is not None:
            return found
    each, units = price_from(first(content, "raw.per_unit")), price_from(first(content, "raw.units"))
    return price_from(each * units) if each is not None and units is not None else None


def _number(value: Any) -> Credits | None:
    if isinstance(value, Mapping):
        return next((n for key in _UPPER_ENDS if (n := price_from(value.get(key))) is not None), None)
    if isinstance(value, list):
        numbers = [price_from(one) for one in value]
        known = [number for number in numbers if number is not None]
        return max(known) if known and len(known) == len(numbers) else None
    return price_from(value)


async def compare(
    caller: Caller, tool: str, params: Mapping[str, Any], resolutions: Sequence[str]
) -> Mapping[str, Any]:
    """All models' prices, as the server gives them. `model` is stripped there; it is left out here already."""
    flat = {key: value for key, value in params.items() if key != "model"}
    try:
        return await ask(
            caller,
            "compare_prices",
            {"tool_name": tool, "params": flat, "resolutions": list(resolutions) or None},
        )
    except ServiceError as no:
        if no.trouble == "server" and no.status is None and no.wire is not None and no.wire.status == 200:
            raise ServiceError("invalid", no.message, payload=no.payload, facts=no.wire) from no
        raise
