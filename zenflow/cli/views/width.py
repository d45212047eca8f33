"""How many columns a text takes on a terminal, and how it is cut, padded and wrapped to fit. Knows characters only."""

from __future__ import annotations

import re
from unicodedata import combining, east_asian_width

_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_WORD = re.compile(r"(?:`[^`]*`|\S)+")
_ZERO = frozenset("\u200b\u200c\u200d\ufe0e\ufe0f")


def columns_of(text: str) -> int:
    """Columns of `text`, colour marks not counted; wide characters take two, combining ones none."""
    if text.isascii() and "\x1b" not in text:
        return len(text)
    return sum(columns_of_character(character) for character in _ESCAPE.sub("", text))


def columns_of_character(character: str) -> int:
    if character in _ZERO or combining(character):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """`text` in at most `width` columns, with `…` where something is missing."""
    if columns_of(text) <= width:
        return text
    kept, used = [], 0
    for character in text:
        used += columns_of_character(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept) + "…" if width > 0 else ""


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Filled with spaces to `width` columns; `right` puts the text at the right."""
    space = " " * max(0, width - columns_of(text))
    return space + text if right else text + space


def wrap(text: str, width: int, indent: str = "", first: str | None = None) -> list[str]:
    """Lines of at most `width` columns; `first` opens the first one, `indent` the others.

    Words are not broken, nor is what stands in backticks: it is there to be copied.
    """
    lines: list[str] = []
    line, empty = (indent if first is None else first), True
    for word in _WORD.findall(text):
        if not empty and columns_of(line) + 1 + columns_of(word) > width:
            lines.append(line)
            line, empty = indent, True
        line, empty = line + ("" if empty else " ") + word, False
    return [*lines, line]
