"""The list of what is wrong with an input, from a refusal in any of the forms servers give it. Knows no statuses.

Each violation becomes one line, with the place in front where there is one (`inputs[16].ratio: …`), so that the plan
can find the recipe's line and the engine the input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zenflow.providers.mcp.wire.json_text import read_json_at

_LIST_KEYS = ("violations", "errors", "detail", "details", "issues")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+(.+)$")
_PLACED = re.compile(r"^\s*[`'\"]?((?:inputs?|params|body)[\w.\[\]]*|\w+(?:[.\[][\w.\[\]]+))[`'\"]?\s*:\s*(\S.*)$")


def violations_in(payload: Mapping[str, Any], text: str) -> tuple[str, ...]:
    """Violations of structured content, else of JSON in the text, else bulleted or placed lines of the text."""
    for holder in _holders(payload, text):
        lines = tuple(dict.fromkeys(_from_structure(holder)))
        if lines:
            return lines
    return tuple(dict.fromkeys(_from_lines(text)))


def _holders(payload: Mapping[str, Any], text: str) -> Iterator[Mapping[str, Any]]:
    for holder in (payload, payload.get("error"), payload.get("detail"), payload.get("raw")):
        if isinstance(holder, Mapping):
            yield holder
    start = text.find("{")
    if start >= 0:
        try:
            value, _ = read_json_at(text, start)
        except ValueError:
            return
        if isinstance(value, Mapping):
            yield value


def _from_structure(holder: Mapping[str, Any]) -> Iterator[str]:
    for key in _LIST_KEYS:
        value = holder.get(key)
        if isinstance(value, Mapping):
            yield from _from_fields(value)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for item in value:
                line = item.strip() if isinstance(item, str) else _line(item)
                if line:
                    yield line


def _from_fields(fields: Mapping[str, Any]) -> Iterator[str]:
    """`{field: [message, …]}`, but not an object that is itself an error."""
    if any(key in fields for key in ("message", "msg", *_LIST_KEYS)):
        return
    for name, said in fields.items():
        for message in said if isinstance(said, list) else [said]:
            if isinstance(message, str):
                yield f"{name}: {message}"


def _line(item: Any) -> str:
    if not isinstance(item, Mapping):
        return ""
    message = next((str(item[k]) for k in ("msg", "message", "error", "reason", "description") if item.get(k)), "")
    place = next((item[k] for k in ("loc", "path", "field", "param", "pointer", "location") if item.get(k)), "")
    where = _place(place)
    return f"{where}: {message}" if where and message else message or where


def _place(place: Any) -> str:
    """`["body", "inputs", 16, "ratio"]` → `inputs[16].ratio`; texts such as `/inputs/16/ratio` likewise."""
    if isinstance(place, str):
        parts: list[Any] = [p for p in place.split("/") if p] if place.startswith("/") else [place]
    elif isinstance(place, Sequence):
        parts = list(place)
    else:
        return ""
    if len(parts) > 1 and parts[0] == "body":
        parts = parts[1:]
    where = ""
    for part in parts:
        if isinstance(part, int) or str(part).isdigit():
            where += f"[{part}]"
        else:
            where += f".{part}" if where else str(part)
    return where


def _from_lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        bullet = _BULLET.match(line)
        if bullet:
            yield bullet.group(1).strip()
        elif _PLACED.match(line) and not line.lower().lstrip().startswith(("http", "error")):
            yield line.strip()
