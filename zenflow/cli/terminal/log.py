"""The log: where it goes, how each record looks, and what it never holds. Loaded only when a log is wanted.

`-v` writes what zenflow does to stderr, `-vv` every event and request. `--log-file` writes all of it to a file, for a bug
report. Every record names its run and submission. Tokens, signed addresses and bytes are masked; prompts are not.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path

from zenflow.cli.terminal.crash_log import redacted
from zenflow.errors import UsageError
from zenflow.log_context import RUN, SUBMISSION

ROOT = "zenflow"
NOT_WRITTEN = "ZF033"


def set_up(verbose: int, file: Path | None, as_json: bool) -> None:
    """Write the log of this process. `verbose`: 0 nothing, 1 steps, 2 or more everything, on stderr. Raises UsageError."""
    root = logging.getLogger(ROOT)
    for handler in list(root.handlers):  # of an earlier command line in this process
        root.removeHandler(handler)
        handler.close()
    handlers: list[logging.Handler] = []
    if verbose and sys.stderr is not None:
        handlers.append(logging.StreamHandler(sys.stderr))
        handlers[-1].setLevel(logging.INFO if verbose == 1 else logging.DEBUG)
    if file is not None:
        handlers.append(_to_file(file))
        handlers[-1].setLevel(logging.DEBUG)
    for handler in handlers:
        handler.addFilter(_name)
        handler.setFormatter(JsonLines() if as_json else Lines())
        root.addHandler(handler)
    root.setLevel(min((handler.level for handler in handlers), default=logging.NOTSET))
    root.propagate = not handlers


def _to_file(path: Path) -> logging.Handler:
    """Return a handler that appends to the file; only the user may read a file that it makes."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        return logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            NOT_WRITTEN, f"cannot write the log: {error.strerror or error}", "Name another file for `--log-file`."
        ) from error


def _name(record: logging.LogRecord) -> bool:
    """Add run and submission, where the caller has not."""
    if not hasattr(record, "run_id"):
        record.run_id = RUN.get()
    if not hasattr(record, "submission"):
        record.submission = SUBMISSION.get()
    return True


class Lines(logging.Formatter):
    """One line for people: time, level, module, run and submission, words."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record without secrets."""
        named = [str(record.__dict__["run_id"])[-6:]] if record.__dict__.get("run_id") else []
        if record.__dict__.get("submission") is not None:
            named.append(f"#{record.__dict__['submission']}")
        about = f" [{' '.join(named)}]" if named else ""
        module = record.name.removeprefix(f"{ROOT}.")
        return redacted(f"{_time_of(record)} {record.levelname:<7} {module}{about} {_words_of(self, record)}")


class JsonLines(logging.Formatter):
    """One JSON document a line, for programs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record without secrets."""
        document = {
            "time": _time_of(record),
            "level": record.levelname,
            "logger": record.name,
            "run_id": record.__dict__.get("run_id"),
            "submission": record.__dict__.get("submission"),
            "message": redacted(_words_of(self, record)),
        }
        return json.dumps(document, ensure_ascii=False)


def _words_of(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    words = record.getMessage()
    return words if not record.exc_info else f"{words}\n{formatter.formatException(record.exc_info)}"


def _time_of(record: logging.LogRecord) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
