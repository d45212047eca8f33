"""A tool's answer as a value, and liberal readers of the service's fields.

Other servers of the same contract order keys differently, leave out optional ones, add some, send numbers as text, or
have no structured content at all; these readers take what is there and answer None for what is not. Knows no tools.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from zenflow.clock import from_iso
from zenflow.providers.base import WireFacts
from zenflow.providers.mcp.wire.json_text import read_json, read_json_at

UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
LARGEST = 10**15
"""A count beyond it is no count: whatever is done with it would not end."""
_LATEST_SECONDS = 100_000_000_000  # of the year 5138: whatever is more is milliseconds
_MOST_CANDIDATES = 100  # lines of a text that are tried as the beginning of an object
_OBJECT_AT_LINE = re.compile(r"^[ \t]*\{", re.MULTILINE)
# Two searches instead of one pattern with a gap in it, whose time grows with the cube of the text.
_FENCE_OPENS = re.compile(r"```(?:json)?[ \t]*\n")
_FENCE_CLOSES = re.compile(r"\n[ \t]*```")


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """One tool result. `structured` comes from `structuredContent`, else from JSON in the text, else it is empty."""

    structured: Mapping[str, Any]
    text: str
    is_error: bool
    facts: WireFacts
    is_complete: bool = True  # False: the server asks for more input (protocol 2026), which we never give


def answer_from(result: Mapping[str, Any], facts: WireFacts) -> ToolAnswer:
    """Read a `tools/call` result."""
    text = _text(result.get("content"))
    structured = result.get("structuredContent")
    if not isinstance(structured, Mapping):
        structured = json_object_in(text)
    inner = structured.get("result")
    if len(structured) == 1 and isinstance(inner, Mapping):
        structured = inner  # some servers wrap what is returned under one key
    complete = result.get("resultType", "complete") == "complete"
    return ToolAnswer(structured, text, result.get("isError") is True, facts, complete)


def json_object_in(text: str) -> Mapping[str, Any]:
    """The JSON object that a text is, or holds in a fence, or that begins a line of it between words."""
    for candidate in (text, _fenced(text)):
        stripped = candidate.strip()
        if not stripped.startswith("{"):
            continue
        try:
            value = read_json(stripped)
        except ValueError:
            continue
        if isinstance(value, dict):
            return value
    return _among_words(text)


def _fenced(text: str) -> str:
    """The first fenced block, empty where there is none."""
    opens = _FENCE_OPENS.search(text)
    closes = _FENCE_CLOSES.search(text, opens.end() - 1) if opens else None
    return text[opens.end() : closes.start()] if opens and closes else ""


def _among_words(text: str) -> Mapping[str, Any]:
    """Several text blocks, one of which is JSON, come as one text. The largest object is the answer."""
    best: Mapping[str, Any] = {}
    length, at = 0, 0
    for begin in islice(_OBJECT_AT_LINE.finditer(text), _MOST_CANDIDATES):
        if begin.start() < at:
            continue  # inside the one before
        try:
            value, at = read_json_at(text, begin.end() - 1)
        except ValueError:
            continue
        if isinstance(value, dict) and at - begin.start() > length:
            best, length = value, at - begin.start()
    return best


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    texts = [b["text"] for b in blocks if isinstance(b, Mapping) and isinstance(b.get("text"), str)]
    return "\n".join(texts)


def first(row: Mapping[str, Any], *keys: str) -> Any:
    """The first of several spellings that is there and not null. `a.b` looks inside `a`."""
    for key in keys:
        value: Any = row
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            return value
    return None


def text_at(row: Mapping[str, Any], *keys: str) -> str | None:
    value = first(row, *keys)
    if value is None or isinstance(value, Mapping | list):
        return None
    return str(value)


def whole_at(row: Mapping[str, Any], *keys: str) -> int | None:
    value = first(row, *keys)
    if isinstance(value, bool):
        return None
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):  # infinity is a number to JSON's readers, and no integer
        return None
    return number if abs(number) <= LARGEST else None


def truth_at(row: Mapping[str, Any], *keys: str) -> bool:
    value = first(row, *keys)
    if isinstance(value, str):
        return value.strip().lower() in ("true", "yes", "1")
    return bool(value)


def moment_at(row: Mapping[str, Any], *keys: str) -> datetime | None:
    """ISO 8601, or seconds or milliseconds since 1970."""
    value = first(row, *keys)
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > _LATEST_SECONDS else value, UTC)
        return from_iso(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None


def object_at(row: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    value = first(row, *keys)
    return value if isinstance(value, Mapping) else {}


def rows_at(row: Mapping[str, Any], *keys: str) -> tuple[Mapping[str, Any], ...]:
    """The objects of a list; anything else in it is passed over."""
    value = first(row, *keys)
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    return tuple(item for item in items if isinstance(item, Mapping))


def texts_at(row: Mapping[str, Any], *keys: str) -> tuple[str, ...]:
    value = first(row, *keys)
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    return tuple(str(item) for item in items if isinstance(item, str | int))


def next_offset(page: Mapping[str, Any], offset: int, shown: int, limit: int) -> int | None:
    """Where the next page begins, None at the end. An envelope without the fields is read from its counts; one that
    tells nothing at all goes on for as long as its pages are full."""
    given = whole_at(page, "next_offset")
    if given is not None:
        return given if given > offset else None
    more = first(page, "has_more")
    if more is not None:
        return offset + shown if truth_at(page, "has_more") and shown else None
    total = whole_at(page, "total")
    if total is not None:
        return offset + shown if shown and offset + shown < total else None
    return offset + shown if shown >= limit else None
