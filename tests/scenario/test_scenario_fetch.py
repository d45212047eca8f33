"""Everything paid for gets onto the disk: of failed, abandoned and late runs; free, never twice, and the run stays as it is."""

from __future__ import annotations

import json
from dataclasses import replace

from tests.support import response_faults
from tests.support.build import harness_of
from tests.support.maintenance import maintenance_session
from tests.support.offers import OFFERS, TEXT
from tests.support.service import Fate
from zenflow.app.recovery.unassigned_files import save_unassigned
from zenflow.engine.maintenance.fetch_all import collect, still_running, take_in
from zenflow.engine.maintenance.reconciler import Reconciler
from zenflow.engine.maintenance.unassigned_results import take_late, unassigned_tasks
from zenflow.engine.model.ports import StopSignal
from zenflow.history import events as e

TWO_STEPS = """
steps:
  draw:
    foreach: [a, b]
    uses: image_editor
    with: {prompt: "${{ item }}", number_of_images: 2}
  enlarge:
    foreach: ${{ steps.draw.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.enlarge.asset_ids }}", name: "large-${{ index }}"}
"""


async def _fetch(session):
    await take_in(session)
    return await collect(session)


def fetch(stage):
    return maintenance_session(stage, _fetch)


def kinds_since(stage, before):
    return {type(event) for event in stage.events()[before:]}


def test_results_that_no_download_names_are_saved_below_paid():
    stage = harness_of(TWO_STEPS, budget=100)
    assert stage.finished().status == "done"
    found = fetch(stage)
    assert sorted(file.path for file in found.new) == [
        "paid/draw-0-0.png",
        "paid/draw-0-1.png",
        "paid/draw-1-0.png",
        "paid/draw-1-1.png",
    ]
    assert sorted(file.path for file in found.kept) == [f"large-{n}.png" for n in range(4)]
    assert found.failures == [] and stage.service.posts == 2


def test_a_second_fetch_downloads_nothing():
    stage = harness_of(TWO_STEPS, budget=100)
    stage.finished()
    fetch(stage)
    asked = dict(stage.provider.asked)
    found = fetch(stage)
    assert (found.new, len(found.kept)) == ([], 8)
    assert "download" in asked and "download" not in stage.provider.asked


def test_adds_only_file_events_to_the_run():
    stage = harness_of(TWO_STEPS, budget=100)
    stage.finished()
    before, status = len(stage.events()), stage.state().status
    fetch(stage)
    assert kinds_since(stage, before) <= {e.FileSaved, e.Confirmed, e.Refunded}
    assert stage.state().status == status == "done"


def test_fetches_a_lost_or_spoilt_file_under_its_name():
    stage = harness_of(TWO_STEPS, budget=100)
    stage.finished()
    whole = stage.store.files["large-1.png"]
    stage.store.files["large-1.png"] = b"spoilt"
    del stage.store.files["large-2.png"]
    del stage.store.files["large-1.png"]
    found = fetch(stage)
    assert {"large-1.png", "large-2.png"} <= {file.path for file in found.new}
    assert stage.store.files["large-1.png"] == whole


def test_fetches_all_files_of_a_run_with_failed_downloads():
    stage = harness_of(TWO_STEPS, budget=100)
    stage.store.full = True
    assert stage.finished().exit_status == 1
    stage.store.full = False
    found = fetch(stage)
    assert len(found.new) == 8 and found.failures == []
    assert {file.path for file in found.new} >= {f"large-{n}.png" for n in range(4)}
    assert stage.state().status == "failed"
    assert stage.finished().status == "done" and "download" not in stage.provider.asked
    assert stage.service.posts == 2


def test_takes_in_calls_that_ran_when_the_run_was_left():
    stage = harness_of(TWO_STEPS, budget=100)

    async def leave(stage, stop: StopSignal):
        while not any(isinstance(event, e.Accepted) for event in stage.events()):
            await stage.clock.sleep(0.5)
        stop.request()
        stop.request()

    report = stage.run(meanwhile=leave)
    assert report is not None and report.status == "interrupted"
    assert stage.contents() == {}
    assert sum(still_running(stage.state()).values()) == 2
    stage.clock.advance(3600)
    found = fetch(stage)
    assert sorted(file.path for file in found.new) == [f"paid/draw-{n}-{m}.png" for n in (0, 1) for m in (0, 1)]
    assert still_running(stage.state()) == {} and stage.service.posts == 1
    assert stage.state().status == "interrupted"
    report = stage.finished()  # and the resume goes on from there: nothing of it is made again
    assert report.status == "done" and stage.service.posts == 2
    assert set(stage.charges().values()) == {1}


def test_a_late_call_that_finished_meanwhile_is_there():
    stage = harness_of(TWO_STEPS.replace("uses: upscaler", "uses: upscaler\n    timeout: 5s"), budget=100)
    stage.service.fate = lambda tool, params, number: Fate(600.0 if tool == "upscaler" else 10.0)
    report = stage.finished()
    assert report.exit_status == 4 and {call.why for call in report.open_calls} == {"late"}
    assert len(fetch(stage).new) == 4
    stage.clock.advance(900)
    found = fetch(stage)
    assert sorted(file.path for file in found.new) == [f"large-{n}.png" for n in range(4)]
    assert stage.service.posts == 2


def test_a_result_that_could_not_be_found_is_looked_for_again():
    stage = harness_of(TWO_STEPS, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(10.0, result_after_s=4000.0 if tool == "upscaler" else 0.0)
    assert stage.finished().exit_status == 4 and stage.state().lost
    stage.clock.advance(5000)
    found = fetch(stage)
    assert {file.path for file in found.new} >= {f"large-{n}.png" for n in range(4)}
    assert stage.state().lost == []


def test_one_asset_that_is_gone_does_not_keep_the_others():
    stage = harness_of(TWO_STEPS, budget=100)
    stage.store.full = True
    stage.finished()
    stage.store.full = False
    gone = stage.state().instances["draw.0"].results["asset_ids"][0]
    del stage.service.assets[gone]
    found = fetch(stage)
    assert len(found.new) == 7 and [asset_id for asset_id, _, _ in found.failures] == [gone]


def test_a_text_is_a_result_too():
    stage = harness_of("steps:\n  think:\n    uses: run_any_llm\n    with: {prompt: why}\n", budget=100)
    stage.finished()
    (text,) = fetch(stage).texts
    assert (text.name, text.output) == ("paid/think", {"text": "an answer to why"})


# --------------------------------------------------------------------------------------------- what nobody can give to an input


async def _doubtful(session):
    await take_late(session)
    await take_in(session)
    return await unassigned_tasks(session)


PAIR = """
steps:
  draw:
    foreach: ["16:9", "9:16"]
    uses: image_editor
    with: {prompt: a view, ratio: "${{ item }}"}
"""
SIDES = {"16:9": (1344, 768), "9:16": (768, 1344)}


def out_of_order():
    """A run whose two results came in each other's place, by what they tell of their sizes."""
    stage = harness_of("steps: {x: {uses: image_editor, with: {prompt: x}}}", budget=100)
    stage.service.offers = {
        **OFFERS,
        "image_editor": replace(OFFERS["image_editor"], fields={**OFFERS["image_editor"].fields, "ratio": TEXT}),
    }
    stage.recipe = harness_of(PAIR).recipe
    stage.script.listing_faults.calls, stage.script.listing_faults.is_bound = "shuffled", lambda task: True
    stage.service.tells = lambda params: {"width": SIDES[params["ratio"]][0], "height": SIDES[params["ratio"]][1]}
    assert stage.finished().exit_status == 4 and stage.state().submissions[1].needs_decision
    return stage


def test_names_possible_inputs_of_reordered_results():
    stage = out_of_order()
    (task,) = maintenance_session(stage, _doubtful)
    assert (task.submission, "not in the order of its inputs" in task.why) == (1, True)
    assert [(one.instance, one.params["ratio"]) for one in task.may_belong] == [("draw.0", "16:9"), ("draw.1", "9:16")]
    assert [len(call.asset_ids) for call in task.calls] == [1, 1]
    assert stage.state().instances["draw.0"].results is None and stage.state().submissions[1].needs_decision


def test_reports_abandoned_results_until_someone_takes_them():
    stage = out_of_order()
    maintenance_session(stage, lambda session: Reconciler(session).write_off(1))
    (task,) = maintenance_session(stage, _doubtful)
    assert (task.submission, len(task.calls)) == (1, 2)


def test_results_that_a_person_took_are_in_doubt_no_more():
    stage = out_of_order()
    task_id = stage.state().submissions[1].task_id
    maintenance_session(stage, lambda session: Reconciler(session).adopt(1, task_id))
    assert maintenance_session(stage, _doubtful) == ()


def test_reports_unmatched_stamped_tasks_with_their_requests():
    stage = harness_of(TWO_STEPS, budget=100)
    stage.finished()
    intent = stage.intents()[0]
    unrecognized = stage.service.create(
        "image_editor", [{"prompt": "who?"}], f"{intent.stamp[:12]}{'z' * 12}", posted=False
    )
    other = stage.service.create("image_editor", [{"prompt": "b"}], intent.comment, posted=False)
    twice = stage.service.create("image_editor", [call.params for call in intent.calls], intent.comment, posted=False)
    stage.clock.advance(600)
    before = dict(stage.state().instances)
    found = {task.task_id: task for task in maintenance_session(stage, _doubtful)}
    assert set(found) == {unrecognized.task_id, other.task_id, twice.task_id}
    assert (
        "the journal does not know it" in found[unrecognized.task_id].why
        and found[unrecognized.task_id].submission is None
    )
    assert [(one.instance, one.params) for one in found[unrecognized.task_id].may_belong] == [
        (None, {"prompt": "who?"})
    ]
    assert "is not what was asked there" in found[other.task_id].why
    assert "a second task with the stamp and the inputs of #1" in found[twice.task_id].why
    assert [one.instance for one in found[twice.task_id].may_belong] == ["draw.0", "draw.1"]
    assert stage.state().instances == before


def test_keeps_an_unrecognized_task_open_without_echoed_inputs():
    stage = harness_of(TWO_STEPS, budget=100)
    stage.finished()
    stamp = stage.intents()[0].stamp
    stage.service.create("image_editor", [{"prompt": "who?"}], f"{stamp[:12]}{'z' * 12}", posted=False)
    stage.script.listing_faults.echoes_inputs = False
    stage.clock.advance(600)
    (task,) = maintenance_session(stage, _doubtful)
    assert task.may_belong == () and len(task.calls[0].asset_ids) == 1


def test_what_is_not_over_is_told_as_such():
    stage = harness_of(TWO_STEPS, budget=100)
    stage.finished()
    stamp = stage.intents()[0].stamp
    stage.service.fate = lambda tool, params, number: Fate(4000.0)
    stage.service.create("image_editor", [{"prompt": "who?"}], f"{stamp[:12]}{'z' * 12}", posted=False)
    (task,) = maintenance_session(stage, _doubtful)
    assert [(call.status, call.trouble) for call in task.calls] == [("processing", "not over yet")]


def test_takes_back_a_task_for_an_abandoned_submission():
    stage = harness_of(TWO_STEPS, budget=100)
    stage.script.submits.append(response_faults.lost_before_the_charge)
    stage.script.always["transactions"] = "server"
    assert stage.finished().exit_status == 4
    del stage.script.always["transactions"]
    maintenance_session(stage, lambda session: Reconciler(session).write_off(1))
    intent = stage.intents()[0]
    stage.service.create("image_editor", [call.params for call in intent.calls], intent.comment, posted=False)
    stage.clock.advance(600)
    assert maintenance_session(stage, _doubtful) == ()
    assert len(fetch(stage).new) == 4


def test_keeps_texts_of_similar_task_ids_apart(tmp_path, monkeypatch):
    """Ids that begin with a time do."""
    stage = harness_of("steps: {say: {uses: run_any_llm, with: {prompt: a}}}", budget=100)
    stage.finished()
    run_part = stage.state().started.stamp_run
    new_id, alike = type(stage.service).new_id, "0192f0aa"
    monkeypatch.setattr(type(stage.service), "new_id", lambda self: alike + new_id(self)[8:])
    for letter in "xy":
        stage.service.create("run_any_llm", [{"prompt": letter}], run_part + letter * 12, posted=False)
    stage.clock.advance(600)
    aside = maintenance_session(stage, lambda session: save_unassigned(session, "run-1", tmp_path))
    assert len(aside.tasks) == 2 and aside.failures == ()
    rows = json.loads((tmp_path / "in-doubt" / "in-doubt.json").read_text())["tasks"]
    files = [name for row in rows for call in row["calls"] for name in call["files"]]
    said = {json.loads((tmp_path / "in-doubt" / name).read_text())["call_id"] for name in files}
    assert said == {call["call_id"] for row in rows for call in row["calls"]} and len(said) == 2
