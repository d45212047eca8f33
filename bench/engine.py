"""What the engine costs per instance when the service costs nothing: `python bench/engine.py`.

10,000 no-op instances with the default journal (SQLite, on disk), from the start of the run to its report, the writing
thread included. Targets: ≤ 65 µs CPU each, ≤ 70 MB above a run of 10, and as much each for 10,000 as for 1,000. The
baseline is bare asyncio: as many tasks through a semaphore, each awaiting as often as one instance does.
"""

from __future__ import annotations

import asyncio
import gc
import json
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from table import Row, in_a_process, least, peak_mb, show

WRITE = "uses: craft_prompt, with: {brief: '${{ item }}', tool_name: image_editor, model: PLAIN}"
MAKE = "uses: image_editor, with: {prompt: '${{ %s }}'}"
SHAPES = {
    "free": f"  head: {{foreach: '${{{{ inputs.looks }}}}', {WRITE}}}\n",
    "paid": f"  head: {{foreach: '${{{{ inputs.looks }}}}', {MAKE % 'item'}}}\n",
    "chain": (
        f"  head: {{foreach: '${{{{ inputs.looks }}}}', {WRITE}}}\n"
        f"  tail: {{foreach: '${{{{ steps.head }}}}', {MAKE % 'item.prompt'}}}\n"
    ),
}
STEPS = {"free": 1, "paid": 1, "chain": 2}
HEAD = "zenflow: 1\nname: noop\nversion: 1.0.0\ninputs: {looks: {type: array, items: {type: string}}}\nsteps:\n"
MOST_US, MOST_MB, FLAT = 65.0, 70.0, 1.15
AWAITS = 4  # of one free instance: its slot, the rate, the question, its end
ROUNDS = 3


def rows() -> Iterator[Row]:
    bare = least(ROUNDS, lambda: in_a_process(__file__, "bare", 10_000), "each_us")
    yield Row("bare asyncio, 10,000 tasks through a semaphore", bare["each_us"], "µs")
    for shape in SHAPES:
        few = in_a_process(__file__, shape, 10)
        small = least(ROUNDS, lambda shape=shape: in_a_process(__file__, shape, 1_000), "each_us")
        large = least(ROUNDS, lambda shape=shape: in_a_process(__file__, shape, 10_000), "each_us")
        name = f"engine, 10,000 × {shape}"
        yield Row(f"{name}: CPU an instance", large["each_us"], "µs", bare["each_us"], MOST_US)
        yield Row(f"{name}: memory above 10", large["peak_mb"] - few["peak_mb"], "MB", None, MOST_MB)
        yield Row(
            f"{name}: as much as of 1,000", large["each_us"] / small["each_us"], "×", None, FLAT,
            f"1,000: {small['each_us']:.1f} µs",
        )  # fmt: skip


def measure(shape: str, count: int) -> dict[str, float]:
    """One run in this process, with the collector as the command line sets it."""
    from zenflow.cli.main import CALM_COLLECTOR

    gc.set_threshold(*CALM_COLLECTOR)
    if shape == "bare":
        return {"each_us": asyncio.run(bare(count)) / count * 1e6, "peak_mb": peak_mb()}
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(shape, 10, Path(folder) / "first"))  # loads what is loaded when first used
        seconds = asyncio.run(run(shape, count, Path(folder) / "second"))
    return {"each_us": seconds / count / STEPS[shape] * 1e6, "peak_mb": peak_mb()}


async def bare(count: int) -> float:
    slots = asyncio.Semaphore(16)

    async def one() -> None:
        async with slots:
            for _ in range(AWAITS):
                await asyncio.sleep(0)

    began = time.process_time()
    await asyncio.gather(*(one() for _ in range(count)))
    return time.process_time() - began


async def run(shape: str, count: int, folder: Path) -> float:
    """CPU seconds of one run of `count` elements, its plan not included."""
    from instant import ACCOUNT, InstantProvider, prices

    from tests.support.memory_store import MemoryStore
    from zenflow.catalog.gates import Gates
    from zenflow.clock import SystemClock
    from zenflow.engine.model.ports import Limits, NewRun, Parts, StopSignal
    from zenflow.engine.model.report import Silent
    from zenflow.engine.run import begin, execute
    from zenflow.journal.sqlite import open_journal
    from zenflow.plan.build import PlanRequest, build_plan
    from zenflow.plan.model import BudgetLine
    from zenflow.recipe.load import load_recipe_texts

    recipe = load_recipe_texts({"noop.yaml": HEAD + SHAPES[shape]}, "noop.yaml")
    provider, clock = InstantProvider(), SystemClock()
    request = PlanRequest(
        recipe=recipe,
        inputs={"looks": [f"look {number}" for number in range(count)]},
        server=provider.server,
        catalog=await provider.catalog(),
        account=ACCOUNT,
        bounds=(BudgetLine(Decimal(10**9), "--budget"),),
        balance=ACCOUNT.credits,
    )
    plan = await build_plan(request, prices)
    journal = open_journal(folder, clock=clock)
    lease = journal.take_lease("run-1")
    limits = Limits(in_flight=100_000, requests_per_second=1e9, watch_least_s=0.0)
    parts = Parts(
        provider=provider,
        journal=journal,
        lease=lease,
        store=MemoryStore(reads_media=False),
        clock=clock,
        limits=limits,
        random_bytes=secrets.token_bytes,
    )
    began = time.process_time()
    await begin(plan, NewRun(run_id="run-1", out_dir=folder, balance=ACCOUNT.credits), parts)
    report = await execute(parts, ACCOUNT, plan.catalog, plan, Silent(), StopSignal(), Gates("deny", False, ACCOUNT))
    took = time.process_time() - began
    await journal.close()
    done = sum(one.status == "done" for step in report.steps.values() for one in step.instances)
    if (report.status, done) != ("done", count * STEPS[shape]):
        raise SystemExit(f"{report.status}, {done} done: {report.reasons}")
    return took


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
    else:
        show(rows())
