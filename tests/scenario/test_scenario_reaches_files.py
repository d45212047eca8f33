"""What is paid reaches a file, and a run that made nothing is not done."""

from __future__ import annotations

import json

import pytest

from tests.support.build import harness_of
from zenflow.app.running.manifest import instance_items
from zenflow.report.manifest import manifest_document
from zenflow.report.run_document import run_document

INNER = """
inputs: {look: {type: string}, hd: {type: boolean, default: false}}
steps:
  gen: {uses: image_editor, with: {prompt: "${{ inputs.look }}"}}
  big: {if: "${{ inputs.hd }}", uses: upscaler, with: {image_asset_id: "${{ steps.gen.asset_id }}"}}
outputs: {small: "${{ steps.gen.asset_id }}", big: "${{ steps.big.asset_id }}"}
"""
OUTER = """
steps:
  one: {foreach: [a, b], uses: ./inner.yaml, with: {look: "${{ item }}"}}
  up:
    foreach: ${{ steps.one }}
    uses: upscaler
    with: {image_asset_id: "${{ item.big | default(item.small) }}"}
  save: {uses: download, with: {asset_ids: "${{ steps.up.asset_ids }}", name: "${{ origin.one.item }}"}}
outputs: {bigs: "${{ steps.one[0].big }}"}
"""


def test_a_skipped_output_of_a_recipe_is_null():
    stage = harness_of(OUTER, {"inner.yaml": INNER}, budget=100)
    report = stage.finished()
    assert report.status == "done" and set(stage.contents()) == {"a.png", "b.png"}
    document = json.loads(json.dumps(manifest_document(report, instance_items(report))))
    assert [file["item"]["big"] for file in document["files"]] == [None, None]
    assert json.loads(json.dumps(run_document(report)))["outputs"] == {"bigs": None}


@pytest.mark.parametrize(
    "wanted",
    [
        "${{ steps.base.asset_ids + steps.big.asset_ids }}",
        "${{ steps.big.asset_ids + steps.base.asset_ids }}",
        "${{ (steps.base.asset_ids + steps.big.asset_ids) | unique }}",
        "${{ (steps.big.asset_ids + steps.base.asset_ids)[0:2] }}",
        "${{ steps.big.asset_ids + steps.base.asset_ids | default([]) }}",
    ],
)
def test_a_download_takes_the_list_that_exists(wanted):
    text = f"""
    steps:
      base: {{uses: image_editor, with: {{prompt: a, number_of_images: 2}}}}
      big: {{if: false, uses: upscaler, with: {{image_asset_id: "${{{{ steps.base.asset_id }}}}"}}}}
      save: {{uses: download, with: {{asset_ids: "{wanted}"}}}}
    """
    stage = harness_of(text, budget=100)
    assert stage.finished().status == "done"
    assert len(stage.contents()) == 2


def test_a_download_takes_the_first_of_the_list_that_exists():
    stage = harness_of(
        """
        steps:
          base: {uses: image_editor, with: {prompt: a, number_of_images: 2}}
          big: {if: false, uses: upscaler, with: {image_asset_id: "${{ steps.base.asset_id }}"}}
          save: {uses: download, with: {asset_ids: ["${{ (steps.big.asset_ids + steps.base.asset_ids) | first }}"]}}
        """,
        budget=100,
    )
    assert stage.finished().status == "done" and len(stage.contents()) == 1


def test_a_run_that_saved_nothing_for_a_failure_has_failed():
    stage = harness_of(
        """
        inputs: {photo: {type: string, default: "https://example.org/a.png"}}
        steps:
          photo: {uses: upload, with: {source: "${{ inputs.photo }}"}}
          craft: {uses: craft_prompt, on_error: continue, with: {brief: a cat, tool_name: image_editor, model: ANY, count: 2}}
          draw:
            foreach: ${{ steps.craft.prompts }}
            max: 4
            uses: image_editor
            with: {prompt: "${{ item.prompt }}"}
          save: {uses: download, with: {asset_ids: "${{ steps.draw.asset_ids }}"}}
        """,
        budget=100,
    )
    stage.script.helpers = frozenset()
    report = stage.finished()
    assert (report.status, report.exit_status) == ("failed", 1) and stage.contents() == {}
    assert any(code == "ZF657" for code, _, _ in report.reasons)


def test_a_paid_result_in_no_file_is_reported():
    stage = harness_of(
        """
        steps:
          kept: {uses: image_editor, with: {prompt: a}}
          read: {uses: image_editor, with: {prompt: b}}
          up: {uses: upscaler, with: {image_asset_id: "${{ steps.read.asset_id }}"}}
          left: {uses: image_editor, with: {prompt: c}}
          named: {uses: image_editor, with: {prompt: d}}
          save: {uses: download, with: {asset_ids: ["${{ steps.kept.asset_id }}", "${{ steps.up.asset_id }}"]}}
        outputs: {named: "${{ steps.named.asset_ids }}"}
        """,
        budget=100,
    )
    report = stage.finished()
    assert report.status == "done"
    assert [said for code, said, _ in report.reasons if code == "ZF639"] == ["paid results in no file: left"]


def test_an_output_whose_expression_fails_is_null():
    stage = harness_of(
        """
        steps:
          draw: {foreach: [a], if: false, uses: image_editor, with: {prompt: "${{ item }}"}}
        outputs: {one: "${{ steps.draw.asset_ids | first }}", all: "${{ steps.draw.asset_ids }}"}
        """,
        budget=100,
    )
    assert stage.finished().outputs == {"one": None, "all": []}
