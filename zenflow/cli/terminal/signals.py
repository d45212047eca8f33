"""The signals that ask a command to end: Ctrl-C, a polite kill, a terminal that was closed. All mean the same."""

from __future__ import annotations

import signal
from collections.abc import Sequence

POLITE = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)  # Windows has no SIGHUP


def heeded() -> Sequence[signal.Signals]:
    """Those that a run listens to: a hang-up that was told to be ignored (`nohup`) is."""
    return [signal.SIGINT, *(one for one in POLITE if signal.getsignal(one) is not signal.SIG_IGN)]


def as_interruptions() -> None:
    """The polite ones are interruptions like Ctrl-C, also before there is a run: their document, their status. Only from the
    main thread, and only where nobody else has taken them."""
    for number in POLITE:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: object) -> None:
    if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, signal.SIG_DFL):  # of a script's background job
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)
