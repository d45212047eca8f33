"""What every log record says beside its words: the run and the submission it belongs to, and what it must not say.

Loggers are those of the standard library, one per module, under `zenflow`. Nothing is written until the command line asks for
it (`-v`, `--log-file`); `zenflow.cli.terminal.log` then adds these facts to each record and masks the secrets.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

RUN: ContextVar[str | None] = ContextVar("zenflow_run", default=None)
SUBMISSION: ContextVar[int | None] = ContextVar("zenflow_submission", default=None)

_LEAST_SECRET = 6  # characters; a shorter text would mask half of the log
_secrets: set[str] = set()


@contextmanager
def about_submission(number: int) -> Iterator[None]:
    """Name the submission in all records of this block and of the tasks that begin in it."""
    before = SUBMISSION.set(number)
    try:
        yield
    finally:
        SUBMISSION.reset(before)


def hide(secret: str | None) -> None:
    """Mask this text in everything that is logged from now on."""
    if secret and len(secret) >= _LEAST_SECRET:
        _secrets.add(secret)


def without_secrets(text: str) -> str:
    """Return the text with every known secret masked, longest first."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    return text
