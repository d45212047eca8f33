"""Rules 1 to 14 of the language page, each shown by the shortest recipe that needs it.

The details are in tests/unit/expr and tests/unit/recipe; here stands what an author can rely on, in the page's order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zenflow.errors import InvalidRecipe
from zenflow.expr.tree import evaluate_tree, without_nulls
from zenflow.expr.values import SKIPPED
from zenflow.problems import Problems
from zenflow.recipe.inputs.bind import bind_inputs
from zenflow.recipe.load import load_recipe, load_recipe_texts
from zenflow.recipe.model import Recipe

HEAD = "zenflow: 1\nname: t\n"


def loaded(body: str) -> Recipe:
    return load_recipe_texts({"r.yaml": HEAD + body}, "r.yaml")


def codes(body: str) -> list[str]:
    try:
        loaded(body)
    except InvalidRecipe as error:
        return [problem.code for problem in error.problems if problem.severity == "error"]
    return []


def sent(with_: str, **scope: Any) -> Any:
    """What a step with these parameters would send."""
    recipe = loaded(
        f"inputs: {{a: {{type: object, default: null}}, n: integer}}\nsteps:\n  s:\n    uses: x\n    with: {with_}\n"
    )
    return evaluate_tree(dict(recipe.steps["s"].with_), scope)


def test_rule_1_scalars_are_those_of_yaml_1_2() -> None:
    assert sent("{a: 007, b: yes, c: 3:4, d: 1_000, e: 2024-01-31, f: TRUE, g: 1e3}") == {
        "a": 7, "b": "yes", "c": "3:4", "d": "1_000", "e": "2024-01-31", "f": True, "g": 1000,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("steps: {s: {uses: x, with: {a: .inf}}}\n", "ZF118"),
        ("steps: {s: {uses: x, with: {a: !t b}}}\n", "ZF111"),
        ("steps: {s: {uses: x, with: {1: b}}}\n", "ZF116"),
        ("steps: {s: {uses: x}}\n---\na: 1\n", "ZF115"),
        ("x-a: " + "[" * 70 + "]" * 70 + "\n", "ZF114"),
        ("x-a: '" + "a" * (1 << 20) + "'\n", "ZF103"),
    ],
)
def test_rule_1_what_a_recipe_cannot_hold_is_an_error(body: str, code: str) -> None:
    assert code in codes(body)


def test_rule_1_anchors_and_merge_keys_work() -> None:
    recipe = loaded("x-base: &base {model: A, n: 1}\nsteps: {s: {uses: x, with: {<<: *base, n: 2}}}\n")
    assert recipe.steps["s"].with_ == {"model": "A", "n": 2}


def test_rule_2_nothing_is_converted_silently() -> None:
    assert codes("steps: {s: {uses: craft_prompt, with: {brief: 2024, tool_name: a, model: b}}}\n") == ["ZF222"]
    assert sent("{a: '${{ 4/2 }}', b: 2.0}") == {"a": 2, "b": 2}


def test_rule_3_doubled_and_unknown_keys_are_errors() -> None:
    assert codes("steps: {s: {uses: x}, s: {uses: y}}\n") == ["ZF117"]
    assert codes("steps: {s: {uses: x, wiht: {}}}\n") == ["ZF201"]
    body = "x-a: '${{ nonsense'\ninputs: {i: {type: string, x-b: 1}}\n"
    body += "steps: {s: {uses: x, x-c: [1], with: {p: '${{ inputs.i }}'}}}\n"
    assert codes(body) == []


@pytest.mark.parametrize(
    ("name", "good"),
    [("a", True), ("_A9", True), ("9a", False), ("a-b", False), ("é", False), ("a" * 64, True), ("a" * 65, False)],
)
def test_rule_4_names(name: str, good: bool) -> None:
    assert codes(f"steps: {{{name}: {{uses: x}}}}\n") == ([] if good else ["ZF206"])
    assert codes(f"steps: {{s: {{uses: x}}}}\noutputs: {{{name}: 1}}\n") == ([] if good else ["ZF206"])


def test_rule_5_all_problems_are_reported_in_one_go() -> None:
    body = "stesp: 1\nsteps:\n  a: {uses: describe}\n  b: {with: {}}\n  c: {uses: x, if: 1, with: {p: '${{ steps.zz.a }}'}}\n"
    assert codes(body) == ["ZF201", "ZF221", "ZF202", "ZF203", "ZF310"]


def test_rule_6_an_input_is_a_fragment_or_a_type_word(tmp_path: Path) -> None:
    recipe = loaded(
        "inputs: {a: image, b: {type: integer, default: 3}, c: {type: string, default: null}}\nsteps: {s: {uses: x}}\n"
    )
    assert [spec.required for spec in recipe.inputs.values()] == [True, False, False]
    uuid = "0f0e0d0c-0b0a-4908-8706-050403020100"
    assert bind_inputs(recipe, [("a", uuid)], tmp_path).values == {"a": uuid, "b": 3, "c": None}


def test_rule_7_the_declared_type_reads_the_word(tmp_path: Path) -> None:
    recipe = loaded("inputs: {a: string, b: integer, c: {type: array}}\nsteps: {s: {uses: x}}\n")
    (tmp_path / "rows.csv").write_text("name\nx\n")
    words = [("a", "1"), ("a", "007"), ("b", "007"), ("c", "@rows.csv")]
    assert bind_inputs(recipe, words, tmp_path).values == {"a": "007", "b": 7, "c": [{"name": "x"}]}


def test_rule_8_paths_are_relative_to_where_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    (tmp_path / "book/p.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\0IEND\xaeB`\x82")
    path = tmp_path / "book/r.yaml"
    path.write_text(HEAD + "inputs: {p: {type: image, default: p.png}}\nsteps: {s: {uses: x}}\n")
    recipe = load_recipe(path, Problems())
    assert recipe is not None
    assert bind_inputs(recipe, [], tmp_path).values == {"p": str(tmp_path / "book/p.png")}
    with pytest.raises(InvalidRecipe):
        bind_inputs(recipe, [("p", "p.png")], tmp_path)


def test_rule_9_text_around_an_expression_makes_text() -> None:
    scope = {"inputs": {"n": 2, "a": {"k": "${{ 1 }}"}}}
    with_ = (
        "{one: '${{ inputs.n }}', text: 'n=${{ inputs.n }}', once: '${{ inputs.a.k }}', literal: '$${{ inputs.n }}'}"
    )
    assert sent(with_, **scope) == {"one": 2, "text": "n=2", "once": "${{ 1 }}", "literal": "${{ inputs.n }}"}


def test_rule_9_max_and_budget_read_inputs_only() -> None:
    assert (
        codes(
            "inputs: {n: integer}\nbudget: ${{ inputs.n * 2 }}\nsteps: {s: {uses: x, foreach: [1], max: '${{ inputs.n }}'}}\n"
        )
        == []
    )
    assert codes("budget: ${{ steps.s.credits }}\nsteps: {s: {uses: x}}\n") == ["ZF322"]
    assert loaded("steps: {s: {uses: x, with: {'${{ k }}': 1}}}\n").steps["s"].with_ == {"${{ k }}": 1}


@pytest.mark.parametrize(
    "expression",
    ["'a'.upper()", "inputs.__class__", "'%s' % 1", "'a' * 9", "lambda: 1", "now()", "random()", "inputs.n is even"],
)
def test_rule_10_what_is_not_on_the_list_cannot_be_evaluated(expression: str) -> None:
    body = f'inputs: {{n: integer}}\nsteps:\n  s:\n    uses: x\n    with: {{a: "${{{{ {expression} }}}}"}}\n'
    assert len(codes(body)) == 1 and codes(body)[0].startswith("ZF3")


def test_rule_11_conditions_want_booleans() -> None:
    assert codes("inputs: {n: integer}\nsteps: {s: {uses: x, if: '${{ inputs.n }}'}}\n") == ["ZF328"]
    assert codes("inputs: {n: integer}\nsteps: {s: {uses: x, if: '${{ inputs.n > 0 and not false }}'}}\n") == []


def test_rule_12_unknown_null_and_skipped_are_three_things() -> None:
    assert codes("inputs: {n: integer}\nsteps: {s: {uses: x, with: {a: '${{ inputs.m | default(1) }}'}}}\n") == [
        "ZF310"
    ]
    scope = {"inputs": {"a": None, "n": SKIPPED}}
    with_ = "{a: '${{ inputs.a.x.y | default(1) }}', b: '${{ inputs.n | default(2) }}', "
    with_ += "c: '${{ inputs.n is defined }}', d: '${{ inputs.n }}'}"
    assert sent(with_, **scope) == {"a": 1, "b": 2, "c": False, "d": SKIPPED}


def test_rule_13_null_is_not_sent() -> None:
    tree = sent("{a: '${{ inputs.a }}', b: [1, '${{ inputs.a }}'], c: null}", inputs={"a": None, "n": 1})
    assert without_nulls(tree) == {"b": [1]}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("steps: {s: {uses: x, foreach: [1], with: {a: '${{ item }} ${{ index }} ${{ recipe.name }}'}}}\n", []),
        ("steps: {s: {uses: x, with: {a: '${{ item }}'}}}\n", ["ZF320"]),
        ("steps: {s: {uses: x, with: {a: '${{ run.id }}'}}}\n", ["ZF321"]),
        (
            "steps: {s: {uses: x}, d: {uses: download, with: "
            "{asset_ids: '${{ steps.s.asset_ids }}', name: '${{ run.id }}/${{ index }}'}}}\n",
            [],
        ),
        ("steps: {s: {uses: x}}\noutputs: {a: '${{ run.started_at }}', b: '${{ recipe.version }}'}\n", []),
    ],
)
def test_rule_14_names_are_in_scope_where_the_page_says(body: str, expected: list[str]) -> None:
    assert codes(body) == expected
