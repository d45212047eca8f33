"""The statements of `statements.sql`, by name."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

_MARK = "-- name: "


@functools.cache
def statements() -> Mapping[str, str]:
    """Read when a journal is first opened."""
    text = Path(__file__).with_name("statements.sql").read_text(encoding="utf-8")
    found = {}
    for block in text.split(_MARK)[1:]:
        name, _, body = block.partition("\n")
        found[name.strip()] = body.strip()
    return found


# One step of SQLite gives up the interpreter's lock once, and under a busy loop each time costs up to 5 ms to get back:
# many rows go in by one statement. Two variables a row; older builds take 999 of them (sqlite.org/limits.html).
CHUNKS = (256, 64, 16, 4, 1)


@functools.cache
def insert_events(rows: int) -> str:
    return "INSERT INTO events (run, body) VALUES " + ",".join(["(?,?)"] * rows)
