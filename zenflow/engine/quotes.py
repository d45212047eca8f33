"""Fresh quotes for calls that are about to be sent: equal questions are asked once per `quote_ttl` (promise 3)."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from zenflow.catalog.model import Tool
from zenflow.catalog.prices import Question, Quote
from zenflow.catalog.questions import question_for
from zenflow.catalog.shapes import shape_of
from zenflow.clock import Clock
from zenflow.engine.limits import Kind
from zenflow.engine.service import Service

SHAPES_KEPT = 1_000


class FreshQuotes:
    """Asks `estimate_price` for real parameters; remembers each answer for `ttl_s` seconds."""

    def __init__(self, service: Service, clock: Clock, ttl_s: float) -> None:
        self._service = service
        self._clock = clock
        self._ttl_s = ttl_s
        self._known: dict[str, tuple[float, Quote]] = {}
        self._contradicted: dict[str, frozenset[str]] = {}
        self._questions: dict[Hashable, Question] = {}  # by the shape of the call

    def question(self, tool: Tool, params: Mapping[str, Any]) -> Question:
        """Calls of one shape are priced alike, until a charge contradicts that."""
        off_list = self._contradicted.get(tool.name)
        if off_list is not None:
            return question_for(tool, params, off_list=off_list)
        shape = (tool.name, shape_of(tool, params))
        known = self._questions.get(shape)
        if known is None:
            known = question_for(tool, params)
            if len(self._questions) < SHAPES_KEPT:
                self._questions[shape] = known
        return known

    async def ask(self, questions: Sequence[Question]) -> Mapping[str, Quote]:
        """Quotes by question key, none older than the time to live. Raises ServiceError."""
        wanted = {q.key: q for q in questions if self._fresh(q.key) is None}
        answers = await asyncio.gather(*(self._one(question) for question in wanted.values()))
        for key, quote in zip(wanted, answers, strict=True):
            self._known[key] = (self._clock.monotonic_s(), quote)
        return {q.key: self._known[q.key][1] for q in questions}

    def contradict(self, tool: str, fields: frozenset[str]) -> None:
        """A charge contradicted a quote: these fields are not free of price after all; everything is asked anew."""
        self._contradicted[tool] = self._contradicted.get(tool, frozenset()) | fields
        self._known.clear()

    def are_fresh(self, keys: Iterable[str]) -> bool:
        """Whether none of these quotes has grown old, or was contradicted by a charge, since it was asked for."""
        return all(self._fresh(key) is not None for key in keys)

    def _fresh(self, key: str) -> Quote | None:
        known = self._known.get(key)
        if known is None or self._clock.monotonic_s() - known[0] > self._ttl_s:
            return None
        return known[1]

    async def _one(self, question: Question) -> Quote:
        return await self._service.ask(Kind.PRICE, lambda: self._service.provider.quote(question))
