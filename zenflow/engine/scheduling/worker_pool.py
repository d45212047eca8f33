"""Work that may go on side by side, in a bounded number of lanes: what waits has no task of its own.

Knows nothing of what the work is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class WorkerPool(Generic[T]):
    """`ended` hears of every lane that has ended, with what went wrong in it."""

    def __init__(
        self, most: int, work: Callable[[T], Awaitable[None]], ended: Callable[[asyncio.Task[None]], None]
    ) -> None:
        self._most, self._work, self._ended = most, work, ended
        self._waiting: deque[T] = deque()
        self._workers: set[asyncio.Task[None]] = set()

    @property
    def is_busy(self) -> bool:
        return bool(self._workers or self._waiting)

    def add(self, item: T) -> None:
        self._waiting.append(item)
        self._open()

    def close(self) -> None:
        """Nothing more is begun, and what goes on is given up."""
        self._waiting.clear()
        for lane in self._workers:
            lane.cancel()

    def _open(self) -> None:
        if self._waiting and len(self._workers) < self._most:
            lane = asyncio.create_task(self._lane())
            self._workers.add(lane)
            lane.add_done_callback(self._done)

    async def _lane(self) -> None:
        while self._waiting:
            await self._work(self._waiting.popleft())

    def _done(self, lane: asyncio.Task[None]) -> None:
        """A lane is told to have ended a moment after it has: what was added in that moment would wait for ever."""
        self._workers.discard(lane)
        self._open()
        self._ended(lane)
