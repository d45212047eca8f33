"""What a hint needs besides, to be typed as it stands: where the journal lies, when that was said."""

from __future__ import annotations

from collections.abc import Sequence

from zenflow.cli.terminal import exit_codes as exits

_LEFT_OPEN = (exits.FAILED, exits.STOPPED, exits.INTERRUPTED)
_ABOUT_RUNS = ("run", "resume", "reconcile", "fetch", "show", "stop", "ledger")


def where_to_look(words: Sequence[str], status: int) -> str | None:
    """What a later command needs as well: `--state` was said here, and a hint is followed without it."""
    if status not in _LEFT_OPEN or not words or words[0] not in _ABOUT_RUNS:
        return None
    for place, word in enumerate(words):
        name, _, value = word.partition("=")
        if name == "--state" and (value or words[place + 1 :]):
            return f"The journal lies where `--state` said: commands for this run need `--state {value or words[place + 1]}`."
    return None
