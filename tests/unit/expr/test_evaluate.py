"""What expressions give: the closed list of rule 10, absence, null and skipped (rules 11–13)."""

from __future__ import annotations

from typing import Any

import pytest

from zenflow.expr.evaluate import ExpressionError, evaluate
from zenflow.expr.parse import parse_text
from zenflow.expr.template import Template
from zenflow.expr.tree import evaluate_tree, has_skipped, pendings_in, templates_in, without_nulls
from zenflow.expr.values import BOOLEAN, INTEGER, SKIPPED, STRING, Pending, Type, Unknown, Value
from zenflow.problems import Place, Problems


class Steps:
    """A lookup that knows one step, and one that will not come."""

    def get(self, key: str | int) -> Value:
        if key == "gone":
            return SKIPPED
        if key == "later":
            return Pending("later", Type("array", items=Type("object", fields={"prompt": STRING})))
        if key == "done":
            return {"asset_ids": ["a", "b"], "nothing": None}
        raise Unknown(key, ["gone", "later", "done"], "`steps`")

    def value(self) -> Value:
        raise Unknown("whole", [], "`steps`")

    def keys(self) -> list[str]:
        return ["gone", "later", "done"]


SCOPE: dict[str, Any] = {
    "inputs": {
        "n": 7,
        "half": 0.5,
        "text": "Héllo, wide World",
        "list": [3, 1, 2],
        "words": ["b", "a", "b"],
        "none": None,
        "flag": True,
        "rows": [{"p": {"q": "x"}}, {"p": {"q": "y"}}],
        "nested": {"a": {"b": [10, 20]}},
        "path": "/photos/My Cat.final.JPG",
        "url": "https://example.com/a/b%20c.png?x=1#y",
        "empty": [],
        "poison": "${{ inputs.n }}",
    },
    "steps": Steps(),
    "item": {"prompt": "cat"},
    "index": 1,
}


def template(text: str) -> Template:
    problems = Problems()
    parsed = parse_text(text, None, lambda start, end: Place("t", 1, start + 1, 1, end + 1), problems)
    assert not list(problems), list(problems)
    assert isinstance(parsed, Template)
    return parsed


def value_of(text: str) -> Any:
    return evaluate(template(text), SCOPE)


def failure_of(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        value_of(text)
    return caught.value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("inputs.n", 7),
        ("inputs['n']", 7),
        ("inputs.nested.a.b[1]", 20),
        ("inputs.nested.a.b[-1]", 20),
        ("inputs.list[index]", 1),
        ("inputs.list[1:]", [1, 2]),
        ("inputs.list[::-1]", [2, 1, 3]),
        ("inputs.text[0:2]", "Hé"),
        ("inputs.text[0]", "H"),
        ("4/2", 2),
        ("1/2", 0.5),
        ("7 // 2", 3),
        ("7 % 4", 3),
        ("2 ** 10", 1024),
        ("-inputs.n + +1", -6),
        ("0.1 + 0.9", 1),
        ("'a' ~ 1 ~ true ~ 0.5", "a1true0.5"),
        ("[1] + [2, 3]", [1, 2, 3]),
        ("{'a': [1, {'b': none}]}", {"a": [1, {"b": None}]}),
        ("1 < 2 <= 2", True),
        ("1 < 2 > 5", False),
        ("'a' < 'b'", True),
        ("true == 1", False),
        ("[true] == [1]", False),
        ("1 == 1.0", True),
        ("{'a': 1} == {'a': 1}", True),
        ("none == inputs.none", True),
        ("1 != '1'", True),
        ("2 in inputs.list", True),
        ("true in [1]", False),
        ("'n' in inputs", True),
        ("'wide' in inputs.text", True),
        ("5 not in inputs.list", True),
        ("true and not false or false", True),
        ("'y' if inputs.flag else 'n'", "y"),
        ("false and inputs.none.x", False),
        ("true or inputs.none.x", True),
        ("1 if true else inputs.none.x", 1),
        ("inputs.none is none", True),
        ("inputs.n is defined", True),
        ("inputs.n is not none", True),
        ("range(3)", [0, 1, 2]),
        ("range(5, 0, -2)", [5, 3, 1]),
        ("range(1, 3) | list", [1, 2]),
    ],
)
def test_an_expression_gives_its_value(expression: str, expected: Any) -> None:
    found = value_of("${{ " + expression + " }}")
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("-3 | abs", 3),
        ("(0 - 3) | abs", 3),
        ("inputs.path | basename", "My Cat.final.JPG"),
        ("inputs.path | stem", "My Cat.final"),
        ("inputs.url | basename", "b c.png"),
        ("inputs.url | stem", "b c"),
        ("'C:\\\\x\\\\y.png' | stem", "y"),
        ("'.hidden' | stem", ".hidden"),
        ("inputs.none | default('d')", "d"),
        ("inputs.n | default('d')", 7),
        ("inputs.list | first", 3),
        ("inputs.list | last", 2),
        ("inputs.empty | first | default(0)", 0),
        ("'1.50' | float", 1.5),
        ("'2.0' | float", 2),
        ("' 12 ' | int", 12),
        ("2.9 | int", 2),
        ("inputs.list | join('-')", "3-1-2"),
        ("inputs.words | join", "bab"),
        ("inputs.text | length", 17),
        ("inputs.nested | length", 1),
        ("inputs.nested | list", ["a"]),
        ("'ab' | list", ["a", "b"]),
        ("'ÀB' | lower", "àb"),
        ("inputs.rows | map(attribute='p.q')", ["x", "y"]),
        ("inputs.list | max", 3),
        ("inputs.words | min", "a"),
        ("7 | pad(3)", "007"),
        ("'12' | pad(width=4)", "0012"),
        ("[1, none, 2] | reject('none')", [1, 2]),
        ("[1, none, 2] | select('defined')", [1, 2]),
        ("[true, false] | select", [True]),
        ("'a-b-c' | replace('-', '+')", "a+b+c"),
        ("'a-b-c' | replace('-', '+', 1)", "a+b-c"),
        ("2.5 | round", 3),
        ("-2.5 | round", -3),
        ("2.345 | round(2)", 2.35),
        ("1234 | round(-2)", 1200),
        ("'Crème Brûlée, à la carte!' | slug", "creme-brulee-a-la-carte"),
        ("'日本' | slug", "x-cf2abf0c"),
        ("'東京 1' | slug", "1-0dde9b72"),
        ("'🎉' | slug", "x-6146299c"),
        ("'studio – portrait ★' | slug", "studio-portrait"),
        ("'…' | slug", "x-b4935894"),
        ("'Weiße Straße, Smørrebrød, ŁÓDŹ' | slug", "weisse-strasse-smorrebrod-lodz"),
        ("'' | slug", "x"),
        ("12 | slug", "12"),
        ("inputs.list | sort", [1, 2, 3]),
        ("inputs.list | sort(reverse=true)", [3, 2, 1]),
        ("inputs.rows | sort(attribute='p.q', reverse=true) | map(attribute='p.q')", ["y", "x"]),
        ("'a, b' | split(', ')", ["a", "b"]),
        ("' a  b ' | split", ["a", "b"]),
        ("true | string", "true"),
        ("inputs.list | sum", 6),
        ("inputs.empty | sum", 0),
        ("\"it's a dog's life\" | title", "It's A Dog's Life"),
        (
            "[null, none, null is null, 1 is null, [1, null] | reject('null'), null | default(3)]",
            [None, None, True, False, [1], 3],
        ),
        ("{'b': 1, 'a': ['é', none]} | tojson", '{"b":1,"a":["é",null]}'),
        ("'  x ' | trim", "x"),
        ("inputs.words | unique", ["b", "a"]),
        ("[1, true, '1', 1] | unique", [1, True, "1"]),
        ("'straße' | upper", "STRASSE"),
    ],
)
def test_a_filter_does_what_the_page_says(expression: str, expected: Any) -> None:
    found = value_of("${{ " + expression + " }}")
    assert found == expected and type(found) is type(expected)


def test_writes_scalars_around_expressions_as_json() -> None:
    assert value_of("${{ inputs.n }}/${{ inputs.half }}/${{ inputs.flag }}/${{ item.prompt }}") == "7/0.5/true/cat"


@pytest.mark.parametrize(("part", "filter_named"), [("none", "default"), ("list", "join"), ("nested", "tojson")])
def test_null_lists_and_objects_in_text_name_the_filter_to_use(part: str, filter_named: str) -> None:
    error = failure_of("x ${{ inputs." + part + " }} y")
    assert error.code == "ZF312" and filter_named in str(error.hint)
    assert str(error.place) == "t:1:7"


def test_values_are_evaluated_once() -> None:
    assert value_of("${{ inputs.poison }}") == "${{ inputs.n }}"
    assert value_of("a ${{ inputs.poison }}") == "a ${{ inputs.n }}"


@pytest.mark.parametrize(
    ("expression", "code", "column"),
    [
        ("inputs.nested.zz.b", "ZF313", 19),
        ("inputs.none.b.c", "ZF313", 17),
        ("inputs.list[9]", "ZF313", 17),
        ("inputs.empty | first", "ZF313", 5),
        ("inputs.text.upper", "ZF311", 17),
        ("inputs.list.first", "ZF311", 17),
        ("steps.typo.x", "ZF310", 11),
        ("1 + 'a'", "ZF311", 5),
        ("true + 1", "ZF311", 5),
        ("'a' * 3", "ZF311", 5),
        ("'%s' % 1", "ZF311", 5),
        ("1 / 0", "ZF314", 5),
        ("1 // 0", "ZF314", 5),
        ("1 % 0", "ZF314", 5),
        ("0 ** -1", "ZF314", 5),
        ("10 ** 5000", "ZF314", 5),
        ("9223372036854775807 + 1", "ZF314", 5),
        ("1.5e308 * 10", "ZF314", 5),
        ("1 < 'a'", "ZF311", 5),
        ("none < 1", "ZF311", 5),
        ("[1] < [2]", "ZF311", 5),
        ("1 in 5", "ZF311", 5),
        ("1 in 'abc'", "ZF311", 5),
        ("not inputs.text", "ZF311", 9),
        ("inputs.list and true", "ZF311", 5),
        ("1 if inputs.n else 2", "ZF311", 10),
        ("'x' | int", "ZF311", 11),
        ("[1, 'a'] | sort", "ZF311", 16),
        ("[1, 'a'] | sum", "ZF311", 16),
        ("inputs.list | upper", "ZF311", 19),
        ("'a' | split('')", "ZF311", 11),
        ("1 | pad(99999)", "ZF311", 9),
        ("1 | pad('3')", "ZF311", 9),
        ("range(100001)", "ZF315", 5),
        ("range(1, 5, 0)", "ZF314", 5),
        ("range('3')", "ZF311", 5),
        ("inputs.list[true]", "ZF311", 17),
        ("'abc'[1.5]", "ZF311", 11),
        ("inputs.list[::0]", "ZF314", 5),
    ],
)
def test_what_cannot_be_worked_out_says_so_at_its_part(expression: str, code: str, column: int) -> None:
    error = failure_of("${{ " + expression + " }}")
    assert (error.code, error.place.column if error.place else None) == (code, column)


@pytest.mark.parametrize(
    "expression",
    [
        "inputs.none | default('d')",
        "inputs.none.a.b.c | default('d')",
        "inputs.nested.zz.b | default('d')",
        "inputs.list[9] | default('d')",
        "steps.gone | default('d')",
        "steps.gone.a.b[0].c | default('d')",
        "steps.done.nothing.deep | default('d')",
        "(steps.gone.n + 1) | default('d')",
    ],
)
def test_default_serves_for_null_and_skipped_at_any_depth(expression: str) -> None:
    assert value_of("${{ " + expression + " }}") == "d"


def test_default_does_not_hide_an_unknown_name() -> None:
    assert failure_of("${{ steps.typo.x | default(1) }}").code == "ZF310"


def test_is_defined_is_false_for_null_and_for_skipped() -> None:
    assert value_of("${{ inputs.none is defined }}") is False
    assert value_of("${{ inputs.none.deep is defined }}") is False
    assert value_of("${{ steps.gone.x is defined }}") is False
    assert value_of("${{ steps.done.asset_ids is defined }}") is True


@pytest.mark.parametrize(
    "text",
    [
        "${{ steps.gone.x }}",
        "a ${{ steps.gone.x }} b",
        "${{ steps.gone.x ~ 'a' }}",
        "${{ [steps.gone.x] }}",
        "${{ steps.gone.x + 1 }}",
        "${{ steps.gone.x == 1 }}",
        "${{ steps.gone.x and true }}",
        "${{ steps.gone.x | upper }}",
        "${{ 1 if steps.gone.x else 2 }}",
        "${{ steps.later[0].prompt ~ steps.gone.x }}",
    ],
)
def test_a_needed_value_that_will_not_come_skips_the_reader(text: str) -> None:
    assert value_of(text) is SKIPPED


def test_a_branch_that_is_not_taken_skips_nobody() -> None:
    assert value_of("${{ 1 if inputs.flag else steps.gone.x }}") == 1
    assert value_of("${{ inputs.flag or steps.gone.x }}") is True


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("steps.later", Type("array", items=Type("object", fields={"prompt": STRING}))),
        ("steps.later[0]", Type("object", fields={"prompt": STRING})),
        ("steps.later[0].prompt", STRING),
        ("steps.later[index].prompt", STRING),
        ("steps.later | first", Type("object", fields={"prompt": STRING})),
        ("steps.later | map(attribute='prompt')", Type("array", items=STRING)),
        ("steps.later | length", INTEGER),
        ("(steps.later | length) > 2", BOOLEAN),
        ("steps.later[0].prompt ~ '!'", STRING),
        ("steps.later is defined", BOOLEAN),
        ("steps.later[0].prompt | default('x')", STRING),
        ("steps.later[0].prompt if inputs.flag else 1", STRING),
        ("'a' if (steps.later | length) > 1 else 'b'", STRING),
        ("(steps.later | length) + 1", INTEGER),
    ],
)
def test_what_is_not_there_yet_carries_its_type(expression: str, expected: Type) -> None:
    found = value_of("${{ " + expression + " }}")
    assert isinstance(found, Pending)
    assert (found.on, found.type) == ("later", expected)


def test_text_over_something_pending_is_pending_text() -> None:
    found = value_of("a ${{ steps.later[0].prompt }}")
    assert isinstance(found, Pending) and found.type == STRING


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("steps.later[0].promt", "ZF310"),
        ("steps.later.prompt", "ZF311"),
        ("steps.later | upper", "ZF311"),
        ("steps.later + 1", "ZF311"),
        ("steps.later[0].prompt > 1", "ZF311"),
        ("steps.later | map(attribute='promt')", "ZF310"),
        ("not steps.later[0].prompt", "ZF311"),
    ],
)
def test_types_find_mistakes_before_the_value_is_there(expression: str, code: str) -> None:
    assert failure_of("${{ " + expression + " }}").code == code


def test_a_result_of_more_than_a_mebibyte_is_refused() -> None:
    scope = {"inputs": {"big": "x" * 600_000}}
    for text in (
        "${{ inputs.big ~ inputs.big }}",
        "${{ inputs.big }}${{ inputs.big }}",
        "${{ [inputs.big, inputs.big] }}",
    ):
        with pytest.raises(ExpressionError) as caught:
            evaluate(template(text), scope)
        assert caught.value.code == "ZF315"


def test_replace_is_bounded_before_it_is_done() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(template("${{ inputs.a | replace('x', inputs.a) }}"), {"inputs": {"a": "x" * 100_000}})
    assert caught.value.code == "ZF315"


def test_a_result_of_more_than_100_000_elements_is_refused() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(template("${{ inputs.a + inputs.a }}"), {"inputs": {"a": list(range(60_000))}})
    assert caught.value.code == "ZF315"


def test_a_tree_is_worked_out_leaf_by_leaf() -> None:
    written = {
        "a": template("${{ inputs.n }}"),
        "b": [template("${{ steps.gone.x }}"), {"c": template("${{ steps.later }}")}],
    }
    tree = evaluate_tree(written, SCOPE)
    assert tree["a"] == 7 and tree["b"][0] is SKIPPED
    assert [pending.on for pending in pendings_in(tree)] == ["later"]
    assert has_skipped(tree) and not has_skipped({"a": [1, None]})
    assert [path for path, _ in templates_in(written)] == [("a",), ("b", 0), ("b", 1, "c")]


def test_null_keys_are_not_sent_and_null_elements_left_out() -> None:
    assert without_nulls({"a": None, "b": [1, None, {"c": None}], "d": {}}) == {"b": [1, {}], "d": {}}
