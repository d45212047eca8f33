"""Downloads that break are gone on with: only the rest is asked for, with a fresh address where the old one ran out."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.memory_store import MemoryStore
from zenflow.artifacts.base import ArtifactError, ExpectedFile
from zenflow.clock import SystemClock
from zenflow.engine.files.resumable_download import open_body
from zenflow.providers.base import Download, ServiceError


def test_a_broken_download_of_a_run_asks_for_the_rest_alone(zenflow: Any, town: Any, branches: str) -> None:
    town.fault(kind="download_truncated", nth=[1, 2])
    said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
    assert said.status == 0, said.err
    asked = town.state["requests"]
    assert asked["files_ranged"] == 2
    for file in said.document["files"]:
        body = (Path(said.document["out"]) / file["path"]).read_bytes()
        assert hashlib.sha256(body).hexdigest() == file["sha256"]


def test_a_broken_download_of_one_asset_asks_for_the_rest_alone(zenflow: Any, town: Any, branches: str) -> None:
    run = zenflow("run", branches, "--server", town.url, "--yes", "--json").document
    town.fault(kind="download_truncated", times=1)
    said = zenflow("assets", "get", run["files"][0]["asset_id"], "--server", town.url, "--json").document
    assert said["assets"][0]["sha256"] == run["files"][0]["sha256"]
    assert town.state["requests"]["files_ranged"] == 1


# ------------------------------------------------------------------------------------- turns that a sandbox does not take

BODY = bytes(range(256)) * 40


class Storage:
    """Breaks after so many bytes, once per entry of `breaks`."""

    def __init__(self, breaks: list[int], *, ranges: bool = True, expires: bool = False, grows: bool = False) -> None:
        self.breaks = breaks
        self.ranges = ranges
        self.expires = expires
        self.grows = grows
        self.asked: list[tuple[str, int]] = []

    @asynccontextmanager
    async def download(self, url: str, start: int = 0) -> AsyncIterator[Download]:
        self.asked.append((url, start))
        if self.expires and start and url == "old":
            raise ServiceError("forbidden", "it has expired", status=403)
        begin = start if self.ranges else 0
        total = len(BODY) + (1 if self.grows and start else 0)
        yield Download(self._chunks(begin), "application/octet-stream", total, begin)

    async def _chunks(self, begin: int) -> AsyncIterator[bytes]:
        end = begin + self.breaks.pop(0) if self.breaks else len(BODY)
        for at in range(begin, min(end, len(BODY)), 100):
            yield BODY[at : min(at + 100, end)]
        if end < len(BODY):
            raise ServiceError("unreachable", "it broke")


class Instant(SystemClock):
    async def sleep(self, wait_s: float) -> None:
        await asyncio.sleep(0)


def _fetch(storage: Storage, urls: list[str | None] | None = None) -> bytes:
    left = list(urls if urls is not None else ["new"] * 20)
    store = MemoryStore()

    async def fresh() -> str | None:
        return left.pop(0)

    async def go() -> bytes:
        provider: Any = storage
        async with open_body(provider, "old", fresh, Instant()) as body:
            saved = await store.save("it", "a" * 32, body.chunks, ExpectedFile(body.media_type, body.total_bytes))
        return store.files[saved.path]

    return asyncio.run(go())


def test_it_goes_on_as_often_as_it_breaks_while_bytes_come() -> None:
    storage = Storage([700] * 12)
    assert _fetch(storage) == BODY
    assert [start for _, start in storage.asked] == [700 * number for number in range(13)]


def test_an_address_that_ran_out_meanwhile_is_replaced() -> None:
    storage = Storage([500], expires=True)
    assert _fetch(storage, ["old", "new"]) == BODY
    assert storage.asked == [("old", 0), ("old", 500), ("new", 500)]


def test_without_ranges_it_must_begin_anew() -> None:
    with pytest.raises(ServiceError, match="it broke"):
        _fetch(Storage([500], ranges=False))


def test_an_asset_of_another_length_is_not_glued_on() -> None:
    with pytest.raises(ServiceError, match="it broke"):
        _fetch(Storage([500], grows=True))


def test_what_breaks_before_the_first_byte_is_for_the_caller() -> None:
    storage = Storage([0])
    with pytest.raises(ServiceError, match="it broke"):
        _fetch(storage)
    assert len(storage.asked) == 1


def test_a_body_that_only_breaks_ends() -> None:
    storage = Storage([500, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    with pytest.raises(ServiceError, match="it broke"):
        _fetch(storage)
    assert len(storage.asked) <= 7


def test_too_much_is_still_refused() -> None:
    storage = Storage([500])

    async def too_much(begin: int) -> AsyncIterator[bytes]:
        yield BODY + b"!"

    storage._chunks = too_much  # type: ignore[method-assign]
    with pytest.raises(ArtifactError, match="More came"):
        _fetch(storage)
