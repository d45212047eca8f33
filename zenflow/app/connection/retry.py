"""Free questions asked with patience: side by side, no faster than allowed, again when the trouble may pass.

Knows nothing of money: only what cannot cost is asked through here (the submission has its own road in the engine).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from zenflow.catalog.prices import PriceSource, Question, Quote
from zenflow.clock import Clock
from zenflow.engine.io.rate_limiter import Brake, Kind, Pace
from zenflow.providers.base import ServiceError

Answer = TypeVar("Answer")

TRIES = 5
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 20.0
AT_ONCE = 10


async def patiently(ask: Callable[[], Awaitable[Answer]], clock: Clock, *, also_unreachable: bool = False) -> Answer:
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


class Turns:
    """Free questions side by side, ten at once at most, behind a brake like a run's: the same rate after a first burst, the
    same pause for everybody after a 429, also that of other processes of the workspace (`pace`)."""

    def __init__(self, clock: Clock, requests_per_second: float, pace: Pace | None = None) -> None:
        self._clock = clock
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._brake = Brake(clock, requests_per_second, pace)
        self.taken = 0

    async def ask(self, question: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer, when it is this question's turn."""
        async with self._gate:
            self.taken += 1
            return await patiently(lambda: self._braked(question), self._clock, also_unreachable=True)

    async def _braked(self, question: Callable[[], Awaitable[Answer]]) -> Answer:
        await self._brake.slot(Kind.PRICE)
        try:
            return await question()
        except ServiceError as error:
            if error.trouble == "rate_limited":
                self._brake.brake(error.retry_after_s)
            raise


class PriceAsker:
    """`Ask` of the plan: equal questions once, several at a time, no faster than allowed."""

    def __init__(self, prices: PriceSource, clock: Clock, requests_per_second: float, pace: Pace | None = None) -> None:
        self._prices = prices
        self._turns = Turns(clock, requests_per_second, pace)

    @property
    def asked(self) -> int:
        return self._turns.taken

    async def __call__(self, questions: Sequence[Question]) -> Mapping[str, Quote]:
        distinct = {question.key: question for question in questions}
        asked = (self._turns.ask(partial(self._prices.quote, question)) for question in distinct.values())
        return dict(zip(distinct, await asyncio.gather(*asked), strict=True))
