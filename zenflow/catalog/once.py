"""What follows from a tool's schemas alone is read once per tool and digest. Knows nothing of what is read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from zenflow.catalog.model import Tool

T = TypeVar("T")


def once_per_tool(read: Callable[[Tool], T]) -> Callable[[Tool], T]:
    """`read`, remembered by the tool's name and digest. A tool without a digest is read each time."""
    known: dict[tuple[str, str], T] = {}

    @wraps(read)
    def remembered(tool: Tool) -> T:
        if not tool.digest:
            return read(tool)
        key = (tool.name, tool.digest)
        if key not in known:
            known[key] = read(tool)
        return known[key]

    return remembered
