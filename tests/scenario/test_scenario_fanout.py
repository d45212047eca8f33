"""How steps fan out while a run goes: streams, identity, origin, previous, max, matrices (rules 15 to 21)."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from tests.support.build import harness_of
from tests.support.service import Fate
from zenflow.engine.run import Changes
from zenflow.history import events as e

CHAIN = """
steps:
  draw:
    foreach: [a, b, c]
    uses: image_editor
    with: {prompt: "${{ item }}", number_of_images: 2}
  up:
    foreach: ${{ steps.draw.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.up.asset_ids }}", name: "${{ origin.draw.item }}-${{ index }}"}
outputs:
  files: ${{ steps.save.files }}
"""


def addresses(report, step):
    return [one.address for one in report.steps[step].instances]


def prompts(stage, step):
    """What was sent for each instance of a step."""
    return {
        call.instance: call.params.get("prompt")
        for intent in stage.intents()
        for call in intent.calls
        if call.instance.startswith(step)
    }


def slow(prompt, seconds, usual=10.0):
    return lambda tool, params, number: Fate(seconds if params.get("prompt") == prompt else usual)


def test_every_element_of_a_chain_becomes_a_file_with_its_name():
    stage = harness_of(CHAIN)
    report = stage.finished()
    assert (report.status, report.exit_status) == ("done", 0)
    assert addresses(report, "up") == ["up.0.0", "up.0.1", "up.1.0", "up.1.1", "up.2.0", "up.2.1"]
    assert list(stage.contents()) == ["a-0.png", "a-1.png", "b-2.png", "b-3.png", "c-4.png", "c-5.png"]
    assert [file["path"] for file in report.outputs["files"]] == [f"out/{name}" for name in stage.contents()]


def test_starts_readers_per_element_despite_a_slow_one():
    stage = harness_of(CHAIN)
    stage.service.fate = slow("b", 300.0)
    stage.finished()
    assert stage.moment_of(e.Intended, "up.0.0") < 20 and stage.moment_of(e.FileSaved, "save") < 40
    assert stage.moment_of(e.Intended, "up.1.0") > 290


def test_downstream_starts_per_call_of_one_task_and_not_per_task():
    stage = harness_of(CHAIN, budget=1000)
    stage.service.fate = slow("b", 300.0)
    stage.finished()
    assert len(stage.intents()[0].calls) == 3, "one batch"
    assert stage.moment_of(e.Intended, "up.2.1") < 20


def test_a_missing_result_leaves_a_gap_and_moves_no_other():
    stage = harness_of(CHAIN)
    stage.service.fate = lambda tool, params, number: Fate(missing=1 if params.get("prompt") == "a" else 0)
    report = stage.finished()
    assert addresses(report, "up") == ["up.0.0", "up.1.0", "up.1.1", "up.2.0", "up.2.1"]
    assert [one.index for one in report.steps["up"].instances] == [0, 2, 3, 4, 5]
    assert list(stage.contents()) == ["a-0.png", "b-2.png", "b-3.png", "c-4.png", "c-5.png"]


def test_the_order_of_arrival_changes_no_identity():
    fast = harness_of(CHAIN)
    fast.finished()
    slow_one = harness_of(CHAIN)
    slow_one.service.fate = slow("a", 200.0)
    slow_one.finished()
    assert fast.contents() == slow_one.contents()


def test_origin_reaches_back_through_several_steps():
    stage = harness_of("""
    steps:
      write:
        foreach: [dawn, dusk]
        uses: craft_prompt
        with: {brief: "${{ item }}", tool_name: image_editor, model: any}
      draw:
        foreach: ${{ steps.write }}
        uses: image_editor
        with: {prompt: "${{ item.prompt }}", number_of_images: 2}
      film:
        foreach: ${{ steps.draw.asset_ids }}
        uses: videogen
        with:
          prompt: "${{ origin.write.item }} of ${{ origin.draw.index }} at ${{ index }}"
          image_assets: ["${{ item }}"]
    outputs: {films: "${{ steps.film.asset_ids }}"}
    """)
    report = stage.finished()
    assert report.status == "done"
    assert prompts(stage, "film") == {
        "film.0.0": "dawn of 0 at 0",
        "film.0.1": "dawn of 0 at 1",
        "film.1.0": "dusk of 1 at 2",
        "film.1.1": "dusk of 1 at 3",
    }
    assert len(report.outputs["films"]) == 4


PREVIOUS = """
steps:
  scene:
    foreach: [one, two, three]
    uses: image_editor
    with:
      prompt: ${{ item }}
      image_assets: ["${{ previous.asset_id | default(none) }}"]
outputs: {last: "${{ steps.scene[2].asset_id }}"}
"""


def test_runs_a_previous_chain_in_order():
    stage = harness_of(PREVIOUS)
    report = stage.finished()
    assert report.status == "done"
    sent = [call.params.get("image_assets") for intent in stage.intents() for call in intent.calls]
    made = [one.asset_ids[0] for one in report.steps["scene"].instances]
    assert sent == [[], [made[0]], [made[1]]]
    assert [len(intent.calls) for intent in stage.intents()] == [1, 1, 1]
    assert report.outputs["last"] == made[2]


def test_stops_later_instances_of_a_failed_previous_chain():
    stage = harness_of(PREVIOUS)
    stage.service.fate = lambda tool, params, number: Fate(error="no" if params["prompt"] == "two" else None)
    report = stage.finished()
    assert (report.status, report.exit_status) == ("failed", 1)
    assert [one.status for one in report.steps["scene"].instances] == ["done", "failed", "blocked"]
    assert stage.service.posts == 2


MATRIX = """
inputs:
  products: {type: array, items: {type: string}, default: [cup, bag]}
steps:
  shot:
    foreach: {product: "${{ inputs.products }}", place: [beach, loft, street]}
    uses: image_editor
    with: {prompt: "${{ item.product }} at ${{ item.place }}"}
outputs: {all: "${{ steps.shot.asset_ids }}"}
"""


def test_a_matrix_gives_all_combinations_the_last_name_fastest():
    stage = harness_of(MATRIX)
    report = stage.finished()
    assert list(prompts(stage, "shot").values()) == [
        f"{product} at {place}" for product in ("cup", "bag") for place in ("beach", "loft", "street")
    ]
    assert addresses(report, "shot") == [f"shot.{n}" for n in range(6)] and len(report.outputs["all"]) == 6


def test_an_empty_list_gives_no_instances_and_the_step_is_done():
    stage = harness_of(MATRIX, inputs={"products": []})
    report = stage.finished()
    assert (report.status, report.outputs) == ("done", {"all": []})
    assert stage.service.posts == 0


MAX = """
steps:
  write:
    uses: craft_prompt
    with: {brief: a, tool_name: image_editor, model: any, count: 4}
  draw:
    foreach: ${{ steps.write.prompts }}
    max: 2
    uses: image_editor
    with: {prompt: "${{ item.prompt }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.draw.asset_ids }}"}
outputs: {files: "${{ steps.save.files }}"}
"""


def test_max_is_enforced_and_a_resume_with_a_higher_one_goes_on():
    stage = harness_of(MAX)
    report = stage.finished()
    assert (report.status, report.exit_status) == ("stopped", 4)
    assert any("max" in message and "--max draw=4" in hint for _, message, hint in report.reasons)
    assert addresses(report, "draw") == ["draw.0", "draw.1"] and len(stage.contents()) == 2
    again = stage.finished(changes=Changes(budget=100, options={"max": {"draw": 4}}))
    assert (again.status, addresses(again, "draw")) == ("done", [f"draw.{n}" for n in range(4)])
    assert set(stage.charges().values()) == {1} and len(stage.charges()) == 4
    assert len(stage.contents()) == 4, "what the resume made is saved too"


@pytest.mark.parametrize("budget", [6, 7, 100])
def test_offers_one_command_with_budget_beyond_max(budget):
    text = MAX.replace(
        "  save:",
        "  up:\n    foreach: ${{ steps.draw.asset_ids }}\n    uses: upscaler\n    with:"
        ' {image_asset_id: "${{ item }}"}\n  save:',
    )
    stage = harness_of(text, budget=budget)
    report = stage.finished()
    (hint,) = [hint for code, _, hint in report.reasons if code == "ZF623"]
    words = re.search(r"--max draw=(\d+)(?: --budget (\d+))?", hint)
    raised = None if words[2] is None else Decimal(words[2])
    assert (raised is None) == (budget == 100)
    again = stage.finished(changes=Changes(budget=raised, options={"max": {"draw": int(words[1])}}))
    assert again.status == "done" and len(stage.contents()) == 4


def test_lists_a_fan_in_in_order_of_instances():
    stage = harness_of("""
    steps:
      draw:
        foreach: [a, b, c]
        uses: image_editor
        with: {prompt: "${{ item }}", number_of_images: 2}
      sheet:
        uses: image_editor
        with: {prompt: sheet, image_assets: "${{ steps.draw.asset_ids }}"}
    """)
    stage.service.fate = lambda tool, params, number: Fate({"a": 90.0, "b": 50.0}.get(params["prompt"], 10.0))
    report = stage.finished()
    made = [asset for one in report.steps["draw"].instances for asset in one.asset_ids]
    assert stage.intents()[-1].calls[0].params["image_assets"] == made and len(made) == 6


def test_one_instance_by_number_is_waited_for_alone():
    stage = harness_of("""
    steps:
      draw:
        foreach: [a, b]
        uses: image_editor
        with: {prompt: "${{ item }}"}
      up:
        uses: upscaler
        with: {image_asset_id: "${{ steps.draw[1].asset_id }}"}
    """)
    stage.service.fate = slow("a", 300.0)
    stage.finished()
    assert stage.moment_of(e.Intended, "up") < 20
