"""Rules 9 to 14 and the closed list of expressions, in recipes that were run: what was sent, and what came out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

PRICED = "steps:\n  s:\n    uses: image_editor\n    with:\n"


def test_rule_9_text_around_an_expression_makes_text(ran: Any) -> None:
    done = ran(
        "inputs: {n: {type: integer, default: 2}, t: {type: string}}\n"
        + PRICED
        + "      number_of_images: ${{ inputs.n }}\n"
        + "      prompt: n is ${{ inputs.n }}, ${{ true }}, ${{ inputs.t }}, $${{ literal }}\n",
        inputs={"t": "${{ 1 + 1 }}"},
    )
    assert done.sent() == [{"number_of_images": 2, "prompt": "n is 2, true, ${{ 1 + 1 }}, ${{ literal }}"}]


def test_rule_9_expressions_stand_at_any_depth(ran: Any) -> None:
    done = ran(
        "steps:\n  up: {uses: upload, with: {source: 'data:image/png;base64,AAAA'}}\n"
        "  s: {uses: image_editor, with: {prompt: x, image_assets: ['${{ steps.up.asset_id }}']}}\n"
        "outputs: {deep: [{asset: ['${{ steps.up.asset_id }}', 1]}]}\n"
    )
    (sent,) = done.sent()
    assert done.outputs == {"deep": [{"asset": [sent["image_assets"][0], 1]}]}


def test_rule_9_max_and_budget_read_inputs(ran: Any) -> None:
    done = ran(
        "inputs: {n: {type: integer, default: 2}}\nbudget: ${{ inputs.n * 2 }}\n"
        "steps:\n  s: {foreach: [a, b, c], max: '${{ inputs.n }}', uses: image_editor, with: {prompt: '${{ item }}'}}\n"
    )
    assert done.prompts() == ["a", "b"]
    assert (done.report.status, done.report.exit_status) == ("stopped", 4)


ROWS = [
    ("[1, 'a', 1.5, true, none, {'k': [2]}]", [1, "a", 1.5, True, None, {"k": [2]}]),
    ("rows[1].name", "b"),
    ("rows[-1]['name']", "b"),
    ("words[1:]", ["b", "a"]),
    ("7 // 2 + 2 ** 3 - 1 * 4 / 2 + 5 % 3", 11),
    ("'a' ~ 1 ~ true", "a1true"),
    ("words + ['z']", ["c", "b", "a", "z"]),
    ("1 < 2 and not 2 >= 3 or 'a' != 'b'", True),
    ("'b' in words", True),
    ("'yes' if 1 == 1 else 'no'", "yes"),
    ("rows[9] is defined", False),
    ("none is none", True),
    ("null is null", True),
    ("range(2, 8, 3)", [2, 5]),
    ("-3 | abs", 3),
    ("'a/b.png' | basename", "b.png"),
    ("rows[9].x | default('d')", "d"),
    ("words | first", "c"),
    ("'1.5' | float", 1.5),
    ("'7' | int", 7),
    ("words | join('-')", "c-b-a"),
    ("words | last", "a"),
    ("words | length", 3),
    ("'ab' | list", ["a", "b"]),
    ("'AB' | lower", "ab"),
    ("rows | map(attribute='name')", ["a", "b"]),
    ("[3, 1] | max", 3),
    ("[3, 1] | min", 1),
    ("7 | pad(3)", "007"),
    ("[1, none] | reject('none')", [1]),
    ("'aXb' | replace('X', '-')", "a-b"),
    ("2.567 | round(1)", 2.6),
    ("[1, none] | select('defined')", [1]),
    ("'Über das' | slug", "uber-das"),
    ("words | sort", ["a", "b", "c"]),
    ("'a b' | split", ["a", "b"]),
    ("'a/b.png' | stem", "b"),
    ("5 | string", "5"),
    ("[1, 2] | sum", 3),
    ("'a b' | title", "A B"),
    ("{'b': 1} | tojson", '{"b":1}'),
    ("' x ' | trim", "x"),
    ("[1, 1, 2] | unique", [1, 2]),
    ("'ab' | upper", "AB"),
]


@pytest.mark.parametrize(("expression", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_rule_10_every_part_of_the_closed_list(gives: Callable[..., Any], expression: str, expected: Any) -> None:
    words = expression.replace("rows", "inputs.rows").replace("words", "inputs.words")
    found = gives(words, rows=[{"name": "a"}, {"name": "b"}], words=["c", "b", "a"])
    assert found == expected and type(found) is type(expected)


def test_rule_11_a_dot_is_a_key_and_nothing_else(gives: Callable[..., Any]) -> None:
    assert gives("inputs.o.items", o={"items": 3}) == 3
    assert gives("inputs.o.keys is defined", o={"items": 3}) is False


def test_rule_12_null_and_skipped_differ_and_default_serves_both(ran: Any) -> None:
    done = ran(
        "inputs: {none: {type: string, default: null}}\nsteps:\n"
        "  off: {if: false, uses: image_editor, with: {prompt: off}}\n"
        "  a: {uses: image_editor, with: {prompt: \"${{ inputs.none | default('null') }}\"}}\n"
        "  b: {uses: image_editor, with: {prompt: \"${{ steps.off.asset_id | default('skipped') }}\"}}\n"
        "  c: {uses: image_editor, with: {prompt: \"${{ 'there' if steps.off.asset_id is defined else 'not there' }}\"}}\n"
        "  d: {uses: image_editor, with: {prompt: '${{ steps.off.asset_id }}'}}\n"
    )
    assert sorted(done.prompts()) == ["not there", "null", "skipped"]
    assert done.statuses("d") == ["skipped"]


def test_rule_13_null_is_not_sent_and_leaves_its_list(ran: Any) -> None:
    done = ran(
        "inputs: {none: {type: integer, default: null}, id: {type: image, default: null}}\n"
        + PRICED
        + "      prompt: x\n      number_of_images: ${{ inputs.none }}\n      image_assets: ['${{ inputs.id }}']\n"
    )
    assert done.sent() == [{"prompt": "x", "image_assets": []}]


def test_rule_14_every_name_where_it_is_in_scope(ran: Any) -> None:
    done = ran(
        "inputs: {who: {type: string, default: ann}}\nsteps:\n"
        "  a: {foreach: [x, y], uses: image_editor, with: {prompt: '${{ inputs.who }} ${{ item }} ${{ index }} "
        "${{ recipe.name }} ${{ recipe.version }}'}}\n"
        "  b: {foreach: '${{ steps.a }}', uses: upscaler, with: {image_asset_id: '${{ item.asset_id }}'}}\n"
        "  d: {uses: download, with: {asset_ids: '${{ steps.b.asset_ids }}', "
        "name: '${{ run.id }}/${{ origin.a.item }}-${{ index }}'}}\n"
        "outputs: {run: '${{ run.id }}', began: '${{ run.started_at | length > 9 }}'}\n"
    )
    assert done.prompts("a") == ["ann x 0 scripted 1.0.0", "ann y 1 scripted 1.0.0"]
    assert done.files == ["run-1/x-0.png", "run-1/y-1.png"]
    assert done.outputs == {"run": "run-1", "began": True}
