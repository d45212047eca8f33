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


GUARDED = """
steps:
  draw: {{uses: by_prompt, with: {{positive_prompt: a, model: SEEDREAM_5}}}}
  look: {{uses: describe, with: {{asset_id: "${{{{ steps.draw.asset_id }}}}"}}}}
  fan: {{foreach: [a, b], uses: by_prompt, with: {{positive_prompt: a, model: SEEDREAM_5}}}}
  more:
    if: ${{{{ {condition} }}}}
    uses: image_editor
    with: {{prompt: a, model: SEEDREAM_5, image_assets: ["${{{{ {element} }}}}"]}}
  keep:
    if: ${{{{ {condition} }}}}
    uses: download
    with: {{asset_ids: ["${{{{ {element} }}}}"], name: "${{{{ index }}}}"}}
  save: {{uses: download, with: {{asset_ids: "${{{{ steps.more.asset_ids + steps.fan.asset_ids }}}}"}}}}
"""


@pytest.mark.parametrize(
    ("condition", "element"),
    [
        ("steps.draw.asset_ids | length > 1", "steps.draw.asset_ids[1]"),
        ("(steps.fan.asset_ids | length) > 2", "steps.fan.asset_ids[2]"),
        ("steps.fan.asset_id | length > 2", "steps.fan.asset_id[2]"),
    ],
)
def test_what_an_if_asks_for_may_never_be_there(problems_of: Finder, condition: str, element: str) -> None:
    """The same recipe asks for more where an input says so."""
    assert problems_of(GUARDED.format(condition=condition, element=element)) == []


def test_reports_a_missing_element_behind_an_if(problems_of: Finder) -> None:
    found = problems_of(GUARDED.format(condition="true", element="steps.draw.asset_ids[1]"))
    assert {one.code for one in found} == {"ZF313"}


def test_null_behind_an_if_that_rules_it_out_is_no_error(problems_of: Finder) -> None:
    text = """
    inputs: {extra: {type: object, properties: {note: {type: string}}, default: null}}
    steps:
      draw: {uses: by_prompt, with: {positive_prompt: a, model: SEEDREAM_5}}
      look: {uses: describe, with: {asset_id: "${{ steps.draw.asset_id }}"}}
      more:
        if: ${{ steps.look.description != '' and inputs.extra is not none }}
        uses: by_prompt
        with: {positive_prompt: "A ${{ inputs.extra.note }}", model: SEEDREAM_5}
      save: {uses: download, with: {asset_ids: "${{ steps.more.asset_ids }}"}}
    """
    assert problems_of(text) == []
