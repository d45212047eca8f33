"""The sandbox's time: a clock that can be moved forward, and the service's way of writing a moment.

Nothing here ticks. What has happened by a moment is worked out from that moment whenever somebody asks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class TimeSource(Protocol):
    """What the sandbox needs of a clock; `zenflow.clock.Clock` has it, a virtual clock too."""

    def now(self) -> datetime: ...

    async def sleep(self, wait_s: float) -> None: ...


class SystemTime:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, wait_s: float) -> None:
        import anyio  # lazy: settings and world are imported where no loop runs

        await anyio.sleep(max(0.0, wait_s))


class JumpingTime:
    """A virtual clock that stands still; a wait moves it on at once."""

    def __init__(self, start_s: float = 1_800_000_000.0) -> None:
        self._now_s = start_s

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._now_s, UTC)

    def advance(self, seconds: float) -> None:
        self._now_s += seconds

    async def sleep(self, wait_s: float) -> None:
        import anyio

        await anyio.lowlevel.checkpoint()
        self._now_s += max(0.0, wait_s)


class SandboxClock:
    """A time source plus what `/admin/advance` has added to it."""

    def __init__(self, source: TimeSource | None = None) -> None:
        self._source: TimeSource = source or SystemTime()
        self._ahead_s = 0.0

    def now_s(self) -> float:
        return self._source.now().timestamp() + self._ahead_s

    def advance(self, seconds: float) -> None:
        self._ahead_s += seconds

    async def sleep(self, wait_s: float) -> None:
        await self._source.sleep(wait_s)


def as_text(moment_s: float | None) -> str | None:
    """ISO 8601 with microseconds and `Z`, as in every recorded answer."""
    if moment_s is None:
        return None
    return datetime.fromtimestamp(moment_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
