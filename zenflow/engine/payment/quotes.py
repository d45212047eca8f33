"""Fresh quotes for calls that are about to be sent: equal questions are asked once per `quote_ttl` (promise 3)."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from zenflow.catalog.call_shapes import shape_of
from zenflow.catalog.model import Tool
from zenflow.catalog.price_requests import price_request_for
from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.clock import Clock
from zenflow.engine.io.client import ServiceClient
from zenflow.engine.io.rate_limiter import Kind

SHAPES_KEPT = 1_000


class FreshQuotes:
    """Asks `estimate_price` for real parameters; remembers each answer for `ttl_s` seconds."""

    def __init__(self, service: ServiceClient, clock: Clock, ttl_s: float) -> None:
        self._service = service
        self._clock = clock
        self._ttl_s = ttl_s
        self._known: dict[str, tuple[float, Quote]] = {}
        self._guessed: dict[str, tuple[float, Quote]] = {}  # told for a stand-in: no answer to a real question
        self._contradicted: dict[str, frozenset[str]] = {}
        self._price_requests: dict[Hashable, PriceRequest] = {}  # by the shape of the call

    def price_request(self, tool: Tool, params: Mapping[str, Any]) -> PriceRequest:
        """Calls of one shape are priced alike, until a charge contradicts that."""
        off_list = self._contradicted.get(tool.name)
        return self._plain(tool, params) if off_list is None else price_request_for(tool, params, off_list=off_list)

    def key_in_plan(self, price_request: PriceRequest, tool: Tool, params: Mapping[str, Any]) -> str:
        """Under which key a plan holds the price of this question's call, whatever charges have contradicted since."""
        return self._plain(tool, params).key if tool.name in self._contradicted else price_request.key

    def _plain(self, tool: Tool, params: Mapping[str, Any]) -> PriceRequest:
        shape = (tool.name, shape_of(tool, params))
        known = self._price_requests.get(shape)
        if known is None:
            known = price_request_for(tool, params)
            if len(self._price_requests) < SHAPES_KEPT:
                self._price_requests[shape] = known
        return known

    async def ask(self, price_requests: Sequence[PriceRequest]) -> Mapping[str, Quote]:
        """Quotes by question key, none older than the time to live. Raises ServiceError."""
        wanted: dict[str, PriceRequest] = {}
        for price_request in sorted(
            price_requests, key=lambda one: not one.placeholder
        ):  # of two equal ones the real one is asked
            if self._answer(price_request) is None:
                wanted[price_request.key] = price_request
        told = {q.key: answer for q in price_requests if (answer := self._answer(q)) is not None}
        answers = await asyncio.gather(*(self._one(price_request) for price_request in wanted.values()))
        for (key, price_request), quote in zip(wanted.items(), answers, strict=True):
            known = self._guessed if price_request.placeholder else self._known
            known[key] = (self._clock.monotonic_s(), quote)
            told[key] = quote
        return told

    def contradict(self, tool: str, fields: frozenset[str]) -> None:
        """A charge contradicted a quote: these fields are not free of price after all; everything is asked anew."""
        self._contradicted[tool] = self._contradicted.get(tool, frozenset()) | fields
        self._known.clear()
        self._guessed.clear()

    def are_fresh(self, keys: Iterable[str]) -> bool:
        """Whether none of these quotes has grown old, or was contradicted by a charge, since it was asked for."""
        return all(self._fresh(self._known, key) is not None for key in keys)

    def _answer(self, price_request: PriceRequest) -> Quote | None:
        """What is known freshly enough; what is real answers a question with stand-ins too, but never the other way round."""
        real = self._fresh(self._known, price_request.key)
        return (
            real if real is not None or not price_request.placeholder else self._fresh(self._guessed, price_request.key)
        )

    def _fresh(self, among: Mapping[str, tuple[float, Quote]], key: str) -> Quote | None:
        known = among.get(key)
        if known is None or self._clock.monotonic_s() - known[0] > self._ttl_s:
            return None
        return known[1]

    async def _one(self, price_request: PriceRequest) -> Quote:
        return await self._service.ask(Kind.PRICE, lambda: self._service.provider.quote(price_request))
