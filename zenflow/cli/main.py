"""The door of the command `zenflow`: answers `--version` and `--help` itself, hands every other word to `error_boundary`.

Knows nothing of click or of any room, so that the two most frequent questions cost the interpreter's start and no more.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from zenflow import __version__
from zenflow.cli.terminal.environment import COMPLETION_VARIABLE

CALM_COLLECTOR = (200_000, 20, 100)
"""Modules while loading, and a run's thousands of instances, are live objects and next to no garbage: walking them again and
again was an eighth of the start and a third of a run of 10,000 paid instances (measured in `bench/`). A start makes 170,000."""


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Run one command line and leave the process with its status."""
    status = run(list(sys.argv[1:] if words is None else words))
    gc.freeze()  # the interpreter walks everything once more when it leaves: 40 ms after a run, and nothing to find
    raise SystemExit(status)


def run(words: list[str]) -> int:
    """The exit status of one command line."""
    if COMPLETION_VARIABLE not in os.environ:
        quick = _quick_answer(words)
        if quick is not None:
            return _say(quick)
    gc.set_threshold(*CALM_COLLECTOR)
    from zenflow.cli.error_boundary import run_words  # click is loaded from here on

    return run_words([words[1], "--help"] if len(words) == 2 and words[0] == "help" else words)


def _say(text: str) -> int:
    """Status 2 where it cannot be written; a reader that has gone does not matter."""
    if sys.stdout is None:  # started with it closed
        return 0
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the interpreter's own flush
        return 0 if isinstance(error, BrokenPipeError) else 2
    return 0


def _quick_answer(words: list[str]) -> str | None:
    if words == ["--version"]:
        return f"zenflow {__version__}"
    if words in ([], ["--help"], ["-h"], ["help"]):
        from zenflow.cli.command_index import help_page

        return help_page()
    return None
