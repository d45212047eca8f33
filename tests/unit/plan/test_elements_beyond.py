"""An element that a list can never have is found before anything is paid; one that may come is left to the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from zenflow.problems import Problem

Finder = Callable[..., list[Problem]]

HEAD = """\
inputs:
  looks: {type: array, items: {type: string}, default: [studio, street]}
  few: {type: array, items: {type: string}, maxItems: 2}
  wide: {type: boolean}
  which: {type: integer}
steps:
  two: {uses: by_prompt, with: {positive_prompt: a, model: SEEDREAM_5, batch_size: 2}}
  three: {uses: by_prompt, with: {positive_prompt: a, model: SEEDREAM_5, batch_size: 3}}
  fan: {foreach: "${{ inputs.looks }}", uses: by_prompt, with: {positive_prompt: a, model: SEEDREAM_5}}
  bound: {foreach: "${{ inputs.looks }}", max: 1, uses: by_prompt, with: {positive_prompt: a, model: SEEDREAM_5}}
  stream: {foreach: "${{ steps.two.asset_ids }}", uses: upscaler, with: {image_asset_id: "${{ item }}", output_format: png}}
  picked: {uses: pick, with: {asset_ids: "${{ steps.fan.asset_ids }}", count: 2}}
  drafts: {uses: craft_prompt, with: {brief: a, tool_name: by_prompt, model: SEEDREAM_5, count: 2}}
"""
LAST = '  last: {uses: by_prompt, with: {positive_prompt: "${{ EXPRESSION }}", model: SEEDREAM_5}}\n'


def said(problems_of: Finder, expression: str) -> list[str]:
    found = problems_of(HEAD + LAST.replace("EXPRESSION", expression))
    return [one.message for one in found if one.code == "ZF313"]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("steps.two.asset_ids[2]", "there is no element 2: the list has at most 2"),
        ("steps.two.asset_ids[-3]", "there is no element -3: the list has at most 2"),
        ("steps.fan.asset_ids[2]", "there is no element 2: the list has at most 2"),
        ("steps.picked.asset_ids[2]", "there is no element 2: the list has at most 2"),
        ("steps.drafts.prompts[2].prompt", "there is no element 2: the list has at most 2"),
        ("(steps.two.asset_ids + steps.three.asset_ids)[5]", "there is no element 5: the list has at most 5"),
        ("(steps.two.asset_ids if inputs.wide else [])[2]", "there is no element 2: the list has at most 2"),
        ("inputs.few[2]", "there is no element 2: the list has at most 2"),
        ("inputs.looks[2]", "there is no element 2: there are 2"),
    ],
)
def test_what_can_never_be_there_is_an_error(problems_of: Finder, expression: str, message: str) -> None:
    assert said(problems_of, expression) == [message]


@pytest.mark.parametrize(
    "expression",
    [
        "steps.two.asset_ids[1]",
        "steps.two.asset_ids[-2]",
        "steps.two.asset_ids[2] | default('x')",
        "(steps.two.asset_ids + steps.three.asset_ids)[4]",
        "(steps.three.asset_ids + steps.two.asset_ids)[4]",
        "[steps.two.asset_ids, steps.three.asset_ids][1][2]",
        "(steps.two.asset_ids if inputs.wide else steps.three.asset_ids)[2]",
        "[steps.two.asset_ids, steps.three.asset_ids][inputs.which][2]",
        "steps.bound.asset_ids[1]",  # a resume with `--max` may let it have more
        "steps.stream.asset_ids[1]",
        "steps.two.output.list[7]",
    ],
)
def test_what_may_be_there_is_none(problems_of: Finder, expression: str) -> None:
    assert said(problems_of, expression) == []
