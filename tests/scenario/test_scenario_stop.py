"""How a run ends before its end: asked to stop, told to leave, the journal failing, the process dying, two at once."""

from __future__ import annotations

import asyncio

import pytest

from tests.support import response_faults
from tests.support.build import harness_of
from tests.support.crashing_journal import Death
from tests.support.memory_journal import MemoryJournal
from tests.support.service import Fate
from zenflow.engine.model.ports import StopSignal
from zenflow.engine.reconciliation.task_lookup import TaskLookup
from zenflow.engine.run import Changes
from zenflow.journal.base import RunBusy

CHAIN = """
steps:
  draw:
    foreach: [a, b, c]
    uses: image_editor
    with: {prompt: "${{ item }}"}
  up:
    foreach: ${{ steps.draw.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.up.asset_ids }}"}
  early:
    uses: download
    with: {asset_ids: "${{ steps.draw.asset_ids }}", name: "raw-${{ index }}"}
"""


def stops_at(*moments):
    async def meanwhile(stage, stop: StopSignal):
        began = stage.clock.monotonic_s()
        for moment in moments:
            await stage.clock.sleep(moment - (stage.clock.monotonic_s() - began))
            stop.request()

    return meanwhile


def test_drains_on_the_first_request_and_starts_nothing():
    stage = harness_of(CHAIN, budget=100)
    report = stage.finished(meanwhile=stops_at(5.0))
    assert (report.status, report.exit_status) == ("interrupted", 130)
    assert stage.service.posts == 1 and [one.status for one in report.steps["draw"].instances] == ["done"] * 3
    assert sorted(stage.contents()) == ["raw-0.png", "raw-1.png", "raw-2.png"]
    assert stage.finished().status == "done" and set(stage.charges().values()) == {1}


def test_leaves_at_once_on_the_second_request_resumably():
    stage = harness_of(CHAIN, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(100.0)
    report = stage.finished(meanwhile=stops_at(5.0, 7.0))
    assert report.exit_status == 130 and stage.clock.monotonic_s() < 8
    assert [call.why for call in report.open_calls] == ["still running"] * 3
    assert stage.finished().status == "done" and set(stage.charges().values()) == {1}


def test_leaves_without_waiting_for_a_silent_service():
    stage = harness_of(CHAIN, budget=100)
    stage.script.latency_s = lambda method: 90.0 if method == "list_tasks" else 0.1
    report = stage.finished(meanwhile=stops_at(10.0, 11.0))
    assert report.exit_status == 130 and stage.clock.monotonic_s() < 12


def test_waits_for_the_wire_once_then_leaves_it_open():
    stage = harness_of(CHAIN, budget=100)
    stage.script.latency_s = lambda method: 20.0 if method == "submit" else 0.1
    drained = stage.finished(meanwhile=stops_at(2.0))
    assert drained.exit_status == 130 and stage.state().submissions[1].task_id
    left = harness_of(CHAIN, budget=100)
    left.script.latency_s = lambda method: 20.0 if method == "submit" else 0.1
    assert left.finished(meanwhile=stops_at(2.0, 3.0)).exit_status == 130
    assert left.clock.monotonic_s() < 5 and left.state().totals.open == 6
    assert left.finished().status == "done" and set(left.charges().values()) == {1}


def test_a_stop_after_the_last_payment_is_no_interruption():
    stage = harness_of(CHAIN, budget=100)
    report = stage.finished(meanwhile=stops_at(14.0))
    assert report.status in ("done", "interrupted") and stage.service.posts == 2
    assert report.status == "done" or report.exit_status == 130


def test_a_stop_while_an_answer_is_looked_for_ends_soon():
    stage = harness_of(CHAIN, budget=100)
    stage.script.submits.append(response_faults.lost_before_the_charge)
    report = stage.finished(meanwhile=stops_at(20.0))
    assert report.exit_status in (4, 130) and stage.clock.monotonic_s() < 30
    assert stage.finished().status == "done" and set(stage.charges().values()) == {1}


@pytest.mark.parametrize("download_s", [0.1, 40.0])
def test_ends_with_a_report_wherever_the_journal_fails(monkeypatch, download_s):
    """No error passes by the report, and no task is left whose error the loop would print at its end."""

    append = MemoryJournal.append

    class Slow:
        """A disk takes its time until it says that it is full."""

        def __init__(self, clock, queued):
            self._clock, self._queued = clock, queued

        def __await__(self):
            yield from self._clock.sleep(0.05).__await__()
            yield from self._queued.__await__()

    def staged():
        stage = harness_of(CHAIN, budget=100)
        stage.script.latency_s = lambda method: download_s if method == "download" else 0.1
        monkeypatch.setattr(MemoryJournal, "append", lambda *given: Slow(stage.clock, append(*given)))
        return stage

    async def at_the_end(self):
        return None

    monkeypatch.setattr(TaskLookup, "confirm", at_the_end)  # debits are left to the end of the run
    whole = staged()
    whole.finished()
    for writes in range(2, whole.journal.writes):
        stage, left = staged(), []

        async def listen(stage, stop, left=left):
            asyncio.get_running_loop().set_exception_handler(lambda loop, told: left.append(told))

        stage.journal.fail_after(writes)
        report = stage.finished(meanwhile=listen)
        assert report.journal_failed and report.reasons[0][0] == "ZF801", writes
        assert left == [], (writes, left)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("writes", range(1, 14))
def test_says_what_runs_when_the_journal_fails(writes, late):
    stage = harness_of(CHAIN, budget=100)
    stage.journal.fail_after(writes, late=late)
    report = stage.finished()
    posted = sum(task.posted for task in stage.service.tasks.values())
    attempts = len(stage.provider.submitted)
    assert report.exit_status == 4 and report.reasons[0][0].startswith("ZF80")
    stage.journal = stage.journal.survives()
    assert attempts <= len(stage.intents()), "no POST without an intent on disk"
    assert stage.finished().status == "done" and set(stage.charges().values()) == {1}
    assert posted <= 2


@pytest.mark.parametrize("durable", [False, True])
def test_charges_nothing_twice_after_death_at_any_write(durable):
    whole = harness_of(CHAIN, budget=100)
    whole.finished()
    for at_append in range(1, whole.appends + 1):
        stage = harness_of(CHAIN, budget=100)
        assert stage.run(crash=Death(at_append, durable)) is None
        report = stage.finished()
        assert report.status == "done", (at_append, report.reasons)
        assert stage.contents() == whole.contents(), at_append
        assert set(stage.charges().values()) == {1}, at_append
        assert -sum(row.amount for row in stage.service.rows) == stage.state().totals.spent == 9, at_append


def test_two_resumes_at_once_exactly_one_works():
    stage = harness_of(CHAIN, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(100.0)
    seen = []

    async def another(stage, stop):
        await stage.clock.sleep(10.0)
        other = stage.journal.beside()
        try:
            other.take_lease("run-1")
        except RunBusy as error:
            seen.append(error)

    assert stage.finished(meanwhile=another).status == "done"
    assert len(seen) == 1


def test_a_process_whose_run_was_taken_over_sends_nothing_more():
    stage = harness_of(CHAIN, budget=100)

    async def thief(stage, stop):
        await stage.clock.sleep(5.0)
        stage.journal.beside(host="elsewhere").take_lease("run-1", take_over=True)

    report = stage.finished(meanwhile=thief)
    assert report.exit_status == 4 and stage.service.posts == 1


def test_a_journal_restored_from_a_moment_ago_repeats_nothing():
    stage = harness_of(CHAIN, budget=100)
    kept = []

    async def keep(stage, stop):
        await stage.clock.sleep(1.0)
        kept.append(stage.journal.survives())

    assert stage.finished(meanwhile=keep).status == "done"
    stage.journal = kept[0]
    assert stage.finished(changes=Changes()).status == "done"
    assert stage.service.posts == 2 and sum(task.posted for task in stage.service.tasks.values()) == 2


def test_a_run_whose_tasks_are_elsewhere_sleeps_through_a_day():
    stage = harness_of(CHAIN, budget=100)

    async def sleep(stage, stop):
        await asyncio.sleep(5.0)
        stage.clock.advance(86_400)

    report = stage.finished(meanwhile=sleep)
    assert report.status == "done" or report.exit_status == 4
    assert stage.finished().status == "done" and set(stage.charges().values()) == {1}
