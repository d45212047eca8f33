"""The sandbox's time: a clock that can be moved forward, and the service's way of writing a moment.

Nothing here ticks. What has happened by a moment is worked out from that moment whenever somebody asks.
"""

from __future__ import annotations

from datetime import UTC, datetime

from zenflow.clock import Clock, SystemClock


class ManualClock:
    """A virtual clock that stands still; a wait moves it on at once."""

    def __init__(self, start_s: float = 1_800_000_000.0) -> None:
        self._now_s = start_s

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._now_s, UTC)

    def monotonic_s(self) -> float:
        return self._now_s

    def advance(self, seconds: float) -> None:
        self._now_s += seconds

    async def sleep(self, wait_s: float) -> None:
        import anyio

        await anyio.lowlevel.checkpoint()
        self._now_s += max(0.0, wait_s)


class SandboxClock:
    """The time of one world: it never goes back, as a service's does not when a customer's machine sets its clock.

    Wall time is read once; from then on the clock that does not jump counts, and what `/admin/advance` has added.
    """

    def __init__(self, source: Clock | None = None, not_before_s: float = 0.0) -> None:
        self._source = source or SystemClock()
        self._began_s = max(self._source.now().timestamp(), not_before_s) - self._source.monotonic_s()

    def now_s(self) -> float:
        return self._began_s + self._source.monotonic_s()

    def advance(self, seconds: float) -> None:
        self._began_s += seconds

    async def sleep(self, wait_s: float) -> None:
        await self._source.sleep(wait_s)


def as_text(moment_s: float | None) -> str | None:
    """ISO 8601 with microseconds and `Z`, as in every recorded answer."""
    if moment_s is None:
        return None
    return datetime.fromtimestamp(moment_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
