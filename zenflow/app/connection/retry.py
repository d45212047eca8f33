"""Free questions asked with patience: side by side, no faster than allowed, again when the trouble may pass.

Knows nothing of money: only what cannot cost is asked through here (the submission has its own road in the engine).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from zenflow.catalog.prices import PriceRequest, PriceSource, Quote
from zenflow.clock import Clock
from zenflow.engine.io.rate_limiter import Kind, RateLimit, RateLimiter
from zenflow.providers.base import ServiceError

Answer = TypeVar("Answer")

TRIES = 5
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 20.0
AT_ONCE = 10


async def with_retries(ask: Callable[[], Awaitable[Answer]], clock: Clock, *, also_unreachable: bool = False) -> Answer:
    """The answer, after a few tries when the service is busy. A server that is not there is told at once."""
    for number in range(1, TRIES):
        try:
            return await ask()
        except ServiceError as error:
            if not error.may_be_repeated or (_is_away(error) and not also_unreachable):
                raise
            wait_s = error.retry_after_s if error.retry_after_s is not None else FIRST_WAIT_S * 2 ** (number - 1)
            await clock.sleep(min(wait_s, LONGEST_WAIT_S))
    return await ask()


def _is_away(error: ServiceError) -> bool:
    """Nothing answers there. A connection that was made and then broke is another matter: it may pass."""
    if error.trouble != "unreachable":
        return False
    return error.wire is None or error.wire.reached == "not_connected"


class LimitedQueries:
    """Free questions side by side, ten at once at most, behind a brake like a run's: the same rate after a first burst, the
    same pause for everybody after a 429, also that of other processes of the workspace (`shared_limit`)."""

    def __init__(self, clock: Clock, requests_per_second: float, shared_limit: RateLimit | None = None) -> None:
        self._clock = clock
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._limiter = RateLimiter(clock, requests_per_second, shared_limit)
        self.taken = 0

    async def ask(self, price_request: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer, when it is this question's turn."""
        async with self._gate:
            self.taken += 1
            return await with_retries(lambda: self._limited(price_request), self._clock, also_unreachable=True)

    async def _limited(self, price_request: Callable[[], Awaitable[Answer]]) -> Answer:
        await self._limiter.acquire(Kind.PRICE)
        try:
            return await price_request()
        except ServiceError as error:
            if error.trouble == "rate_limited":
                self._limiter.back_off(error.retry_after_s)
            raise


class PriceQueries:
    """`Ask` of the plan: equal questions once, several at a time, no faster than allowed."""

    def __init__(
        self, prices: PriceSource, clock: Clock, requests_per_second: float, shared_limit: RateLimit | None = None
    ) -> None:
        self._prices = prices
        self._queries = LimitedQueries(clock, requests_per_second, shared_limit)

    @property
    def asked(self) -> int:
        return self._queries.taken

    async def __call__(self, price_requests: Sequence[PriceRequest]) -> Mapping[str, Quote]:
        distinct = {price_request.key: price_request for price_request in price_requests}
        asked = (self._queries.ask(partial(self._prices.quote, price_request)) for price_request in distinct.values())
        return dict(zip(distinct, await asyncio.gather(*asked), strict=True))
