"""A token that refreshes by itself: ahead of its end, one refresh at a time, nobody queueing behind another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from zenflow.providers.base import ServiceError
from zenflow.providers.mcp.tokens.source import RefreshingToken, StaticToken
from zenflow.providers.mcp.tokens.store import FileStore, Grant, grant_from, text_of

START = datetime(2026, 1, 1, tzinfo=UTC)


class Ended(Exception):
    pass


class HandClock:
    def __init__(self) -> None:
        self.s = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.s)

    def monotonic_s(self) -> float:
        return self.s

    async def sleep(self, wait_s: float) -> None:
        raise AssertionError("nothing waits by the clock here")


class Memory:
    where = "memory"
    trouble = ""

    def __init__(self) -> None:
        self.kept: Grant | None = None

    def load(self, server: str) -> Grant | None:
        return self.kept

    def save(self, grant: Grant) -> None:
        self.kept = grant

    def delete(self, server: str) -> bool:
        self.kept = None
        return True


def grant(number: int, at: datetime, lives_s: float = 100.0) -> Grant:
    return Grant(
        server="https://one.invalid/mcp",
        token_endpoint="https://one.invalid/token",
        client_id="client",
        resource="https://one.invalid/mcp",
        access_token=f"access-{number}",
        refresh_token=f"refresh-{number}",
        issued_at=at,
        expires_at=at + timedelta(seconds=lives_s),
    )


class Authority:
    """Refreshes when it is let."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.asked: list[str | None] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.no: Exception | None = None

    async def refresh(self, old: Grant) -> Grant:
        self.asked.append(old.refresh_token)
        await self.gate.wait()
        if self.no is not None:
            raise self.no
        return grant(len(self.asked) + 1, self.clock.now())


def source(clock: HandClock, authority: Authority, store: Memory) -> RefreshingToken:
    store.kept = grant(1, clock.now())
    ended: Callable[[object], ServiceError] = lambda why: ServiceError("sign_in", f"ended: {why}")  # noqa: E731
    refresh: Callable[[Grant], Awaitable[Grant]] = authority.refresh
    return RefreshingToken(store.kept, store, clock, refresh, ended, Ended)


async def _settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)
    await asyncio.to_thread(lambda: None)
    for _ in range(20):
        await asyncio.sleep(0)


def _run(body: Callable[[HandClock, Authority, Memory, RefreshingToken], Awaitable[None]]) -> None:
    async def go() -> None:
        clock = HandClock()
        authority, store = Authority(clock), Memory()
        await body(clock, authority, store, source(clock, authority, store))

    asyncio.run(go())


def test_a_fresh_token_is_given_without_asking_anybody() -> None:
    async def body(clock: HandClock, authority: Authority, store: Memory, tokens: RefreshingToken) -> None:
        clock.s = 70.0
        assert await tokens.token() == "access-1"
        assert authority.asked == []

    _run(body)


def test_refreshes_a_token_early_in_the_background() -> None:
    async def body(clock: HandClock, authority: Authority, store: Memory, tokens: RefreshingToken) -> None:
        authority.gate.clear()
        clock.s = 80.0
        assert [await tokens.token() for _ in range(10)] == ["access-1"] * 10
        await _settled()
        assert authority.asked == ["refresh-1"]
        authority.gate.set()
        await tokens.close()
        assert await tokens.token() == "access-2"
        assert store.kept is not None and store.kept.access_token == "access-2"

    _run(body)


def test_at_its_end_ten_calls_wait_for_one_refresh() -> None:
    async def body(clock: HandClock, authority: Authority, store: Memory, tokens: RefreshingToken) -> None:
        authority.gate.clear()
        clock.s = 99.0
        calls = [asyncio.create_task(tokens.token()) for _ in range(10)]
        await _settled()
        assert not any(call.done() for call in calls)
        calls[0].cancel()  # one that gives up takes nobody with it
        authority.gate.set()
        assert await asyncio.gather(*calls[1:]) == ["access-2"] * 9
        assert authority.asked == ["refresh-1"]

    _run(body)


def test_a_revoked_grant_asks_for_a_person() -> None:
    async def body(clock: HandClock, authority: Authority, store: Memory, tokens: RefreshingToken) -> None:
        authority.no = Ended("revoked")
        clock.s = 99.0
        with pytest.raises(ServiceError, match="ended: revoked") as caught:
            await tokens.token()
        assert caught.value.trouble == "sign_in"

    _run(body)


def test_takes_a_token_that_another_process_refreshed() -> None:
    async def body(clock: HandClock, authority: Authority, store: Memory, tokens: RefreshingToken) -> None:
        clock.s = 99.0
        store.kept = replace(grant(7, clock.now()), access_token="from-elsewhere")
        assert await tokens.token() == "from-elsewhere"
        assert authority.asked == []

    _run(body)


def test_replaces_a_refused_token_once() -> None:
    async def body(clock: HandClock, authority: Authority, store: Memory, tokens: RefreshingToken) -> None:
        assert await tokens.refused("access-1") is True
        assert await tokens.refused("access-1") is True  # a second call that carried the old one
        assert authority.asked == ["refresh-1"]
        assert await tokens.token() == "access-2"

    _run(body)


def test_stops_asking_a_server_that_refuses_fresh_tokens() -> None:
    async def body(clock: HandClock, authority: Authority, store: Memory, tokens: RefreshingToken) -> None:
        answers = [await tokens.refused(await tokens.token()) for _ in range(5)]
        assert answers == [True, True, True, False, False]

    _run(body)


def test_keeps_a_valid_token_while_the_authority_is_away() -> None:
    async def body(clock: HandClock, authority: Authority, store: Memory, tokens: RefreshingToken) -> None:
        authority.no = ServiceError("unreachable", "away")
        clock.s = 80.0
        for _ in range(5):
            assert await tokens.token() == "access-1"
            await _settled()
        assert len(authority.asked) == 1  # once a second at most
        clock.s = 95.0
        with pytest.raises(ServiceError, match="away"):
            await tokens.token()

    _run(body)


def test_a_grant_reads_back_and_shows_no_secret() -> None:
    one = grant(1, START)
    assert grant_from(text_of(one)) == one
    assert "access-1" not in repr(one) and "refresh-1" not in repr(one)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"server": 3, "expires_at": "soon"}', "null"])
def test_an_entry_that_cannot_be_read_is_none(text: str) -> None:
    assert grant_from(text) is None


def test_a_file_store_knows_one_entry_per_server(tmp_path: object) -> None:
    from pathlib import Path

    store = FileStore(Path(str(tmp_path)) / "deep" / "er")
    one = grant(1, START)
    two = replace(grant(2, START), server="https://two.invalid/mcp")
    store.save(one)
    store.save(two)
    store.save(replace(one, access_token="newer"))
    found = store.load(one.server)
    assert found is not None and found.access_token == "newer"
    assert store.load(two.server) == two
    assert store.delete(one.server) and not store.delete(one.server)
    assert store.load(one.server) is None and store.load(two.server) == two


def test_numbers_every_replacing_token() -> None:
    async def body(clock: HandClock, authority: Authority, store: Memory, tokens: RefreshingToken) -> None:
        numbers = [tokens.number]
        await tokens.token()
        numbers.append(tokens.number)
        await tokens.refused("access-1")  # refreshed
        numbers.append(tokens.number)
        store.kept = replace(grant(7, clock.now() + timedelta(seconds=1)), access_token="from-elsewhere")
        await tokens.refused("access-2")  # somebody has signed in elsewhere, perhaps as somebody else
        numbers.append(tokens.number)
        assert numbers == [1, 1, 2, 3] and await tokens.token() == "from-elsewhere"

    _run(body)


def test_a_token_that_was_given_has_no_other_after_it() -> None:
    assert StaticToken("one").number is None
