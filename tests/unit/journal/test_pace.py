"""Several processes of one workspace keep one pace between them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.clock import VirtualClock, run_virtual
from zenflow.engine.io.rate_limiter import Kind, RateLimiter
from zenflow.journal.shared_rate_limit import SharedRateLimit


async def _ask(limiter: RateLimiter, clock: VirtualClock, until_s: float) -> int:
    count = 0
    while True:
        await limiter.acquire(Kind.POLL)
        if clock.monotonic_s() > until_s:
            return count
        count += 1


def granted(folder: Path, brakes: int, *, shared: bool, seconds: float = 20.0, rate: float = 10.0) -> list[int]:
    clock = VirtualClock()

    async def work() -> list[int]:
        made = [RateLimiter(clock, rate, SharedRateLimit(folder, "here") if shared else None) for _ in range(brakes)]
        counts = await asyncio.gather(*(_ask(limiter, clock, seconds) for limiter in made))
        for limiter in made:
            limiter.close()
        return list(counts)

    return run_virtual(work(), clock)


def test_one_process_alone_is_as_fast_as_without_it(tmp_path: Path) -> None:
    alone, shared = granted(tmp_path, 1, shared=False), granted(tmp_path, 1, shared=True)
    assert abs(alone[0] - shared[0]) <= 1


def test_two_processes_together_are_no_faster_than_one(tmp_path: Path) -> None:
    counts = granted(tmp_path, 2, shared=True)
    assert sum(counts) <= 20 * 10 + 11 and min(counts) > 50
    assert sum(granted(tmp_path, 2, shared=False)) > 300  # without it they would be


def test_a_429_to_one_of_them_pauses_both(tmp_path: Path) -> None:
    one, other = SharedRateLimit(tmp_path, "here"), SharedRateLimit(tmp_path, "here")
    one.pause(100.0, 107.0)
    assert other.take(101.0, 10.0) == 6.0
    assert other.take(107.5, 10.0) == 0.0


def test_servers_have_a_pace_each(tmp_path: Path) -> None:
    SharedRateLimit(tmp_path, "here").pause(100.0, 107.0)
    assert SharedRateLimit(tmp_path, "there").take(101.0, 10.0) == 0.0


def test_ignores_a_lock_file_from_before_a_reboot(tmp_path: Path) -> None:
    SharedRateLimit(tmp_path, "here").pause(1_000_000.0, 1_000_050.0)
    assert SharedRateLimit(tmp_path, "here").take(5.0, 10.0) == 0.0


def test_where_the_file_cannot_be_made_each_keeps_its_own_pace(tmp_path: Path) -> None:
    assert SharedRateLimit(tmp_path / "not there", "here").take(1.0, 10.0) == 0.0
