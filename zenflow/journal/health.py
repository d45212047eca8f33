"""Whether a journal's folder and file are well, and what can still be read of one that is not. Changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zenflow.history import codec
from zenflow.history.events import Event
from zenflow.journal import failures, file, folder
from zenflow.journal.base import JournalError


@dataclass(frozen=True, slots=True)
class Health:
    """`problem`: why the journal cannot be relied on; None for one that is well, or not there yet."""

    path: Path
    exists: bool
    bytes: int
    facts: int
    runs: int
    problem: JournalError | None


@dataclass(frozen=True, slots=True)
class Salvage:
    """What can be read: facts by run, in order. `unread`: rows that are there and cannot be read or understood."""

    facts: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    unread: int = 0


def sqlite_version() -> str:
    return sqlite3.sqlite_version


def folder_problem(state_dir: Path) -> JournalError | None:
    """Why the folder is no place for a journal: a network or synced one."""
    try:
        folder.refuse_shared(state_dir)
    except JournalError as error:
        return error
    return None


def examine(state_dir: Path) -> Health:
    """Read all of it: the file's pages, the tables, and every fact."""
    path = state_dir / file.NAME
    if not path.exists():
        return Health(path, False, 0, 0, 0, None)
    size = path.stat().st_size
    facts, runs = 0, 0
    try:
        file.check_bytes(path)
        connection = _reading(path)
        try:
            told = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)")]
            if told != ["ok"]:
                raise failures.damaged(path, "; ".join(told)[:300])
            runs = int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])
            for number, line in connection.execute("SELECT n, body FROM events"):
                facts += 1
                _decode(path, number, line)
        finally:
            connection.close()
    except JournalError as error:
        return Health(path, True, size, facts, runs, error)
    except sqlite3.Error as error:
        return Health(path, True, size, facts, runs, failures.from_sqlite(error, path))
    except OSError as error:
        return Health(path, True, size, facts, runs, failures.from_system(error, path))
    return Health(path, True, size, facts, runs, None)


def salvage(path: Path) -> Salvage:
    """Every fact that can be read of a damaged journal; those of a run that it does not name any more are lost."""
    try:
        connection = _reading(path)
    except sqlite3.Error:
        return Salvage()
    try:
        names = _names(connection)
        return _facts(connection, names)
    finally:
        connection.close()


def _reading(path: Path) -> sqlite3.Connection:
    return file.connect(path, busy_timeout_s=5.0, read_only=True)


def _names(connection: sqlite3.Connection) -> dict[int, str]:
    names: dict[int, str] = {}
    for at in range(1, _most(connection, "runs", "run") + 1):
        try:
            row = connection.execute("SELECT run_id FROM runs WHERE run = ?", (at,)).fetchone()
        except sqlite3.Error:
            continue
        if row is not None and isinstance(row[0], str):
            names[at] = row[0]
    return names


def _facts(connection: sqlite3.Connection, names: Mapping[int, str]) -> Salvage:
    """Row by row: a page that cannot be read costs its own rows and no others."""
    found: dict[str, list[Event]] = {}
    unread = 0
    for number in range(1, _most(connection, "events", "n") + 1):
        try:
            row = connection.execute("SELECT run, body FROM events WHERE n = ?", (number,)).fetchone()
            event = None if row is None else codec.decode(row[1])
        except (sqlite3.Error, codec.BadLine, codec.NewerLine, TypeError):
            unread += 1
            continue
        if row is None or event is None or row[0] not in names:
            unread += row is not None
            continue
        found.setdefault(names[row[0]], []).append(event)
    return Salvage(found, unread)


def _most(connection: sqlite3.Connection, table: str, column: str) -> int:
    """The highest number of a table; where its end cannot be read, so far as one can get from the beginning."""
    try:
        return int(connection.execute(f"SELECT max({column}) FROM {table}").fetchone()[0] or 0)
    except (sqlite3.Error, TypeError):
        pass
    most = 0
    try:
        for row in connection.execute(f"SELECT {column} FROM {table} ORDER BY {column}"):
            most = int(row[0])
    except (sqlite3.Error, TypeError):
        pass
    return most


def _decode(path: Path, number: int, line: str) -> None:
    try:
        codec.decode(line)
    except codec.NewerLine as error:
        raise failures.newer(path, f"row {number}: {error}") from error
    except codec.BadLine as error:
        raise failures.damaged(path, f"row {number}: {error}") from error
