"""A damaged journal: kept aside, whole, and a new one built from what can be read of it and from what the service knows.

A run whose beginning can be read goes on: its resume lists the tasks with its stamp and adopts what the journal lost. Of a
run whose beginning cannot, the tasks are told, and `zenflow fetch --stamp` gets what was paid for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.connection.retry import with_retries
from zenflow.clock import Clock
from zenflow.errors import UsageError, ZenflowError
from zenflow.history.events import Event, RunStarted
from zenflow.ids import STAMP_LENGTH, STAMP_RUN_LENGTH
from zenflow.journal import file, health
from zenflow.journal.base import Journal
from zenflow.providers.base import Provider, ServiceError, TaskSummary

PAGES_MOST = 50
_OURS = re.compile(rf"zf[0-9a-z]{{{STAMP_LENGTH - 2}}} zenflow ")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One run that is in the new journal."""

    run_id: str
    recipe_name: str
    stamp_run: str
    facts: int


@dataclass(frozen=True, slots=True)
class Orphaned:
    """Tasks with a stamp of ours that no run of the new journal has."""

    stamp_run: str
    tasks: tuple[TaskSummary, ...]

    @property
    def recipe_name(self) -> str:
        return self.tasks[0].comment[STAMP_LENGTH:].removeprefix(" zenflow ").partition(":")[0]


@dataclass(frozen=True, slots=True)
class RebuildView:
    """`aside` is where the damaged file lies. `orphans` None: the service could not be asked, `trouble` says why."""

    server: str
    aside: Path
    problem: ZenflowError
    runs: tuple[Rebuilt, ...]
    lost_runs: tuple[str, ...]
    unread: int
    orphans: tuple[Orphaned, ...] | None
    trouble: str = ""


async def rebuild(settings: Settings) -> RebuildView:
    """Raises UsageError when the journal is well, JournalError when it cannot be put aside."""
    found = health.examine(settings.state_dir)
    if found.problem is None:
        said = f"The journal {found.path} is well" if found.exists else f"There is no journal in {settings.state_dir}"
        raise UsageError("ZF043", f"{said}: there is nothing to rebuild.")
    if found.problem.code != "ZF805":
        raise found.problem
    clock = wiring.clock()
    saved = health.salvage(found.path)
    aside = file.set_aside(found.path, clock.now())
    journal = wiring.open_journal(settings, clock)
    try:
        runs, lost = await _write(journal, saved.facts)
    finally:
        await journal.close()
    orphans, trouble = await _orphans(settings, clock, {run.stamp_run for run in runs})
    return RebuildView(settings.server, aside, found.problem, runs, lost, saved.unread, orphans, trouble)


async def _write(journal: Journal, facts: Mapping[str, Sequence[Event]]) -> tuple[tuple[Rebuilt, ...], tuple[str, ...]]:
    """Each run whose beginning is there; the others are named."""
    runs, lost = [], []
    for run_id, events in facts.items():
        started = next((event for event in events if isinstance(event, RunStarted)), None)
        if started is None:
            lost.append(run_id)
            continue
        lease = journal.take_lease(run_id)
        await journal.append(lease, [started, *(event for event in events if event is not started)])
        journal.release_lease(lease)
        runs.append(Rebuilt(run_id, started.recipe_name, started.stamp_run, len(events)))
    return tuple(runs), tuple(lost)


async def _orphans(settings: Settings, clock: Clock, known: set[str]) -> tuple[tuple[Orphaned, ...] | None, str]:
    try:
        async with wiring.open_provider(settings, clock) as provider:
            tasks = await _ours(provider, clock)
    except ServiceError as error:
        return None, error.message
    by_stamp: dict[str, list[TaskSummary]] = {}
    for task in tasks:
        stamp = task.comment[:STAMP_RUN_LENGTH]
        if stamp not in known:
            by_stamp.setdefault(stamp, []).append(task)
    return tuple(Orphaned(stamp, tuple(found)) for stamp, found in by_stamp.items()), ""


async def _ours(provider: Provider, clock: Clock) -> list[TaskSummary]:
    """Tasks of the account whose comment begins as ours do."""
    found: dict[str, TaskSummary] = {}
    offset: int | None = 0
    for _ in range(PAGES_MOST):
        page, offset = await with_retries(
            lambda at=offset: provider.list_tasks(query="zenflow", limit=100, offset=at or 0),  # type: ignore[misc]
            clock,
        )
        found.update((task.task_id, task) for task in page if _OURS.match(task.comment))
        if offset is None or not page:
            break
    return list(found.values())
