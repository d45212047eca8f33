"""One process at a time: a lock on a file, gone with the process that holds it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zenflow.host.writing import make_private_folder


@contextmanager
def exclusive(file: Path) -> Iterator[None]:
    """Hold the lock of a file; wait until it is free. Raises OSError."""
    make_private_folder(file.parent)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    handle = os.open(file, flags, 0o600)
    try:
        _take(handle)
        yield
    finally:
        os.close(handle)  # which releases it


if os.name == "nt":

    def _take(handle: int) -> None:
        import msvcrt
        import time

        while True:
            try:
                msvcrt.locking(handle, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
                return
            except OSError:  # after ten seconds of waiting
                time.sleep(0.1)

else:

    def _take(handle: int) -> None:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)
