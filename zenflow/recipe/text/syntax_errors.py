"""PyYAML's complaints in the words of somebody who looks at the text: what stands there, and how it is written right."""

from __future__ import annotations

import re
from typing import Any

from zenflow.expr.parse import end_of_expression
from zenflow.problems import Note, Problems
from zenflow.recipe.text.lookalikes import report_lookalike
from zenflow.recipe.text.nodes import Text

_NO_SPACE = re.compile(r"^(?P<before>\s*(?:- )*)(?P<key>[A-Za-z_][\w-]*):(?P<value>[^\s:/].*)$")
_NO_COLON = re.compile(r"^\s*(?:- )*(?P<key>[A-Za-z_][\w-]*)\s*$")
_KEY_VALUE = re.compile(r"^(?P<before>\s*(?:- +)*(?:[A-Za-z_][\w-]*: +|- +))(?P<value>\S.*?)\s*$")
_WHERE_QUOTES_HELP = ("mapping values", "did not find expected", "found character that cannot")
# Every text of the parser that a rule below reads. A parser may say something else in its next version: then no rule
# that reads its words applies, and the report is neutral.
_PROBLEMS = frozenset(
    {
        "block sequence entries are not allowed in this context",
        "could not find expected ':'",
        "did not find expected '-' indicator",
        "did not find expected ',' or ']'",
        "did not find expected ',' or '}'",
        "did not find expected alphabetic or numeric character",
        "did not find expected comment or line break",
        "did not find expected hexdecimal number",
        "did not find expected key",
        "did not find expected node content",
        "found character that cannot start any token",
        "found invalid Unicode character escape code",
        "found unexpected document indicator",
        "found unexpected end of stream",
        "found unknown escape character",
        "mapping values are not allowed in this context",
    }
)
_CONTEXTS = frozenset(
    {
        "while parsing a flow mapping",
        "while parsing a flow node",
        "while parsing a flow sequence",
        "while parsing a quoted scalar",
        "while scanning a quoted scalar",
    }
)
_EXPRESSION = re.compile(r"\$?\{\{")


def report_syntax_error(error: Any, source: Text, problems: Problems) -> None:
    """One problem for what stopped the parser."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        said = " ".join(str(error).split()) or "the parser gives no reason"
        problems.error("ZF105", f"this is not YAML: {said}", source.place(0, 0, 0, 1))
        return
    line, column = mark.line, mark.column
    if line >= len(source.lines) or (line and not source.line(line) and line == len(source.lines) - 1):
        line = max(len(source.lines) - 2, 0) if not source.lines[-1] else len(source.lines) - 1
        column = max(len(source.line(line)) - 1, 0)
    if report_lookalike(source, problems, line):
        return
    for explain in (
        _tab,
        _expression,
        _space_after_colon,
        _quote_or_bracket,
        _start,
        _colon_in_value,
        _missing_colon,
        _escape,
    ):
        if explain(error, source, problems, line, column):
            return
    _indentation_or_other(error, source, problems, line, column)


def quoted_line(line: str) -> str:
    """The line as it has to be written for its expression to be text to YAML."""
    line = line.rstrip()
    match = _KEY_VALUE.match(line)
    if match is None:
        return line.strip()
    before, value = match["before"], match["value"]
    if value[0] in "[{" and not value.startswith("{{"):
        return (before + _with_quoted_expressions(value)).strip()
    return (before + _quoted(_with_dollar(value))).strip()


def _with_quoted_expressions(value: str) -> str:
    """Each expression of a list or mapping in one line, with the text around it that belongs to the same value."""
    parts, at = [], 0
    for found in _EXPRESSION.finditer(value):
        end = end_of_expression(value, found.end())
        if found.start() < at or end is None or value[: found.start()].endswith(('"', "'")):
            continue
        parts += [value[at : found.start()], _quoted(_with_dollar(value[found.start() : end + 2]))]
        at = end + 2
    return "".join([*parts, value[at:]])


def _with_dollar(value: str) -> str:
    return re.sub(r"(?<!\$)\{\{", "${{", value)


def _quoted(value: str) -> str:
    if '"' not in value and "\\" not in value:
        return f'"{value}"'
    return "'" + value.replace("'", "''") + "'"


def _problem(error: Any) -> str:
    """Return what the parser says is wrong, or nothing if no rule knows the text."""
    said = str(getattr(error, "problem", "") or "")
    return said if said in _PROBLEMS else ""


def _context(error: Any) -> str:
    """Return what the parser was reading, or nothing if no rule knows the text."""
    said = str(getattr(error, "context", "") or "")
    return said if said in _CONTEXTS else ""


def _tab(error: Any, source: Text, problems: Problems, line: int, column: int) -> bool:
    text = source.line(line)
    indent = text[: len(text) - len(text.lstrip())]
    if "\t" not in indent or "quoted" in _context(error):
        return False
    at = indent.index("\t")
    problems.error(
        "ZF106",
        "a tab stands in the indentation; YAML indents with spaces",
        source.place(line, at, line, at + 1),
        "Put two spaces for each level.",
    )
    return True


def _expression(error: Any, source: Text, problems: Problems, line: int, column: int) -> bool:
    """Rule 9: inside `[ ]` and `{ }`, or where it holds `: `, an expression stands in quotes."""
    opened = getattr(error, "context_mark", None)
    in_quotes = "quoted scalar" in _context(error) and bool(_problem(error))
    if in_quotes and opened is not None:
        line, column = opened.line, opened.column  # a quote of the expression's, taken for one of YAML's
    text = source.line(line)
    opening = text.find("{{")
    if opening < 0 or not (in_quotes or _problem(error).startswith(_WHERE_QUOTES_HELP)):
        return False
    begin = opening - 1 if opening and text[opening - 1] == "$" else opening
    if column < begin or quoted_line(text) == text.strip():
        return False
    end = text.find("}}", opening)
    place = source.place(line, begin, line, end + 2 if end >= 0 else len(text))
    choice = " A choice is written `a if c else b`." if re.search(r"\s\?\s.*\s:\s", text[begin:]) else ""
    problems.error("ZF110", "an expression must be quoted here", place, f"Write `{quoted_line(text)}`.{choice}")
    return True


def _space_after_colon(error: Any, source: Text, problems: Problems, line: int, column: int) -> bool:
    if not _problem(error).startswith(("mapping values", "could not find expected ':'", "did not find expected key")):
        return False
    context = getattr(error, "context_mark", None)
    for number in (line, line - 1, context.line if context is not None else line):
        match = _NO_SPACE.match(source.line(number))
        if match is not None:
            at = match.end("key")
            place = source.place(number, at, number, at + 1)
            problems.error(
                "ZF107",
                f"there is no space after `{match['key']}:`",
                place,
                f"Write `{match['key']}: {match['value'].strip()}`.",
            )
            return True
    return False


def _quote_or_bracket(error: Any, source: Text, problems: Problems, line: int, column: int) -> bool:
    context, problem = _context(error), _problem(error)
    opened = getattr(error, "context_mark", None)
    if opened is None or not problem:
        return False
    at = source.place(opened.line, opened.column, opened.line, opened.column + 1)
    if "quoted scalar" in context and ("end of stream" in problem or "document indicator" in problem):
        problems.error(
            "ZF109", "the quote that is opened here is never closed", at, "Close it, or write the text without quotes."
        )
        return True
    if context.endswith("flow node"):  # the marks say only where it stopped
        bracket = _open_bracket(source, line, column)
        if bracket is None:
            return False
        at = source.place(*bracket[:2], bracket[0], bracket[1] + 1)
        problems.error("ZF109", f"the bracket that is opened here is not closed with `{bracket[2]}`", at)
        return True
    if "flow" in context:
        closing = "]" if "sequence" in context else "}"
        found = source.place(line, column, line, column + 1)
        notes = (Note("where it stopped making sense", found),) if found.line != at.line else ()
        hint = None
        stopped = source.line(line)[column : column + 1]
        if found.line == at.line and stopped in tuple("[]{}") and stopped != closing:
            hint = "Inside brackets, text that holds `[`, `]`, `{`, `}` or `,` is written in quotes."
            notes = (Note("where it stopped making sense", found),)
        problems.error(
            "ZF109",
            f"the bracket that is opened here is not closed with `{closing}`, or a comma is missing",
            at,
            hint,
            notes,
        )
        return True
    return False


def _open_bracket(source: Text, line: int, column: int) -> tuple[int, int, str] | None:
    """Line and column of the last bracket that is still open, and what would close it."""
    stack: list[tuple[int, int, str]] = []
    for number, text in enumerate(source.lines[: line + 1]):
        for at, character in enumerate(text[:column] if number == line and column else text):
            if character in "[{":
                stack.append((number, at, "]" if character == "[" else "}"))
            elif character in "]}" and stack:
                stack.pop()
    return stack[-1] if stack else None


def _start(error: Any, source: Text, problems: Problems, line: int, column: int) -> bool:
    text = source.line(line)
    character = text[column] if column < len(text) else ""
    if "cannot start any token" in _problem(error) or "alphabetic or numeric" in _problem(error):
        if text[max(column - 1, 0) : column + 1] == "{%":
            place = source.place(line, column - 1, line, column + 1)
            hint = "A choice is an expression: `${{ a if c else b }}`, or the step's `if`."
            problems.error("ZF124", "there are no `{% %}` blocks in a recipe", place, hint)
            return True
        begun = _KEY_VALUE.match(text)
        if "alphabetic" in _problem(error) and begun is not None and begun["value"][0] in "*&":
            column = begun.start("value")  # the mark says where the name of the alias ends
            character = text[column]
        value = text[column:].strip()
        if "{" in text[:column] or "[" in text[:column]:  # inside YAML's brackets it ends with the value
            value = re.split(r"[,}\]]", value)[0].strip()
        hint = f"Write it in quotes: {_quoted(value)}." if len(value) < 200 else "Write it in quotes."
        problems.error(
            "ZF124",
            f"text cannot begin with {'a backtick' if character == '`' else f'`{character}`'} without quotes",
            source.place(line, column, line, column + 1),
            hint,
        )
        return True
    if "did not find expected node content" in _problem(error):
        problems.error(
            "ZF109",
            f"`{character}` closes or separates nothing here",
            source.place(line, column, line, column + 1),
            "Text that begins with it is written in quotes.",
        )
        return True
    return False


def _colon_in_value(error: Any, source: Text, problems: Problems, line: int, column: int) -> bool:
    problem = _problem(error)
    if problem.startswith("block sequence entries are not allowed"):
        problems.error(
            "ZF108",
            "a list cannot begin on the line of its key",
            source.place(line, column, line, column + 1),
            "Begin it on a line of its own, indented.",
        )
        return True
    if not problem.startswith("mapping values"):
        return False
    text = source.line(line)
    before = text[:column]
    place = source.place(line, column, line, column + 1)
    if ": " in before.strip() + " " and before.strip().count(": "):
        problems.error(
            "ZF123",
            "a second `: ` stands in this line",
            place,
            f"Text that holds `: ` is written in quotes: `{quoted_line(text)}`.",
        )
    else:
        start = len(text) - len(text.lstrip())
        where = source.place(line, start, line, column)
        problems.error(
            "ZF108",
            "this line is indented deeper than the line above it allows",
            where,
            "Lines of one level begin in one column; the line above already has its value.",
        )
    return True


def _missing_colon(error: Any, source: Text, problems: Problems, line: int, column: int) -> bool:
    context = getattr(error, "context_mark", None)
    if context is None or "could not find expected ':'" not in _problem(error):
        return False
    text = source.line(context.line)
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if start >= end:
        return False
    above = next((source.line(n) for n in range(context.line - 1, -1, -1) if source.line(n).strip()), "")
    if re.search(r":\s+[|>][+-]?\d?\s*$", above) and len(above) - len(above.lstrip()) >= start:
        place = source.place(context.line, start, context.line, end)
        mark = above.rstrip()[-1]
        hint = "Put two more spaces before each of its lines."
        problems.error("ZF108", f"the text below `{mark}` is not indented deeper than its key", place, hint)
        return True
    match = _NO_COLON.match(text)
    word = match["key"] if match else text.strip()
    problems.error(
        "ZF107",
        f"there is no colon after `{word}`",
        source.place(context.line, start, context.line, end),
        f"Write `{word}:`." if match else "A line of a mapping is `key: value`.",
    )
    return True


def _escape(error: Any, source: Text, problems: Problems, line: int, column: int) -> bool:
    if "escape character" not in _problem(error) and "hexdecimal" not in _problem(error):
        return False
    place = source.place(line, max(column - 1, 0), line, column + 1)
    said = source.line(line)[max(column - 1, 0) : column + 1]
    begun = source.line(line).rfind("\\", 0, column)
    if (
        not said.startswith("\\") and "hexdecimal" in _problem(error) and begun >= 0
    ):  # `\U` of `C:\Users` wants eight digits
        said = source.line(line)[begun : begun + 2]
        place = source.place(line, begun, line, begun + 2)
    elif not said.startswith("\\"):
        said = source.line(line)[column : column + 2]
        place = source.place(line, column, line, column + 2)
    problems.error(
        "ZF122",
        f"`{said}` means nothing in double quotes",
        place,
        "Use single quotes, in which a backslash is a backslash.",
    )
    return True


def _indentation_or_other(error: Any, source: Text, problems: Problems, line: int, column: int) -> None:
    problem, text = _problem(error), source.line(line)
    start = len(text) - len(text.lstrip())
    if "did not find expected" in problem and ("key" in problem or "'-'" in problem):
        if column > start:
            place = source.place(line, column, line, max(len(text.rstrip()), column + 1))
            problems.error(
                "ZF109",
                "text stands after a value that is already complete",
                place,
                f"Quote all of it, or none; a quote inside single quotes is doubled: `{_requoted(text)}`.",
            )
            return
        place = source.place(line, 0, line, max(start, 1))
        if "'-'" in problem:
            problems.error(
                "ZF108",
                "a list stands above at this indentation, and this line does not begin with `- `",
                place,
                "Indent the list, or make this line an element of it.",
            )
            return
        problems.error(
            "ZF108", "this line is indented unlike its neighbours", place, "Lines of one level begin in one column."
        )
        return
    if "comment or line break" in problem and re.search(r":\s*[|>]", text[:column]):
        place = source.place(line, column, line, max(len(text.rstrip()), column + 1))
        hint = "Behind `|` or `>` nothing stands: the text begins on the next line, indented."
        problems.error("ZF109", "text stands where block text is only announced", place, hint)
        return
    said = " ".join(str(getattr(error, "problem", "") or "this is not YAML").split())
    problems.error("ZF105", f"YAML cannot read this: {said}", source.place(line, column, line, column + 1))


def _requoted(text: str) -> str:
    match = _KEY_VALUE.match(text)
    if match is None:
        return text.strip()
    value = match["value"]
    wrapped = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return (match["before"] + _quoted(value[1:-1] if wrapped else value)).strip()
