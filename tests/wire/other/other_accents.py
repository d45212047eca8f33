"""How the other server spells what it says: numbers as text, status words in capitals, moments without their zone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_COUNTS = ("total", "done", "count", "offset", "next_offset", "size_bytes", "succeeded", "failed")
_MOMENTS = ("created_at", "finished_at")


def accented(value: Any, *, counts: str, statuses: str, moments: str) -> Any:
    """The same answer in that spelling; what was asked for (`inputs`) is echoed as it was."""

    def spelt(key: str, one: Any) -> Any:
        if key == "inputs":
            return one
        if counts == "text" and key in _COUNTS and isinstance(one, int):
            return str(one)
        if statuses == "upper" and key == "status" and isinstance(one, str):
            return one.upper()
        if key in _MOMENTS and isinstance(one, str):
            return _MOMENT[moments](one)
        return accented(one, counts=counts, statuses=statuses, moments=moments)

    if isinstance(value, dict):
        return {key: spelt(key, one) for key, one in value.items()}
    return [spelt("", one) for one in value] if isinstance(value, list) else value


_MOMENT: dict[str, Callable[[str], str]] = {
    "zoned": lambda text: text,
    "naive": lambda text: text.removesuffix("Z"),
    "space": lambda text: text.replace("T", " ").replace("Z", "+00:00"),
}
