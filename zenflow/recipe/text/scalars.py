"""YAML 1.2's core schema for plain scalars (rule 1): PyYAML's own resolvers follow YAML 1.1 and are not used."""

from __future__ import annotations

import math
import re
from typing import Any

_WORDS: dict[str, Any] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_FIRST = frozenset("0123456789+-.~nNtTfF")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAX_DIGITS = 40
_EXACT_FLOAT = 1 << 53


class BadScalar(Exception):
    """A plain scalar that YAML reads as something no recipe can hold."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def resolve_plain(text: str) -> Any:
    """The value of an unquoted scalar."""
    if text and text[0] not in _FIRST:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            raise BadScalar("ZF119", f"a number of {len(text)} digits is too large", "Text is written in quotes.")
        return int(text)
    if _FLOAT.fullmatch(text):
        return _finite(text)
    if text[0] == "0" and _OCTAL.fullmatch(text) and len(text) <= _MAX_DIGITS:
        return int(text[2:], 8)
    if text[0] == "0" and _HEXADECIMAL.fullmatch(text) and len(text) <= _MAX_DIGITS:
        return int(text[2:], 16)
    if _NOT_FINITE.fullmatch(text):
        raise BadScalar(
            "ZF118", f"`{text}` is no number that JSON knows", f'If text is meant, write it in quotes: "{text}".'
        )
    return text


def _finite(text: str) -> int | float:
    number = float(text) if len(text) <= 400 else math.inf
    if not math.isfinite(number):
        raise BadScalar("ZF119", "the number is too large", "Text is written in quotes.")
    return normal_number(number)


def normal_number(number: float) -> int | float:
    """Rule 2: a number without a fraction is an integer."""
    return int(number) if number.is_integer() and abs(number) < _EXACT_FLOAT else number
