"""A file that is not whole yet: hidden, locked while its process lives, and gone when that ends without a word."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import IO

from zenflow.artifacts import folders
from zenflow.artifacts.naming import PART_PREFIX

try:
    import fcntl as _fcntl
except ImportError:  # Windows: an open file cannot be removed there, which serves as the lock
    fcntl: ModuleType | None = None
else:
    fcntl = _fcntl

# What file systems without hard links answer: exFAT, some network and container mounts.
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL})


class Part:
    """Bytes on their way to a name. Every method may block: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self.path, self.stream = _new_file(folder)
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self.stream.write(data)
        self._hash.update(data)
        self.size += len(data)

    def sync(self) -> None:
        self.stream.flush()
        os.fsync(self.stream.fileno())

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def give_name(self, target: Path) -> None:
        """Under its name at once and whole, or FileExistsError; never over another file."""
        try:
            os.link(self.path, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._take_reserved(target)
        folders.sync_folder(target.parent)

    def _take_reserved(self, target: Path) -> None:
        """Where there are no hard links: reserve the name, then take our own reservation's place."""
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        try:
            self.stream.close()  # Windows moves no open file
            os.replace(self.path, target)
        except OSError:
            target.unlink()
            raise

    def discard(self) -> None:
        """Remove what is left under the hidden name; errors are nobody's business then."""
        try:
            self.stream.close()
        except OSError:  # the disk is full, and flushing on close says so again
            pass
        try:
            self.path.unlink(missing_ok=True)
        except OSError:
            pass


def remove_leftovers(folder: Path) -> None:
    """Remove the parts that dead processes left in `folder`."""
    try:
        left = [Path(entry.path) for entry in os.scandir(folder) if entry.name.startswith(PART_PREFIX)]
    except OSError:
        return
    for path in left:
        try:
            _remove_if_dead(path)
        except OSError:
            continue


def digest_of_file(stream: IO[bytes]) -> str:
    """SHA-256 of an open file, from its beginning."""
    stream.seek(0)
    found = hashlib.sha256()
    for chunk in _chunks(stream):
        found.update(chunk)
    return found.hexdigest()


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(1 << 20):
        yield chunk


def _new_file(folder: Path) -> tuple[Path, IO[bytes]]:
    while True:
        path = folder / f"{PART_PREFIX}{secrets.token_hex(8)}"
        stream = path.open("x+b")
        try:
            if fcntl is None:
                return path, stream
            fcntl.flock(stream, fcntl.LOCK_EX)
            if os.fstat(stream.fileno()).st_nlink:  # else another process took it for a dead one's before the lock
                return path, stream
        except OSError:  # a file system without locks: leftovers stay until somebody looks
            return path, stream
        stream.close()


def _remove_if_dead(path: Path) -> None:
    if fcntl is None:
        path.unlink()
        return
    with path.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
