"""Closures that decide what else is evaluated: `and or not`, `if else`, `default`, `is defined`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import nodes

from zenflow.expr import operators
from zenflow.expr.compile_calls import named_arguments
from zenflow.expr.compiler import NOT_ALLOWED, UNKNOWN_TEST, WRONG_ARGUMENTS, Compiler
from zenflow.expr.failure import UNKNOWN, WRONG_KIND, Failure, Missing, Span, suggestion
from zenflow.expr.syntax import test_name_word
from zenflow.expr.template import Run, Scope
from zenflow.expr.types import join, type_name, type_of
from zenflow.expr.values import BOOLEAN, SKIPPED, Pending, Type

_TESTS = ("defined", "none", "null")


def _condition(value: Any, span: Span, word: str) -> Any:
    """True, False, SKIPPED or what is waited for; nothing else is a truth value (rule 11)."""
    if type(value) is bool or value is SKIPPED:
        return value
    if type(value) is Pending and value.type.name in {"boolean", "any"}:
        return value
    raise Failure(
        WRONG_KIND,
        f"`{word}` needs true or false, not {type_name(value)}",
        "Compare it: `… == …`, `… != ''`, `(… | length) > 0`, `… is defined`; what to use instead: `… | default(…)`.",
        span,
    )


def _possible_type(run: Run, scope: Scope) -> Type:
    """What a branch would give that may not be taken at all: only a name that cannot be counts against it."""
    try:
        return type_of(run(scope))
    except Failure as failure:
        if failure.code == UNKNOWN:
            raise
        return Type()


def builder_of_junction(word: str, decisive: bool) -> Callable[[Compiler, Any], Run]:
    def build(compiler: Compiler, node: nodes.BinExpr) -> Run:
        left, left_span = compiler.operand(node.left), compiler.span(node.left)
        right, right_span = compiler.operand(node.right), compiler.span(node.right)

        def run(scope: Scope) -> Any:
            first = _condition(left(scope), left_span, word)
            if first is decisive or first is SKIPPED:
                return first
            if type(first) is Pending:
                _possible_type(lambda inner: _condition(right(inner), right_span, word), scope)
                return Pending(first.on, BOOLEAN)
            second = _condition(right(scope), right_span, word)
            return Pending(second.on, BOOLEAN) if type(second) is Pending else second

        return run

    return build


def build_not(compiler: Compiler, node: nodes.Not) -> Run:
    operand, span = compiler.operand(node.node), compiler.span(node.node)

    def run(scope: Scope) -> Any:
        value = _condition(operand(scope), span, "not")
        if type(value) is bool:
            return not value
        return operators.retyped(value, BOOLEAN)

    return run


def build_conditional(compiler: Compiler, node: nodes.CondExpr) -> Run:
    if node.expr2 is None:
        raise Failure(NOT_ALLOWED, "`if` needs an `else`", "Write `a if condition else b`.", compiler.span(node))
    test, span = compiler.operand(node.test), compiler.span(node.test)
    then, otherwise = compiler.operand(node.expr1), compiler.operand(node.expr2)

    def run_of(then: Run, otherwise: Run) -> Run:
        def run(scope: Scope) -> Any:
            decided = _condition(test(scope), span, "if")
            if decided is True:
                return then(scope)
            if decided is False:
                return otherwise(scope)
            if decided is SKIPPED:
                return SKIPPED
            return Pending(decided.on, join((_possible_type(then, scope), _possible_type(otherwise, scope))))

        return run

    parts = compiler.what_exists(node.expr1, then), compiler.what_exists(node.expr2, otherwise)
    if parts != (then, otherwise):
        compiler.existing[id(node)] = run_of(*parts)
    return run_of(then, otherwise)


def build_default(compiler: Compiler, node: nodes.Filter) -> Run:
    """`x | default(d)`: for null, for skipped, and for data that is not there, at any depth (rule 12)."""
    arguments = named_arguments(compiler, node, ("value",))
    compiler.guarded += 1
    assert node.node is not None
    operand = compiler.operand(node.node)
    compiler.guarded -= 1
    fallback = arguments["value"]

    def run_of(operand: Run, fallback: Run) -> Run:
        def run(scope: Scope) -> Any:
            try:
                value = operand(scope)
            except Missing:
                return fallback(scope)
            if value is None or value is SKIPPED:
                return fallback(scope)
            if type(value) is Pending:
                return Pending(value.on, join((value.type, _possible_type(fallback, scope))))
            return value

        return run

    part = compiler.what_exists(node.node, operand)
    if part is not operand:
        compiler.existing[id(node)] = run_of(part, fallback)
    return run_of(operand, fallback)


def build_test(compiler: Compiler, node: nodes.Test) -> Run:
    own = compiler.syntax.word_at(node.lineno)
    named = compiler.syntax.words[test_name_word(node, own, compiler.syntax)]
    if node.name not in _TESTS:
        raise Failure(
            UNKNOWN_TEST, f"unknown test `{node.name}`", suggestion(node.name, _TESTS), (named.start, named.end)
        )
    if node.args or node.kwargs:
        raise Failure(WRONG_ARGUMENTS, f"the test `{node.name}` takes no arguments", None, compiler.span(node))
    guarded = node.name == "defined"
    compiler.guarded += guarded
    operand = compiler.operand(node.node)
    compiler.guarded -= guarded
    return _is_defined(operand) if guarded else _is_none(operand)


def _is_defined(operand: Run) -> Run:
    def run(scope: Scope) -> Any:
        try:
            value = operand(scope)
        except Missing:
            return False
        if type(value) is Pending:
            return Pending(value.on, BOOLEAN)
        return value is not None and value is not SKIPPED

    return run


def _is_none(operand: Run) -> Run:
    def run(scope: Scope) -> Any:
        value = operand(scope)
        if type(value) is Pending or value is SKIPPED:
            return operators.retyped(value, BOOLEAN)
        return value is None

    return run
