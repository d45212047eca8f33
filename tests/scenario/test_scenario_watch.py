"""What becomes of accepted calls: bound once, known by id, late, failed, lost; and the files they end in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.build import harness_of
from tests.support.maintenance import maintenance_session
from tests.support.service import NEVER, Fate
from zenflow.engine.maintenance.fetch_all import take_in
from zenflow.engine.run import Changes
from zenflow.history import events as e

THREE = """
steps:
  draw:
    foreach: [a, b, c]
    timeout: 10m
    uses: image_editor
    with: {prompt: "${{ item }}"}
  up:
    foreach: ${{ steps.draw }}
    uses: upscaler
    with: {image_asset_id: "${{ item.asset_id }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.up.asset_ids }}", name: "${{ origin.draw.item }}"}
outputs: {files: "${{ steps.save.files }}"}
"""


def baseline():
    stage = harness_of(THREE, budget=100)
    stage.finished()
    return stage.contents()


@pytest.mark.parametrize("calls", ["plain", "growing", "repeated", "shuffled"])
@pytest.mark.parametrize("ends_partial", [False, True])
@pytest.mark.parametrize("echoes", [False, True])
def test_assigns_results_however_tasks_are_shown(calls, ends_partial, echoes):
    stage = harness_of(THREE, budget=100)
    listing_faults = stage.script.listing_faults
    listing_faults.calls, listing_faults.ends_partial, listing_faults.echoes_inputs = calls, ends_partial, echoes
    stage.service.fate = lambda tool, params, number: Fate(10.0 + 7 * number)
    assert stage.finished().status == "done"
    assert stage.contents() == baseline()


@pytest.mark.parametrize("method", ["list_tasks", "get_task", "call_result", "download_urls", "download", "quote"])
@pytest.mark.parametrize("trouble", ["server", "rate_limited", "unreachable"])
def test_troubles_of_free_questions_pass_and_nothing_is_lost(method, trouble):
    stage = harness_of(THREE, budget=100)
    stage.script.troubles[method] = [trouble] * 3
    stage.script.listing_faults.ends_partial = True
    assert stage.finished().status == "done"
    assert stage.contents() == baseline() and set(stage.charges().values()) == {1}


def test_waits_for_a_result_that_follows_its_call():
    stage = harness_of(THREE, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(10.0, result_after_s=30.0)
    assert stage.finished().status == "done" and stage.contents() == baseline()


def test_a_task_that_is_not_found_at_first_is_asked_for_again():
    stage = harness_of(THREE, budget=100)
    stage.script.troubles["get_task"] = ["not_found", "forbidden", "not_found"]
    assert stage.finished().status == "done"
    assert stage.contents() == baseline() and set(stage.charges().values()) == {1}


def storm(stage, method, trouble, until_s):
    """Every question of this kind is answered with a no until then."""

    def troubled(asked):
        return trouble if asked == method and stage.clock.monotonic_s() < until_s else None

    stage.script.trouble = troubled


@pytest.mark.parametrize("trouble", ["not_found", "forbidden"])
@pytest.mark.parametrize("method", ["get_task", "call_result"])
def test_a_storm_of_refused_reads_is_waited_out(method, trouble):
    stage = harness_of(THREE, budget=100)
    storm(stage, method, trouble, until_s=150.0)
    assert stage.finished().status == "done"
    assert stage.contents() == baseline() and set(stage.charges().values()) == {1}


@pytest.mark.parametrize("trouble", ["not_found", "forbidden"])
def test_a_listed_task_that_is_refused_for_long_is_late(trouble):
    stage = harness_of(THREE, budget=100)
    storm(stage, "get_task", trouble, until_s=4000.0)
    report = stage.finished()
    assert report.exit_status == 4 and stage.clock.monotonic_s() < 400
    assert {one.status for one in report.steps["draw"].instances} == {"late"}
    assert any("the listing shows its task" in said for _, said, _ in report.reasons)
    assert stage.finished().exit_status == 4, "each resume asks again"
    stage.clock.advance(4000)
    assert stage.finished().status == "done" and stage.contents() == baseline()
    assert set(stage.charges().values()) == {1}


def not_listed(stage, until_s):
    stage.script.listing_faults.stale = (0.0, until_s)


def test_a_task_that_nothing_shows_for_long_is_found_by_a_resume():
    stage = harness_of(THREE, budget=100)
    storm(stage, "get_task", "not_found", until_s=4000.0)
    not_listed(stage, 4000.0)
    report = stage.finished()
    assert {one.status for one in report.steps["draw"].instances} == {"not retrievable"}
    assert stage.finished().exit_status == 4 and len(stage.charges()) == 3
    stage.clock.advance(4000)
    assert stage.finished().status == "done" and stage.contents() == baseline()
    assert set(stage.charges().values()) == {1}


def test_fetch_takes_in_what_was_not_retrievable():
    stage = harness_of(THREE, budget=100)
    storm(stage, "get_task", "forbidden", until_s=4000.0)
    not_listed(stage, 4000.0)
    stage.finished()
    stage.clock.advance(4000)
    maintenance_session(stage, take_in)
    assert stage.state().lost == [] and all(one.results for one in stage.state().instances.values())


def test_a_lost_call_that_still_runs_is_waited_for():
    stage = harness_of(THREE.replace("timeout: 10m", "timeout: 3h"), budget=100)
    stage.service.fate = lambda tool, params, number: Fate(5000.0 if params.get("prompt") == "b" else 10.0)
    storm(stage, "get_task", "not_found", until_s=1000.0)
    not_listed(stage, 1000.0)
    assert stage.finished().exit_status == 4
    stage.clock.advance(1000)
    assert stage.finished().status == "done" and stage.contents() == baseline()
    assert any(isinstance(event, e.ResultAwaited) for event in stage.events())


def test_a_lost_call_that_failed_is_a_failure():
    stage = harness_of(THREE, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(10.0, error="no" if params.get("prompt") == "b" else None)
    storm(stage, "get_task", "not_found", until_s=1000.0)
    not_listed(stage, 1000.0)
    assert stage.finished().exit_status == 4
    stage.clock.advance(1000)
    report = stage.finished()
    assert [one.status for one in report.steps["draw"].instances] == ["done", "failed", "done"]
    assert report.state.lost == []


def test_a_result_that_stays_lost_may_be_made_again():
    stage = harness_of(THREE, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(gives="nothing" if number == 1 else "named")
    assert stage.finished().exit_status == 4
    report = stage.finished(changes=Changes(again=("draw.1",)))
    assert report.steps["draw"].instances[1].status == "done" and ("draw.1", 2) in stage.charges()
    assert set(stage.contents()) == set(baseline())


def test_assets_named_only_in_the_output_are_found():
    stage = harness_of(THREE, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(gives="in the output")
    assert stage.finished().status == "done" and stage.contents() == baseline()


def test_asks_for_output_assets_as_the_service_spells_them(monkeypatch):
    stage = harness_of(THREE, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(gives="in the output")
    new_id = type(stage.service).new_id
    monkeypatch.setattr(type(stage.service), "new_id", lambda self: new_id(self).upper())
    assert stage.finished().status == "done" and set(stage.contents()) == set(baseline())


def test_never_repeats_a_paid_call_without_a_result():
    stage = harness_of(THREE, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(gives="nothing" if params.get("prompt") == "b" else "named")
    report = stage.finished()
    assert report.exit_status == 4
    assert [one.status for one in report.steps["draw"].instances] == ["done", "not retrievable", "done"]
    assert [lost.output for lost in report.state.lost] == [{"note": "made, and nowhere to be found"}]
    assert [call.why for call in report.open_calls] == ["paid, not retrievable"]
    assert stage.finished().exit_status == 4 and ("draw.1", 2) not in stage.charges()


def test_finds_a_lost_result_again_on_resume():
    stage = harness_of(THREE, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(result_after_s=600.0 if params.get("prompt") == "b" else 0.0)
    assert stage.finished().exit_status == 4
    stage.clock.advance(3600)
    assert stage.finished().status == "done" and stage.contents() == baseline()
    assert set(stage.charges().values()) == {1}


def test_a_text_is_the_result_itself():
    stage = harness_of("""
    steps:
      ask: {uses: run_any_llm, with: {prompt: name a flower}}
    outputs: {answer: "${{ steps.ask.output.text }}"}
    """)
    assert stage.finished().outputs == {"answer": "an answer to name a flower"}


def test_keeps_a_late_call_charged_until_a_resume_adopts_it():
    stage = harness_of(THREE, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(3000.0 if params.get("prompt") == "b" else 10.0)
    report = stage.finished()
    assert report.exit_status == 4 and stage.clock.monotonic_s() < 700
    assert [one.status for one in report.steps["draw"].instances] == ["done", "late", "done"]
    assert len(stage.contents()) == 2 and any(isinstance(event, e.WentLate) for event in stage.events())
    early = stage.finished()
    assert early.exit_status == 4, "still not finished"
    stage.clock.advance(3600)
    assert stage.finished().status == "done" and stage.contents() == baseline()
    assert set(stage.charges().values()) == {1} and len(stage.charges()) == 6


def test_never_pays_an_endless_call_twice_despite_retry():
    stage = harness_of(THREE.replace("timeout: 10m", "timeout: 10m\n    retry: 2"), budget=100)
    stage.service.fate = lambda tool, params, number: Fate(NEVER if params.get("prompt") == "b" else 10.0)
    assert stage.finished().exit_status == 4
    assert stage.finished().exit_status == 4 and ("draw.1", 2) not in stage.charges()


def test_marks_a_task_deleted_while_running_as_paid_and_lost():
    stage = harness_of(THREE + "", budget=100)
    stage.limits = replace(stage.limits, batch=1)
    stage.service.later(5.0, lambda: setattr(next(iter(stage.service.tasks.values())), "deleted", True))
    report = stage.finished()
    assert report.exit_status == 4 and len(stage.contents()) == 2
    assert sorted(one.status for one in report.steps["draw"].instances) == ["done", "done", "not retrievable"]


@pytest.mark.parametrize("mishap", ["break", "truncate", "expire"])
def test_a_download_that_goes_wrong_is_asked_for_again(mishap):
    stage = harness_of(THREE, budget=100)
    stage.script.downloads = [mishap, "", mishap, mishap]
    assert stage.finished().status == "done" and stage.contents() == baseline()


PASSED_ON = """
steps:
  draw: {uses: image_editor, with: {prompt: a}}
  same: {uses: upload, with: {source: "${{ steps.draw.asset_id }}"}}
  up: {uses: upscaler, with: {image_asset_id: "${{ steps.same.asset_id }}"}}
  save: {uses: download, with: {asset_ids: "${{ steps.up.asset_ids }}", name: up}}
"""


def test_an_asset_of_this_run_is_one_whatever_its_id_looks_like(monkeypatch):
    stage = harness_of(PASSED_ON, budget=100)
    new_id = type(stage.service).new_id
    monkeypatch.setattr(type(stage.service), "new_id", lambda self: new_id(self).replace("-", ""))
    report = stage.finished()
    assert report.status == "done" and set(stage.contents()) == {"up.png"}


def test_a_file_that_looks_damaged_is_asked_for_again():
    stage = harness_of(THREE, budget=100)
    stage.script.downloads = ["blank"] * 3
    assert stage.finished().status == "done" and stage.contents() == baseline()


def test_keeps_a_file_that_is_always_damaged_the_same_way():
    stage = harness_of(THREE, budget=100)
    stage.script.downloads = ["blank"] * 99
    report = stage.finished()
    assert report.status == "done" and set(stage.contents()) == set(baseline())
    told = [note.message for note in report.state.notes if note.code == "ZF866"]
    assert len(told) == 3 and all("kept as it is" in one for one in told)


def test_resumes_unfetched_files_without_paying():
    stage = harness_of(THREE, budget=100)
    stage.script.downloads = ["truncate"] * 5 * 3
    assert stage.finished().exit_status == 1 and stage.contents() == {}
    posts = stage.service.posts
    assert stage.finished().status == "done" and stage.contents() == baseline() and stage.service.posts == posts


def test_a_full_disk_is_no_reason_to_pay_again():
    stage = harness_of(THREE, budget=100)
    stage.store.full = True
    report = stage.finished()
    assert report.exit_status in (1, 4) and stage.contents() == {}
    stage.store.full = False
    posts = stage.service.posts
    assert stage.finished().status == "done" and stage.contents() == baseline() and stage.service.posts == posts


def test_fetches_a_removed_file_again_on_resume():
    stage = harness_of(THREE, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(error="no" if params.get("prompt") == "c" else None)
    stage.finished()
    stage.store.files.pop("a.png")
    stage.service.fate = lambda tool, params, number: Fate()
    assert stage.finished().status == "done" and stage.contents() == baseline()


def test_ignores_a_night_unwatched_in_tool_durations():
    stage = harness_of(THREE, budget=100)

    async def leave(stage, stop):
        while not any(isinstance(event, e.Accepted) for event in stage.events()):
            await stage.clock.sleep(0.5)
        stop.request()
        stop.request()

    stage.run(meanwhile=leave)
    stage.clock.advance(40_000)
    assert stage.finished().status == "done"
    assert max(stage.journal.durations("scripted", "image_editor", ""), default=0.0) < 1_000


def test_follows_a_partial_task_to_its_failed_last_call():
    stage = harness_of(THREE.replace("timeout: 10m", "on_error: continue"), budget=100)
    stage.script.listing_faults.ends_partial, stage.script.listing_faults.failed_count_as_done = True, False
    stage.service.fate = lambda tool, params, number: (
        Fate(60.0, error="no flower in it") if params.get("prompt") == "c" else Fate(10.0)
    )
    report = stage.finished()
    assert [one.status for one in report.steps["draw"].instances] == ["done", "done", "failed"]
    assert len(stage.contents()) == 2 and stage.clock.monotonic_s() < 300
