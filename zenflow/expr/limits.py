"""The bounds within which an expression runs (rule 10): nothing a recipe writes can run away with time or memory."""

from __future__ import annotations

from typing import Any

from zenflow.expr.failure import TOO_LARGE, Failure

MAX_SOURCE = 4_000  # characters of one expression
MAX_TOKENS = 1_000
MAX_DEPTH = 64  # nested parts of one expression
MAX_BYTES = 1 << 20
MAX_ELEMENTS = 100_000
MAX_INTEGER = (1 << 63) - 1  # what every JSON reader downstream can hold
_MAX_NESTING = 100


def check_length(length: int) -> None:
    """Asked before a text of that many characters is made."""
    if length > MAX_BYTES:
        raise Failure(TOO_LARGE, "the result is longer than 1 MiB")


def check_count(count: int) -> None:
    """Asked before a list of that many elements is made."""
    if count > MAX_ELEMENTS:
        raise Failure(TOO_LARGE, f"the result has {count:,} elements; at most {MAX_ELEMENTS:,} are allowed")


def check_size(value: Any) -> None:
    """Elements and text of a whole value, counted as often as they would be written out."""
    elements = characters = 0
    stack = [(value, 0)]
    while stack:
        current, depth = stack.pop()
        kind = type(current)
        if kind is str:
            characters += len(current)
        elif kind is list or kind is dict:
            if depth > _MAX_NESTING:
                raise Failure(TOO_LARGE, f"the result is nested deeper than {_MAX_NESTING} levels")
            elements += len(current)
            if elements > MAX_ELEMENTS:
                raise Failure(TOO_LARGE, f"the result has more than {MAX_ELEMENTS:,} elements")
            if kind is dict:
                characters += sum(map(len, current))
                stack.extend((item, depth + 1) for item in current.values())
            else:
                stack.extend((item, depth + 1) for item in current)
        if characters > MAX_BYTES:
            raise Failure(TOO_LARGE, "the result is longer than 1 MiB")
