"""Finds the expressions in a text (rule 9) and makes a `Template` of it, or says what is wrong, each at its exact part."""

from __future__ import annotations

import re

from zenflow.expr.failure import Failure
from zenflow.expr.program import Program
from zenflow.expr.program_cache import program_for
from zenflow.expr.references import Locate, Reference
from zenflow.expr.template import Expression, Scope, Template
from zenflow.expr.values import Pending, Value
from zenflow.problems import Place, Problems

OPENING, CLOSING = "${{", "}}"
UNCLOSED = "ZF301"
BARE_BRACES = "ZF317"
_NEXT = re.compile(r"""[\\'"()\[\]{}]""")
_BARE = re.compile(r"(?<!\$)\{\{\s*[A-Za-z_][\w.]*\s*(\|[^{}]*)?\}\}")
_ONE_BRACE = re.compile(r"\$\{\{[^{}]*\}")
_NO_BRACE = re.compile(r"\$\{\{[\w.\[\] ]*(?:\| *\w+(?:\([^(){}]*\))? *)*")  # nothing but what an expression can be
_MAX_BRACKETS = 48
_SHORT = 60  # characters that are shown again, closed


def parse_text(text: str, place: Place | None, locate: Locate | None, problems: Problems) -> Template | str:
    """The text itself where it holds no expression. A broken expression is a problem; its text then stands for
    a value of which nothing is known, so that nothing more is said of it."""
    if OPENING not in text:
        if "{{" in text:
            _warn_of_bare_braces(text, place, locate, problems)
        return text
    parts: list[str | Expression] = []
    reads: list[Reference] = []
    literal: list[str] = []
    broken = False
    at = 0
    while True:
        found = text.find(OPENING, at)
        if found < 0:
            literal.append(text[at:])
            break
        if found > at and text[found - 1] == "$":
            literal += (text[at : found - 1], OPENING)
            at = found + len(OPENING)
            continue
        literal.append(text[at:found])
        start = found + len(OPENING)
        end = end_of_expression(text, start)
        if end is None:
            _report_unclosed(text, found, place, locate, problems)
            broken = True
            break
        program = program_for(text[start:end])
        if isinstance(program, Failure):
            _report(program, text, start, end, place, locate, problems)
            broken = True
        else:
            if any(literal):
                parts.append("".join(literal))
            literal = []
            parts.append(Expression(text[start:end], start, program.run, program.is_plain, program.existing))
            reads.extend(_references(program, start, locate))
        at = end + len(CLOSING)
    if any(literal):
        parts.append("".join(literal))
    if broken:
        return Template(text, place, (Expression(text, 0, _not_known),), True, ())
    if not any(isinstance(part, Expression) for part in parts):
        return "".join(part for part in parts if isinstance(part, str))
    return Template(text, place, tuple(parts), len(parts) == 1, tuple(reads), locate)


def _not_known(scope: Scope) -> Value:
    return Pending()


def end_of_expression(text: str, start: int) -> int | None:
    """Where the first `}}` outside quotes and brackets begins."""
    quick = text.find(CLOSING, start)
    if quick < 0:
        return None
    if _NEXT.search(text, start, quick) is None:
        return quick
    depth = 0
    at = start
    while True:
        match = _NEXT.search(text, at)
        if match is None:
            return None
        character, at = match[0], match.end()
        if character in "\"'":
            closed = _end_of_quote(text, at, character)
            if closed is None:
                return None
            at = closed
        elif character in "([{":
            depth += 1
        elif character == "}" and depth == 0:
            if text.startswith("}", at):
                return at - 1
        elif character in ")]}":
            depth = max(depth - 1, 0)
        if depth > _MAX_BRACKETS:
            return text.find(CLOSING, at) if CLOSING in text[at:] else None


def _end_of_quote(text: str, at: int, quote: str) -> int | None:
    while True:
        closed = text.find(quote, at)
        if closed < 0:
            return None
        backslashes = len(text[at:closed]) - len(text[at:closed].rstrip("\\"))
        if backslashes % 2 == 0:
            return closed + 1
        at = closed + 1


def _references(program: Program, start: int, locate: Locate | None) -> list[Reference]:
    return [
        Reference(
            read.root,
            tuple(read.path),
            read.guarded,
            tuple((start + begin, start + end) for begin, end in read.spans),
            locate,
        )
        for read in program.reads
    ]


def _report(
    failure: Failure, text: str, start: int, end: int, place: Place | None, locate: Locate | None, problems: Problems
) -> None:
    begin, stop = failure.span or (0, end - start)
    where = place if locate is None else locate(start + begin, start + max(stop, begin + 1))
    problems.error(failure.code, failure.message, where, failure.hint)


def _report_unclosed(text: str, found: int, place: Place | None, locate: Locate | None, problems: Problems) -> None:
    where = place if locate is None else locate(found, found + len(OPENING))
    if CLOSING in text[found:]:
        message = "the expression that begins here has a quote or a bracket that is never closed"
    else:
        message = "the expression that begins here is never closed with `}}`"
    rest = text[found:].rstrip()
    hint = "A literal `${{` is written `$${{`."
    if len(rest) < _SHORT and _ONE_BRACE.fullmatch(rest):
        hint = f"It ends with two braces: `{rest}}}`."
    elif len(rest) < _SHORT and _NO_BRACE.fullmatch(rest):
        hint = f"Close it: `{rest} }}}}`. {hint}"
    problems.error(UNCLOSED, message, where, hint)


def _warn_of_bare_braces(text: str, place: Place | None, locate: Locate | None, problems: Problems) -> None:
    match = _BARE.search(text)
    if match is None:
        return
    where = place if locate is None else locate(match.start(), match.end())
    problems.warning(BARE_BRACES, "`{{ }}` without `$` is plain text", where, f"For an expression write `${match[0]}`.")
