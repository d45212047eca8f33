"""The one thread that writes: what is queued while it commits goes into the next commit, all in one (group commit).

An `Entry` is what a caller holds: awaitable in a loop, waitable in a thread, both as often as one likes. After one
failed commit nothing is written any more: every entry, waiting or to come, has the failure as its answer.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from zenflow.errors import ZenflowError
from zenflow.history.events import Event, Intended, RunStarted
from zenflow.journal import failures
from zenflow.journal.base import Cap, JournalError, Lease
from zenflow.journal.tables import Tables

_MOST_ENTRIES = 5000  # in one commit: bounds the wait of the first

Wake = Callable[[], None]


class QueuedWrite:
    """One thing to write, and its answer."""

    __slots__ = ("_waiters", "answer", "error", "settled")

    def __init__(self) -> None:
        self.answer: Any = None
        self.error: ZenflowError | None = None
        self.settled = False
        self._waiters: list[Wake] | None = None

    def write(self, tables: Tables) -> None:
        """Inside the transaction. What it raises of ours is its own answer only: then it has written nothing."""
        raise NotImplementedError

    @property
    def begins_a_run(self) -> bool:
        return False

    def __await__(self) -> Generator[Any, None, Any]:
        if not self.settled:
            loop = asyncio.get_running_loop()
            woken = loop.create_future()
            self._add_waiter(lambda: _wake_in(loop, woken))
            yield from woken
        return self.result()

    def wait(self) -> Any:
        """Block this thread."""
        if not self.settled:
            woken = threading.Event()
            self._add_waiter(woken.set)
            woken.wait()
        return self.result()

    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.answer

    def settle(self, error: ZenflowError | None = None) -> None:
        """Say that it is done, then call who waits. `_add_waiter` goes the other way round, so that none is missed."""
        if self.settled:
            return
        self.error = self.error or error
        self.settled = True
        for wake in tuple(self._waiters or ()):
            wake()

    def _add_waiter(self, wake: Wake) -> None:
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(wake)
        if self.settled:
            wake()


class Facts(QueuedWrite):
    """Lines of one run. `facts` are those of them that change more than the list of facts."""

    __slots__ = ("_facts", "_lease", "_lines")

    def __init__(self, lease: Lease, lines: Sequence[str], facts: Sequence[Event]) -> None:
        super().__init__()
        self._lease, self._lines, self._facts = lease, lines, facts

    def write(self, tables: Tables) -> None:
        tables.append(self._lease, self._lines, self._facts)

    @property
    def begins_a_run(self) -> bool:
        return any(type(fact) is RunStarted for fact in self._facts)


class Reservation(QueuedWrite):
    """An intent under a cap."""

    __slots__ = ("_cap", "_event", "_lease", "_line")

    def __init__(self, lease: Lease, line: str, event: Intended, cap: Cap | None) -> None:
        super().__init__()
        self._lease, self._line, self._event, self._cap = lease, line, event, cap

    def write(self, tables: Tables) -> None:
        tables.reserve(self._lease, self._event, self._cap)
        tables.append(self._lease, (self._line,), (self._event,))


class Act(QueuedWrite):
    """Anything else."""

    __slots__ = ("_act",)

    def __init__(self, act: Callable[[Tables], Any]) -> None:
        super().__init__()
        self._act = act

    def write(self, tables: Tables) -> None:
        self.answer = self._act(tables)


class Writer:
    """The queue and its thread, which starts with the first entry."""

    def __init__(self, file: Path, connect: Callable[[], sqlite3.Connection], tables: Callable[[Any], Tables]) -> None:
        self._file, self._connect, self._make_tables = file, connect, tables
        self._queue: queue.SimpleQueue[QueuedWrite | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._inode: tuple[int, int] | None = None
        self._ended = False
        self.failure: JournalError | None = None

    def put(self, entry: QueuedWrite) -> None:
        """Queue it; entries are written in the order of the calls."""
        if self.failure is not None:
            entry.settle(self.failure)
            return
        if self._thread is None:
            self._start()
        self._queue.put(entry)
        if self._ended:  # it ended between the two lines above
            self._refuse_rest()

    def close(self) -> QueuedWrite:
        """Write what is queued, then end. The entry is settled when the file is closed."""
        end = _End()
        with self._starting:
            if self._thread is None:
                self._ended, self.failure = True, self.failure or failures.closed()
        if self._ended:
            end.settle()
        else:
            self.put(end)
        return end

    def _start(self) -> None:
        with self._starting:
            if self._thread is None and not self._ended:
                self._thread = threading.Thread(target=self._run, name="zenflow-journal", daemon=True)
                self._thread.start()

    # ------------------------------------------------------------------------------------------------- in the thread

    def _run(self) -> None:
        connection, tables = self._open()
        end: QueuedWrite | None = None
        while end is None:
            entries = self._gathered()
            end = next((entry for entry in entries if isinstance(entry, _End)), None)
            if self.failure is None and tables is not None and connection is not None:
                self.failure = self._commit(connection, tables, entries)
            for entry in entries:
                if entry is not end:
                    entry.settle(self.failure)
        if connection is not None:
            _close_quietly(connection)
        self.failure = self.failure or failures.closed()
        self._ended = True
        end.settle()
        self._refuse_rest()

    def _open(self) -> tuple[sqlite3.Connection | None, Tables | None]:
        try:
            connection = self._connect()
            self._inode = _inode(self._file)
            return connection, self._make_tables(connection)
        except Exception as error:
            self.failure = self._failure_of(error)
            return None, None

    def _gathered(self) -> list[QueuedWrite]:
        """At least one; and whatever came while the last commit was under way."""
        entries = [self._queue.get()]
        try:
            while len(entries) < _MOST_ENTRIES:
                entries.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        return [entry for entry in entries if entry is not None]

    def _commit(
        self, connection: sqlite3.Connection, tables: Tables, entries: Sequence[QueuedWrite]
    ) -> JournalError | None:
        """All entries in one transaction. The failure, after which nothing is tried again."""
        try:
            if _inode(self._file) != self._inode:
                raise failures.moved(self._file)
            connection.execute("BEGIN IMMEDIATE")
            tables.begin()
            for entry in entries:
                _write(entry, tables)
            tables.flush()
            connection.execute("COMMIT")
        except Exception as error:
            _roll_back_quietly(connection)
            return self._failure_of(error)
        if any(entry.begins_a_run for entry in entries):
            _into_the_file_quietly(connection)
        return None

    def _failure_of(self, error: Exception) -> JournalError:
        if isinstance(error, JournalError):
            return error
        if isinstance(error, sqlite3.Error):
            failure = failures.from_sqlite(error, self._file)
        elif isinstance(error, FileNotFoundError):
            failure = failures.moved(self._file)
        elif isinstance(error, OSError):
            failure = failures.from_system(error, self._file)
        else:
            failure = failures.failed(self._file, f"{type(error).__name__}: {error}")
        failure.__cause__ = error
        return failure

    def _refuse_rest(self) -> None:
        try:
            while True:
                entry = self._queue.get_nowait()
                if entry is not None:
                    entry.settle(self.failure)
        except queue.Empty:
            pass


class _End(QueuedWrite):
    """The last entry."""

    __slots__ = ()

    def write(self, tables: Tables) -> None:
        return


def _write(entry: QueuedWrite, tables: Tables) -> None:
    try:
        entry.write(tables)
    except ZenflowError as error:  # a lease lost, a cap reached, a run busy: the answer of this entry alone
        entry.error = error


def _wake_in(loop: asyncio.AbstractEventLoop, woken: asyncio.Future[None]) -> None:
    try:
        loop.call_soon_threadsafe(_wake, woken)
    except RuntimeError:  # the loop is closed: nobody waits
        pass


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)


def _inode(file: Path) -> tuple[int, int]:
    found = os.stat(file)
    return (found.st_dev, found.st_ino)


def _roll_back_quietly(connection: sqlite3.Connection) -> None:
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except sqlite3.Error:  # what failed before is what is told
        pass


def _into_the_file_quietly(connection: sqlite3.Connection) -> None:
    """From the log beside the file into the file itself: a person who deletes `journal.db-wal`, or a program that copies the
    file alone, leaves a run that is known by its stamp, and a resume finds what it has paid for at the service."""
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    except sqlite3.Error:  # the commit stands
        pass


def _close_quietly(connection: sqlite3.Connection) -> None:
    try:
        connection.close()
    except sqlite3.Error:  # everything that was confirmed is on disk already
        pass
