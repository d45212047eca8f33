"""Closures for arithmetic, text and comparison."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import nodes

from zenflow.expr import operators
from zenflow.expr.compiler import Compiler
from zenflow.expr.failure import Failure
from zenflow.expr.template import Run, Scope
from zenflow.expr.types import type_of
from zenflow.expr.values import BOOLEAN, SKIPPED, Pending


def builder_of_binary(apply: Callable[[Any, Any], Any]) -> Callable[[Compiler, Any], Run]:
    def build(compiler: Compiler, node: nodes.BinExpr) -> Run:
        left, right, span = compiler.operand(node.left), compiler.operand(node.right), compiler.span(node)

        def run(scope: Scope) -> Any:
            a, b = left(scope), right(scope)
            try:
                return apply(a, b)
            except Failure as failure:
                raise failure.at(span) from None

        return run

    return build


def build_add(compiler: Compiler, node: nodes.Add) -> Run:
    """`+`; those who take what exists get the one list where the other will not come."""
    left, right, span = compiler.operand(node.left), compiler.operand(node.right), compiler.span(node)
    left_part, right_part = compiler.what_exists(node.left, left), compiler.what_exists(node.right, right)

    def added(a: Any, b: Any) -> Any:
        try:
            return operators.add(a, b)
        except Failure as failure:
            raise failure.at(span) from None

    def existing(scope: Scope) -> Any:
        a, b = left_part(scope), right_part(scope)
        if a is SKIPPED or b is SKIPPED:
            there = b if a is SKIPPED else a
            may_be_list = ("array", "any") if type(there) is Pending else ("array",)
            return there if type_of(there).name in may_be_list else SKIPPED
        return added(a, b)

    compiler.existing[id(node)] = existing
    return lambda scope: added(left(scope), right(scope))


def builder_of_unary(apply: Callable[[Any], Any]) -> Callable[[Compiler, Any], Run]:
    def build(compiler: Compiler, node: nodes.UnaryExpr) -> Run:
        operand, span = compiler.operand(node.node), compiler.span(node)

        def run(scope: Scope) -> Any:
            value = operand(scope)
            try:
                return apply(value)
            except Failure as failure:
                raise failure.at(span) from None

        return run

    return build


def build_concat(compiler: Compiler, node: nodes.Concat) -> Run:
    operands = [(compiler.operand(part), compiler.span(part)) for part in node.nodes]

    def run(scope: Scope) -> Any:
        values = []
        for operand, span in operands:
            value = operand(scope)
            try:
                if value is not SKIPPED:
                    operators.concatenate([value])
            except Failure as failure:
                raise failure.at(span) from None
            values.append(value)
        return operators.concatenate(values)

    return run


_SYMBOLS = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in"}


def build_compare(compiler: Compiler, node: nodes.Compare) -> Run:
    first = compiler.operand(node.expr)
    rest = [(_SYMBOLS[operand.op], compiler.operand(operand.expr)) for operand in node.ops]
    span = compiler.span(node)

    def run(scope: Scope) -> Any:
        left: Any = first(scope)
        waiting: Any = None
        for symbol, operand in rest:
            right = operand(scope)
            try:
                answer = _compare_two(symbol, left, right)
            except Failure as failure:
                raise failure.at(span) from None
            if answer is False or answer is SKIPPED:
                return answer
            if answer is not True:
                waiting = waiting or answer
            left = right
        return True if waiting is None else waiting

    return run


def _compare_two(symbol: str, left: Any, right: Any) -> Any:
    undecided = operators.undecided_of(left, right)
    if undecided is not None:
        if undecided is not SKIPPED and symbol in {"<", "<=", ">", ">="}:
            operators.check_order(symbol, left, right)
        return operators.retyped(undecided, BOOLEAN)
    if symbol == "==":
        return operators.equal(left, right)
    if symbol == "!=":
        return not operators.equal(left, right)
    if symbol == "in":
        return operators.contains(right, left)
    if symbol == "not in":
        return not operators.contains(right, left)
    return operators.ordered(symbol, left, right)
