"""Read regular files with a bound: no pipe that never ends, no device, no more bytes than asked for."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class NotAFile(OSError):
    """A pipe, a device or a socket where a file is expected."""


def read_regular(path: Path, most: int) -> bytes:
    """Return at most `most` bytes of a regular file. Raises OSError, NotAFile for a pipe or a device.

    A name below /dev is the operator's own pipe (`<(…)`, /dev/stdin): no recipe can name one.
    """
    flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
    pipe_allowed = path.parts[:2] == ("/", "dev") or path.parts[:2] == ("/", "proc")
    handle = os.open(path, flags | (0 if pipe_allowed else getattr(os, "O_NONBLOCK", 0)))
    with os.fdopen(handle, "rb") as file:
        kind = os.fstat(handle).st_mode
        if not stat.S_ISREG(kind) and not (pipe_allowed and stat.S_ISFIFO(kind)):
            raise NotAFile(None, "it is not a regular file", str(path))
        return file.read(most)
