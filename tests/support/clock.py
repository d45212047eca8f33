"""Virtual time for asyncio: hours of waiting pass in no time, in the right order, and the same way each time.

`VirtualClock` is a `zenflow.clock.Clock`. Under `run_virtual` the loop itself lives on it: when every task waits, time
jumps to the next deadline, asyncio's own timers (`asyncio.sleep`, `asyncio.timeout`) included. On any other loop
`advance`, `pass_time` and `run_until_idle` move it by hand. It knows nothing of what the sleepers do.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import selectors
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

EPOCH = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


class Stalled(RuntimeError):
    """Every task waits, and neither a deadline nor a thread is left that could wake one."""


class VirtualClock:
    """Time that stands still until somebody moves it."""

    def __init__(self, start: datetime = EPOCH) -> None:
        self._start = start
        self._wall_shift = timedelta()
        self._elapsed_s = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    # ------------------------------------------------------------------------------------------ as the code sees it

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_s) + self._wall_shift

    def monotonic_s(self) -> float:
        return self._elapsed_s

    async def sleep(self, wait_s: float) -> None:
        """Wait in virtual time; a wait of zero still lets the others have a turn."""
        if wait_s <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed_s + wait_s, next(self._order), woken))
        await woken

    # ------------------------------------------------------------------------------------------- as the test moves it

    def shift_wall(self, seconds: float) -> None:
        """Somebody sets the machine's clock; waits are not touched."""
        self._wall_shift += timedelta(seconds=seconds)

    @property
    def was_set(self) -> bool:
        """Whether wall times are no measure of what has passed."""
        return self._wall_shift != timedelta()

    def next_deadline_s(self) -> float | None:
        """On the scale of `monotonic_s`; None when nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():  # cancelled meanwhile
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def advance(self, seconds: float) -> None:
        """Move time in one step and wake everybody whose deadline passed, as a machine waking from sleep does."""
        self.jump_to(self._elapsed_s + seconds)

    async def pass_time(self, seconds: float) -> None:
        """Let `seconds` pass deadline by deadline: who is woken runs, and may sleep again, before the next one is."""
        end = self._elapsed_s + seconds
        await _settle()
        while (deadline := self.next_deadline_s()) is not None and deadline <= end:
            self.jump_to(deadline)
            await _settle()
        self.jump_to(end)

    async def run_until_idle(self, limit_s: float = 30 * 86400.0) -> None:
        """Jump from deadline to deadline until nobody sleeps on this clock; `limit_s` ends what sleeps for ever."""
        end = self._elapsed_s + limit_s
        await _settle()
        while (deadline := self.next_deadline_s()) is not None:
            if deadline > end:
                raise Stalled(f"still sleeping after {limit_s} virtual seconds")
            self.jump_to(deadline)
            await _settle()

    def jump_to(self, moment_s: float) -> None:
        """`advance` to a moment of `monotonic_s`; never backwards."""
        self._elapsed_s = max(self._elapsed_s, moment_s)
        while self._sleepers and self._sleepers[0][0] <= self._elapsed_s:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)


async def _settle() -> None:
    """Until every other task of this loop waits for something outside it."""
    ready = getattr(asyncio.get_running_loop(), "_ready", None)
    if ready is None:  # a loop of another make: more turns than any of our chains of callbacks is long
        for _ in range(200):
            await asyncio.sleep(0)
        return
    quiet = 0
    while quiet < 2:  # twice: what a finished callback wakes is queued one turn later
        await asyncio.sleep(0)
        quiet = quiet + 1 if not ready else 0


# ------------------------------------------------------------------------------------------------ a loop on this clock


class _JumpingSelector(selectors.DefaultSelector):
    """ExpectedCount to block, it moves the clock instead, unless a thread still works for the loop."""

    def __init__(self, clock: VirtualClock, stall_s: float, grace_s: float) -> None:
        super().__init__()
        self._clock, self._stall_s, self._grace_s = clock, stall_s, grace_s
        self.busy_threads = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        came = super().select(self._grace_s)
        if came or self._jump(timeout):
            return came
        began = time.monotonic()
        while not (came := super().select(0.05)) and time.monotonic() - began < self._stall_s:
            pass
        if not came:
            raise Stalled(f"every task waits, and nothing happened in {self._stall_s} real seconds")
        return came

    def _jump(self, timer_s: float | None) -> bool:
        """Whether there was a deadline to go to. `timer_s` is the distance to the loop's own next timer."""
        if self.busy_threads:
            return False
        here = self._clock.monotonic_s()
        sleeper = self._clock.next_deadline_s()
        deadlines = [at for at in (sleeper, None if timer_s is None else here + timer_s) if at is not None]
        if deadlines:
            self._clock.jump_to(min(deadlines))
        return bool(deadlines)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose time is a `VirtualClock`; work in executor threads holds the time still."""

    def __init__(self, clock: VirtualClock, *, stall_s: float = 120.0, grace_s: float = 0.0) -> None:
        self._clock = clock
        self._jumping = _JumpingSelector(clock, stall_s, grace_s)
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._clock.monotonic_s()

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        self._jumping.busy_threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _: asyncio.Future[Any]) -> None:
        self._jumping.busy_threads -= 1


def run_virtual(
    main: Coroutine[Any, Any, T], clock: VirtualClock, *, stall_s: float = 120.0, grace_s: float = 0.0
) -> T:
    """`asyncio.run` on a `VirtualLoop`.

    `grace_s` of real time is given to threads that the loop does not know of (a journal's writer) before each jump.
    Raises Stalled instead of hanging.
    """
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(clock, stall_s=stall_s, grace_s=grace_s)) as runner:
        return runner.run(main)
