import asyncio
import time
from datetime import timedelta

import pytest

from tests.support.clock import EPOCH, Stalled, VirtualClock, run_virtual


def test_sleeps_an_hour_of_virtual_time_in_order() -> None:
    clock, woken = VirtualClock(), []

    async def sleeper(name: str, wait_s: float) -> None:
        await clock.sleep(wait_s)
        woken.append((name, clock.monotonic_s()))

    async def main() -> None:
        await asyncio.gather(sleeper("late", 3600), sleeper("soon", 5), sleeper("also soon", 5))

    run_virtual(main(), clock)
    assert woken == [("soon", 5.0), ("also soon", 5.0), ("late", 3600.0)]
    assert clock.now() == EPOCH + timedelta(hours=1)


def test_asyncio_timers_run_on_the_virtual_clock_too() -> None:
    clock = VirtualClock()

    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(120):
                await clock.sleep(500)
        await asyncio.sleep(30)
        return clock.monotonic_s()

    assert run_virtual(main(), clock) == pytest.approx(150.0)


def test_time_stands_still_while_a_thread_works_for_the_loop() -> None:
    clock = VirtualClock()

    async def main() -> tuple[float, float]:
        sleeper = asyncio.ensure_future(clock.sleep(1000))
        await asyncio.to_thread(time.sleep, 0.02)
        during = clock.monotonic_s()
        await sleeper
        return during, clock.monotonic_s()

    assert run_virtual(main(), clock) == (0.0, 1000.0)


def test_a_deadlock_is_an_error_and_no_hang() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Stalled):
        run_virtual(main(), VirtualClock(), stall_s=0.01)


def test_a_cancelled_sleeper_is_no_reason_to_jump() -> None:
    clock = VirtualClock()

    async def main() -> float:
        task = asyncio.ensure_future(clock.sleep(9999))
        await clock.sleep(1)
        task.cancel()
        await clock.sleep(1)
        return clock.monotonic_s()

    assert run_virtual(main(), clock) == 2.0


def test_on_a_plain_loop_time_passes_deadline_by_deadline() -> None:
    clock, ticks = VirtualClock(), []

    async def ticker() -> None:
        while True:
            await clock.sleep(2)
            ticks.append(clock.monotonic_s())

    async def main() -> None:
        task = asyncio.ensure_future(ticker())
        await clock.pass_time(7)
        task.cancel()

    asyncio.run(main())
    assert ticks == [2.0, 4.0, 6.0]
    assert clock.monotonic_s() == 7.0


def test_advance_is_one_step_as_after_a_machine_slept() -> None:
    clock, ticks = VirtualClock(), []

    async def ticker() -> None:
        while True:
            await clock.sleep(2)
            ticks.append(clock.monotonic_s())

    async def main() -> None:
        task = asyncio.ensure_future(ticker())
        await asyncio.sleep(0)
        clock.advance(7)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(main())
    assert ticks == [7.0]


def test_run_until_idle_ends_and_refuses_to_run_for_ever() -> None:
    clock = VirtualClock()

    async def main() -> float:
        task = asyncio.ensure_future(clock.sleep(50))
        await clock.run_until_idle()
        assert task.done()
        forever = asyncio.ensure_future(_tick(clock))
        with pytest.raises(Stalled):
            await clock.run_until_idle(limit_s=100)
        forever.cancel()
        return clock.monotonic_s()

    assert asyncio.run(main()) == 150.0


async def _tick(clock: VirtualClock) -> None:
    while True:
        await clock.sleep(1)


def test_setting_the_wall_clock_moves_no_wait() -> None:
    clock = VirtualClock()

    async def main() -> None:
        clock.shift_wall(-3600)
        await clock.sleep(10)

    run_virtual(main(), clock)
    assert clock.monotonic_s() == 10.0
    assert clock.now() == EPOCH + timedelta(seconds=10 - 3600)
