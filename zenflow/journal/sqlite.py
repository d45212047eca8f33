"""The journal of one state folder, in SQLite: one writing thread, readers of their own.

It knows events only as lines and as what they spend; what they mean for a run is `history/fold`'s.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from zenflow.clock import Clock
from zenflow.credits import ZERO
from zenflow.history import codec
from zenflow.history.events import Event, Intended
from zenflow.journal import failures, file, folder, lock
from zenflow.journal.base import Cap, Finished, Holder, JournalError, Lease, NoSuchRun, RunRow
from zenflow.journal.reusable_results import finished_from
from zenflow.journal.run_lookup import find_by_word
from zenflow.journal.statements import statements
from zenflow.journal.tables import RUN_FACTS, Tables, holder_of
from zenflow.journal.writer import Act, Facts, QueuedWrite, Reservation, Writer


def open_journal(
    state_dir: Path,
    *,
    clock: Clock,
    read_only: bool = False,
    busy_timeout_s: float = file.BUSY_TIMEOUT_S,
    me: Holder | None = None,
    alive: lock.IsAlive = lock.is_alive,
) -> SqliteJournal:
    """The journal in `state_dir`, made if it is not there yet. `read_only` never makes anything: none is an empty one.

    Raises JournalError. `me` and `alive` say who this process is, for tests that are several.
    """
    path = state_dir / file.NAME
    if state_dir.exists() and not state_dir.is_dir():
        raise failures.unusable_folder(state_dir, "it is a file, not a folder")
    try:
        there = path.exists()
    except OSError as error:
        raise failures.unusable_folder(state_dir, error.strerror or str(error)) from error
    if not read_only:
        folder.refuse_shared(state_dir)
        if not there:
            file.create(path, clock.now())
    elif not there:
        return SqliteJournal(path, None, busy_timeout_s, me or lock.this_process(), alive, read_only)
    reader = file.open_for_reading(path, clock.now(), busy_timeout_s=busy_timeout_s, read_only=read_only)
    return SqliteJournal(path, reader, busy_timeout_s, me or lock.this_process(), alive, read_only)


_GIVE_BACK_WITHIN_S = 1.0


class SqliteJournal:
    """A `journal.base.Journal`. Made by `open_journal`."""

    def __init__(
        self,
        path: Path,
        reader: sqlite3.Connection | None,
        busy_timeout_s: float,
        me: Holder,
        alive: lock.IsAlive,
        read_only: bool,
    ) -> None:
        self.path = path
        self._reader, self._reading = reader, threading.Lock()
        self._me, self._alive, self._read_only = me, alive, read_only
        self._sql = statements()
        self._writer = Writer(
            path,
            lambda: file.connect(path, busy_timeout_s=busy_timeout_s),
            lambda connection: Tables(connection, me, alive),
        )
        self._unread: QueuedWrite | None = None  # the newest asset or duration that a reader may not see yet

    # --------------------------------------------------------------------------------------------------------- runs

    def runs(self) -> Sequence[RunRow]:
        return tuple(self._run_row(*row) for row in self._read("run_rows"))

    def find_run(self, word: str) -> RunRow:
        return find_by_word(self.runs(), word)

    def events(self, run_id: str) -> Sequence[Event]:
        run = self._run(run_id)
        return () if run is None else tuple(self._decoded(run_id, self._read("event_lines", run[0])))

    def _run(self, run_id: str) -> Any:
        return next(iter(self._read("run_by_id", run_id)), None)

    def _run_row(
        self,
        run_id: str,
        recipe_name: str,
        server: str,
        account_id: str,
        started_at: str,
        status: str,
        *held_by: Any,
    ) -> RunRow:
        holder = holder_of(*held_by)
        alive = holder is not None and self._alive(holder)
        return RunRow(run_id, recipe_name, server, account_id, started_at, status, holder, alive)

    def _decoded(self, run_id: str, rows: Iterable[tuple[int, str]]) -> Iterable[Event]:
        for number, line in rows:
            try:
                yield codec.decode(line)
            except codec.NewerLine as error:
                raise failures.newer(self.path, f"row {number}, run {run_id}: {error}") from error
            except codec.BadLine as error:
                raise failures.damaged(self.path, f"row {number}, run {run_id}: {error}") from error

    # ------------------------------------------------------------------------------------------------------- leases

    def take_lease(self, run_id: str, *, take_over: bool = False) -> Lease:
        lease = self._put(Act(lambda tables: tables.take_lease(run_id, take_over))).wait()
        assert isinstance(lease, Lease)
        return lease

    def release_lease(self, lease: Lease) -> None:
        """After a failure no fact is written any more. The lease is given back all the same where that can be done now;
        else it is recognised as a dead one's when this process has ended."""
        if self._writer.failure is None:
            self._put(Act(lambda tables: tables.release_lease(lease))).wait()
        else:
            self._give_back_apart(lease)

    def _give_back_apart(self, lease: Lease) -> None:
        try:
            connection = file.connect(self.path, busy_timeout_s=_GIVE_BACK_WITHIN_S)
        except sqlite3.Error:
            return
        try:
            connection.execute(self._sql["release_run"], (lease.run_id, lease.token))
        except sqlite3.Error:
            return
        finally:
            connection.close()

    def holds(self, lease: Lease) -> bool:
        if self._writer.failure is not None:
            return False
        row = self._run(lease.run_id)
        return row is not None and row[1] == lease.token and row[2] is not None

    def request_stop(self, run_id: str) -> None:
        if self._run(run_id) is None:
            raise NoSuchRun("ZF810", f"There is no run {run_id}", "`zenflow runs` lists them.")
        self._put(Act(lambda tables: tables.request_stop(run_id))).wait()

    def stop_requested(self, lease: Lease) -> bool:
        row = self._run(lease.run_id)
        return row is not None and row[5] == lease.token

    # -------------------------------------------------------------------------------------------------------- facts

    def append(self, lease: Lease, events: Sequence[Event]) -> Awaitable[None]:
        lines = [codec.encode(event) for event in events]
        return self._put(Facts(lease, lines, [event for event in events if type(event) in RUN_FACTS]))

    def reserve_and_intend(self, lease: Lease, event: Intended, cap: Cap | None) -> Awaitable[None]:
        return self._put(Reservation(lease, codec.encode(event), event, cap))

    def committed_on(self, account_id: str, day: str) -> Decimal:
        return sum((Decimal(committed) for _, committed in self._read("committed_on", account_id, day)), ZERO)

    def committed_elsewhere(self, account_id: str, run_id: str) -> Decimal:
        rows = self._read("pending_by_run", account_id)
        return sum((Decimal(pending) for run, pending in rows if run != run_id), ZERO)

    # -------------------------------------------------------------------------------------------- assets, durations

    def remember_asset(self, server: str, account_id: str, digest: str, asset_id: str, media_type: str) -> None:
        row = (server, account_id, digest, asset_id, media_type)
        self._unread = self._put(Act(lambda tables: tables.put_asset(row)))

    def find_asset(self, server: str, account_id: str, digest: str) -> tuple[str, str] | None:
        self._let_be_seen()
        row = next(iter(self._read("asset", server, account_id, digest)), None)
        return None if row is None else (str(row[0]), str(row[1]))

    def finished(self, server: str, account_id: str, fingerprint: str) -> Sequence[Finished]:
        return tuple(finished_from(row) for row in self._read("finished", fingerprint, server, account_id))

    def finished_in(self, run_id: str) -> Sequence[Finished]:
        return tuple(finished_from(row) for row in self._read("finished_in", run_id))

    def remember_duration(self, server: str, tool: str, model: str, seconds: float) -> None:
        self._unread = self._put(Act(lambda tables: tables.add_duration(server, tool, model, seconds)))

    def durations(self, server: str, tool: str, model: str) -> Sequence[float]:
        self._let_be_seen()
        return tuple(float(row[0]) for row in self._read("durations", server, tool, model))

    def _let_be_seen(self) -> None:
        if self._unread is not None:
            self._unread.wait()
            self._unread = None

    # ------------------------------------------------------------------------------------------------------ the file

    async def close(self) -> None:
        """Write what is queued and close the file; a second time does nothing."""
        await asyncio.shield(_awaited(self._writer.close()))
        self._close_reader()

    def close_now(self) -> None:
        """`close`, for callers without a loop."""
        self._writer.close().wait()
        self._close_reader()

    def _close_reader(self) -> None:
        with self._reading:
            if self._reader is not None:
                self._reader.close()
            self._reader = None

    def _put(self, entry: QueuedWrite) -> QueuedWrite:
        if self._read_only:
            raise failures.read_only()
        self._writer.put(entry)
        return entry

    def _read(self, name: str, *arguments: Any) -> list[Any]:
        """All rows. A journal that is not there has none."""
        with self._reading:
            if self._reader is None:
                if self._read_only:
                    return []
                raise failures.closed()
            try:
                return self._reader.execute(self._sql[name], arguments).fetchall()
            except sqlite3.Error as error:
                raise failures.from_sqlite(error, self.path) from error


async def _awaited(entry: QueuedWrite) -> None:
    try:
        await entry
    except JournalError:  # said to whoever awaited what was not written
        pass
