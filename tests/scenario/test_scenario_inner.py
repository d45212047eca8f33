"""Recipes used as steps, and choices left to a person."""

from __future__ import annotations

from tests.support.build import harness_of
from tests.support.service import Fate
from zenflow.engine.reporting.replay import look_at
from zenflow.engine.run import Changes
from zenflow.history import events as e

INNER = """
inputs:
  subject: {type: string}
  copies: {type: integer, default: 2}
steps:
  draw:
    foreach: ${{ range(inputs.copies) }}
    uses: image_editor
    with: {prompt: "${{ inputs.subject }} ${{ item }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.draw.asset_ids }}"}
outputs:
  pictures: ${{ steps.draw.asset_ids }}
  first: ${{ steps.draw[0].asset_id }}
"""
OUTER = """
steps:
  portrait:
    foreach: [ann, bob]
    uses: ./inner.yaml
    with: {subject: "${{ item }}"}
  film:
    foreach: ${{ steps.portrait }}
    uses: videogen
    with: {prompt: film, image_assets: "${{ item.pictures }}"}
outputs:
  films: ${{ steps.film.asset_ids }}
  firsts: ${{ steps.portrait.first }}
"""


def outer(inner=INNER, text=OUTER, **parts):
    return harness_of(text, {"inner.yaml": inner}, **{"budget": 100, **parts})


def fails(prompt):
    return lambda tool, params, number: Fate(error="no" if params.get("prompt") == prompt else None)


def test_runs_a_recipe_as_a_step_per_instance_with_outputs():
    stage = outer()
    report = stage.finished()
    assert report.status == "done" and len(report.outputs["films"]) == 2
    assert [one.address for one in report.steps["portrait/draw"].instances] == [
        "portrait.0/draw.0",
        "portrait.0/draw.1",
        "portrait.1/draw.0",
        "portrait.1/draw.1",
    ]
    assert list(stage.contents()) == [
        "portrait.0/draw-0.png",
        "portrait.0/draw-1.png",
        "portrait.1/draw-0.png",
        "portrait.1/draw-1.png",
    ]


def test_one_instance_s_recipe_does_not_wait_for_another_s():
    stage = outer()
    stage.service.fate = lambda tool, params, number: Fate(300.0 if params["prompt"].startswith("bob") else 10.0)
    stage.finished()
    assert stage.moment_of(e.Intended, "film.0") < 25 and stage.moment_of(e.Intended, "film.1") > 300


def test_fails_a_step_on_inner_failure_and_resumes_it():
    stage = outer()
    stage.service.fate = fails("bob 0")
    report = stage.finished()
    assert report.exit_status == 1
    assert [one.status for one in report.steps["film"].instances] == ["done", "blocked"]
    assert len(stage.contents()) == 3
    looked = look_at(stage.events())
    assert [one.status for one in looked.steps["portrait/draw"].instances] == ["done", "done", "failed", "done"]
    stage.service.fate = fails("")
    again = stage.finished()
    assert again.status == "done" and len(stage.contents()) == 4 and len(again.steps["portrait/draw"].instances) == 4
    assert set(stage.charges().values()) == {1}


SAVED = OUTER.replace(
    "outputs:\n",
    """  save:
    uses: download
    with: {asset_ids: "${{ steps.portrait.pictures }}", name: "all/${{ index }}"}
outputs:
  all: ${{ steps.portrait.pictures }}
""",
)


def test_blocks_payers_of_a_short_list_and_saves_the_rest():
    stage = outer(text=SAVED)
    stage.service.fate = fails("bob 1")
    report = stage.finished()
    assert report.exit_status == 1
    assert [(one.status, one.code) for one in report.steps["portrait"].instances] == [("done", ""), ("failed", "ZF335")]
    assert [one.status for one in report.steps["film"].instances] == ["done", "blocked"], "nothing is paid for a part"
    assert len([name for name in stage.contents() if name.startswith("all/")]) == 3, "what is there is saved"
    assert len(report.outputs["all"]) == 3 and len(report.outputs["firsts"]) == 2
    looked = look_at(stage.events())
    assert (looked.outputs, looked.steps) == (report.outputs, report.steps)
    stage.service.fate = fails("")
    again = stage.finished()
    assert again.status == "done" and len(again.outputs["all"]) == 4 and len(again.outputs["films"]) == 2
    assert set(stage.charges().values()) == {1}


def test_drops_failed_elements_with_continue_inside():
    inner = INNER.replace("    uses: image_editor", "    on_error: continue\n    uses: image_editor")
    inner = inner.replace("  first: ${{ steps.draw[0].asset_id }}\n", "")
    stage = outer(inner, OUTER.replace("  firsts: ${{ steps.portrait.first }}\n", ""))
    stage.service.fate = fails("bob 1")
    report = stage.finished()
    assert [one.status for one in report.steps["film"].instances] == ["done", "done"]
    films = [call for intent in stage.intents() if intent.tool == "videogen" for call in intent.calls]
    assert [len(film.params["image_assets"]) for film in films] == [2, 1]


def test_continues_without_a_failed_recipe_step():
    text = SAVED.replace("    uses: ./inner.yaml", "    on_error: continue\n    uses: ./inner.yaml")
    stage = outer(text=text)
    stage.service.fate = fails("bob 0")
    report = stage.finished()
    assert [one.status for one in report.steps["film"].instances] == ["done", "skipped"]
    assert len([name for name in stage.contents() if name.startswith("all/")]) == 3
    assert len(report.outputs["firsts"]) == 1, "what did not come to be leaves no gap"


def test_a_run_looked_at_offline_tells_the_same_as_when_it_ended():
    stage = outer()
    report = stage.finished()
    looked = look_at(stage.events())
    assert looked.status == report.status and looked.outputs == report.outputs and looked.steps == report.steps


def test_reports_inner_results_when_resuming_a_stopped_run():
    stage = outer()
    stage.service.fate = fails("film")
    stage.finished()
    stage.service.fate = fails("")
    report = stage.finished()
    assert report.status == "done" and len(report.steps["portrait/draw"].instances) == 4


def test_holds_an_inner_budget_per_instance_and_resume():
    inner = INNER.replace("steps:", "budget: 4\nsteps:", 1).replace(
        "    uses: image_editor", "    retry: 1\n    uses: image_editor"
    )
    stage = outer(inner)
    stage.service.fate = fails("ann 0")
    for _ in range(2):
        report = stage.finished()
        assert report.exit_status in (1, 4)
        spent = sum(
            call.quote for intent in stage.intents() for call in intent.calls if call.instance.startswith("portrait.0/")
        )
        assert spent <= 4


def test_gives_empty_outputs_when_all_inside_is_skipped():
    inner = INNER.replace("  first: ${{ steps.draw[0].asset_id }}\n", "")
    stage = outer(
        inner,
        """
        steps:
          portrait:
            uses: ./inner.yaml
            with: {subject: x, copies: 0}
        outputs: {all: "${{ steps.portrait.pictures }}"}
        """,
    )
    report = stage.finished()
    assert (report.status, report.outputs) == ("done", {"all": []})


PICK = """
steps:
  draw:
    foreach: [a, b, c]
    uses: image_editor
    with: {prompt: "${{ item }}"}
  show:
    uses: preview
    with: {asset_ids: "${{ steps.draw.asset_ids }}"}
  choose:
    uses: pick
    with: {asset_ids: "${{ steps.draw.asset_ids }}", count: 2}
  up:
    foreach: ${{ steps.choose.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}"}
  other:
    uses: videogen
    with: {prompt: other}
"""


def test_rests_at_a_pick_and_continues_with_the_choice():
    stage = harness_of(PICK, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(60.0 if tool == "videogen" else 10.0)
    report = stage.finished()
    assert (report.status, report.exit_status) == ("stopped", 4)
    assert [one.status for one in report.steps["other"].instances] == ["done"], "everything that can go on does"
    assert len(stage.contents()) == 3 and any(code == "ZF650" for code, _, _ in report.reasons)
    assert stage.state().totals.open == 0
    made = [one.asset_ids[0] for one in report.steps["draw"].instances]
    again = stage.finished(changes=Changes(options={"picks": {"choose": [1, 3]}}))
    assert again.status == "done"
    sent = [call.params["image_asset_id"] for i in stage.intents() for call in i.calls if i.tool == "upscaler"]
    assert sent == [made[0], made[2]] and set(stage.charges().values()) == {1}


def test_takes_a_choice_given_beforehand_and_rejects_a_wrong_one():
    stage = harness_of(PICK, budget=100, options={"picks": {"choose": [2]}})
    assert stage.finished().status == "done"
    wrong = harness_of(PICK, budget=100, options={"picks": {"choose": [7]}})
    report = wrong.finished()
    assert report.exit_status == 4 and any(code == "ZF651" for code, _, _ in report.reasons)
