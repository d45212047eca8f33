"""How the other server spells what it says: numbers as text, status words in capitals or others, moments, addresses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

_COUNTS = ("total", "done", "count", "offset", "next_offset", "size_bytes", "succeeded", "failed")
_MOMENTS = ("created_at", "finished_at")


_OTHER_WORDS = {"created": "queued", "processing": "in_progress", "completed": "SUCCEEDED", "failed": "error"}


def accented(value: Any, counts: str, statuses: str, moments: str, addresses: str) -> Any:
    """The same answer in that spelling; what was asked for (`inputs`) is echoed as it was."""

    def spelt(key: str, one: Any) -> Any:
        if key == "inputs":
            return one
        if counts == "text" and key in _COUNTS and isinstance(one, int):
            return str(one)
        if statuses == "upper" and key == "status" and isinstance(one, str):
            return one.upper()
        if statuses == "other" and key == "status":
            return _OTHER_WORDS.get(one, one)
        if addresses == "relative" and key.endswith("_url") and isinstance(one, str):
            return urlunsplit(("", "", *urlsplit(one)[2:]))
        if key in _MOMENTS and isinstance(one, str):
            return _MOMENT[moments](one)
        return accented(one, counts, statuses, moments, addresses)

    if isinstance(value, dict):
        return {key: spelt(key, one) for key, one in value.items()}
    return [spelt("", one) for one in value] if isinstance(value, list) else value


_MOMENT: dict[str, Callable[[str], Any]] = {
    "epoch": lambda text: datetime.fromisoformat(text).timestamp(),
    "zoned": lambda text: text,
    "naive": lambda text: text.removesuffix("Z"),
    "space": lambda text: text.replace("T", " ").replace("Z", "+00:00"),
}
