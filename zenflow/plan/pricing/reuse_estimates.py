"""The planned steps, less what results of earlier runs make needless.

Where all instances of a step are known, its calls and its price are exact; where some are still to come, what is kept is
taken off the bounds. It is told what is kept and decides nothing about that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from zenflow.catalog.model import Catalog, Tool
from zenflow.catalog.price_requests import price_request_for
from zenflow.catalog.prices import PriceBook, PriceRequest
from zenflow.credits import ZERO, Credits, Estimate
from zenflow.plan.model import Count, PlannedStep, ReuseEstimate
from zenflow.plan.pricing.price import Ask


async def with_reuse_estimates(
    steps: Mapping[str, PlannedStep],
    reuse_estimates: Mapping[str, ReuseEstimate],
    catalog: Catalog,
    book: PriceBook,
    ask: Ask,
) -> dict[str, PlannedStep]:
    """Every step as it stands with what is known beforehand; prices of real requests are asked for, once each."""
    price_requests = {
        path: _price_requests(steps[path], known, catalog) for path, known in reuse_estimates.items() if path in steps
    }
    missing = book.missing(q for kept, new in price_requests.values() for q in (*kept, *new))
    answers = await ask(missing) if missing else {}
    for price_request in missing:
        if price_request.key in answers:
            book.add(price_request, answers[price_request.key])
    return apply_reuse_estimates(steps, reuse_estimates, catalog, book)


def apply_reuse_estimates(
    steps: Mapping[str, PlannedStep], reuse_estimates: Mapping[str, ReuseEstimate], catalog: Catalog, book: PriceBook
) -> dict[str, PlannedStep]:
    """The same at prices that are known."""
    price_requests = {
        path: _price_requests(steps[path], known, catalog) for path, known in reuse_estimates.items() if path in steps
    }
    return {
        path: _with(step, reuse_estimates[path], price_requests[path], book) if path in price_requests else step
        for path, step in steps.items()
    }


_PriceRequests = tuple[list[PriceRequest], list[PriceRequest]]  # of what is kept, of what is new


def _price_requests(step: PlannedStep, known: ReuseEstimate, catalog: Catalog) -> _PriceRequests:
    tool = catalog.tools.get(step.uses) if step.is_paid else None
    if tool is None:
        return [], []
    return [_price_request(tool, params) for params in known.kept], [
        _price_request(tool, params) for params in known.new
    ]


def _price_request(tool: Tool, params: Mapping[str, Any]) -> PriceRequest:
    return price_request_for(tool, params)


def _with(step: PlannedStep, known: ReuseEstimate, price_requests: _PriceRequests, book: PriceBook) -> PlannedStep:
    count = _count(step, known)
    usual_s = 0.0 if count.max == 0 else step.usual_s
    step = replace(step, instances=count, kept=len(known.kept), usual_s=usual_s)
    if known.complete:
        step = replace(step, uncertain="")
    if not step.is_paid:
        return step
    return (
        _priced_exactly(step, price_requests[1], book)
        if known.complete
        else _priced_less(step, price_requests[0], book)
    )


def _count(step: PlannedStep, known: ReuseEstimate) -> Count:
    if known.complete:
        return Count(len(known.new), len(known.new), len(known.new))
    kept, over = len(known.kept), step.instances
    gone = kept + known.skipped
    low = max(0, over.min - kept)
    expected = max(low, over.expected - gone)
    return Count(low, expected, max(expected, over.max - kept))


def _priced_exactly(step: PlannedStep, new: Sequence[PriceRequest], book: PriceBook) -> PlannedStep:
    """Every call is known with its own price."""
    prices = [_price(price_request, book) for price_request in new]
    known = [price if price is not None else step.max_credits or ZERO for price in prices]
    total = sum(known, ZERO)
    each = {price for price in prices if price is not None}
    why = step.unpriced or "the service gave no price" if None in prices else None
    return replace(
        step,
        credits=Estimate(total, total, total * (1 + step.retries)),
        credits_each=each.pop() if len(each) == 1 and why is None else (None if each or why else step.credits_each),
        credits_each_range=None if len(set(known)) < 2 or why else (min(known), max(known)),
        unpriced=why,
        placeholder=step.placeholder and bool(new),
        price_requests=dict(Counter(price_request.key for price_request in new)),
    )


def _priced_less(step: PlannedStep, kept: Sequence[PriceRequest], book: PriceBook) -> PlannedStep:
    """What is kept, taken off: the rest is as uncertain as it was."""
    saved = sum((_price(price_request, book) or ZERO for price_request in kept), ZERO)
    credits = step.credits
    if step.instances.max == 0:
        return replace(step, credits=Estimate())
    low = max(ZERO, credits.low - saved)
    expected = max(low, credits.expected - saved)
    worst = max(expected, credits.worst - saved * (1 + step.retries))
    return replace(step, credits=Estimate(low, expected, worst))


def _price(price_request: PriceRequest, book: PriceBook) -> Credits | None:
    quote = book.find(price_request)
    return None if quote is None else quote.credits
