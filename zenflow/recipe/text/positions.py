"""From an offset in a scalar's value back to the character in the file.

A plain or quoted scalar on one line without escapes maps by addition; for the others the written text is walked beside
the value. Where that walk cannot be sure, the place is the scalar's own.
"""

from __future__ import annotations

from collections.abc import Callable

from zenflow.problems import Place
from zenflow.recipe.text.nodes import Node, Text

_ESCAPES = {"x": 2, "u": 4, "U": 8}


def locator(node: Node) -> Callable[[int, int], Place]:
    """`(start, end)` in the value → a place; the end is exclusive."""
    quotes = 2 if node.style in ("'", '"') else 0
    if node.line == node.end_line and node.length == len(node.value) + quotes:
        return _Direct(node.source, node.line, node.column + quotes // 2)
    return _mapped(node)


class _Direct:
    """The value stands in the text as it is."""

    __slots__ = ("column", "line", "source")

    def __init__(self, source: Text, line: int, column: int) -> None:
        self.source = source
        self.line = line
        self.column = column

    def __call__(self, start: int, end: int) -> Place:
        return self.source.place(self.line, self.column + start, self.line, self.column + end)


def _mapped(node: Node) -> Callable[[int, int], Place]:
    offsets: list[tuple[int, int]] | None = None
    tried = False

    def locate(begin: int, stop: int) -> Place:
        nonlocal offsets, tried
        if not tried:
            offsets, tried = _positions(node), True
        if offsets is None or begin >= len(offsets):
            return node.place
        line, column = offsets[begin]
        end_line, end_column = offsets[min(stop, len(offsets)) - 1] if stop > begin else (line, column)
        if end_line != line:  # underline what stands on the first line
            end_line, end_column = line, len(node.source.line(line).rstrip()) - 1
        return node.source.place(line, column, end_line, end_column + 1)

    return locate


def _positions(node: Node) -> list[tuple[int, int]] | None:
    """Line and column of every character of the value, or None where writing and value do not agree."""
    if node.style in ("|", ">"):
        return _block(node)
    return _flow(node)


def _block(node: Node) -> list[tuple[int, int]] | None:
    """A block scalar: every line's text stands in the value in order; what joins them is a blank or a line break."""
    lines = node.source.lines
    value: str = node.value
    first = node.line + 1
    last = min(node.end_line + (1 if node.end_column else 0), len(lines))
    indent = min((len(line) - len(line.lstrip(" ")) for line in lines[first:last] if line.strip()), default=0)
    found: list[tuple[int, int]] = []
    at = 0
    for number in range(first, last):
        text = lines[number][indent:]
        while at < len(value) and not value.startswith(text, at) and value[at] in " \n":
            found.append((number - 1, len(lines[number - 1])))
            at += 1
        if not value.startswith(text, at):
            break
        found.extend((number, indent + column) for column in range(len(text)))
        at += len(text)
        if at < len(value) and value[at] in " \n" and text:
            found.append((number, indent + len(text)))
            at += 1
    return found if found else None


def _flow(node: Node) -> list[tuple[int, int]] | None:
    """A plain or quoted scalar: characters one by one, line folding and escapes as YAML has them."""
    lines, value, style = node.source.lines, node.value, node.style
    line, column = node.line, node.column + (1 if style else 0)
    found: list[tuple[int, int]] = []
    while len(found) < len(value):
        if line >= len(lines):
            return None
        text = lines[line]
        if column >= len(text.rstrip()) and line < node.end_line:
            line, column = _fold(lines, line, node.end_line, value, found)
            continue
        if column >= len(text):
            return None
        if style == '"' and text[column] == "\\":
            if column == len(text) - 1:  # an escaped line break joins without a blank
                line, column = line + 1, _indent(lines, line + 1)
                continue
            width = 2 + _ESCAPES.get(text[column + 1], 0)
        elif style == "'" and text.startswith("''", column):
            width = 2
        elif text[column] == value[len(found)]:
            width = 1
        else:
            return None
        found.append((line, column))
        column += width
    return found


def _fold(lines: list[str], line: int, last: int, value: str, found: list[tuple[int, int]]) -> tuple[int, int]:
    """One line break becomes a blank, several become one fewer; the value itself says how many."""
    end = len(lines[line])
    following = line + 1
    while following < last and not lines[following].strip():
        following += 1
    breaks = max(following - line - 1, 1)
    for _ in range(breaks):
        if len(found) < len(value) and value[len(found)] in " \n":
            found.append((line, end))
    return following, _indent(lines, following)


def _indent(lines: list[str], line: int) -> int:
    text = lines[line] if line < len(lines) else ""
    return len(text) - len(text.lstrip())
