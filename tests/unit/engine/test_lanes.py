"""Free work in a bounded number of lanes: nothing that was added is ever left lying."""

from __future__ import annotations

import asyncio

from zenflow.engine.scheduling.worker_pool import WorkerPool


async def until_idle(lanes):
    for _ in range(1_000):
        if not lanes.is_busy:
            return
        await asyncio.sleep(0)
    raise AssertionError("something was left lying")


def test_does_work_added_as_the_last_worker_ends():
    done = []

    async def main():
        loop = asyncio.get_running_loop()

        async def work(item):
            await asyncio.sleep(0)
            done.append(item)
            if item == "first":  # runs after every lane has ended, and before any is told to have ended
                loop.call_soon(lanes.add, "late")

        lanes = WorkerPool(2, work, lambda lane: None)
        lanes.add("first")
        lanes.add("second")
        await until_idle(lanes)

    asyncio.run(main())
    assert done == ["first", "second", "late"]


def test_limits_workers_and_makes_no_task_for_waiting_jobs():
    at_work, most, tasks = 0, [], []

    async def main():
        async def work(item):
            nonlocal at_work
            at_work += 1
            most.append(at_work)
            tasks.append(len(asyncio.all_tasks()))
            await asyncio.sleep(0)
            at_work -= 1

        lanes = WorkerPool(3, work, lambda lane: None)
        for item in range(50):
            lanes.add(item)
        await until_idle(lanes)

    asyncio.run(main())
    assert len(most) == 50 and max(most) == 3 and max(tasks) == 4


def test_a_lane_that_breaks_is_told_and_the_rest_is_done():
    done, broken = [], []

    async def main():
        async def work(item):
            if item == 1:
                raise ValueError("it broke")
            done.append(item)

        lanes = WorkerPool(1, work, lambda lane: broken.append(lane.exception()))
        for item in range(3):
            lanes.add(item)
        await until_idle(lanes)

    asyncio.run(main())
    assert done == [0, 2] and [str(error) for error in broken if error] == ["it broke"]


def test_after_closing_nothing_is_begun():
    begun = []

    async def main():
        async def work(item):
            begun.append(item)
            await asyncio.Event().wait()

        lanes = WorkerPool(1, work, lambda lane: None)
        lanes.add("a")
        lanes.add("b")
        await asyncio.sleep(0)
        lanes.close()
        for _ in range(3):
            await asyncio.sleep(0)
        assert not lanes.is_busy

    asyncio.run(main())
    assert begun == ["a"]
