"""Exit statuses, one name each (docs/language.md, “Status”), and the word that JSON says for them."""

from __future__ import annotations

from collections.abc import Mapping

DONE = 0
FAILED = 1
USAGE = 2
REFUSED = 3
STOPPED = 4
TO_PAY = 10
DEFECT = 70
INTERRUPTED = 130

WORDS: Mapping[int, str] = {
    DONE: "done",
    FAILED: "failed",
    USAGE: "invalid",
    REFUSED: "refused",
    STOPPED: "stopped",
    DEFECT: "defect",
    INTERRUPTED: "interrupted",
}
