"""Free questions: asked once when equal, paced, and asked again only where that may help."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from zenflow.app.connection.retry import PriceQueries, with_retries
from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.providers.base import ServiceError, ServiceTrouble

NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Clock:
    """A clock on which waiting costs nothing and is written down."""

    def __init__(self) -> None:
        self.at_s = 100.0
        self.waits: list[float] = []

    def now(self) -> datetime:
        return NOW

    def monotonic_s(self) -> float:
        return self.at_s

    async def sleep(self, wait_s: float) -> None:
        self.waits.append(round(wait_s, 3))
        self.at_s += wait_s
        await asyncio.sleep(0)


class Prices:
    def __init__(self, troubles: list[ServiceTrouble] | None = None) -> None:
        self.asked: list[str] = []
        self.troubles = troubles or []

    async def quote(self, price_request: PriceRequest) -> Quote:
        self.asked.append(price_request.key)
        if self.troubles:
            raise ServiceError(self.troubles.pop(0), "no", retry_after_s=3.0)
        return Quote(Decimal(len(price_request.key)), NOW)


def price_request(key: str) -> PriceRequest:
    return PriceRequest("image_editor", {}, key)


def test_asks_equal_questions_once_and_answers_every_key() -> None:
    prices = Prices()
    answers = asyncio.run(
        PriceQueries(prices, Clock(), 10)([price_request("a"), price_request("bb"), price_request("a")])
    )
    assert sorted(prices.asked) == ["a", "bb"]
    assert {key: quote.credits for key, quote in answers.items()} == {"a": 1, "bb": 2}


def test_after_one_second_s_worth_questions_keep_the_pace() -> None:
    clock = Clock()
    asyncio.run(PriceQueries(Prices(), clock, 5)([price_request(str(number)) for number in range(15)]))
    assert clock.at_s - 100.0 == pytest.approx(2.0, abs=0.21)


def test_a_busy_service_is_asked_again_after_the_wait_it_names() -> None:
    prices, clock = Prices(["rate_limited", "server"]), Clock()
    answers = asyncio.run(PriceQueries(prices, clock, 1000)([price_request("a")]))
    assert answers["a"].credits == 1
    assert prices.asked == ["a", "a", "a"]
    assert clock.waits == [3.0, 3.0]


def test_a_refused_sign_in_is_told_at_once() -> None:
    prices = Prices(["sign_in"])
    with pytest.raises(ServiceError):
        asyncio.run(PriceQueries(prices, Clock(), 10)([price_request("a")]))
    assert prices.asked == ["a"]


def test_reports_an_absent_server_at_once() -> None:
    asked = 0

    async def ask() -> None:
        nonlocal asked
        asked += 1
        raise ServiceError("unreachable", "nobody there")

    with pytest.raises(ServiceError):
        asyncio.run(with_retries(ask, Clock()))
    assert asked == 1


class SharedFile:
    """The pace of all processes of a workspace."""

    def __init__(self, until_s: float = 0.0) -> None:
        self.until_s, self.taken = until_s, 0

    def take(self, now_s: float, rate: float) -> float:
        wait_s = max(0.0, self.until_s - now_s)
        self.taken += wait_s == 0.0
        return wait_s

    def pause(self, now_s: float, until_s: float) -> None:
        self.until_s = max(self.until_s, until_s)


def test_queues_plan_questions_with_the_workspace() -> None:
    clock, shared_limit = Clock(), SharedFile(until_s=107.0)
    asyncio.run(PriceQueries(Prices(), clock, 10, shared_limit)([price_request("a"), price_request("b")]))
    assert clock.at_s >= 107.0, "another process was told to wait until then"
    assert shared_limit.taken == 2


def test_pauses_all_plan_questions_after_a_429() -> None:
    clock, shared_limit = Clock(), SharedFile()
    prices = Prices(["rate_limited"])
    asyncio.run(PriceQueries(prices, clock, 10, shared_limit)([price_request(str(number)) for number in range(20)]))
    assert shared_limit.until_s >= 103.0 and len(prices.asked) == 21
    assert clock.at_s - 103.0 > 1.5, "at half the rate from there on"
