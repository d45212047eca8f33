"""A syntax tree → one closure over the scope, from a closed list of what may be evaluated (rule 10).

What is not on the list has no row in `_BUILDERS` and is a `Failure` here, before anything runs: no attribute of a
Python object, no call but `range`, no statement can come through, because nothing below knows how.
"""

from __future__ import annotations

from jinja2 import nodes

from zenflow.expr import operators
from zenflow.expr.compile_calls import build_call, build_filter
from zenflow.expr.compile_conditions import build_conditional, build_default, build_not, build_test, builder_of_junction
from zenflow.expr.compile_operators import build_add, build_compare, build_concat, builder_of_binary, builder_of_unary
from zenflow.expr.compile_values import build_chain, build_const, build_dict, build_getitem, build_list, build_name
from zenflow.expr.compiler import Builders, Compiler
from zenflow.expr.program import Program
from zenflow.expr.syntax import parse_expression
from zenflow.expr.template import Run


def compile_expression(source: str) -> Program:
    """Raises `Failure` with the stretch that cannot be."""
    return Compiler(parse_expression(source), _BUILDERS).program()


def _build_filter(compiler: Compiler, node: nodes.Filter) -> Run:
    """`default` stands apart: it decides what is evaluated at all."""
    default = node.name == "default" and node.node is not None
    return build_default(compiler, node) if default else build_filter(compiler, node)


_BUILDERS: Builders = {
    nodes.Const: build_const,
    nodes.List: build_list,
    nodes.Dict: build_dict,
    nodes.Name: build_name,
    nodes.Getattr: build_chain,
    nodes.Getitem: build_getitem,
    nodes.Add: build_add,
    nodes.Sub: builder_of_binary(operators.subtract),
    nodes.Mul: builder_of_binary(operators.multiply),
    nodes.Div: builder_of_binary(operators.divide),
    nodes.FloorDiv: builder_of_binary(operators.floor_divide),
    nodes.Mod: builder_of_binary(operators.remainder),
    nodes.Pow: builder_of_binary(operators.power),
    nodes.Neg: builder_of_unary(operators.negate),
    nodes.Pos: builder_of_unary(operators.keep_sign),
    nodes.Concat: build_concat,
    nodes.Compare: build_compare,
    nodes.And: builder_of_junction("and", False),
    nodes.Or: builder_of_junction("or", True),
    nodes.Not: build_not,
    nodes.CondExpr: build_conditional,
    nodes.Filter: _build_filter,
    nodes.Test: build_test,
    nodes.Call: build_call,
}
