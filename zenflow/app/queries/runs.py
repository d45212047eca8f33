"""Runs as their journal tells them, offline: all of them, or one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.engine.model.report import RunReport
from zenflow.engine.reporting.replay import look_at
from zenflow.history.fold import fold
from zenflow.history.state import RunState
from zenflow.journal.base import Journal, NoSuchRun, RunRow
from zenflow.report.build_run_view import run_view
from zenflow.report.run_view import RunView, seconds_between

LAST = "last"


@dataclass(frozen=True, slots=True)
class SeenRun:
    """A run's report, and whether some process works on it now."""

    row: RunRow
    report: RunReport
    view: RunView | None = None

    @property
    def is_alive(self) -> bool:
        return self.row.holder_alive

    @property
    def has_died(self) -> bool:
        """Its journal says running, and nobody runs it."""
        return self.report.status == "running" and not self.row.holder_alive


def state_of(row: RunRow) -> str:
    """Return the state of a run: one whose journal says running and that no process holds was interrupted."""
    return "interrupted" if row.status == "running" and not row.holder_alive else row.status


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in the list: its row, and what its journal adds up to."""

    row: RunRow
    credits: Decimal
    files: int
    duration_s: float | None
    labels: Mapping[str, str]
    version: str = ""
    planned: Decimal | None = None

    @property
    def state(self) -> str:
        return state_of(self.row)


async def run_lines(settings: Settings, limit: int) -> tuple[Sequence[RunLine], int]:
    """Return the newest `limit` runs, newest first, and how many there are in all."""
    journal = wiring.open_journal(settings, wiring.clock(), read_only=True)
    try:
        rows = journal.runs()
        return [line_of(row, fold(journal.events(row.run_id))) for row in rows[:limit]], len(rows)
    finally:
        await journal.close()


def line_of(row: RunRow, state: RunState) -> RunLine:
    """Return the line of a run in the list."""
    lasted = None
    if state.started is not None and state.ended_at is not None:
        lasted = seconds_between(state.started.at, state.ended_at)
    files = sum(len(one) for one in state.files.values())
    if state.started is None:
        return RunLine(row, state.totals.spent, files, lasted, {})
    started = state.started
    labels = started.options.get("labels") or {}
    return RunLine(row, state.totals.spent, files, lasted, labels, started.recipe_version, started.planned_expected)


async def runs(settings: Settings) -> Sequence[RunRow]:
    """Newest first."""
    journal = wiring.open_journal(settings, wiring.clock(), read_only=True)
    try:
        return journal.runs()
    finally:
        await journal.close()


async def show(word: str | None, settings: Settings) -> SeenRun:
    """One run; left out, the last. Raises NoSuchRun."""
    journal = wiring.open_journal(settings, wiring.clock(), read_only=True)
    try:
        row = find(journal, word)
        events = journal.events(row.run_id)
        report = look_at(events)
        return SeenRun(row, report, run_view(events) if report.state.started is not None else None)
    finally:
        await journal.close()


async def stop(word: str | None, settings: Settings) -> RunRow:
    """Ask the process that works on a run to drain it. The run may have none: that is told by the row."""
    journal = wiring.open_journal(settings, wiring.clock())
    try:
        row = find(journal, word) if word is not None else _working(journal)
        if row.holder_alive:
            journal.request_stop(row.run_id)
        return row
    finally:
        await journal.close()


def find(journal: Journal, word: str | None) -> RunRow:
    return journal.find_run(LAST if word is None else word)


def _working(journal: Journal) -> RunRow:
    working = [row for row in journal.runs() if row.holder_alive]
    if len(working) == 1:
        return working[0]
    names = ", ".join(row.run_id for row in working)
    said = f"Several runs are going: {names}." if working else "No run is going."
    raise NoSuchRun("ZF040", said, "Name one: `zenflow stop RUN`." if working else "`zenflow runs` lists them.")
