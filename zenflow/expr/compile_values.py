"""Closures for constants, lists, objects, names, and what hangs on them."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes

from zenflow.expr import operators
from zenflow.expr.compiler import NOT_ALLOWED, Compiler
from zenflow.expr.failure import Failure, Span
from zenflow.expr.program import NAMES, FoundReference, name_failure, walk_path
from zenflow.expr.template import Run, Scope
from zenflow.expr.types import join, type_of
from zenflow.expr.values import SKIPPED, Type

NULL = "null"  # JSON's own word; Jinja knows `none` alone, and takes this for a name


def build_const(compiler: Compiler, node: nodes.Const) -> Run:
    value = node.value
    if type(value) in (int, float):
        try:
            value = operators.normal(value)
        except Failure as failure:
            raise failure.at(compiler.span(node)) from None
    return lambda scope: value


def build_list(compiler: Compiler, node: nodes.List) -> Run:
    items = [compiler.operand(item) for item in node.items]
    parts = [compiler.what_exists(written, item) for written, item in zip(node.items, items, strict=True)]

    def run(scope: Scope) -> Any:
        return _list_of([item(scope) for item in items])

    def existing(scope: Scope) -> Any:
        return _list_of([value for item in parts if (value := item(scope)) is not SKIPPED])

    compiler.existing[id(node)] = existing
    return run


def _list_of(values: list[Any]) -> Any:
    undecided = operators.undecided_of(*values)
    if undecided is None:
        return values
    return operators.retyped(undecided, Type("array", items=join(map(type_of, values)), count=len(values)))


def build_dict(compiler: Compiler, node: nodes.Dict) -> Run:
    pairs = []
    for pair in node.items:
        if not isinstance(pair.key, nodes.Const) or type(pair.key.value) is not str:
            raise Failure(NOT_ALLOWED, "the key of an object is text in quotes", None, compiler.span(pair.key))
        pairs.append((pair.key.value, compiler.operand(pair.value)))

    def run(scope: Scope) -> Any:
        values = {key: value(scope) for key, value in pairs}
        undecided = operators.undecided_of(*values.values())
        if undecided is None:
            return values
        return operators.retyped(undecided, type_of(values))

    return run


def build_name(compiler: Compiler, node: nodes.Name) -> Run:
    if node.name == NULL:
        return lambda scope: None
    return build_chain(compiler, node)


def build_chain(compiler: Compiler, node: nodes.Node) -> Run:
    """A name with everything that hangs on it, as far as it is one path; or a part of some other value."""
    steps: list[nodes.Node] = []
    current: nodes.Node = node
    while isinstance(current, nodes.Getattr | nodes.Getitem) and not _is_slice(current):
        steps.append(current)
        current = current.node
    steps.reverse()
    if not isinstance(current, nodes.Name):
        base = compiler.operand(current)
        return _with_steps(compiler, base, steps, None)
    root, span = current.name, compiler.span(current)
    if root == NULL and steps:
        return _with_steps(compiler, lambda scope: None, steps, None)
    if root not in NAMES:
        raise name_failure(root, span)
    read = FoundReference(root, [], bool(compiler.guarded), [span])
    compiler.reads.append(read)

    def start(scope: Scope) -> Any:
        try:
            return scope[root]
        except KeyError:
            raise name_failure(root, span, list(scope)) from None

    return _with_steps(compiler, start, steps, read) if steps else start


def _with_steps(compiler: Compiler, base: Run, steps: list[nodes.Node], read: FoundReference | None) -> Run:
    keys: list[tuple[str | int | None, Run | None, Span]] = []
    for step in steps:
        key, computed = _key_of(compiler, step)
        span = _part_span(compiler, step)
        keys.append((key, computed, span))
        if read is not None:
            read.path.append(key)
            read.spans.append(span)
    if all(computed is None for _, computed, _ in keys):
        return walk_path(base, [(key, span) for key, _, span in keys if key is not None])

    def run(scope: Scope) -> Any:
        value = base(scope)
        for key, computed, span in keys:
            try:
                if computed is None:
                    assert key is not None
                    value = operators.descend(value, key)
                else:
                    value = operators.index(value, computed(scope))
            except Failure as failure:
                raise failure.at(span) from None
        return value

    return run


def _key_of(compiler: Compiler, step: nodes.Node) -> tuple[str | int | None, Run | None]:
    if isinstance(step, nodes.Getattr):
        return step.attr, None
    assert isinstance(step, nodes.Getitem)
    arg: nodes.Node = step.arg
    negative = isinstance(arg, nodes.Neg)
    literal = arg.node if isinstance(arg, nodes.Neg) else arg
    if isinstance(literal, nodes.Const) and type(literal.value) in ((int,) if negative else (int, str)):
        return (-literal.value if negative else literal.value), None
    compiler.guarded, outer = 0, compiler.guarded
    computed = compiler.operand(arg)
    compiler.guarded = outer
    return None, computed


def _part_span(compiler: Compiler, step: nodes.Node) -> Span:
    if isinstance(step, nodes.Getattr):
        return compiler.word(step, 1)
    assert isinstance(step, nodes.Getitem)
    return compiler.span(step.arg)


def _is_slice(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice)


def build_getitem(compiler: Compiler, node: nodes.Getitem) -> Run:
    if not _is_slice(node):
        return build_chain(compiler, node)
    assert isinstance(node.arg, nodes.Slice)
    value, span = compiler.operand(node.node), compiler.span(node)
    bounds = [
        compiler.operand(bound) if bound is not None else None
        for bound in (node.arg.start, node.arg.stop, node.arg.step)
    ]

    def run_of(value: Run) -> Run:
        def run(scope: Scope) -> Any:
            try:
                return operators.cut(value(scope), *(None if bound is None else bound(scope) for bound in bounds))
            except Failure as failure:
                raise failure.at(span) from None

        return run

    part = compiler.what_exists(node.node, value)
    if part is not value:
        compiler.existing[id(node)] = run_of(part)
    return run_of(value)
