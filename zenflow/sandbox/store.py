"""Where the sandbox keeps its world: one SQLite database, in memory or in the state folder.

A change is one transaction, committed before the answer leaves, so that a killed process forgets nothing that it has
answered. WAL and immediate transactions let two processes share a folder. It does not know what the rows mean.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zenflow.host.writing import make_private_folder, open_own, replace_file

_BUSY_MS = 10_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tasks (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, unique_name TEXT NOT NULL, tool_name TEXT NOT NULL, comment TEXT,
    inputs TEXT NOT NULL, total INTEGER NOT NULL, created_at REAL NOT NULL, starts_at REAL NOT NULL,
    hidden_until REAL NOT NULL DEFAULT 0, deleted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS calls (
    id TEXT PRIMARY KEY, task_id TEXT NOT NULL, place INTEGER NOT NULL, ends_at REAL, outcome TEXT NOT NULL,
    error TEXT, output TEXT, asset_ids TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS calls_of_task ON calls (task_id, place);
CREATE INDEX IF NOT EXISTS calls_counted ON calls (task_id, ends_at, outcome);
CREATE INDEX IF NOT EXISTS calls_ending ON calls (ends_at, task_id);
CREATE TABLE IF NOT EXISTS assets (
    id TEXT PRIMARY KEY, media_type TEXT NOT NULL, width INTEGER, height INTEGER, available_at REAL NOT NULL,
    fingerprint TEXT NOT NULL, recipe TEXT, size_bytes INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (digest TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS transactions (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, amount INTEGER NOT NULL, kind TEXT NOT NULL, task_id TEXT,
    call_id TEXT, created_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS refunds (
    n INTEGER PRIMARY KEY, task_id TEXT NOT NULL, call_id TEXT NOT NULL, amount INTEGER NOT NULL, due_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS refunds_due ON refunds (due_at);
CREATE TABLE IF NOT EXISTS delayed (
    n INTEGER PRIMARY KEY, due_at REAL NOT NULL, tool TEXT NOT NULL, arguments TEXT NOT NULL);
"""


class Store:
    """One connection. Used from one thread; other processes may have their own."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        if folder is not None:
            make_private_folder(folder / "files")
            os.close(open_own(folder / "sandbox.db"))
        self._connection = sqlite3.connect(
            ":memory:" if folder is None else folder / "sandbox.db", isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        # NORMAL: a killed process loses nothing; only a power cut may lose the last rows, and this is play money.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def change(self) -> Iterator[None]:
        """One act: all of it, or nothing. Acts inside an act are part of it."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def run(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def run_named(self, statement: str, values: dict[str, object]) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def run_many(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        self._connection.executemany(statement, rows)

    def row(self, statement: str, *values: object) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
        return found

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        return self._connection.execute(statement, values).fetchall()

    def number(self, statement: str, *values: object) -> int:
        found = self.row(statement, *values)
        return int(found[0]) if found is not None and found[0] is not None else 0

    def meta(self, key: str, default: str) -> str:
        """A value kept with the world; the first process to ask decides it."""
        with self.change():
            self.run("INSERT OR IGNORE INTO meta VALUES (?, ?)", key, default)
            found = self.row("SELECT value FROM meta WHERE key = ?", key)
        return str(found["value"]) if found is not None else default

    def keep_moment(self, moment_s: float) -> None:
        """Until when this world has lived."""
        self.run(
            "INSERT INTO meta VALUES ('lived_until', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1", str(moment_s)
        )

    def last_moment_s(self) -> float:
        """The latest moment that this world is known to have reached: no process may go back behind it."""
        rows = self.rows(
            "SELECT value FROM meta WHERE key = 'lived_until' UNION ALL SELECT max(created_at) FROM transactions"
            " UNION ALL SELECT max(created_at) FROM tasks"
        )
        return max((float(row[0]) for row in rows if row[0] is not None), default=0.0)

    def next_number(self) -> int:
        """A number never given before; call it inside an act."""
        self.run("INSERT INTO meta VALUES ('number', '1') ON CONFLICT (key) DO UPDATE SET value = value + 1")
        return self.number("SELECT value FROM meta WHERE key = 'number'")

    def keep_bytes(self, digest: str, body: bytes) -> None:
        """Uploaded bytes, before the row that names them: a file beside the database, or a row in memory."""
        if self._folder is None:
            self.run("INSERT OR IGNORE INTO uploads VALUES (?, ?)", digest, body)
            return
        target = self._folder / "files" / digest
        if target.exists():
            return
        replace_file(target, body, private=True)

    def bytes_of(self, digest: str) -> bytes | None:
        if self._folder is None:
            found = self.row("SELECT body FROM uploads WHERE digest = ?", digest)
            return bytes(found["body"]) if found is not None else None
        target = self._folder / "files" / digest
        return target.read_bytes() if target.exists() else None

    def close(self) -> None:
        self._connection.close()
