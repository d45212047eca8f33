"""Hints that can be typed as they stand: RUN is the run at hand, and the sign-in is at its own server."""

from __future__ import annotations

import re


def for_this_run(hint: str, run_id: str, server: str = "") -> str:
    """With the run's id in place of RUN, and the sign-in at the run's own server where that is named by its address."""
    return re.sub(r"\bRUN\b", run_id, at_server(hint, server))


def at_server(hint: str, server: str) -> str:
    """With the sign-in at that server, where it is named by its address."""
    return hint.replace("`zenflow login`", f"`zenflow login --server {server}`") if "://" in server else hint
