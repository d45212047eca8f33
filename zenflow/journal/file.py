"""The journal's file: found to be one, made by rename, and connections to it."""

from __future__ import annotations

import os
import secrets
import sqlite3
from datetime import datetime
from pathlib import Path

from zenflow.host.writing import open_new
from zenflow.journal import failures, folder, migrations

NAME = "journal.db"
BUSY_TIMEOUT_S = 30.0
_MAGIC = b"SQLite format 3\x00"


def connect(file: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S, read_only: bool = False) -> sqlite3.Connection:
    """A connection without the transactions that Python would open by itself. Raises sqlite3.Error."""
    mode = "ro" if read_only else "rw"  # never “create”: a new file appears by rename, whole
    connection = sqlite3.connect(
        f"{_as_uri(file)}?mode={mode}", uri=True, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False
    )
    if not read_only:
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA fullfsync = ON")  # macOS: an fsync there does not reach the disk
        except UnicodeDecodeError as error:  # SQLite quotes its damaged schema in the message
            connection.close()
            raise sqlite3.DatabaseError("its schema is damaged") from error
    return connection


def open_for_reading(file: Path, now: datetime, *, busy_timeout_s: float, read_only: bool) -> sqlite3.Connection:
    """The file, checked and at this version's tables. Raises JournalError."""
    try:
        check_bytes(file)
        connection = _connect_to_read(file, busy_timeout_s, read_only)
        try:
            todo = migrations.pending_migrations(connection, file)
            if todo:
                _migrate(file, todo, now, busy_timeout_s)
            connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
        return connection
    except sqlite3.Error as error:
        raise failures.from_sqlite(error, file) from error
    except OSError as error:
        raise failures.from_system(error, file) from error


def create(file: Path, now: datetime) -> None:
    """Make the file and its folder; who comes second finds the first one's. Raises JournalError."""
    folder.make_folder(file.parent)
    new = file.with_name(f".{NAME}.new-{secrets.token_hex(6)}")
    try:
        os.close(open_new(new, private=True))
        connection = sqlite3.connect(new, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            migrations.create_tables(connection, now)
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        _sync(new)
        _give_name(new, file)
        folder.sync_folder(file.parent)
    except sqlite3.Error as error:
        raise failures.from_sqlite(error, file) from error
    except OSError as error:
        raise failures.from_system(error, file) from error
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            try:
                new.with_name(new.name + ending).unlink(missing_ok=True)
            except OSError:
                pass


def set_aside(file: Path, now: datetime) -> Path:
    """Give a damaged journal another name, with what belongs to it; nothing is thrown away. Raises JournalError."""
    aside = file.with_name(f"{file.name}.broken-{now:%Y%m%d-%H%M%S}")
    try:
        for ending in ("-shm", "-wal", ""):
            part = file.with_name(file.name + ending)
            if part.exists():
                part.rename(aside.with_name(aside.name + ending))
        folder.sync_folder(file.parent)
    except OSError as error:
        raise failures.from_system(error, file) from error
    return aside


def _connect_to_read(file: Path, busy_timeout_s: float, read_only: bool) -> sqlite3.Connection:
    """Where we may write, as a writer would, and forbid it afterwards: SQLite then tidies its side files up at the end,
    which a read-only connection leaves behind."""
    writable = os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)
    if writable or not read_only:
        return connect(file, busy_timeout_s=busy_timeout_s)
    wal = file.with_name(file.name + "-wal")
    if wal.exists() and wal.stat().st_size:
        return connect(file, busy_timeout_s=busy_timeout_s, read_only=True)
    # In a read-only folder SQLite cannot make the shared memory of a WAL; nobody can be writing there either.
    return sqlite3.connect(
        f"{_as_uri(file)}?mode=ro&immutable=1", uri=True, isolation_level=None, check_same_thread=False
    )


def check_bytes(file: Path) -> None:
    """What SQLite would take for a new database, or notice only later."""
    if file.is_symlink():
        raise failures.unusable_folder(file.parent, f"{file.name} in it is a link")
    if file.is_dir():
        raise failures.unusable_folder(file.parent, f"{file.name} in it is a folder, not a file")
    if not os.access(file, os.R_OK):
        raise failures.forbidden(file, "it may not be read")
    with file.open("rb") as stream:
        head = stream.read(100)
    size = file.stat().st_size
    if size == 0:
        raise failures.damaged(file, "it is empty")
    if head[:16] != _MAGIC:
        raise failures.damaged(file, "it is no SQLite database")
    if len(head) < 100:
        raise failures.damaged(file, "it is cut off")
    page = int.from_bytes(head[16:18], "big")
    expected = (65536 if page == 1 else page) * int.from_bytes(head[28:32], "big")  # sqlite.org/fileformat.html 1.3
    wal = file.with_name(file.name + "-wal")
    if size < expected and not (wal.exists() and wal.stat().st_size):  # else the rest may be in there
        raise failures.damaged(file, f"it is cut off: {size} bytes of {expected}")


def _migrate(file: Path, todo: tuple[migrations.Migration, ...], now: datetime, busy_timeout_s: float) -> None:
    connection = connect(file, busy_timeout_s=busy_timeout_s)
    try:
        migrations.migrate(connection, todo, now)
    finally:
        connection.close()


def _give_name(new: Path, file: Path) -> None:
    """Never over an existing one: another process may have been first, and have written to it already."""
    try:
        os.link(new, file)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not file.exists():
            os.rename(new, file)


def _sync(file: Path) -> None:
    handle = os.open(file, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _as_uri(file: Path) -> str:
    return file.absolute().as_uri()  # quotes `?`, `#` and `%`
