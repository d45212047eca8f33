"""A syntax tree → one closure over the scope, from a closed list of what may be evaluated (rule 10).

What is not on the list has no row in `_COMPILERS` and is a `Failure` here, before anything runs: no attribute of a
Python object, no call but `range`, no statement can come through, because nothing below knows how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import nodes

from zenflow.expr import operators
from zenflow.expr.failure import UNKNOWN, WRONG_KIND, Failure, Missing, Span, suggestion
from zenflow.expr.filters import FILTER_NAMES, FILTERS, Filter, apply_filter
from zenflow.expr.limits import MAX_DEPTH, check_count, check_length
from zenflow.expr.program import NAMES, FoundReference, Program, Run, Scope, name_failure, walk_path
from zenflow.expr.syntax import TOO_COMPLEX, Syntax, parse_expression, spans_of, test_name_word
from zenflow.expr.types import join, type_of, word_for
from zenflow.expr.values import BOOLEAN, INTEGER, SKIPPED, Pending, Type

UNKNOWN_FILTER = "ZF304"
UNKNOWN_TEST = "ZF305"
UNKNOWN_FUNCTION = "ZF306"
NOT_ALLOWED = "ZF307"
WRONG_ARGUMENTS = "ZF308"
_TESTS = ("defined", "none")
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


def compile_expression(source: str) -> Program:
    """Raises `Failure` with the stretch that cannot be."""
    syntax = parse_expression(source)
    return _Compiler(syntax).program()


class _Compiler:
    """Walks one tree once, collecting what it reads on the way."""

    def __init__(self, syntax: Syntax) -> None:
        self.syntax = syntax
        self.spans = spans_of(syntax)
        self.reads: list[FoundReference] = []
        self.guarded = 0
        self.depth = 0

    def program(self) -> Program:
        run = self.compile(self.syntax.tree)
        return Program(run, tuple(sorted(self.reads, key=lambda read: read.spans[0])), is_plain=False)

    def compile(self, node: nodes.Node) -> Run:
        compiler = _COMPILERS.get(type(node))
        if compiler is None:
            raise self.refusal(node)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Failure(TOO_COMPLEX, "the expression is nested too deeply", "Split it up.", self.span(node))
        run = compiler(self, node)
        self.depth -= 1
        return run

    def span(self, node: nodes.Node) -> Span:
        return self.spans[id(node)]

    def word(self, node: nodes.Node, after: int = 0) -> Span:
        """The token at a node's own offset, or one after it."""
        number = min(self.syntax.word_at(node.lineno) + after, len(self.syntax.words) - 1)
        return self.syntax.words[number].start, self.syntax.words[number].end

    def operand(self, node: nodes.Node) -> Run:
        """A part whose plain value is wanted; a failure without a place gets that of the part."""
        run, span = self.compile(node), self.span(node)

        def settled(scope: Scope) -> Any:
            value = run(scope)
            try:
                return operators.settled(value)
            except Failure as failure:
                raise failure.at(span) from None

        return settled

    def refusal(self, node: nodes.Node) -> Failure:
        if isinstance(node, nodes.Tuple):
            return Failure(NOT_ALLOWED, "a tuple is no value of JSON", "Write a list: `[a, b]`.", self.span(node))
        return Failure(NOT_ALLOWED, f"{type(node).__name__.lower()} is not part of the language", None, self.span(node))


# --- constants and containers --------------------------------------------------------------------------------------


def _const(compiler: _Compiler, node: nodes.Const) -> Run:
    value = node.value
    if type(value) in (int, float):
        try:
            value = operators.normal(value)
        except Failure as failure:
            raise failure.at(compiler.span(node)) from None
    return lambda scope: value


def _list(compiler: _Compiler, node: nodes.List) -> Run:
    items = [compiler.operand(item) for item in node.items]

    def run(scope: Scope) -> Any:
        values = [item(scope) for item in items]
        undecided = operators.undecided_of(*values)
        if undecided is None:
            return values
        return operators.retyped(undecided, Type("array", items=join(map(type_of, values)), count=len(values)))

    return run


def _dict(compiler: _Compiler, node: nodes.Dict) -> Run:
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


# --- names and what hangs on them ----------------------------------------------------------------------------------


def _name(compiler: _Compiler, node: nodes.Name) -> Run:
    return _chain(compiler, node)


def _chain(compiler: _Compiler, node: nodes.Node) -> Run:
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


def _with_steps(compiler: _Compiler, base: Run, steps: list[nodes.Node], read: FoundReference | None) -> Run:
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


def _key_of(compiler: _Compiler, step: nodes.Node) -> tuple[str | int | None, Run | None]:
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


def _part_span(compiler: _Compiler, step: nodes.Node) -> Span:
    if isinstance(step, nodes.Getattr):
        return compiler.word(step, 1)
    assert isinstance(step, nodes.Getitem)
    return compiler.span(step.arg)


def _is_slice(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice)


def _getitem(compiler: _Compiler, node: nodes.Getitem) -> Run:
    if not _is_slice(node):
        return _chain(compiler, node)
    value, span = compiler.operand(node.node), compiler.span(node)
    bounds = [
        compiler.operand(bound) if bound is not None else None
        for bound in (node.arg.start, node.arg.stop, node.arg.step)
    ]

    def run(scope: Scope) -> Any:
        try:
            return operators.cut(value(scope), *(None if bound is None else bound(scope) for bound in bounds))
        except Failure as failure:
            raise failure.at(span) from None

    return run


# --- operators -----------------------------------------------------------------------------------------------------


def _binary(apply: Callable[[Any, Any], Any]) -> Callable[[_Compiler, Any], Run]:
    def build(compiler: _Compiler, node: nodes.BinExpr) -> Run:
        left, right, span = compiler.operand(node.left), compiler.operand(node.right), compiler.span(node)

        def run(scope: Scope) -> Any:
            a, b = left(scope), right(scope)
            try:
                return apply(a, b)
            except Failure as failure:
                raise failure.at(span) from None

        return run

    return build


def _unary(apply: Callable[[Any], Any]) -> Callable[[_Compiler, Any], Run]:
    def build(compiler: _Compiler, node: nodes.UnaryExpr) -> Run:
        operand, span = compiler.operand(node.node), compiler.span(node)

        def run(scope: Scope) -> Any:
            value = operand(scope)
            try:
                return apply(value)
            except Failure as failure:
                raise failure.at(span) from None

        return run

    return build


def _concat(compiler: _Compiler, node: nodes.Concat) -> Run:
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


def _compare(compiler: _Compiler, node: nodes.Compare) -> Run:
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


# --- what decides what else is evaluated ----------------------------------------------------------------------------


def _condition(value: Any, span: Span, word: str) -> Any:
    """True, False, SKIPPED or what is waited for; nothing else is a truth value (rule 11)."""
    if type(value) is bool or value is SKIPPED:
        return value
    if type(value) is Pending and value.type.name in {"boolean", "any"}:
        return value
    raise Failure(
        WRONG_KIND,
        f"`{word}` needs true or false, not {word_for(value)}",
        "Compare it: `… == …`, `… != ''`, `(… | length) > 0`, `… is defined`.",
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


def _junction(word: str, decisive: bool) -> Callable[[_Compiler, Any], Run]:
    def build(compiler: _Compiler, node: nodes.BinExpr) -> Run:
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


def _not(compiler: _Compiler, node: nodes.Not) -> Run:
    operand, span = compiler.operand(node.node), compiler.span(node.node)

    def run(scope: Scope) -> Any:
        value = _condition(operand(scope), span, "not")
        if type(value) is bool:
            return not value
        return operators.retyped(value, BOOLEAN)

    return run


def _conditional(compiler: _Compiler, node: nodes.CondExpr) -> Run:
    if node.expr2 is None:
        raise Failure(NOT_ALLOWED, "`if` needs an `else`", "Write `a if condition else b`.", compiler.span(node))
    test, span = compiler.operand(node.test), compiler.span(node.test)
    then, otherwise = compiler.operand(node.expr1), compiler.operand(node.expr2)

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


def _default(compiler: _Compiler, node: nodes.Filter) -> Run:
    """`x | default(d)`: for null, for skipped, and for data that is not there, at any depth (rule 12)."""
    arguments = _arguments(compiler, node, ("value",))
    compiler.guarded += 1
    assert node.node is not None
    operand = compiler.operand(node.node)
    compiler.guarded -= 1
    fallback = arguments["value"]

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


def _test(compiler: _Compiler, node: nodes.Test) -> Run:
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


# --- filters and range ---------------------------------------------------------------------------------------------


def _filter(compiler: _Compiler, node: nodes.Filter) -> Run:
    if node.name == "default" and node.node is not None:
        return _default(compiler, node)
    row = FILTERS.get(node.name)
    if row is None or node.node is None:
        known = _FOREIGN_FILTERS.get(node.name)
        hint = f"Here it is called `{known}`." if known else suggestion(node.name, FILTER_NAMES, "The filters")
        raise Failure(UNKNOWN_FILTER, f"unknown filter `{node.name}`", hint, compiler.word(node))
    operand, span = compiler.operand(node.node), compiler.span(node.node)
    arguments = _arguments(compiler, node, row.arguments)
    if row.name == "map":
        _check_map(compiler, node)
    return _filter_run(row, operand, arguments, span, compiler.word(node))


def _filter_run(row: Filter, operand: Run, arguments: Mapping[str, Run], span: Span, word: Span) -> Run:
    def run(scope: Scope) -> Any:
        value = operand(scope)
        given = {name: argument(scope) for name, argument in arguments.items()}
        try:
            return apply_filter(row, value, given)
        except Failure as failure:
            raise failure.at(word if failure.code == WRONG_KIND else span) from None

    return run


def _check_map(compiler: _Compiler, node: nodes.Filter) -> None:
    if node.args:
        raise Failure(
            WRONG_ARGUMENTS,
            "`map` takes the name of a key, by name",
            'Write `map(attribute="prompt")`.',
            compiler.span(node.args[0]),
        )


def _arguments(compiler: _Compiler, node: nodes.Filter, declared: tuple[str, ...]) -> dict[str, Run]:
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
        if keyword.key not in names or keyword.key in given:
            raise Failure(
                WRONG_ARGUMENTS,
                f"`{node.name}` takes no `{keyword.key}`"
                if keyword.key not in names
                else f"`{keyword.key}` is given twice",
                suggestion(keyword.key, names, "It takes"),
                compiler.word(keyword),
            )
        given[keyword.key] = compiler.operand(keyword.value)
    for name in declared:
        if not name.endswith("?") and name not in given:
            raise Failure(WRONG_ARGUMENTS, f"`{node.name}` needs {name}", f"Write `{signature}`.", compiler.word(node))
    return given


def _call(compiler: _Compiler, node: nodes.Call) -> Run:
    callee = node.node
    if not isinstance(callee, nodes.Name):
        name = callee.attr if isinstance(callee, nodes.Getattr) else "…"
        span = compiler.word(callee, 1) if isinstance(callee, nodes.Getattr) else compiler.span(node)
        filters = {"strip": "trim", "join": "join", "format": "~"}.get(name, name)
        hint = (
            f"Use the filter: `… | {filters}`."
            if filters in FILTERS
            else "Values have no methods; there are filters: `… | lower`."
        )
        raise Failure(UNKNOWN_FUNCTION, f"`.{name}()` is a call of a method", hint, span)
    if callee.name != "range":
        hint = (
            f"Use the filter: `… | {callee.name}`."
            if callee.name in FILTERS
            else "The one function there is: `range(n)`."
        )
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
            raise Failure(WRONG_KIND, f"`range` takes integers, not {word_for(bound)}")
    undecided = operators.undecided_of(*bounds)
    if undecided is not None:
        return operators.retyped(undecided, Type("array", items=INTEGER))
    if len(bounds) == 3 and bounds[2] == 0:
        raise Failure(operators.ARITHMETIC, "the step of `range` cannot be 0")
    numbers = range(*bounds)
    try:
        check_count(len(numbers))
    except OverflowError:
        check_length(1 << 62)
    return list(numbers)


_COMPILERS: Mapping[type[nodes.Node], Callable[[_Compiler, Any], Run]] = {
    nodes.Const: _const,
    nodes.List: _list,
    nodes.Dict: _dict,
    nodes.Name: _name,
    nodes.Getattr: _chain,
    nodes.Getitem: _getitem,
    nodes.Add: _binary(operators.add),
    nodes.Sub: _binary(operators.subtract),
    nodes.Mul: _binary(operators.multiply),
    nodes.Div: _binary(operators.divide),
    nodes.FloorDiv: _binary(operators.floor_divide),
    nodes.Mod: _binary(operators.remainder),
    nodes.Pow: _binary(operators.power),
    nodes.Neg: _unary(operators.negate),
    nodes.Pos: _unary(operators.keep_sign),
    nodes.Concat: _concat,
    nodes.Compare: _compare,
    nodes.And: _junction("and", False),
    nodes.Or: _junction("or", True),
    nodes.Not: _not,
    nodes.CondExpr: _conditional,
    nodes.Filter: _filter,
    nodes.Test: _test,
    nodes.Call: _call,
}
