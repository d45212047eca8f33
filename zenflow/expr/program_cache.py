"""The program of a source text: one for all equal texts, compiled with Jinja2 only where the text is no plain reference."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from zenflow.expr.failure import Failure, Span
from zenflow.expr.limits import MAX_DEPTH, MAX_SOURCE
from zenflow.expr.program import EMPTY, NAMES, TOO_LONG, FoundReference, Program, name_failure, walk_path
from zenflow.expr.template import Scope

_PLAIN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)((?:\.[A-Za-z_][A-Za-z0-9_]*|\[\d{1,9}\])*)\s*")
_PART = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]")


UNREADABLE = "ZF302"


@lru_cache(maxsize=4096)
def program_for(source: str) -> Program | Failure:
    """The program of a source text; equal texts share one. What cannot be is returned, for the same reason."""
    if not source.strip():
        hint = "Name what is to stand here, as in `${{ inputs.photo }}`, or leave it out."
        return Failure(EMPTY, "there is nothing between `${{` and `}}`", hint, (0, max(len(source), 1)))
    if len(source) > MAX_SOURCE:
        return Failure(TOO_LONG, f"the expression is longer than {MAX_SOURCE:,} characters", None, (0, len(source)))
    try:
        plain = _plain_program(source)
        if plain is not None:
            return plain
        from zenflow.expr.compile import compile_expression  # loads Jinja2: 40 ms that plain recipes do not pay

        return compile_expression(source)
    except Failure as failure:
        return failure
    except (SyntaxError, RecursionError, MemoryError, ValueError, OverflowError):  # Jinja2 takes what Python does not
        message = "this is not an expression: it holds a character or a number that cannot stand here"
        return Failure(UNREADABLE, message, "Write numbers with the digits 0 to 9.", (0, len(source)))


def _plain_program(source: str) -> Program | None:
    match = _PLAIN.fullmatch(source)
    if match is None or match[1] not in NAMES:
        return None
    root, span = match[1], match.span(1)
    keys: list[tuple[str | int, Span]] = []
    for part in _PART.finditer(source, match.start(2), match.end(2)):
        group = 1 if part[1] is not None else 2
        keys.append((part[1] if group == 1 else int(part[2]), part.span(group)))
    if len(keys) > MAX_DEPTH:
        return None

    def start(scope: Scope) -> Any:
        try:
            return scope[root]
        except KeyError:
            raise name_failure(root, span, list(scope)) from None

    read = FoundReference(root, [key for key, _ in keys], False, [span, *(at for _, at in keys)])
    return Program(walk_path(start, keys), (read,), is_plain=True)
