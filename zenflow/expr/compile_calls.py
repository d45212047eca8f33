"""Closures for filters and for the one function, `range`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import nodes

from zenflow.expr import operators
from zenflow.expr.compiler import NOT_ALLOWED, UNKNOWN_FILTER, UNKNOWN_FUNCTION, WRONG_ARGUMENTS, Compiler
from zenflow.expr.failure import ARITHMETIC, TOO_LARGE, WRONG_KIND, Failure, Span, suggestion
from zenflow.expr.filters import FILTER_NAMES, FILTERS, Filter, apply_filter
from zenflow.expr.limits import check_count
from zenflow.expr.template import Run, Scope
from zenflow.expr.types import type_name
from zenflow.expr.values import INTEGER, SKIPPED, Pending, Type
from zenflow.foreign_terms import function_done

_FOREIGN_FILTERS = {
    "d": "default",
    "count": "length",
    "len": "length",
    "json": "tojson",
    "to_json": "tojson",
    "slugify": "slug",
    "strip": "trim",
    "lowercase": "lower",
    "uppercase": "upper",
    "capitalize": "title",
    "zfill": "pad",
    "filename": "basename",
    "str": "string",
}


def build_filter(compiler: Compiler, node: nodes.Filter) -> Run:
    row = FILTERS.get(node.name)
    if row is None or node.node is None:
        known = _FOREIGN_FILTERS.get(node.name)
        hint = f"Here it is called `{known}`." if known else suggestion(node.name, FILTER_NAMES, "The filters")
        raise Failure(UNKNOWN_FILTER, f"unknown filter `{node.name}`", hint, compiler.word(node))
    operand, span = compiler.operand(node.node), compiler.span(node.node)
    arguments = named_arguments(compiler, node, row.arguments)
    if row.name == "map":
        _check_map(compiler, node)
    part, word = compiler.what_exists(node.node, operand), compiler.word(node)
    if part is not operand:
        compiler.existing[id(node)] = _filter_run(row, part, arguments, span, word)
    return _filter_run(row, operand, arguments, span, word)


def _filter_run(row: Filter, operand: Run, arguments: Mapping[str, Run], span: Span, word: Span) -> Run:
    def run(scope: Scope) -> Any:
        value = operand(scope)
        given = {name: argument(scope) for name, argument in arguments.items()}
        try:
            return apply_filter(row, value, given)
        except Failure as failure:
            raise failure.at(word if failure.code == WRONG_KIND else span) from None

    return run


def _check_map(compiler: Compiler, node: nodes.Filter) -> None:
    if node.args:
        raise Failure(
            WRONG_ARGUMENTS,
            "`map` takes the name of a key, by name",
            'Write `map(attribute="prompt")`.',
            compiler.span(node.args[0]),
        )


def named_arguments(compiler: Compiler, node: nodes.Filter, declared: tuple[str, ...]) -> dict[str, Run]:
    names = [name.rstrip("?") for name in declared]
    signature = f"{node.name}({', '.join(declared)})" if declared else node.name
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise Failure(
            NOT_ALLOWED, "`*` and `**` before arguments are not part of the language", None, compiler.span(node)
        )
    if len(node.args) > len(names):
        expected = f"write `{signature}`" if names else "it takes none"
        raise Failure(
            WRONG_ARGUMENTS,
            f"too many arguments for `{node.name}`: {expected}",
            None,
            compiler.span(node.args[len(names)]),
        )
    given = {name: compiler.operand(argument) for name, argument in zip(names, node.args, strict=False)}
    for keyword in node.kwargs:
        key = str(keyword.key)
        if key not in names or key in given:
            raise Failure(
                WRONG_ARGUMENTS,
                f"`{node.name}` takes no `{key}`" if key not in names else f"`{key}` is given twice",
                suggestion(key, names, "It takes"),
                compiler.key_word(keyword),
            )
        given[key] = compiler.operand(keyword.value)
    for name in declared:
        if not name.endswith("?") and name not in given:
            raise Failure(WRONG_ARGUMENTS, f"`{node.name}` needs {name}", f"Write `{signature}`.", compiler.word(node))
    return given


def build_call(compiler: Compiler, node: nodes.Call) -> Run:
    callee = node.node
    if not isinstance(callee, nodes.Name):
        name = str(callee.attr) if isinstance(callee, nodes.Getattr) else "…"
        span = compiler.word(callee, 1) if isinstance(callee, nodes.Getattr) else compiler.span(node)
        filters = {"strip": "trim", "join": "join", "format": "~"}.get(name, name)
        hint = (
            f"Use the filter: `… | {filters}`."
            if filters in FILTERS
            else "Values have no methods; there are filters: `… | lower`."
        )
        raise Failure(UNKNOWN_FUNCTION, f"`.{name}()` is a call of a method", hint, span)
    if callee.name != "range":
        use = f"Use the filter: `… | {callee.name}`." if callee.name in FILTERS else None
        hint = function_done(callee.name) or use or "The one function there is: `range(n)`."
        raise Failure(UNKNOWN_FUNCTION, f"unknown function `{callee.name}`", hint, compiler.span(callee))
    if node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None or not 1 <= len(node.args) <= 3:
        raise Failure(
            WRONG_ARGUMENTS,
            "`range` takes one to three integers",
            "`range(stop)`, `range(start, stop, step)`",
            compiler.span(node),
        )
    arguments, span = [compiler.operand(argument) for argument in node.args], compiler.span(node)

    def run(scope: Scope) -> Any:
        try:
            return _range([argument(scope) for argument in arguments])
        except Failure as failure:
            raise failure.at(span) from None

    return run


def _range(bounds: list[Any]) -> Any:
    for bound in bounds:
        if type(bound) is not int and not (type(bound) is Pending and bound.type.name in {"integer", "number", "any"}):
            if bound is SKIPPED:
                return SKIPPED
            raise Failure(WRONG_KIND, f"`range` takes integers, not {type_name(bound)}")
    undecided = operators.undecided_of(*bounds)
    if undecided is not None:
        return operators.retyped(undecided, Type("array", items=INTEGER))
    if len(bounds) == 3 and bounds[2] == 0:
        raise Failure(ARITHMETIC, "the step of `range` cannot be 0")
    numbers = range(*bounds)
    try:
        check_count(len(numbers))
    except OverflowError:
        raise Failure(TOO_LARGE, "the range is too long") from None
    return list(numbers)
