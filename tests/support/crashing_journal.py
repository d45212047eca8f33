"""A journal whose process dies at a given append, before or after it is on disk; and one life of a process on it.

A dead process is told nothing: its appends never end, and its provider writes nothing more. What was queued and not yet
committed is lost with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.memory_journal import MemoryJournal
from tests.support.provider import Process
from zenflow.clock import Clock
from zenflow.history.events import Event, Intended
from zenflow.journal.base import Cap, Lease


@dataclass(frozen=True, slots=True)
class Death:
    """At the n-th append (from 1): before it is durable, or directly after."""

    at_append: int
    durable: bool


@dataclass(frozen=True, slots=True)
class Stall:
    """Directly after the n-th append is durable the machine sleeps, and whoever waits for it goes on so much later."""

    at_append: int
    for_s: float


class CrashingJournal:
    """A `journal.base.Journal`: a `MemoryJournal` with a death foretold."""

    stall: Stall | None = None
    clock: Clock

    def __init__(self, inner: MemoryJournal, process: Process, crash: Death | None = None) -> None:
        self.inner = inner
        self.appends = 0
        self.died: asyncio.Event = asyncio.Event()
        self._process = process
        self._death = crash

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def append(self, lease: Lease, events: Sequence[Event]) -> Awaitable[None]:
        return self._counted(lambda: self.inner.append(lease, events))

    def reserve_and_intend(self, lease: Lease, event: Intended, cap: Cap | None) -> Awaitable[None]:
        return self._counted(lambda: self.inner.reserve_and_intend(lease, event, cap))

    def _counted(self, queue: Any) -> Awaitable[None]:
        if self._process.dead:
            return _Never()
        self.appends += 1
        crash = self._death
        if crash is None or self.appends != crash.at_append:
            queued: Awaitable[None] = queue()
            if self.stall is None or self.appends != self.stall.at_append:
                return queued
            return _Sleeping(queued, self.clock, self.stall.for_s)
        if crash.durable:
            queue()
            self.inner.commit()
        self.die()
        return _Never()

    def die(self) -> None:
        """The process is gone, now."""
        self._process.dead = True
        self.inner.die()
        self.died.set()


@dataclass(frozen=True, slots=True)
class _Sleeping:
    """Durable at once, told later; it need not be awaited."""

    queued: Awaitable[None]
    clock: Clock
    for_s: float

    def __await__(self) -> Generator[Any, None, None]:
        yield from self.queued.__await__()
        yield from self.clock.sleep(self.for_s).__await__()


class _Never:
    """What a dead process waits for; it need not be awaited."""

    def __await__(self) -> Generator[Any, None, None]:
        yield from asyncio.get_running_loop().create_future()
