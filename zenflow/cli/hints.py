"""Hints that can be typed as they stand: RUN is the run at hand, and a journal that lies elsewhere is told."""

from __future__ import annotations

import re
from collections.abc import Sequence

from zenflow.cli import exits

_LEFT_OPEN = (exits.FAILED, exits.STOPPED, exits.INTERRUPTED)
_ABOUT_RUNS = ("run", "resume", "reconcile", "fetch", "show", "stop", "ledger")


def for_this_run(hint: str, run_id: str, server: str = "") -> str:
    """With the run's id in place of RUN, and the sign-in at the run's own server where that is named by its address."""
    return re.sub(r"\bRUN\b", run_id, at_server(hint, server))


def at_server(hint: str, server: str) -> str:
    """With the sign-in at that server, where it is named by its address."""
    return hint.replace("`zenflow login`", f"`zenflow login --server {server}`") if "://" in server else hint


def where_to_look(words: Sequence[str], status: int) -> str | None:
    """What a later command needs as well: `--state` was said here, and a hint is followed without it."""
    if status not in _LEFT_OPEN or not words or words[0] not in _ABOUT_RUNS:
        return None
    for place, word in enumerate(words):
        name, _, value = word.partition("=")
        if name == "--state" and (value or words[place + 1 :]):
            return f"The journal lies where `--state` said: commands for this run need `--state {value or words[place + 1]}`."
    return None
