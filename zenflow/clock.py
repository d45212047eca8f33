"""Two clocks, always passed as an argument.

`now` is what people and the service call time (UTC); `monotonic_s` only measures waits and, where the system has it,
goes on while the machine sleeps, so that a deadline set before a sleep has passed after it.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Wall time, aware, UTC. May jump; never used to measure a wait."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since some point in the past; never goes backwards."""
        ...

    async def sleep(self, wait_s: float) -> None:
        """Return after `wait_s` seconds of this clock."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return _boot_time_s()

    async def sleep(self, wait_s: float) -> None:
        await asyncio.sleep(max(0.0, wait_s))


_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def _boot_time_s() -> float:
    return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)


def as_iso(moment: datetime) -> str:
    """ISO 8601 in UTC with `Z`, as the service writes time (docs/service.md, “Recorded answers”)."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def from_iso(text: str) -> datetime:
    """The moment of an ISO 8601 text; without a zone it is taken as UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
