"""An expression ready to run, and the short way for those that are one plain reference: no Jinja2 is loaded for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from zenflow.expr.failure import Failure, Span, suggestion
from zenflow.expr.limits import MAX_DEPTH, MAX_SOURCE
from zenflow.expr.operators import descend
from zenflow.expr.template import Run, Scope
from zenflow.suggest import nearest

NAMES = ("inputs", "steps", "item", "index", "origin", "previous", "recipe", "run")  # rule 14
EMPTY = "ZF316"
UNKNOWN_NAME = "ZF303"
TOO_LONG = "ZF309"

_PLAIN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)((?:\.[A-Za-z_][A-Za-z0-9_]*|\[\d{1,9}\])*)\s*")
_PART = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]")


@dataclass(slots=True)
class FoundReference:
    """What one part of an expression reads, with offsets into its source."""

    root: str
    path: list[str | int | None]
    guarded: bool
    spans: list[Span]


@dataclass(slots=True)
class Program:
    """Shared by all equal texts, and never changed. `run` works it out; `reads` is what it may ask the scope for."""

    run: Run
    reads: tuple[FoundReference, ...]
    is_plain: bool
    existing: Run | None = None  # the same for those that take what exists, where that is something else


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


def walk_path(base: Run, keys: Sequence[tuple[str | int, Span]]) -> Run:
    """Down a path of known keys; a failure gets the place of the key at which it happened."""
    path = tuple(keys)
    if not path:
        return base

    def run(scope: Scope) -> Any:
        value = base(scope)
        span: Span | None = None
        try:
            for key, span in path:  # noqa: B007 - read in the handler
                value = value[key] if type(value) is dict and key in value else descend(value, key)
        except Failure as failure:
            raise failure.at(span) from None
        return value

    return run


def name_failure(name: str, span: Span, known: Sequence[str] = NAMES) -> Failure:
    hint = {
        "env": "Expressions cannot read the environment; declare an input.",
    }.get(name)
    if hint is None:
        hint = suggestion(name, known, "The names in scope")
        if nearest(name, known) is None:
            hint = f"{hint} Text is written in quotes: `'{name}'`."
    return Failure(UNKNOWN_NAME, f"unknown name `{name}`", hint, span)
