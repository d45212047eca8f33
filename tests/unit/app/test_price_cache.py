"""Prices that were told: how long they serve, how old they are, which questions are asked, and how fast."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tests.support.clock import VirtualClock, run_virtual
from zenflow.app.connection.retry import AT_ONCE, PriceQueries
from zenflow.app.queries.price_cache import NAME, PriceCache, with_cache
from zenflow.catalog.prices import PriceRequest, Quote

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class Wall:
    """A clock that is set by hand."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def monotonic_s(self) -> float:
        return 0.0

    async def sleep(self, wait_s: float) -> None:
        raise AssertionError("nothing here waits")


@dataclass
class Service:
    """Answers with one price, and remembers what it was asked."""

    wall: Wall
    price: Decimal | None = Decimal(4)
    asked: list[str] = field(default_factory=list)

    async def __call__(self, price_requests: Sequence[PriceRequest]) -> Mapping[str, Quote]:
        self.asked += [price_request.key for price_request in price_requests]
        return {price_request.key: Quote(self.price, self.wall.now()) for price_request in price_requests}


def price_request(key: str) -> PriceRequest:
    return PriceRequest("image_editor", {"prompt": key}, key)


def cache_in(folder: Path, server: str = "sandbox") -> PriceCache:
    cache = PriceCache(folder / NAME, server)
    return cache


def ask(service: Service, cache: PriceCache, seconds: float, *keys: str) -> Mapping[str, Quote]:
    asking = with_cache(service, cache, service.wall, seconds)
    return asyncio.run(asking([price_request(key) for key in keys]))  # type: ignore[arg-type]


def test_by_default_every_plan_asks(tmp_path: Path) -> None:
    service, cache = Service(Wall()), cache_in(tmp_path)
    ask(service, cache, 0, "a")
    ask(service, cache, 0, "a")
    assert service.asked == ["a", "a"]


def test_keeps_a_price_for_the_time_you_set(tmp_path: Path) -> None:
    wall = Wall()
    service, cache = Service(wall), cache_in(tmp_path)
    first = ask(service, cache, 60, "a")["a"]
    wall.moment += timedelta(seconds=60)
    service.price = Decimal(9)
    again = ask(service, cache, 60, "a")["a"]
    assert (again.credits, again.asked_at, service.asked) == (Decimal(4), first.asked_at, ["a"])
    wall.moment += timedelta(seconds=1)
    later = ask(service, cache, 60, "a")["a"]
    assert (later.credits, later.asked_at, service.asked) == (Decimal(9), wall.moment, ["a", "a"])


def test_each_question_has_its_own_age(tmp_path: Path) -> None:
    wall = Wall()
    service, cache = Service(wall), cache_in(tmp_path)
    ask(service, cache, 60, "a")
    wall.moment += timedelta(seconds=50)
    ask(service, cache, 60, "a", "b")
    wall.moment += timedelta(seconds=50)
    quotes = ask(service, cache, 60, "a", "b", "c")
    assert service.asked == ["a", "b", "a", "c"]
    ages = {key: (wall.moment - quote.asked_at).total_seconds() for key, quote in quotes.items()}
    assert ages == {"a": 0, "b": 50, "c": 0}


def test_a_clock_that_was_set_back_makes_no_price_young(tmp_path: Path) -> None:
    wall = Wall()
    service, cache = Service(wall), cache_in(tmp_path)
    ask(service, cache, 60, "a")
    wall.moment -= timedelta(days=400)
    ask(service, cache, 60, "a")
    assert service.asked == ["a", "a"]


def test_what_has_no_price_is_asked_again_and_not_kept(tmp_path: Path) -> None:
    service, cache = Service(Wall(), price=None), cache_in(tmp_path)
    assert ask(service, cache, 60, "a")["a"].credits is None
    ask(service, cache, 60, "a")
    assert service.asked == ["a", "a"] and not (tmp_path / NAME).exists()


def test_it_outlives_the_process_and_knows_its_server(tmp_path: Path) -> None:
    wall = Wall()
    ask(Service(wall), cache_in(tmp_path), 60, "a")
    ask(Service(wall, price=Decimal(7)), cache_in(tmp_path, "zencreator"), 60, "a")
    rows = json.loads((tmp_path / NAME).read_text())
    assert {server: row["a"]["credits"] for server, row in rows.items()} == {"sandbox": "4", "zencreator": "7"}


def test_asks_equal_questions_once_within_the_rate() -> None:
    """On the virtual clock: 60 questions, of which 50 are different, at 10 a second after a burst of ten."""
    clock = VirtualClock()
    running, most, asked = 0, 0, list[str]()

    class Slow:
        async def quote(self, one: PriceRequest) -> Quote:
            nonlocal running, most
            running, most = running + 1, max(most, running + 1)
            asked.append(one.key)
            await clock.sleep(0.5)
            running -= 1
            return Quote(Decimal(1), clock.now())

    async def work() -> tuple[Mapping[str, Quote], float]:
        asker = PriceQueries(Slow(), clock, 10.0)
        price_requests = [price_request(f"q{number % 50}") for number in range(60)]
        began_s = clock.monotonic_s()
        return await asker(price_requests), clock.monotonic_s() - began_s

    quotes, took_s = run_virtual(work(), clock)
    assert len(quotes) == len(asked) == len(set(asked)) == 50
    assert most <= AT_ONCE
    assert 4.0 <= took_s <= 5.0  # 40 beyond the burst take 4 s, one after the other they would take 25
