"""What the journal costs beside bare SQLite, as ratios in one run: `python bench/journal.py [appends]`.

The baseline is `executemany` of lines made beforehand, in one transaction with one fsync: the least that the same rows
can cost. CPU is of the whole process, the writing thread included.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from table import ROOT  # noqa: F401 - puts the checkout on the path

from tests.support.contracts.journal import intended, started
from zenflow.clock import SystemClock
from zenflow.history import codec
from zenflow.history import events as e
from zenflow.history.fold import fold
from zenflow.journal.sqlite import open_journal

AT = "2026-11-21T08:00:00.123456Z"
ROUNDS = 5
ASSET = "3f2b9a70-1111-4222-8333-444455556666"
RESULTS = {"asset_ids": [ASSET], "asset_id": ASSET, "call_id": "call-1", "task_id": "task-1", "output": {"text": None}}
PRODUCED = e.Produced(AT, "generate.123", RESULTS, 12, 3, Decimal(4))


def main(appends: int) -> None:
    bare = measure(lambda folder: bare_rows(folder, appends), appends)
    ours = measure(lambda folder: asyncio.run(single_appends(folder, appends)), appends)
    show("bare executemany of ready lines", bare, bare)
    show("append, un-awaited, one await at the end", ours, bare)
    show("  of that, encode", measure(lambda _: encode(appends), appends), bare)
    intents = max(1, appends // 10)
    show("reserve_and_intend, un-awaited", measure(lambda folder: asyncio.run(reserve(folder, intents)), intents), bare)
    show("read back and fold", measure_read(appends), bare)
    print(f"{'open an existing journal':44} {opening_ms():8.2f} ms")


def measure(work: Callable[[Path], float], count: int) -> float:
    """Median CPU of one, in µs; `work` returns the CPU seconds of what counts."""
    with tempfile.TemporaryDirectory() as made:
        seconds = [work(Path(made) / str(number)) for number in range(ROUNDS)]
    return statistics.median(seconds) / count * 1e6


def show(what: str, each_us: float, bare_us: float) -> None:
    print(f"{what:44} {each_us:8.2f} µs CPU each   {each_us / bare_us:6.2f} × bare")


def bare_rows(folder: Path, count: int) -> float:
    folder.mkdir()
    lines = [(1, codec.encode(PRODUCED)) for _ in range(count)]
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE events (n INTEGER PRIMARY KEY, run INTEGER NOT NULL, body TEXT NOT NULL)")
    connection.execute("CREATE INDEX events_of_run ON events (run)")
    began = time.process_time()
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO events (run, body) VALUES (?, ?)", lines)
    connection.execute("COMMIT")
    took = time.process_time() - began
    connection.close()
    return took


async def single_appends(folder: Path, count: int) -> float:
    journal = open_journal(folder, clock=SystemClock())
    lease = journal.take_lease("run-a")
    await journal.append(lease, [started("run-a")])
    began = time.process_time()
    for _ in range(count):
        last = journal.append(lease, [PRODUCED])
    await last
    took = time.process_time() - began
    await journal.close()
    return took


async def reserve(folder: Path, count: int) -> float:
    journal = open_journal(folder, clock=SystemClock())
    lease = journal.take_lease("run-a")
    await journal.append(lease, [started("run-a")])
    events = [intended(number) for number in range(1, count + 1)]
    began = time.process_time()
    for event in events:
        last = journal.reserve_and_intend(lease, event, None)
    await last
    took = time.process_time() - began
    await journal.close()
    return took


def encode(count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        codec.encode(PRODUCED)
    return time.process_time() - began


def measure_read(count: int) -> float:
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(single_appends(Path(made), count))
        journal = open_journal(Path(made), clock=SystemClock(), read_only=True)
        began = time.process_time()
        fold(journal.events("run-a"))
        took = time.process_time() - began
        journal.close_now()
    return took / count * 1e6


def opening_ms() -> float:
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(single_appends(Path(made), 1000))
        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            journal = open_journal(Path(made), clock=SystemClock())
            times.append(time.perf_counter() - began)
            journal.close_now()
    return statistics.median(times) * 1e3


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
