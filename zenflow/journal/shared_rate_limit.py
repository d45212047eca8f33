"""One pace for all processes of a state folder: two runs side by side ask a server no faster than one may.

A small file holds when the next request may go and until when everybody pauses, by the clock that all processes of this
machine share. It is no journal: losing it costs a moment of speed.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zenflow.host.writing import open_own

_FORM = struct.Struct("<dd")  # next request, end of the pause; both by the boot clock
BURST_S = 1.0  # a second's worth may go at once, as for one process alone
LONGEST_S = 120.0  # what lies further ahead was written before the machine was started anew


class SharedRateLimit:
    """Each request takes its place; the file is locked for the moment of that."""

    def __init__(self, state_dir: Path, server: str) -> None:
        self._path = state_dir / f"pace-{hashlib.sha256(server.encode()).hexdigest()[:8]}"

    def take(self, now_s: float, rate: float) -> float:
        """Zero when a request may go now; else for how many seconds to wait before asking again."""
        with self._held() as handle:
            if handle is None:
                return 0.0
            next_s, paused_s = _read(handle, now_s)
            if paused_s > now_s:
                return paused_s - now_s
            early_s = next_s - BURST_S - now_s
            if early_s > 0:
                return early_s
            _write(handle, max(next_s, now_s) + 1.0 / rate, paused_s)
            return 0.0

    def pause(self, now_s: float, until_s: float) -> None:
        """The service said 429 to one of us: nobody asks before that."""
        with self._held() as handle:
            if handle is not None:
                next_s, paused_s = _read(handle, now_s)
                _write(handle, next_s, max(paused_s, until_s))

    @contextmanager
    def _held(self) -> Iterator[int | None]:
        """The file, locked; None where that cannot be: then each process keeps its own pace."""
        try:
            handle = open_own(self._path)
        except OSError:
            yield None
            return
        try:
            _lock(handle)
            yield handle
        finally:
            os.close(handle)  # and with it the lock


def _read(handle: int, now_s: float) -> tuple[float, float]:
    os.lseek(handle, 0, os.SEEK_SET)
    body = os.read(handle, _FORM.size)
    next_s, paused_s = _FORM.unpack(body) if len(body) == _FORM.size else (0.0, 0.0)
    sound = max(next_s, paused_s) <= now_s + LONGEST_S
    return (next_s, paused_s) if sound else (0.0, 0.0)


def _write(handle: int, next_s: float, paused_s: float) -> None:
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, _FORM.pack(next_s, paused_s))


if os.name == "nt":  # pragma: no cover

    def _lock(handle: int) -> None:
        import msvcrt

        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)
