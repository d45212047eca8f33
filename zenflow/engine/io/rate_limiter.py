"""One brake for all requests: a rate, in classes, that slows down when the service says so and recovers slowly.

Creates and results go before looks, looks before polls, polls before price questions (docs/architecture.md). Nothing here
sends or repeats anything: a caller asks for a slot and waits for it.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from enum import IntEnum
from typing import Protocol

from zenflow.clock import Clock


class Kind(IntEnum):
    """What a request is for; the lower goes first."""

    CREATE = 0
    RESULT = 0
    LOOK = 1
    POLL = 2
    FREE = 2
    PRICE = 3


_SLOWEST = 0.2  # requests per second
_RECOVERY_S = 5.0  # a tenth of the full rate comes back after this long without a 429


class RateLimit(Protocol):
    """What several processes of one workspace share: `journal/shared_rate_limit`."""

    def take(self, now_s: float, rate: float) -> float: ...

    def pause(self, now_s: float, until_s: float) -> None: ...


class RateLimiter:
    """`await slot(kind)` returns when one request of that kind may be sent."""

    def __init__(self, clock: Clock, requests_per_second: float, shared_limit: RateLimit | None = None) -> None:
        self._clock = clock
        self._shared_limit = shared_limit
        self._others_until = 0.0  # requests of other processes have the turn until then
        self._full = requests_per_second
        self.rate = requests_per_second
        self._tokens = max(1.0, requests_per_second)
        self._at = clock.monotonic_s()
        self._paused_until = 0.0
        self._limited_at = 0.0
        self._grown_at = 0.0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._pump: asyncio.Task[None] | None = None

    async def acquire(self, kind: Kind) -> None:
        """Wait for the right to send one request."""
        self._refill()
        if not self._waiting and self._take():
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (int(kind), next(self._numbers), place))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._serve())
        await place

    def back_off(self, retry_after_s: float | None) -> float:
        """The service said 429: everybody pauses, the rate halves. Returns how long the pause is, in seconds."""
        now = self._clock.monotonic_s()
        if now - self._limited_at > 1.0:  # one burst of 429s is one message
            self.rate = max(_SLOWEST, self.rate / 2)
            self._limited_at = self._grown_at = now
        pause_s = min(60.0, retry_after_s if retry_after_s is not None else max(2.0, 1.0 / self.rate))
        self._paused_until = max(self._paused_until, now + pause_s)
        self._tokens = min(self._tokens, 1.0)
        if self._shared_limit is not None:
            self._shared_limit.pause(now, self._paused_until)
        return pause_s

    @property
    def paused_s(self) -> float:
        """For how much longer everything waits."""
        return max(0.0, self._paused_until - self._clock.monotonic_s())

    def close(self) -> None:
        if self._pump is not None:
            self._pump.cancel()

    async def _serve(self) -> None:
        while self._waiting:
            self._refill()
            if not self._take():
                await self._clock.sleep(self._wait_s())
                continue
            place = heapq.heappop(self._waiting)[2]
            if place.done():  # its caller has gone: the token is for the next
                self._tokens += 1
            else:
                place.set_result(None)

    def _take(self) -> bool:
        if self._tokens < 1 or self.paused_s > 0:
            return False
        if self._shared_limit is not None:
            now = self._clock.monotonic_s()
            wait_s = self._shared_limit.take(now, self.rate)
            if wait_s > 0:
                self._others_until = now + wait_s
                return False
        self._tokens -= 1
        return True

    def _wait_s(self) -> float:
        others_s = self._others_until - self._clock.monotonic_s()
        return max(self.paused_s, (1 - self._tokens) / self.rate, others_s, 0.001)

    def _refill(self) -> None:
        now = self._clock.monotonic_s()
        self._tokens = min(max(1.0, self.rate), self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self.rate < self._full and now - self._grown_at >= _RECOVERY_S and now >= self._paused_until:
            self.rate = min(self._full, self.rate + self._full / 10)
            self._grown_at = now
