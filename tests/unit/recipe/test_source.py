"""YAML text → values and places (rules 1–3), and what is said where it is not YAML."""

from __future__ import annotations

from typing import Any

import pytest

from zenflow.problems import Problem, Problems
from zenflow.recipe.text.nodes import places_of
from zenflow.recipe.text.positions import locator
from zenflow.recipe.text.reader import MAX_BYTES, decode, parse_yaml


def value_of(text: str) -> Any:
    problems = Problems()
    node = parse_yaml(text, "f.yaml", problems)
    assert node is not None and not list(problems), list(problems)
    return node.value


def problem_in(text: str) -> Problem:
    problems = Problems()
    parse_yaml(text, "f.yaml", problems)
    (found,) = problems
    return found


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("007", 7),
        ("-12", -12),
        ("+3", 3),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e3", 1000),
        ("1.50", 1.5),
        ("2.0", 2),
        (".5", 0.5),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("tRue", "tRue"),
        ("1:30", "1:30"),
        ("3:4", "3:4"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("2024-01-31", "2024-01-31"),
        ("1.2.3", "1.2.3"),
        ("'007'", "007"),
        ('"true"', "true"),
        ("nullify", "nullify"),
        ("-", None),
    ],
)
def test_scalars_follow_yaml_1_2(written: str, value: Any) -> None:
    if written == "-":
        assert value_of("a:\n- ") == {"a": [None]}
        return
    found = value_of(f"a: {written}\n")["a"]
    assert found == value and type(found) is type(value)


def test_reads_whole_numbers_as_integers() -> None:
    assert value_of("a: one\u2028two\nb: 'x\u0085y'\n") == {"a": "one\u2028two", "b": "x\u0085y"}


def test_merges_anchors_and_keeps_own_keys() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc:\n  <<: [{z: 1}, *a, {z: 2}]\nd: *a\n"
    assert value_of(text) == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"z": 1, "x": 1, "y": 2},
        "d": {"x": 1, "y": 2},
    }


def test_a_quoted_merge_key_is_a_key() -> None:
    assert value_of('a: {"<<": 1}') == {"a": {"<<": 1}}


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("", "ZF104", 1, 1),
        ("# nothing\n", "ZF104", 1, 1),
        ("a: .inf\n", "ZF118", 1, 4),
        ("a: -.INF\n", "ZF118", 1, 4),
        ("a: .nan\n", "ZF118", 1, 4),
        ("a: 1e999\n", "ZF119", 1, 4),
        ("a: " + "9" * 50 + "\n", "ZF119", 1, 4),
        ("a: !!str 5\n", "ZF111", 1, 4),
        ("a: !secret x\n", "ZF111", 1, 4),
        ("a: !<tag:x> [1]\n", "ZF111", 1, 4),
        ("1: a\n", "ZF116", 1, 1),
        ("a:\n  true: b\n", "ZF116", 2, 3),
        ("? [a]\n: b\n", "ZF116", 1, 3),
        ("a: 1\nb: 2\na: 3\n", "ZF117", 3, 1),
        ("a: 1\n---\nb: 2\n", "ZF115", 2, 1),
        ("a: *nope\n", "ZF112", 1, 4),
        ("a: &x [*x]\n", "ZF125", 1, 8),
        ("a: {<<: 5}\n", "ZF120", 1, 9),
        ("a: {{ item }}\n", "ZF110", 1, 4),
        ("a: [${{ item }}]\n", "ZF110", 1, 5),
        ("a: {x: ${{ item.y }}}\n", "ZF110", 1, 8),
        ("a: ${{ {'b': 1} }}\n", "ZF110", 1, 4),
        ("a: ${{ x }}: y\n", "ZF110", 1, 4),
        ("a:\n\tb: 1\n", "ZF106", 2, 1),
        ("a: 1\n  \tb: 2\n", "ZF106", 2, 3),
        ("name:photo\nsteps:\n  a: 1\n", "ZF107", 1, 5),
        ("a:\n  b: 1\n  with\n  c: 2\n", "ZF107", 3, 3),
        ("a:\n  b: 1\n   c: 2\n", "ZF108", 3, 4),
        ("a:\n  b: 1\n c: 2\n", "ZF108", 3, 1),
        ("a: - b\n", "ZF108", 1, 4),
        ("- a\nb: 1\n", "ZF108", 2, 1),
        ('a: "x\nb: 1\n', "ZF109", 1, 4),
        ("a: 'x\n", "ZF109", 1, 4),
        ("a: [1, 2\nb: 3\n", "ZF109", 1, 4),
        ("a: {b: 1\nc: 2\n", "ZF109", 1, 4),
        ("a: ]\n", "ZF109", 1, 4),
        ("a: 'it's'\n", "ZF109", 1, 8),
        ('a: "C:\\photos"\n', "ZF122", 1, 7),
        ("a: b: c\n", "ZF123", 1, 5),
        ("a: @x\n", "ZF124", 1, 4),
        ("a: `x`\n", "ZF124", 1, 4),
        ("a: x\x07\n", "ZF121", 1, 5),
        ("a:\n  - b\x1b\n", "ZF121", 2, 6),
        ("[" * 65 + "]" * 65, "ZF114", 1, 65),
    ],
)
def test_what_is_not_readable_is_one_problem_at_its_place(text: str, code: str, line: int, column: int) -> None:
    found = problem_in(text)
    assert found.place is not None
    assert (found.code, found.place.line, found.place.column) == (code, line, column), found


@pytest.mark.parametrize(
    ("line", "quoted"),
    [
        ("a: [${{ item }}]", 'a: ["${{ item }}"]'),
        ("a: {{ item }}", 'a: "${{ item }}"'),
        ("a: ${{ x }}: y", 'a: "${{ x }}: y"'),
        ("- ${{ f(': ') }}: y", "- \"${{ f(': ') }}: y\""),
        ('a: ${{ {"b": 1} }}', "a: '${{ {\"b\": 1} }}'"),
    ],
)
def test_an_expression_that_must_be_quoted_shows_the_quoted_line(line: str, quoted: str) -> None:
    assert f"`{quoted}`" in str(problem_in(line + "\n").hint)


def test_two_equal_keys_show_the_first_as_a_note() -> None:
    (note,) = problem_in("a: 1\nb: 2\na: 3\n").notes
    assert (note.place.line, note.place.column) == (1, 1)


def test_several_problems_are_found_in_one_go() -> None:
    problems = Problems()
    parse_yaml("a: !x 1\na: .inf\n2: b\n", "f", problems)
    assert {problem.code for problem in problems} == {"ZF111", "ZF118", "ZF117", "ZF116"}


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert problem_in("\n".join(rows)).code == "ZF113"


def test_merging_a_bomb_is_refused_too() -> None:
    rows = ["a0: &a0 {" + ", ".join(f"k{n}: v" for n in range(50)) + "}"]
    rows += [f"a{n}: &a{n} {{x: [{', '.join([f'*a{n - 1}'] * 20)}], <<: *a{n - 1}}}" for n in range(1, 8)]
    assert problem_in("\n".join(rows)).code == "ZF113"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"a: \xff\n", "ZF101"),
        (b"\xff\xfea\0", "ZF101"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "ZF102"),
        (b"a" * (MAX_BYTES + 1), "ZF103"),
    ],
)
def test_bytes_that_are_no_text_are_a_problem(data: bytes, code: str) -> None:
    problems = Problems()
    assert decode(data, "f", problems) is None
    assert [problem.code for problem in problems] == [code]


def test_a_byte_that_is_not_utf_8_is_shown_where_it_stands() -> None:
    problems = Problems()
    decode("a: 1\nbé: ".encode() + b"\xff", "f", problems)
    (found,) = problems
    assert found.place is not None and (found.place.line, found.place.column) == (2, 5)


def test_a_byte_order_mark_and_windows_line_ends_are_no_matter() -> None:
    assert decode(b"\xef\xbb\xbfa: 1", "f", Problems()) == "a: 1"
    problems = Problems()
    node = parse_yaml("a: 1\r\nb:\r\n  c: 2\r\n", "f", problems)
    assert node is not None and node.value == {"a": 1, "b": {"c": 2}}
    place = places_of(node).value("b", "c")
    assert (place.line, place.column) == (3, 6)


def test_columns_count_characters() -> None:
    node = parse_yaml("é: 😀 {x: \nñ: {é: ü}\n".replace(" {x: ", ""), "f", Problems())
    assert node is not None
    place = places_of(node).value("ñ", "é")
    assert (place.line, place.column, place.end_column) == (2, 8, 9)


def test_places_keys_values_and_unknown_paths() -> None:
    node = parse_yaml("a:\n  b: [1, two]\n", "f", Problems())
    assert node is not None
    places = places_of(node)
    assert str(places.key("a", "b")) == "f:2:3"
    assert str(places.value("a", "b", 1)) == "f:2:10"
    assert str(places.value("a", "b", 7)) == "f:2:6"
    assert str(places.key("a", "zz")) == "f:2:3"


@pytest.mark.parametrize(
    "text",
    [
        "a: x ${{ foo }}\n",
        "a: 'x ''q'' ${{ foo }}'\n",
        'a: "x\\u00e9 \\n \\t${{ foo }}"\n',
        "a: |\n  hello\n\n   two ${{ foo }}\n  z\nb: 1\n",
        "a: |2-\n    indented ${{ foo }}\nb: 1\n",
        "a: >-\n  hello\n  two ${{ foo }}\n\n  z\nb: 1\n",
        "a: hello\n   there ${{ foo }}\nb: 1\n",
        'a: "hello\n\n   there \\\n  ${{ foo }}"\nb: 1\n',
        "a: hello ${{\n   foo }} x\nb: 1\n",
        "a:\n  - |\n    ${{ foo }}\n",
    ],
)
def test_a_place_inside_a_scalar_is_exact_however_it_is_written(text: str) -> None:
    node = parse_yaml(text, "f", Problems())
    assert node is not None
    scalar = node.get("a")
    assert scalar is not None
    scalar = scalar.items[0] if scalar.items else scalar
    start = scalar.value.index("foo")
    place = locator(scalar)(start, start + 3)
    assert text.split("\n")[place.line - 1][place.column - 1 : place.end_column - 1] == "foo"
