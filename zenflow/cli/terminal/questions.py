"""Questions at the terminal: one line of the operator is the answer."""

from __future__ import annotations

import signal
import sys

from zenflow.cli.terminal.console import Console


def answered_yes(console: Console, question: str) -> bool:
    """Whether the operator says yes; an empty line is a no."""
    return answer_of(console, question).lower() in ("y", "yes")


def answer_of(console: Console, question: str) -> str:
    """Return one line of the operator. Ctrl-C must end the question: asyncio's own handler would only mark the task and let the
    reading go on."""
    console.ask(question)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return sys.stdin.readline().strip()
    finally:
        signal.signal(signal.SIGINT, handler)
