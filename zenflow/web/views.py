"""What the pages read: runs from the journal, cached until the journal changes. Other processes' runs are seen too."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.queries.runs import RunLine, line_of
from zenflow.history.fold import fold
from zenflow.journal.base import Journal, NoSuchRun, RunRow
from zenflow.report.build_run_view import run_view
from zenflow.report.cost_history import CostEntry, entries_of
from zenflow.report.run_view import RunView

KEPT_VIEWS = 4  # a view of 10,000 pictures is about 60 MB
KEPT_LINES = 20_000


@dataclass(slots=True)
class Views:
    """Reads of one workspace's journal. All reads happen in one worker thread: the journal is not shared by threads."""

    settings: Settings
    _views: OrderedDict[str, tuple[tuple[int, ...], RunView]] = field(default_factory=OrderedDict)
    _lines: dict[str, tuple[object, RunLine]] = field(default_factory=dict)
    _costs: dict[str, tuple[object, tuple[CostEntry, ...]]] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def change_mark(self) -> tuple[int, ...]:
        """Return a value that differs whenever the journal's files have changed."""
        found: list[int] = []
        for name in ("journal.db", "journal.db-wal"):
            try:
                stat = (self.settings.state_dir / name).stat()
            except OSError:
                found += [0, 0]
            else:
                found += [stat.st_mtime_ns, stat.st_size]
        return tuple(found)

    async def rows(self) -> Sequence[RunRow]:
        """Return every run, newest first."""
        async with self._lock:
            journal = self._open()
            try:
                return journal.runs()
            finally:
                await journal.close()

    async def lines(self, rows: Sequence[RunRow]) -> Sequence[RunLine]:
        """Return what the journal adds up to for these runs; a run that has ended is read once."""
        async with self._lock:
            journal = self._open()
            try:
                return [self._line(journal, row) for row in rows]
            finally:
                await journal.close()

    async def view(self, run_id: str) -> tuple[RunRow, RunView]:
        """Return a run. Raises NoSuchRun."""
        async with self._lock:
            journal = self._open()
            try:
                row = journal.find_run(run_id)
                mark = self.change_mark()
                known = self._views.get(row.run_id)
                if known is not None and (
                    known[0] == mark or (row.status != "running" and known[1].status == row.status)
                ):
                    self._views.move_to_end(row.run_id)
                    return row, known[1]
                events = journal.events(row.run_id)
            finally:
                await journal.close()
            try:
                view = await asyncio.to_thread(run_view, events)
            except ValueError as error:
                raise NoSuchRun(
                    "ZF044", f"invalid run {run_id}: {error}", "`zenflow runs` lists the others."
                ) from error
            self._views[row.run_id] = (mark, view)
            while len(self._views) > KEPT_VIEWS:
                self._views.popitem(last=False)
            return row, view

    async def costs(self) -> Sequence[CostEntry]:
        """Return every charged call of the workspace."""
        async with self._lock:
            journal = self._open()
            try:
                found: list[CostEntry] = []
                for row in journal.runs():
                    key = (row.status, self.change_mark() if row.status == "running" else None)
                    known = self._costs.get(row.run_id)
                    if known is None or known[0] != key:
                        known = (key, tuple(entries_of(fold(journal.events(row.run_id)))))
                        self._costs[row.run_id] = known
                    found += known[1]
                return found
            finally:
                await journal.close()

    def _line(self, journal: Journal, row: RunRow) -> RunLine:
        key = (row.status, row.holder_alive, self.change_mark() if row.status == "running" else None)
        known = self._lines.get(row.run_id)
        if known is None or known[0] != key:
            known = (key, line_of(row, fold(journal.events(row.run_id))))
            if len(self._lines) < KEPT_LINES:
                self._lines[row.run_id] = known
        return known[1]

    def _open(self) -> Journal:
        return wiring.open_journal(self.settings, wiring.clock(), read_only=True)


def inside(folder: Path, path: Path) -> bool:
    """Return whether a path is a regular file below a folder, links resolved."""
    try:
        return path.resolve().is_relative_to(folder.resolve()) and path.is_file()
    except OSError:
        return False
