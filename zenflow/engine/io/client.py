"""Free questions to the service: within the rate, asked again where that is safe, given up when patience ends.

The paid request does not go through here: it is never repeated by anything but the rules of docs/money.md (`payment`).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from zenflow.clock import Clock
from zenflow.engine.io.rate_limiter import Kind, RateLimiter
from zenflow.providers.base import Provider, ServiceError

T = TypeVar("T")
_log = logging.getLogger(__name__)
_WHAT = {Kind.RESULT: "a result", Kind.LOOK: "a lookup", Kind.POLL: "a status", Kind.PRICE: "a price"}

UNREACHABLE_PATIENCE_S = 120.0
SERVER_TRIES = 5  # a 5xx or an unreadable answer to a free question


class ServiceClient:
    """The provider behind the brake. `status_text` says what is waited for when it is unusual, for the progress view."""

    def __init__(self, provider: Provider, limiter: RateLimiter, clock: Clock, patience_429_s: float) -> None:
        self.provider = provider
        self.limiter = limiter
        self.status_text = ""
        self._clock = clock
        self._patience_429_s = patience_429_s

    async def ask(self, kind: Kind, question: Callable[[], Awaitable[T]]) -> T:
        """The answer to a free question. Raises ServiceError when asking again is pointless or patience has ended."""
        begun = self._clock.monotonic_s()
        tries = 0
        while True:
            await self.limiter.acquire(kind)
            _log.debug("ask for %s", _WHAT[kind])
            try:
                answer = await question()
            except ServiceError as error:
                tries += 1
                _log.info("%s, try %d: %s: %s", _WHAT[kind], tries, error.trouble, error)
                if not error.may_be_repeated or self._is_enough(error, tries, begun):
                    raise
                await self._pause(error, tries)
            else:
                self.status_text = ""
                return answer

    async def once(self, kind: Kind, question: Callable[[], Awaitable[T]]) -> T:
        """The answer to a question that can wait: not asked again now when it goes wrong. Raises ServiceError."""
        await self.limiter.acquire(kind)
        _log.debug("ask once for %s", _WHAT[kind])
        try:
            return await question()
        except ServiceError as error:
            _log.info("%s, not asked again: %s: %s", _WHAT[kind], error.trouble, error)
            if error.trouble == "rate_limited":
                self.limiter.back_off(error.retry_after_s)
            raise

    def _is_enough(self, error: ServiceError, tries: int, begun: float) -> bool:
        waited = self._clock.monotonic_s() - begun
        if error.trouble == "rate_limited":
            return waited > self._patience_429_s
        if error.trouble == "unreachable":
            return waited > UNREACHABLE_PATIENCE_S
        return tries >= SERVER_TRIES

    async def _pause(self, error: ServiceError, tries: int) -> None:
        if error.trouble == "rate_limited":
            pause_s = self.limiter.back_off(error.retry_after_s)
            self.status_text = f"rate limited, going on in {pause_s:.0f} s"
            await self._clock.sleep(pause_s)
            return
        if error.trouble == "unreachable":
            self.status_text = "the service cannot be reached, trying again"
        await self._clock.sleep(backoff_s(tries))


def backoff_s(tries: int) -> float:
    """Half a second, doubled each time, at most 15."""
    return float(min(15.0, 0.5 * 2 ** (tries - 1)))
