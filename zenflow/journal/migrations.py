"""The journal's tables, as the ordered changes that made them; each is recorded in the transaction that runs it.

A change once released is never edited. A journal that records a change which is not in this list is of a newer version.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from zenflow.clock import as_iso
from zenflow.journal import failures
from zenflow.journal.statements import statements

APPLICATION_ID = 0x7A656E66  # “zenf”: what `file` and SQLite show of a file that is ours


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    statements: tuple[str, ...]


MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        "0001 facts, runs and their leases, spends",
        (
            # A run and who works on it: `token` grows with every lease, host is null when nobody holds it.
            """CREATE TABLE runs (
                 run INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE,
                 recipe_name TEXT, server TEXT, account_id TEXT, started_at TEXT, status TEXT,
                 token INTEGER NOT NULL, host TEXT, pid INTEGER, process_started TEXT, stop_token INTEGER)""",
            # The facts; all else in this file can be made again from them, except assets and durations.
            "CREATE TABLE events (n INTEGER PRIMARY KEY, run INTEGER NOT NULL, body TEXT NOT NULL)",
            "CREATE INDEX events_of_run ON events (run)",
            """CREATE TABLE spends (
                 run INTEGER NOT NULL, submission INTEGER NOT NULL, account_id TEXT NOT NULL, day TEXT NOT NULL,
                 quote TEXT NOT NULL, outcome TEXT NOT NULL, debits TEXT NOT NULL, refunds TEXT NOT NULL,
                 PRIMARY KEY (run, submission)) WITHOUT ROWID""",
            """CREATE TABLE totals (
                 account_id TEXT NOT NULL, day TEXT NOT NULL, run INTEGER NOT NULL,
                 committed TEXT NOT NULL, pending TEXT NOT NULL,
                 PRIMARY KEY (account_id, day, run)) WITHOUT ROWID""",
            """CREATE TABLE assets (
                 server TEXT NOT NULL, account_id TEXT NOT NULL, digest TEXT NOT NULL,
                 asset_id TEXT NOT NULL, media_type TEXT NOT NULL,
                 PRIMARY KEY (server, account_id, digest)) WITHOUT ROWID""",
            """CREATE TABLE durations (
                 n INTEGER PRIMARY KEY, server TEXT NOT NULL, tool TEXT NOT NULL, model TEXT NOT NULL,
                 seconds REAL NOT NULL)""",
            "CREATE INDEX durations_of_tool ON durations (server, tool, model)",
        ),
    ),
    Migration(
        "0002 results that another run may take",
        (
            # By the fingerprint of the request (docs/reuse.md). Made of facts, in the transaction that writes them.
            """CREATE TABLE finished (
                 n INTEGER PRIMARY KEY, run INTEGER NOT NULL, instance TEXT NOT NULL, fingerprint TEXT NOT NULL,
                 at TEXT NOT NULL, results TEXT NOT NULL, credits TEXT NOT NULL)""",
            "CREATE INDEX finished_by_fingerprint ON finished (fingerprint)",
            "CREATE UNIQUE INDEX finished_by_instance ON finished (run, instance)",
        ),
    ),
)


def pending_migrations(connection: sqlite3.Connection, file: Path) -> tuple[Migration, ...]:
    """Those that the file has not seen. Raises JournalError for a file that is not ours or is of a newer version."""
    ours = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    if not ours:
        raise failures.damaged(file, "it is an SQLite database of another program")
    seen = {str(row[0]) for row in connection.execute(statements()["migration_names"])}
    unknown = sorted(seen - {migration.name for migration in MIGRATIONS})
    if unknown:
        raise failures.newer(file, f"it holds the change “{unknown[0]}”")
    return tuple(migration for migration in MIGRATIONS if migration.name not in seen)


def create_tables(connection: sqlite3.Connection, now: datetime) -> None:
    """All tables in an empty database."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("CREATE TABLE migrations (name TEXT PRIMARY KEY, at TEXT NOT NULL)")
    migrate(connection, MIGRATIONS, now)


def migrate(connection: sqlite3.Connection, migrations: tuple[Migration, ...], now: datetime) -> None:
    """Each in a transaction of its own; one that another process ran meanwhile is left out."""
    for migration in migrations:
        connection.execute("BEGIN IMMEDIATE")
        try:
            seen = {str(row[0]) for row in connection.execute(statements()["migration_names"])}
            if migration.name not in seen:
                for statement in migration.statements:
                    connection.execute(statement)
                connection.execute(statements()["add_migration"], (migration.name, as_iso(now)))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
