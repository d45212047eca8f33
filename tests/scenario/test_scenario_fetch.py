"""Everything paid for gets onto the disk: of failed, abandoned and late runs; free, never twice, and the run stays as it is."""

from __future__ import annotations

from zenflow.engine.collecting import collect, still_running, take_in
from zenflow.engine.door import StopSignal
from zenflow.history import events as e
from zenflow.testing.build import stage_of
from zenflow.testing.desk import at_desk
from zenflow.testing.service import Fate

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


async def _fetch(desk):
    await take_in(desk)
    return await collect(desk)


def fetch(stage):
    return at_desk(stage, _fetch)


def kinds_since(stage, before):
    return {type(event) for event in stage.events()[before:]}


def test_results_that_no_download_names_are_saved_below_paid():
    stage = stage_of(TWO_STEPS, budget=100)
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
    stage = stage_of(TWO_STEPS, budget=100)
    stage.finished()
    fetch(stage)
    asked = dict(stage.provider.asked)
    found = fetch(stage)
    assert (found.new, len(found.kept)) == ([], 8)
    assert "download" in asked and "download" not in stage.provider.asked


def test_the_run_stays_as_it_is_and_only_facts_about_files_are_added():
    stage = stage_of(TWO_STEPS, budget=100)
    stage.finished()
    before, status = len(stage.events()), stage.state().status
    fetch(stage)
    assert kinds_since(stage, before) <= {e.FileSaved, e.Confirmed, e.Refunded}
    assert stage.state().status == status == "done"


def test_a_file_that_was_lost_or_spoilt_is_fetched_again_under_its_name():
    stage = stage_of(TWO_STEPS, budget=100)
    stage.finished()
    whole = stage.store.files["large-1.png"]
    stage.store.files["large-1.png"] = b"spoilt"
    del stage.store.files["large-2.png"]
    del stage.store.files["large-1.png"]
    found = fetch(stage)
    assert {"large-1.png", "large-2.png"} <= {file.path for file in found.new}
    assert stage.store.files["large-1.png"] == whole


def test_a_run_whose_downloads_failed_is_fetched_whole_and_a_resume_then_has_nothing_to_fetch():
    stage = stage_of(TWO_STEPS, budget=100)
    stage.store.full = True
    assert stage.finished().exit_status == 1
    stage.store.full = False
    found = fetch(stage)
    assert len(found.new) == 8 and found.failures == []
    assert {file.path for file in found.new} >= {f"large-{n}.png" for n in range(4)}
    assert stage.state().status == "failed"
    assert stage.finished().status == "done" and "download" not in stage.provider.asked
    assert stage.service.posts == 2


def test_what_was_running_when_the_run_was_left_is_taken_in_when_it_is_over():
    stage = stage_of(TWO_STEPS, budget=100)

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
    stage = stage_of(TWO_STEPS.replace("uses: upscaler", "uses: upscaler\n    timeout: 5s"), budget=100)
    stage.service.fate = lambda tool, params, number: Fate(600.0 if tool == "upscaler" else 10.0)
    report = stage.finished()
    assert report.exit_status == 4 and {call.why for call in report.open_calls} == {"late"}
    assert len(fetch(stage).new) == 4
    stage.clock.advance(900)
    found = fetch(stage)
    assert sorted(file.path for file in found.new) == [f"large-{n}.png" for n in range(4)]
    assert stage.service.posts == 2


def test_a_result_that_could_not_be_found_is_looked_for_again():
    stage = stage_of(TWO_STEPS, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(10.0, result_after_s=4000.0 if tool == "upscaler" else 0.0)
    assert stage.finished().exit_status == 4 and stage.state().lost
    stage.clock.advance(5000)
    found = fetch(stage)
    assert {file.path for file in found.new} >= {f"large-{n}.png" for n in range(4)}
    assert stage.state().lost == []


def test_one_asset_that_is_gone_does_not_keep_the_others():
    stage = stage_of(TWO_STEPS, budget=100)
    stage.store.full = True
    stage.finished()
    stage.store.full = False
    gone = stage.state().instances["draw.0"].results["asset_ids"][0]
    del stage.service.assets[gone]
    found = fetch(stage)
    assert len(found.new) == 7 and [asset_id for asset_id, _, _ in found.failures] == [gone]


def test_a_text_is_a_result_too():
    stage = stage_of("steps:\n  think:\n    uses: run_any_llm\n    with: {prompt: why}\n", budget=100)
    stage.finished()
    (text,) = fetch(stage).texts
    assert (text.name, text.output) == ("paid/think", {"text": "an answer to why"})
