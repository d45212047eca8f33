"""Find where a YAML text nests too deeply, without the parser.

A parser has its own limit and its own words for it. This scan reads brackets and indentation only, so the limit of
zenflow holds whatever the limit of the parser is. It runs only after the parser has refused a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""")
_REST_OF_QUOTE = {'"': re.compile(r'(?:[^"\\]|\\.)*"'), "'": re.compile(r"(?:[^']|'')*'")}
_BEFORE_A_VALUE = frozenset(["", "[", "{", ",", ":"])
_SPACES = re.compile(" *")
_COMMENT = re.compile(r"(?:(?<=\s)|^)#.*")
_ENTRY = re.compile(r"[-?](?= |$)")
_KEY = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#'"\[{][^#]*?):(?= |$)""")
_VALUE = re.compile(r"(?:[&!]\S*\s+)*")
_BLOCK_TEXT = re.compile(r"(?:^|[\s:-])[|>][+-]?\d?[+-]?\s*(?:#.*)?$")


def too_deep(lines: list[str], most: int) -> tuple[int, int] | None:
    """Return line and column, from 0, of the first list or mapping that lies deeper than `most` levels."""
    for line, column, depth in _openings(lines):
        if depth > most:
            return line, column
    return None


def _openings(lines: list[str]) -> Iterator[tuple[int, int, int]]:
    """Yield line, column and depth of each list and mapping that opens."""
    blocks: list[tuple[int, str]] = []  # the column of each open block, and whether entries or keys make it
    flow = 0
    text_below: int | None = None  # the indentation of the line whose block text goes on
    quote = ""  # the quote that stays open at the end of a line
    for number, text in enumerate(lines):
        at, closing = 0, _REST_OF_QUOTE[quote].match(text) if quote else None
        if quote and closing is None:
            continue
        indent = len(text) - len(text.lstrip(" "))
        if not quote and (indent == len(text.rstrip()) or (text_below is not None and indent > text_below)):
            continue
        text_below, quote, at = None, "", closing.end() if closing else indent
        if not flow and not closing:
            while blocks and blocks[-1][0] > indent:
                blocks.pop()
            for at, kind in _levels(text, indent):
                if kind and not (blocks and blocks[-1] == (at, kind)):
                    if kind == ":" and blocks and blocks[-1] == (at, "-"):
                        blocks.pop()  # a list at the indentation of its key ends with the next key
                        if blocks and blocks[-1] == (at, kind):
                            continue
                    blocks.append((at, kind))
                    yield number, at, len(blocks)
        for column, step in _brackets(text, at, flow):
            flow = max(flow + step, 0)
            if not step:
                quote = text[column]
            elif step > 0:
                yield number, column, len(blocks) + flow
        if not flow and _BLOCK_TEXT.search(text):
            text_below = blocks[-1][0] if blocks else -1


def _levels(text: str, at: int) -> Iterator[tuple[int, str]]:
    """Yield the column and the kind of each block that a line opens or continues; the last item is where its value begins."""
    while entry := _ENTRY.match(text, at):
        yield at, entry[0]
        at = _after_spaces(text, entry.end())
    key = _KEY.match(text, at)
    if key is not None:
        yield at, ":"
        at = _after_spaces(text, key.end())
    value = _VALUE.match(text, at)
    yield (value.end() if value else at), ""


def _after_spaces(text: str, at: int) -> int:
    spaces = _SPACES.match(text, at)
    return spaces.end() if spaces else at


def _brackets(text: str, at: int, flow: int) -> Iterator[tuple[int, int]]:
    """Yield the column of each bracket that YAML reads as one, with +1 or -1, and of a quote that stays open, with 0."""
    before = ""  # the last character that is not a space
    while at < len(text):
        character = text[at]
        if character == "#" and _COMMENT.match(text, at):
            return
        if character in "\"'" and before in _BEFORE_A_VALUE:
            quoted = _QUOTED.match(text, at)
            if quoted is None:
                yield at, 0
                return
            at = quoted.end() - 1
        elif character in "[{" and (flow or not before):
            flow += 1
            yield at, 1
        elif flow and character in "]}":
            flow -= 1
            yield at, -1
        if not flow:
            return
        before = before if character == " " else character
        at += 1
