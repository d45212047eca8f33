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


def cut_front(text: str, width: int) -> str:
    """The end of `text` in at most `width` columns, with `…` before it: of `portraits.3/generate.0` what tells it apart."""
    if columns_of(text) <= width:
        return text
    return cut(text[::-1], width)[::-1]


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


def wrap_text(text: str, width: int) -> list[str]:
    """Somebody else's text, line by line: a line that fits stays as it is, a longer one goes on below its own indent."""
    lines: list[str] = []
    for line in text.splitlines():
        own = line[: len(line) - len(line.lstrip())]
        lines += [line] if columns_of(line) <= width else wrap(line, width, indent=own)
    return lines
