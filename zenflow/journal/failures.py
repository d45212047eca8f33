"""What can go wrong with the journal's file, in words: SQLite's and the system's errors become `JournalError`s here.

ZF800  the state folder cannot be used          ZF806  written by a newer version
ZF801  disk full                                ZF807  a network or synced folder
ZF802  no permission, or read-only              ZF808  another process works on the run
ZF803  input/output error                       ZF809  the lease was lost
ZF804  locked by another process for too long   ZF810  no such run
ZF805  damaged, or no journal at all            ZF812  closed
"""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from zenflow.journal.base import JournalError, UnusableFolder

GOES_ON = "`zenflow resume` goes on where the run stopped. Nothing was paid after this."
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def from_sqlite(error: sqlite3.Error, file: Path) -> JournalError:
    """The error of a statement on `file`."""
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith("SQLITE_FULL"):
        return disk_full(file)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return locked(file)
    if name.startswith("SQLITE_READONLY_DBMOVED"):
        return moved(file)
    if name.startswith(("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_CANTOPEN", "SQLITE_AUTH")):
        return forbidden(file, str(error))
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT")):
        return damaged(file, str(error))
    if name.startswith("SQLITE_IOERR"):
        return failed(file, f"{error} ({name})")
    if type(error) is sqlite3.DatabaseError:  # its subclasses blame the statement, not the file
        return damaged(file, str(error))
    return failed(file, f"{error} ({name})" if name else str(error))


def from_system(error: OSError, file: Path) -> JournalError:
    """The error of a file operation."""
    if error.errno in _FULL:
        return disk_full(file)
    if error.errno in _FORBIDDEN:
        return forbidden(file, error.strerror or str(error))
    return failed(file, error.strerror or str(error))


def disk_full(file: Path) -> JournalError:
    return JournalError(
        "ZF801",
        f"No space is left for the journal {file}",
        f"Free some space, then {GOES_ON}",
        file=str(file),
    )


def forbidden(file: Path, detail: str) -> JournalError:
    return JournalError(
        "ZF802",
        f"The journal {file} cannot be written: {detail}",
        "Make the file and its folder writable for you. Only a new run may keep its journal elsewhere: --state DIR.",
        file=str(file),
    )


def failed(file: Path, detail: str) -> JournalError:
    return JournalError(
        "ZF803",
        f"The journal {file} could not be read or written: {detail}",
        f"Check the disk, then {GOES_ON}",
        file=str(file),
    )


def locked(file: Path) -> JournalError:
    return JournalError(
        "ZF804",
        f"Another program has kept the journal {file} locked for too long",
        "Close other programs that have this file open (a database viewer, a backup), then run the command again.",
        file=str(file),
    )


def damaged(file: Path, detail: str) -> JournalError:
    return JournalError(
        "ZF805",
        f"{file} is damaged or is no journal of zenflow: {detail}",
        "`zenflow doctor --rebuild` keeps it aside and builds a new one from what can be read; what was paid is found "
        "at the service. Or restore a backup.",
        file=str(file),
    )


def moved(file: Path) -> JournalError:
    return JournalError(
        "ZF805",
        f"The journal {file} was moved, removed or replaced while it was in use",
        "Put the file back where it was; then `zenflow resume` goes on where the run stopped.",
        file=str(file),
    )


def newer(file: Path, detail: str) -> JournalError:
    return JournalError(
        "ZF806",
        f"The journal {file} is one of a newer version of zenflow: {detail}",
        "Upgrade zenflow (`pip install --upgrade zenflow`), or choose another folder with --state DIR.",
        file=str(file),
    )


def unusable_folder(folder: Path, detail: str) -> UnusableFolder:
    return UnusableFolder(
        "ZF800",
        f"The state folder {folder} cannot be used: {detail}",
        "Choose another folder with --state DIR, or put this one right.",
        folder=str(folder),
    )


def shared_folder(folder: Path, kind: str) -> UnusableFolder:
    return UnusableFolder(
        "ZF807",
        f"The journal cannot be kept in {folder}: it is {kind}, where a commit is no promise",
        "Choose a folder on a disk of this machine with --state DIR; results may stay where they are.",
        folder=str(folder),
    )


def closed() -> JournalError:
    return JournalError("ZF812", "The journal is closed", "Run the command again.")


def read_only() -> JournalError:
    return JournalError("ZF812", "The journal was opened for reading only", "This is a mistake in zenflow.")
