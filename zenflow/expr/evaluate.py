"""Working a template out over a scope. Answers may be `Pending` or `SKIPPED`; what cannot be is an `ExpressionError`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zenflow.errors import ZenflowError
from zenflow.expr import operators
from zenflow.expr.failure import Failure
from zenflow.expr.limits import check_size
from zenflow.expr.template import Expression, Template
from zenflow.expr.values import SKIPPED, Value
from zenflow.problems import Place, Problem


class ExpressionError(ZenflowError):
    """An expression that gives no value: `place` is the exact part of it, as far as that is known."""

    exit_status = 2

    def __init__(self, code: str, message: str, hint: str | None, place: Place | None, source: str) -> None:
        super().__init__(code, message, hint, source=source)
        self.place = place
        self.source = source

    @property
    def problem(self) -> Problem:
        return Problem(self.code, self.message, self.place, self.hint)


def evaluate(template: Template, scope: Mapping[str, Value], *, existing: bool = False) -> Value:
    """The value of a template (rule 9): of its one expression as it is, else text. Raises `ExpressionError`.

    With `existing`, a list is what there is of it: elements and parts that will not come are left out.
    """
    if template.is_single:
        expression = template.parts[0]
        assert isinstance(expression, Expression)
        return _value_of(template, expression, scope, existing)
    return _text_of(template, scope)


def _value_of(template: Template, expression: Expression, scope: Mapping[str, Value], existing: bool = False) -> Value:
    run = expression.existing if existing and expression.existing is not None else expression.run
    try:
        value: Value = operators.settled(run(scope))
        # A plain reference makes nothing: what it names was bounded where it came from.
        if not expression.is_plain and type(value) in (str, list, dict):
            check_size(value)
        return value
    except Failure as failure:
        raise _error(template, expression, failure) from None
    except RecursionError:
        raise _error(template, expression, Failure("ZF315", "the value is nested too deeply")) from None


def _text_of(template: Template, scope: Mapping[str, Value]) -> Value:
    pieces: list[Any] = []
    skipped = False
    for part in template.parts:
        if isinstance(part, str):
            pieces.append(part)
            continue
        value = _value_of(template, part, scope)
        if value is SKIPPED:
            skipped = True
            continue
        try:
            operators.concatenate([value])
        except Failure as failure:
            raise _error(template, part, failure) from None
        pieces.append(value)
    if skipped:
        return SKIPPED
    try:
        text: Value = operators.concatenate(pieces)
        return text
    except Failure as failure:
        raise ExpressionError(failure.code, failure.message, failure.hint, template.place, template.text) from None


def _error(template: Template, expression: Expression, failure: Failure) -> ExpressionError:
    start, end = failure.span or _stretch(expression.source)
    place = template.place
    if template.locate is not None:
        place = template.locate(expression.start + start, expression.start + end)
    return ExpressionError(failure.code, failure.message, failure.hint, place, expression.source.strip())


def _stretch(source: str) -> tuple[int, int]:
    """The source without the blanks around it."""
    start = len(source) - len(source.lstrip())
    return start, max(len(source.rstrip()), start + 1)
