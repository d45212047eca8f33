"""The layout of a recipe's text: two spaces for each level, no trailing spaces, one blank line, expressions spaced and quoted.

Works on the text, so that comments, order, alignment and the author's quotes stay. Every step of it is held against what the
text means: a change after which the recipe would mean something else is not made.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from zenflow.expr.parse import end_of_expression
from zenflow.problems import Problems
from zenflow.recipe.text.reader import parse_yaml
from zenflow.recipe.text.syntax_errors import quoted_line

STEP = 2
_MUST_BE_QUOTED = "ZF110"
_MOST_QUOTES = 200  # lines that are put in quotes before it is given up


def laid_out(text: str, file: str, problems: Problems) -> str | None:
    """The text as it should be laid out; None when it is no YAML that a recipe may be, which is told."""
    text = _with_quotes(text.replace("\r\n", "\n").removeprefix("\ufeff"), file)
    before = _meaning(text, file, problems)
    if before is None:
        return None
    for change in (_trimmed, _indented, _spaced):
        changed = change(text)
        if changed != text and _meaning(changed, file, Problems()) == before:
            text = changed
    return text


def _meaning(text: str, file: str, problems: Problems) -> Any:
    """What a text says, whatever its layout: its values, and its characters without spaces and quotes."""
    found = Problems()
    node = parse_yaml(text, file, found)
    problems.extend(found)
    if node is None or found.has_errors:
        return None
    return _plain(node.value), re.sub(r"[\s\"']+", "", text)


def _plain(value: Any) -> Any:
    """Values with the spaces at the edges of expressions made equal; `2` and `2.0`, `1` and `true` stay apart."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _spaced(value) if isinstance(value, str) else (type(value).__name__, value)


# --- expressions ---------------------------------------------------------------------------------------------------


def _with_quotes(text: str, file: str) -> str:
    """Lines whose expression YAML takes for something else, in quotes."""
    for _ in range(_MOST_QUOTES):
        problems = Problems()
        parse_yaml(text, file, problems)
        found = next((one for one in problems.in_order() if one.code == _MUST_BE_QUOTED and one.place), None)
        if found is None or found.place is None:
            return text
        lines = text.split("\n")
        number = found.place.line - 1
        quoted = lines[number][: len(lines[number]) - len(lines[number].lstrip())] + quoted_line(lines[number]).lstrip()
        if quoted == lines[number]:
            return text
        lines[number] = quoted
        text = "\n".join(lines)
    return text


def _spaced(text: str) -> str:
    """`${{x}}` → `${{ x }}`, line by line; a literal `$${{` is left alone."""
    return "\n".join(_spaced_line(line) for line in text.split("\n"))


def _spaced_line(line: str) -> str:
    parts: list[str] = []
    at = 0
    while True:
        start = line.find("${{", at)
        if start < 0:
            return "".join([*parts, line[at:]])
        end = None if line[start - 1 : start] == "$" and start else end_of_expression(line, start + 3)
        inner = None if end is None else line[start + 3 : end].strip()
        if not inner or end is None:
            parts.append(line[at : start + 3])
            at = start + 3
        else:
            parts.append(f"{line[at:start]}${{{{ {inner} }}}}")
            at = end + 2


# --- lines ---------------------------------------------------------------------------------------------------------


def _trimmed(text: str) -> str:
    """No spaces at the ends of lines, at most one blank line, one line break at the end; block texts stay as they are."""
    kept: list[str] = []
    protected = _lines_of_scalars(text)
    for number, line in enumerate(text.split("\n")):
        if number in protected:
            kept.append(line)
            continue
        line = line.rstrip(" \t")
        if line or (kept and kept[-1]):
            kept.append(line)
    while kept and not kept[-1]:
        kept.pop()
    return "\n".join(kept) + "\n"


def _lines_of_scalars(text: str) -> set[int]:
    """The lines after the first of every text that takes several."""
    found: set[int] = set()
    for token in _tokens(text):
        if isinstance(token, yaml.ScalarToken):
            last = (
                token.end_mark.line
                if token.end_mark.column or token.style not in ("|", ">")
                else token.end_mark.line - 1
            )
            found.update(range(token.start_mark.line + 1, last + 1))
    return found


def _indented(text: str) -> str:
    """Every level two spaces deeper than the one above; lines that go on with a value move with its first line."""
    lines = text.split("\n")
    moves = _moves(lines, text)
    last = 0
    for number, line in enumerate(lines):
        if number in moves:
            last = moves[number]
        elif line.strip():
            last = moves[number] = _of_comment(number, lines, moves) if line.lstrip().startswith("#") else last
    return "\n".join(_moved(line, moves.get(number, 0)) for number, line in enumerate(lines))


def _moves(lines: list[str], text: str) -> dict[int, int]:
    """By line, how far what begins there moves to the right."""
    moves: dict[int, int] = {}
    levels: list[
        tuple[int, int, bool]
    ] = []  # each open collection: its column now and then, and whether it is a mapping
    for token in _tokens(text):
        line, column = token.start_mark.line, token.start_mark.column
        first = _indent(lines[line]) == column if line < len(lines) else False
        if isinstance(token, yaml.BlockMappingStartToken | yaml.BlockSequenceStartToken):
            above = levels[-1][1] + STEP if levels else 0
            is_mapping = isinstance(token, yaml.BlockMappingStartToken)
            levels.append((column, above if first else column + moves.get(line, 0), is_mapping))
        elif isinstance(token, yaml.BlockEndToken):
            levels.pop()
        elif isinstance(token, yaml.KeyToken | yaml.BlockEntryToken) and first and levels and column == levels[-1][0]:
            is_flush = isinstance(token, yaml.BlockEntryToken) and levels[-1][2]  # in the column of its key
            moves.setdefault(line, levels[-1][1] + (STEP if is_flush else 0) - column)
        elif isinstance(token, yaml.ScalarToken):
            for inner in range(line + 1, token.end_mark.line + (1 if token.end_mark.column else 0)):
                moves[inner] = moves.get(line, 0)
    return moves


def _of_comment(number: int, lines: list[str], moves: dict[int, int]) -> int:
    """A comment moves with the line below it that has its column, else with the next one."""
    column = _indent(lines[number])
    below = [at for at in range(number + 1, len(lines)) if at in moves and lines[at].strip()]
    same = next((at for at in below[:1] if _indent(lines[at]) == column), None)
    if same is not None:
        return moves[same]
    above = next((at for at in range(number - 1, -1, -1) if at in moves and _indent(lines[at]) == column), None)
    return moves[above] if above is not None else (moves[below[0]] if below else 0)


def _moved(line: str, by: int) -> str:
    if not line.strip() or by == 0:
        return line
    return " " * max(_indent(line) + by, 0) + line.lstrip(" ")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _tokens(text: str) -> list[Any]:
    """The scanner's words. None for a text that only our own reader takes (it holds foreign line breaks): then a change is
    made only where it proves harmless."""
    try:
        return list(yaml.scan(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError:
        return []
