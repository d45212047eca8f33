"""Read JSON that a server wrote: one entry point, one kind of error.

`json.loads` raises `RecursionError` for deep nesting and lets lone surrogates through. Both break later, far from
here, when zenflow writes the value again. This reader refuses the first and replaces the second.
"""

from __future__ import annotations

import json
import re
from typing import Any

MOST_LEVELS = 100
"""Nesting that zenflow accepts. The schemas of the service use about twenty levels."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPED_SURROGATE_BYTES = re.compile(rb"\\u[dD][89a-fA-F]")
_DECODER = json.JSONDecoder()


def read_json(text: str | bytes | bytearray) -> Any:
    """Return the value of a JSON text. Raise `ValueError` for anything that is not one, or that nests too deep."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("the JSON nests too deep") from None
    if isinstance(text, str):
        escaped = _ESCAPED_SURROGATE.search(text) is not None
    else:
        escaped = _ESCAPED_SURROGATE_BYTES.search(text) is not None
    return _checked(value, escaped)


def read_json_at(text: str, start: int) -> tuple[Any, int]:
    """Return the JSON value that begins at `start`, and where it ends. Raise `ValueError` as `read_json` does."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except RecursionError:
        raise ValueError("the JSON nests too deep") from None
    return _checked(value, _ESCAPED_SURROGATE.search(text, start, end) is not None), end


def _checked(value: Any, may_hold_surrogates: bool) -> Any:
    if _nests_deeper_than(value, MOST_LEVELS):
        raise ValueError("the JSON nests too deep")
    return _without_surrogates(value) if may_hold_surrogates else value


def _nests_deeper_than(value: Any, most: int) -> bool:
    """Walk level by level: one comprehension a level costs a fraction of parsing the text."""
    level = [value] if type(value) in (dict, list) else []
    for _ in range(most):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in (dict, list)
        ]
    return bool(level)


def _without_surrogates(value: Any) -> Any:
    """Replace lone surrogates, which no UTF-8 text can hold, by U+FFFD."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(inner) for inner in value]
    return value
