"""An expression ready to run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zenflow.expr.failure import Failure, Span, suggestion
from zenflow.expr.operators import descend
from zenflow.expr.template import Run, Scope
from zenflow.suggest import nearest

NAMES = ("inputs", "steps", "item", "index", "origin", "previous", "recipe", "run")  # rule 14
EMPTY = "ZF316"
UNKNOWN_NAME = "ZF303"
TOO_LONG = "ZF309"


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
