"""The walk over one syntax tree: what all builders of closures share. Which nodes are allowed is said in `compile`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from jinja2 import nodes

from zenflow.expr import operators
from zenflow.expr.failure import Failure, Span
from zenflow.expr.limits import MAX_DEPTH
from zenflow.expr.program import FoundReference, Program
from zenflow.expr.syntax import TOO_COMPLEX, Syntax, spans_of
from zenflow.expr.template import Run, Scope

UNKNOWN_FILTER = "ZF304"
UNKNOWN_TEST = "ZF305"
UNKNOWN_FUNCTION = "ZF306"
NOT_ALLOWED = "ZF307"
WRONG_ARGUMENTS = "ZF308"

Builders: TypeAlias = Mapping[type[nodes.Node], Callable[["Compiler", Any], Run]]


class Compiler:
    """Walks one tree once, collecting what it reads on the way."""

    def __init__(self, syntax: Syntax, builders: Builders) -> None:
        self.syntax = syntax
        self.builders = builders
        self.spans = spans_of(syntax)
        self.reads: list[FoundReference] = []
        self.guarded = 0
        self.depth = 0
        self.existing: dict[int, Run] = {}  # of nodes that can leave out what will not come

    def program(self) -> Program:
        run = self.compile(self.syntax.tree)
        reads = tuple(sorted(self.reads, key=lambda read: read.spans[0]))
        return Program(run, reads, is_plain=False, existing=self.existing.get(id(self.syntax.tree)))

    def compile(self, node: nodes.Node) -> Run:
        build = self.builders.get(type(node))
        if build is None:
            raise self.refusal(node)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Failure(TOO_COMPLEX, "the expression is nested too deeply", "Split it up.", self.span(node))
        run = build(self, node)
        self.depth -= 1
        return run

    def what_exists(self, node: nodes.Node, run: Run) -> Run:
        """An operand for a reader that takes what exists; `run` where nothing can be left out of it."""
        return self.existing.get(id(node), run)

    def span(self, node: nodes.Node) -> Span:
        return self.spans[id(node)]

    def word(self, node: nodes.Node, after: int = 0) -> Span:
        """The token at a node's own offset, or one after it."""
        number = min(self.syntax.word_at(node.lineno) + after, len(self.syntax.words) - 1)
        return self.syntax.words[number].start, self.syntax.words[number].end

    def key_word(self, keyword: Any) -> Span:
        """The name before `=`: two tokens before the value, whose own offset is all that Jinja2 keeps."""
        name = self.syntax.words[max(self.syntax.word_at(self.span(keyword.value)[0]) - 2, 0)]
        return name.start, name.end

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
