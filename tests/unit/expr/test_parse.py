"""Finding expressions in text, what they read, and what is wrong with them before anything runs (rules 9 and 10)."""

from __future__ import annotations

import random

import pytest

from zenflow.expr.evaluate import ExpressionError, evaluate
from zenflow.expr.parse import parse_text
from zenflow.expr.template import Template
from zenflow.expr.values import Pending
from zenflow.problems import Place, Problem, Problems


def locate(start: int, end: int) -> Place:
    return Place("t", 1, start + 1, 1, end + 1)


def parsed(text: str) -> Template | str:
    problems = Problems()
    result = parse_text(text, None, locate, problems)
    assert not problems.has_errors, list(problems)
    return result


def problem_in(text: str) -> Problem:
    problems = Problems()
    parse_text(text, None, locate, problems)
    (found,) = problems
    return found


def test_text_without_expressions_stays_text() -> None:
    assert parsed("a {b} $ } }}") == "a {b} $ } }}"


def test_a_doubled_dollar_writes_a_literal() -> None:
    assert parsed("$${{ x }}") == "${{ x }}"
    mixed = parsed("$${{ ${{ 1 }}")
    assert isinstance(mixed, Template) and not mixed.is_single and evaluate(mixed, {}) == "${{ 1"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${{ '}}' }}", "}}"),
        ("${{ \"}}\" ~ '}}' }}", "}}}}"),
        ("${{ {'a': {'b': 1}} }}", {"a": {"b": 1}}),
        ("${{{'a': 1}}}", {"a": 1}),
        ("${{ 'it\\'s }}' }}", "it's }}"),
        ("${{\n1\n+ 2 }}", 3),
        ("a${{1}}b${{ 2 }}c", "a1b2c"),
    ],
)
def test_ends_an_expression_at_the_first_unquoted_braces(text: str, value: object) -> None:
    result = parsed(text)
    assert isinstance(result, Template) and evaluate(result, {}) == value


def test_reads_a_padded_expression_as_text() -> None:
    result = parsed(" ${{ 1 }}")
    assert isinstance(result, Template) and evaluate(result, {}) == " 1"


def test_what_an_expression_reads_is_listed_with_places() -> None:
    result = parsed("x ${{ steps.a.ids[0] ~ inputs['b'] ~ steps.c[index].d | default(item.e) }}")
    assert isinstance(result, Template)
    assert [(read.root, read.path, read.guarded) for read in result.reads] == [
        ("steps", ("a", "ids", 0), False),
        ("inputs", ("b",), False),
        ("steps", ("c", None, "d"), True),
        ("index", (), False),
        ("item", ("e",), False),
    ]
    assert [str(read.place) for read in result.reads][:2] == ["t:1:7", "t:1:24"]
    assert result.reads[0].place_of(1) == locate(12, 13)
    assert result.reads[0].place == locate(6, 21 - 2)


def test_is_defined_guards_what_it_asks_for() -> None:
    result = parsed("${{ steps.a.b is defined and steps.c.d }}")
    assert isinstance(result, Template)
    assert [read.guarded for read in result.reads] == [True, False]


def test_a_plain_reference_is_known_as_one() -> None:
    plain, computed = parsed("${{ steps.a.ids }}"), parsed("${{ steps.a.ids | list }}")
    assert isinstance(plain, Template) and plain.plain_reference is not None
    assert isinstance(computed, Template) and computed.plain_reference is None


@pytest.mark.parametrize(
    ("text", "code", "start", "end"),
    [
        ("${{ inputs.a", "ZF301", 1, 4),
        ("a ${{ 'x }}", "ZF301", 3, 6),
        ("${{ (1 }}", "ZF301", 1, 4),
        ("${{ }}", "ZF316", 4, 5),
        ("${{ foo.bar }}", "ZF303", 5, 8),
        ("${{ inputs.a + itm }}", "ZF303", 16, 19),
        ("${{ nul }}", "ZF303", 5, 8),
        ("${{ inputs.a | uper }}", "ZF304", 16, 20),
        ("${{ inputs.a is odd }}", "ZF305", 17, 20),
        ("${{ inputs.a is not number }}", "ZF305", 21, 27),
        ("${{ inputs.a.upper() }}", "ZF306", 14, 19),
        ("${{ len(inputs.a) }}", "ZF306", 5, 8),
        ("${{ ''.__class__() }}", "ZF306", 8, 17),
        ("${{ (1, 2) }}", "ZF307", 6, 10),
        ("${{ {1: 2} }}", "ZF307", 6, 7),
        ("${{ 1 if true }}", "ZF307", 5, 14),
        ("${{ inputs.a | join(*inputs.b) }}", "ZF307", 5, 31),
        ("${{ inputs.a | upper(1) }}", "ZF308", 22, 23),
        ("${{ inputs.a | pad }}", "ZF308", 16, 19),
        ("${{ inputs.a | join(sep=1) }}", "ZF308", 21, 24),
        ("${{ inputs.a | map('b') }}", "ZF308", 20, 23),
        ("${{ range() }}", "ZF308", 5, 12),
        ("${{ 1 + }}", "ZF302", 7, 8),
        ("${{ inputs.a = 1 }}", "ZF302", 14, 15),
        ("${{ a ? b : c }}", "ZF302", 7, 8),
        ("${{ inputs.a b }}", "ZF302", 14, 15),
        ("${{ $inputs }}", "ZF302", 5, 6),
        ("${{ inputs. }}", "ZF302", 11, 12),
        ("${{ lambda x: x }}", "ZF302", 12, 13),
    ],
)
def test_a_broken_expression_is_reported_at_its_part(text: str, code: str, start: int, end: int) -> None:
    found = problem_in(text)
    assert found.place is not None
    assert (found.code, found.place.column, found.place.end_column) == (code, start, end), found


def test_suggestions_are_near_what_was_written() -> None:
    assert "`upper`" in str(problem_in("${{ inputs.a | uper }}").hint)
    assert "`item`" in str(problem_in("${{ itm }}").hint)
    assert "`tojson`" in str(problem_in("${{ inputs.a | json }}").hint)
    assert "`==`" in str(problem_in("${{ inputs.a = 1 }}").hint)


def test_every_broken_expression_of_a_text_is_reported() -> None:
    problems = Problems()
    result = parse_text("${{ foo }} ${{ 1 + }} ${{ bar }}", None, locate, problems)
    assert [problem.code for problem in problems] == ["ZF303", "ZF302", "ZF303"]
    assert isinstance(result, Template) and isinstance(evaluate(result, {}), Pending)  # nothing more is said of it


def test_braces_without_a_dollar_are_a_warning() -> None:
    problems = Problems()
    assert parse_text("a {{ item.x }}", None, locate, problems) == "a {{ item.x }}"
    assert [(problem.code, problem.severity) for problem in problems] == [("ZF317", "warning")]


@pytest.mark.parametrize(
    "source",
    [
        "(" * 1500 + "1" + ")" * 1500,
        "-" * 900 + "1",
        "not " * 900 + "true",
        "inputs" + ".a" * 900,
        "[" * 1500 + "]" * 1500,
        "1" + "+1" * 999,
        "x" * 5000,
    ],
)
def test_nothing_is_too_deep_or_too_long_to_be_refused(source: str) -> None:
    problems = Problems()
    parse_text("${{ " + source + " }}", None, locate, problems)
    assert {problem.code for problem in problems} <= {"ZF302", "ZF303", "ZF309"} and len(problems) == 1


@pytest.mark.parametrize(
    "source",
    [
        "''.__class__.__mro__",
        "inputs.__class__",
        "inputs['__class__']",
        "[].append",
        "inputs.a.__init__.__globals__",
        "range.__self__",
        "inputs | map(attribute='__class__')",
        "recipe.__dict__",
    ],
)
def test_no_attribute_of_a_python_object_can_be_reached(source: str) -> None:
    problems = Problems()
    result = parse_text("${{ " + source + " }}", None, locate, problems)
    if not problems.has_errors:
        assert isinstance(result, Template)
        with pytest.raises(ExpressionError):
            evaluate(result, {"inputs": {"a": [1]}, "recipe": {"name": "x"}})


def test_raises_only_expression_errors_for_random_input() -> None:
    words = [
        "inputs",
        "steps",
        "item",
        "index",
        ".",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        ",",
        ":",
        "|",
        "~",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "==",
        "<",
        "in",
        "not",
        "and",
        "or",
        "if",
        "else",
        "is",
        "defined",
        "none",
        "'a'",
        "1",
        "2.5",
        "true",
        "default",
        "join",
        "map",
        "attribute",
        "=",
        "range",
        "first",
        '"',
        "'",
        "${{",
        "}}",
        "#",
        "\\",
        "é",
    ]
    source = random.Random(7)
    scope = {"inputs": {"a": [1, None]}, "item": "x", "index": 0, "steps": {}}
    for _ in range(4000):
        text = "${{ " + " ".join(source.choices(words, k=source.randint(1, 9))) + " }}"
        problems = Problems()
        result = parse_text(text, None, locate, problems)
        for problem in problems:
            assert problem.place is not None and 1 <= problem.place.column <= len(text)
            assert problem.place.end_column > problem.place.column
        if isinstance(result, Template):
            try:
                evaluate(result, scope)
            except ExpressionError as error:
                assert error.place is not None and error.code.startswith("ZF3")
