"""What readers see of steps that were skipped, failed or gave nothing: if, needs, on_error, null, default."""

from __future__ import annotations

from tests.support import response_faults
from tests.support.build import harness_of
from tests.support.service import Fate
from zenflow.engine.run import Changes


def statuses(report, step):
    return [one.status for one in report.steps[step].instances]


def sent(stage, step):
    return [dict(call.params) for intent in stage.intents() for call in intent.calls if call.instance.startswith(step)]


def fails(*prompts, error="the picture was refused"):
    return lambda tool, params, number: Fate(error=error if params.get("prompt") in prompts else None)


IF = """
inputs:
  want: {type: array, items: {type: boolean}, default: [true, false, true]}
steps:
  draw:
    foreach: ${{ inputs.want }}
    if: ${{ item }}
    uses: image_editor
    with: {prompt: "picture ${{ index }}"}
  up:
    foreach: ${{ steps.draw }}
    uses: upscaler
    with: {image_asset_id: "${{ item.asset_id }}"}
outputs: {all: "${{ steps.up.asset_ids }}"}
"""


def test_skips_an_instance_and_its_reader_when_if_is_false():
    stage = harness_of(IF)
    report = stage.finished()
    assert report.status == "done"
    assert statuses(report, "draw") == statuses(report, "up") == ["done", "skipped", "done"]
    assert len(report.outputs["all"]) == 2 and [one["prompt"] for one in sent(stage, "draw")] == [
        "picture 0",
        "picture 2",
    ]


def test_skips_a_reader_of_a_skipped_value_without_default():
    stage = harness_of("""
    steps:
      base:
        if: false
        uses: image_editor
        with: {prompt: base}
      strict:
        uses: image_editor
        with: {prompt: strict, image_assets: ["${{ steps.base.asset_id }}"]}
      kind:
        uses: image_editor
        with: {prompt: kind, image_assets: ["${{ steps.base.asset_id | default(none) }}"]}
      told:
        if: ${{ steps.base.asset_id is defined }}
        uses: image_editor
        with: {prompt: told}
    outputs: {strict: "${{ steps.strict.asset_id }}", kind: "${{ steps.kind.asset_id }}"}
    """)
    report = stage.finished()
    assert report.status == "done"
    assert [statuses(report, s)[0] for s in ("base", "strict", "kind", "told")] == [
        "skipped",
        "skipped",
        "done",
        "skipped",
    ]
    assert sent(stage, "kind") == [{"prompt": "kind", "image_assets": []}]
    assert report.outputs["strict"] is None and report.outputs["kind"]


def test_a_null_is_not_sent_and_a_null_element_is_left_out():
    stage = harness_of(
        """
    inputs: {quality: {type: string, default: null}}
    steps:
      draw:
        uses: image_editor
        with: {prompt: x, quality: "${{ inputs.quality }}", image_assets: ["${{ inputs.quality }}"]}
    """
    )
    assert stage.finished().status == "done"
    assert sent(stage, "draw") == [{"prompt": "x", "image_assets": []}]


NEEDS = """
steps:
  first:
    foreach: [a, b]
    uses: image_editor
    with: {prompt: "${{ item }}"}
  then:
    needs: first
    uses: image_editor
    with: {prompt: then}
"""


def test_needs_waits_for_all_instances_and_a_failed_one_blocks():
    stage = harness_of(NEEDS)
    assert stage.finished().status == "done"
    assert stage.intents()[-1].calls[0].instance == "then"
    broken = harness_of(NEEDS)
    broken.service.fate = fails("b")
    report = broken.finished()
    assert (report.exit_status, statuses(report, "then")) == (1, ["blocked"])


def test_blocks_only_readers_of_a_failure():
    stage = harness_of("""
    steps:
      draw:
        foreach: [a, b, c]
        uses: image_editor
        with: {prompt: "${{ item }}"}
      up:
        foreach: ${{ steps.draw }}
        uses: upscaler
        with: {image_asset_id: "${{ item.asset_id }}"}
      save:
        uses: download
        with: {asset_ids: "${{ steps.up.asset_ids }}"}
      other:
        uses: image_editor
        with: {prompt: other}
    """)
    stage.service.fate = fails("b")
    report = stage.finished()
    assert (report.status, report.exit_status) == ("failed", 1)
    assert statuses(report, "up") == ["done", "blocked", "done"] and statuses(report, "other") == ["done"]
    assert len(stage.contents()) == 2, "one failed picture does not keep the others from being saved"
    assert report.reasons == (
        ("ZF720", "draw.1: the picture was refused", "It counts as charged until a refund is seen."),
        ("ZF639", "paid results in no file: other", "`zenflow fetch RUN` saves them."),
    )


CONTINUE = """
steps:
  draw:
    foreach: [a, b]
    on_error: continue
    uses: image_editor
    with: {prompt: "${{ item }}"}
  sheet:
    uses: image_editor
    with: {prompt: sheet, image_assets: "${{ steps.draw.asset_ids }}"}
  up:
    foreach: ${{ steps.draw }}
    uses: upscaler
    with: {image_asset_id: "${{ item.asset_id }}"}
"""


def test_skips_failures_and_finishes_with_continue():
    stage = harness_of(CONTINUE)
    stage.service.fate = fails("a")
    report = stage.finished()
    assert (report.status, report.exit_status) == ("done", 0)
    assert statuses(report, "draw") == ["failed", "done"]
    assert statuses(report, "up") == ["skipped", "done"]
    assert len(sent(stage, "sheet")[0]["image_assets"]) == 1


def test_makes_failed_and_blocked_instances_again_on_resume():
    stage = harness_of(
        """
    steps:
      draw:
        foreach: [a, b]
        uses: image_editor
        with: {prompt: "${{ item }}"}
      up:
        foreach: ${{ steps.draw }}
        uses: upscaler
        with: {image_asset_id: "${{ item.asset_id }}"}
      save:
        uses: download
        with: {asset_ids: "${{ steps.up.asset_ids }}"}
    """,
        budget=50,
    )
    stage.service.fate = fails("b")
    assert stage.finished().exit_status == 1 and len(stage.contents()) == 1
    stage.service.fate = fails()
    report = stage.finished(changes=Changes())
    assert (report.status, len(stage.contents())) == ("done", 2)
    assert sorted(stage.charges()) == [("draw.0", 1), ("draw.1", 1), ("draw.1", 2), ("up.0", 1), ("up.1", 1)]
    assert set(stage.charges().values()) == {1}


def test_reconsiders_steps_skipped_for_a_failure():
    stage = harness_of(CONTINUE, budget=50)
    stage.script.submits.append(response_faults.says(402))
    assert stage.finished().exit_status == 4
    stage.service.fate = fails("a")
    assert stage.finished().status == "done"
    stage.service.fate = fails()
    report = stage.finished()
    assert statuses(report, "draw") == ["done", "done"] and statuses(report, "up") == ["done", "done"]


def test_replaces_an_absent_helper_by_the_readers_default():
    stage = harness_of("""
    steps:
      craft_prompt:
        foreach: [dawn, dusk]
        on_error: continue
        uses: craft_prompt
        with: {brief: "${{ item }}", tool_name: image_editor, model: any}
      draw:
        foreach: [dawn, dusk]
        uses: image_editor
        with: {prompt: "${{ steps.craft_prompt[index].prompt | default(item) }}"}
    """)
    stage.script.helpers = frozenset()
    report = stage.finished()
    assert report.status == "done"
    assert [one["prompt"] for one in sent(stage, "draw")] == ["dawn", "dusk"]
