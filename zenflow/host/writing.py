"""Write files: whole or not at all, under a name that nobody can guess, and never through a link.

A folder may come from a stranger with links where zenflow is about to write. So every new file is made with
O_EXCL and O_NOFOLLOW under a random name, and takes its place by rename, which replaces a link instead of following it.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

PRIVATE = 0o600  # state: journals, caches, logs, tokens
PRIVATE_FOLDER = 0o700
SHARED = 0o666  # what the operator asked for by name; the umask decides
_CAREFUL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NEW = os.O_CREAT | os.O_EXCL | _CAREFUL


def replace_file(target: Path, content: str | bytes, *, private: bool = False) -> None:
    """Put a file in its place at once, durable. Raises OSError; the file that was there stays then.

    A link at `target` is replaced, not followed. A file that was there keeps its mode, but for a private one.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    beside = target.with_name(f".{os.urandom(8).hex()}.zenflow-new")
    try:
        with new_file(beside, private=private) as file:
            file.write(data)
            if not private:
                _take_mode(file, target)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    sync_folder(target.parent)


def replace_json(target: Path, document: Any, *, indent: int | None = None, private: bool = True) -> None:
    """`replace_file` with a JSON document. Raises OSError."""
    text = json.dumps(document, indent=indent, ensure_ascii=True)
    replace_file(target, text + "\n", private=private)


@contextmanager
def new_file(path: Path, *, private: bool = False) -> Iterator[IO[bytes]]:
    """Open a file that does not exist yet, for writing and reading. Raises FileExistsError also for a link there."""
    with os.fdopen(open_new(path, private=private), "w+b") as file:
        yield file


def open_new(path: Path, *, private: bool = False) -> int:
    """Return the descriptor of a file that did not exist before. Raises OSError."""
    return os.open(path, os.O_RDWR | _NEW, PRIVATE if private else SHARED)


def open_own(path: Path) -> int:
    """Return the descriptor of a private file that stays in place, made where missing. Raises OSError for a link."""
    flags = os.O_RDWR | os.O_CREAT | _CAREFUL
    handle = os.open(path, flags, PRIVATE)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(None, "it is not a regular file", str(path))
    return handle


def make_private_folder(folder: Path) -> None:
    """Make a folder for the operator alone, and what is missing above it. Raises OSError.

    One that exists keeps its mode: the operator may have chosen it.
    """
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        if folder.parent == folder:
            break
        folder = folder.parent
    for new in reversed(missing):
        try:
            new.mkdir(mode=PRIVATE_FOLDER)
        except FileExistsError:
            if not new.is_dir():
                raise
        sync_folder(new.parent)


def link_out_of(root: Path, path: Path) -> Path | None:
    """Return where `path` really lies when a link leads it out of `root`, else None. Both may be missing."""
    real_root, real = Path(os.path.realpath(root)), Path(os.path.realpath(path))
    return None if real == real_root or real_root in real.parents else real


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Windows has no such call; some file systems refuse it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _take_mode(file: IO[bytes], target: Path) -> None:
    with suppress(OSError):
        there = os.lstat(target)
        if stat.S_ISREG(there.st_mode) and hasattr(os, "fchmod"):
            os.fchmod(file.fileno(), stat.S_IMODE(there.st_mode))
