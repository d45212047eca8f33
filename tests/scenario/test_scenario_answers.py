"""After an answer that did not come, or came as a no: the table of docs/money.md, row by row, told by what the
service was charged."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.support import response_faults
from tests.support.build import harness_of
from tests.support.offers import OFFERS
from tests.support.service import Fate
from zenflow.engine.model.ports import Limits
from zenflow.engine.run import Changes
from zenflow.history import events as e
from zenflow.history.state import Outcome

ONE = """
steps:
  draw:
    foreach: [a, b, c]
    uses: image_editor
    with: {prompt: "${{ item }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.draw.asset_ids }}"}
outputs: {files: "${{ steps.save.files }}"}
"""
ALONE = """
steps:
  draw:
    uses: image_editor
    with: {prompt: alone}
"""


def a_stage(*accidents, text=ONE, **parts):
    stage = harness_of(text, budget=100, **parts)
    stage.script.submits.extend(accidents)
    return stage


def lost_and(then):
    """Charged, the answer lost, and at once something happens to the task."""

    async def happen(line, submission):
        answer = await response_faults.lost_after_the_charge(line, submission)
        then(line.service, next(iter(line.service.tasks.values())))
        return answer

    return happen


def charged_once_each(stage):
    charges = stage.charges()
    return (
        len(charges) == 3 and set(charges.values()) == {1} and sum(t.posted for t in stage.service.tasks.values()) == 1
    )


def test_posts_and_charges_once_per_call_without_faults():
    stage = a_stage()
    assert stage.finished().status == "done"
    assert stage.service.posts == 1 and charged_once_each(stage)


@pytest.mark.parametrize(
    "accident",
    [response_faults.lost_after_the_charge, response_faults.answer_without_id, response_faults.answer_in_rubbish]
    + [
        response_faults.over_http(status, charged=True)
        for status in (400, 401, 402, 403, 404, 408, 422, 429, 500, 502, 504)
    ],
)
def test_finds_a_charged_lost_answer_by_its_stamp(accident):
    stage = a_stage(accident)
    report = stage.finished()
    if report.status != "done":  # 401: sign in again, then resume
        assert report.exit_status == 4
        report = stage.finished()
    assert report.status == "done" and stage.service.posts == 1 and charged_once_each(stage)
    assert stage.state().submissions[1].adopted


@pytest.mark.parametrize("query", ["works", "ignored"])
def test_finds_a_lost_answer_when_the_listing_lacks_comments(query):
    stage = a_stage(response_faults.lost_after_the_charge)
    stage.script.listing_faults.comments_listed, stage.script.listing_faults.query = False, query
    stage.service.spend_elsewhere()
    assert stage.finished().status == "done" and stage.service.posts == 1 and charged_once_each(stage)
    assert stage.state().submissions[1].adopted


@pytest.mark.parametrize(
    "accident",
    [response_faults.lost_before_the_charge]
    + [response_faults.over_http(status) for status in (400, 402, 404, 500, 503, 504)],
)
def test_resends_an_uncharged_lost_answer_after_two_lookups(accident):
    stage = a_stage(accident)
    report = stage.finished()
    assert report.status == "done" and charged_once_each(stage)
    looks = stage.state().submissions[1]
    assert looks.attempts == 2 and stage.clock.monotonic_s() > 120


@pytest.mark.parametrize("accident", [response_faults.no_connection, response_faults.over_http(429, retry_after_s=7.0)])
def test_looks_up_an_unsent_call_and_resends_it_soon(accident):
    stage = a_stage(accident)
    assert stage.finished().status == "done"
    assert charged_once_each(stage) and stage.state().submissions[1].attempts == 2
    assert stage.clock.monotonic_s() < 60


def test_a_request_that_takes_effect_while_we_wait_is_adopted():
    stage = a_stage(response_faults.takes_effect_after(100.0))
    assert stage.finished().status == "done"
    assert stage.service.posts == 1 and charged_once_each(stage)


def test_prices_a_request_that_takes_effect_after_the_wait():
    stage = a_stage(response_faults.takes_effect_after(150.0))
    stage.service.fate = lambda tool, params, number: Fate(90.0)
    report = stage.finished()
    assert report.status == "done"
    assert [code for code, _, _ in report.reasons] == ["ZF640"] and "6 credits" in report.reasons[0][1]


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_refusal_is_released_and_reported_and_charges_nothing(status):
    stage = a_stage(response_faults.says(status, "no such thing"), text=ALONE)
    report = stage.finished()
    assert (report.status, report.exit_status) == ("failed", 1)
    assert stage.service.rows == [] and stage.state().totals.released == 2
    assert "no such thing" in report.reasons[0][1]


def test_out_of_credits_stops_and_a_resume_goes_on():
    stage = a_stage(response_faults.says(402, "out of credits", {"purchase_url": "https://example.org/buy"}))
    report = stage.finished()
    assert (report.status, report.exit_status) == ("stopped", 4)
    assert "https://example.org/buy" in report.reasons[0][2]
    assert stage.finished().status == "done" and charged_once_each(stage)


def test_nothing_but_429_for_ten_minutes_stops_the_run():
    stage = a_stage(*[response_faults.over_http(429)] * 100)
    report = stage.finished()
    assert (report.status, report.exit_status) == ("stopped", 4) and stage.service.rows == []
    assert 600 < stage.clock.monotonic_s() < 1500
    stage.script.submits.clear()
    assert stage.finished().status == "done" and charged_once_each(stage)


def test_a_broken_query_falls_back_to_the_unfiltered_listing():
    stage = a_stage(response_faults.lost_after_the_charge)
    stage.script.listing_faults.query = "nothing"
    assert stage.finished().status == "done"
    assert stage.service.posts == 1 and charged_once_each(stage)


def test_an_ignored_query_finds_our_task_among_strangers():
    stage = a_stage(response_faults.lost_after_the_charge)
    stage.script.listing_faults.query = "ignored"
    for _ in range(250):
        stage.service.spend_elsewhere()
    assert stage.finished().status == "done" and charged_once_each(stage)


def test_never_resends_a_hidden_task_whose_debit_is_seen():
    stage = a_stage(response_faults.lost_after_the_charge)
    stage.service.lag_s = lambda number: 10_000.0 if number == 0 else 0.0
    report = stage.finished()
    assert stage.service.posts == 1 and stage.service.rows[0].amount == -6
    assert report.exit_status in (0, 4)


def test_leaves_it_to_the_operator_without_transactions():
    stage = a_stage(response_faults.lost_before_the_charge)
    stage.script.always["transactions"] = "server"
    report = stage.finished()
    assert (report.status, report.exit_status, stage.service.posts) == ("stopped", 4, 0)
    assert {one.status for one in report.steps["draw"].instances} == {"unknown"}
    assert stage.state().submissions[1].outcome is Outcome.UNKNOWN and stage.state().totals.unknown == 6
    del stage.script.always["transactions"]
    assert stage.finished().status in ("stopped", "done") and set(stage.charges().values()) <= {1}


def test_explains_spending_by_others_and_continues():
    stage = a_stage(response_faults.lost_before_the_charge)
    stage.service.later(60.0, stage.service.spend_elsewhere)
    assert stage.finished().status == "done" and charged_once_each(stage)


def test_leaves_an_unexplained_debit_to_the_operator():
    stage = a_stage(lost_and(lambda service, task: setattr(task, "deleted", True)))
    report = stage.finished()
    assert (report.exit_status, stage.service.posts) == (4, 1)
    assert stage.finished().exit_status == 4 and stage.service.posts == 1


def test_a_copied_stamp_with_other_inputs_is_not_taken_for_ours():
    stage = a_stage(response_faults.lost_before_the_charge)

    def copy():
        stamp = stage.provider.submitted[0].comment
        stage.service.create("image_editor", [{"prompt": "theirs"}] * 3, stamp, posted=False)

    stage.service.later(5.0, copy)
    report = stage.finished()
    assert (report.exit_status, stage.service.posts) == (4, 0)


def test_adopts_the_oldest_of_two_stamped_tasks():
    stage = a_stage(lost_and(lambda service, task: service.copy(task)))
    report = stage.finished()
    assert report.status == "done" and stage.service.posts == 1
    assert stage.state().submissions[1].task_id == next(iter(stage.service.tasks))
    assert [code for code, _, _ in report.reasons] == ["ZF640"]


def test_charges_each_once_after_a_reset_of_twenty_creates():
    stage = harness_of(
        """
        steps:
          draw:
            foreach: ${{ range(20) }}
            uses: image_editor
            with: {prompt: "picture ${{ item }}"}
        """,
        budget=40,
    )
    stage.limits = replace(stage.limits, batch=1)
    stage.script.submits.extend([response_faults.lost_after_the_charge, response_faults.lost_before_the_charge] * 10)
    report = stage.finished()
    assert report.status == "done" and set(stage.charges().values()) == {1} and len(stage.charges()) == 20


def test_does_not_pay_a_price_that_rose_before_resending():
    stage = a_stage(response_faults.lost_before_the_charge)
    stage.service.later(60.0, lambda: setattr(stage.service, "price_factor", 3))
    report = stage.finished()
    assert report.exit_status == 4 and stage.service.rows == []


def test_names_three_decisions_when_a_price_rose_before_resend():
    stage = harness_of(
        """
        steps:
          draw:
            uses: image_editor
            with: {prompt: lost}
          tell:
            uses: run_any_llm
            with: {prompt: told}
          more:
            uses: run_any_llm
            with: {prompt: "${{ steps.tell.output.text }}"}
        """,
        budget=100,
        limits=Limits(batch=1),
    )
    accidents = {"image_editor": response_faults.lost_before_the_charge}
    stage.script.submit = lambda one: accidents.get(one.tool, response_faults.as_it_should)
    stage.service.fate = lambda tool, params, number: Fate(300.0)
    dearer = replace(OFFERS["image_editor"], each=Decimal(3))
    stage.service.later(60.0, lambda: setattr(stage.service, "offers", {**OFFERS, "image_editor": dearer}))
    report = stage.finished()
    assert (report.exit_status, report.steps["more"].status) == (4, "done"), "the other branch goes on"
    ((code, said, hint),) = [one for one in report.reasons if one[1].startswith("draw:")]
    assert (code, "costs 3 credits now, and 2 were set aside" in said) == ("ZF633", True)
    assert all(word in hint for word in ("zenflow reconcile RUN", "adopt", "--resubmit 1", "give it up"))


def test_continues_an_incomplete_lookup_after_a_429():
    stage = a_stage(text=ONE, limits=Limits(batch=1, in_flight=1))
    stage.script.submits += [response_faults.as_it_should, response_faults.over_http(429, retry_after_s=5.0)]
    stage.service.lag_s = lambda number: 70.0 if number == 0 else 0.0  # the control is not listed for so long
    stage.service.fate = lambda tool, params, number: Fate(27.0)
    assert stage.finished().status == "done"
    assert len(stage.charges()) == 3 and set(stage.charges().values()) == {1}
    looks = [one for one in stage.events() if isinstance(one, e.LookupRecorded) and one.submission == 2]
    assert [one.complete for one in looks][-1] and not looks[0].complete, "the first looks failed their control"
    assert stage.clock.monotonic_s() < 180


def test_what_was_not_sent_says_so_and_is_not_told_as_lost():
    stage = a_stage(response_faults.over_http(401), text=ALONE)
    report = stage.finished()
    assert report.steps["draw"].status == "stopped"
    (call,) = report.open_calls
    assert call.why.startswith("not sent")
    said = {code: text for code, text, _ in report.reasons}
    assert "not charged" in said["ZF636"] and "ZF642" not in said


def test_an_unknown_outcome_names_reconcile_with_the_run():
    stage = a_stage(response_faults.lost_before_the_charge)
    stage.script.always["transactions"] = "server"
    report = stage.finished()
    hints = {hint for code, _, hint in report.reasons if code == "ZF642"}
    assert hints and all("zenflow reconcile RUN" in hint for hint in hints)


def test_resends_without_the_inputs_that_a_refusal_names():
    stage = harness_of(
        """
        steps:
          draw:
            foreach: ${{ range(50) }}
            uses: image_editor
            with: {prompt: "picture ${{ item }}"}
        """,
        budget=1000,
    )
    stage.service.price_tells = False
    stage.service.refuses = lambda tool, params: "not allowed" if params["prompt"] == "picture 17" else None
    report = stage.finished()
    assert [one.address for one in report.steps["draw"].instances if one.status == "failed"] == ["draw.17"]
    assert stage.service.posts == 2 and len(stage.charges()) == 49 and report.exit_status == 1


@pytest.mark.parametrize("price_tells", [True, False])
def test_a_refusal_that_names_nothing_is_taken_apart(price_tells):
    stage = harness_of(
        """
        steps:
          draw:
            foreach: ${{ range(50) }}
            uses: image_editor
            with: {prompt: "picture ${{ item }}"}
        """,
        budget=1000,
    )
    stage.service.names_violations = False
    stage.service.price_tells = price_tells
    stage.service.refuses = lambda tool, params: "not allowed" if params["prompt"] == "picture 17" else None
    report = stage.finished()
    assert [one.address for one in report.steps["draw"].instances if one.status == "failed"] == ["draw.17"]
    assert len(stage.charges()) == 49 and set(stage.charges().values()) == {1}


def test_a_sign_in_that_ended_stops_and_a_resume_goes_on():
    stage = a_stage(response_faults.over_http(401))
    assert stage.finished().exit_status == 4
    assert stage.finished(changes=Changes()).status == "done" and charged_once_each(stage)


def without_echo(**parts):
    """A lost answer on a server that does not show what its tasks were asked."""
    stage = a_stage(response_faults.lost_after_the_charge, **parts)
    stage.script.listing_faults.echoes_inputs = False
    return stage


def test_adopts_a_stamp_with_equal_tool_and_total():
    stage = without_echo()
    report = stage.finished()
    assert report.status == "done" and stage.service.posts == 1 and stage.state().submissions[1].adopted
    ((code, said, _),) = report.reasons
    task_id = next(iter(stage.service.tasks))
    wanted = f"task {task_id} was adopted for #1 by stamp, tool and total: this server does not show inputs"
    assert (code, said) == ("ZF640", wanted)


def test_never_sends_on_several_matches():
    stage = a_stage(lost_and(lambda service, task: [service.copy(task), service.copy(task)]))
    stage.script.listing_faults.echoes_inputs = False
    report = stage.finished()
    assert report.status == "done" and stage.service.posts == 1
    made = [task for task in stage.service.tasks.values() if task.posted]
    assert stage.state().submissions[1].task_id == made[0].task_id, "the oldest"
    said = [text for code, text, _ in report.reasons if code == "ZF640"]
    others = [task.task_id for task in stage.service.tasks.values() if not task.posted]
    assert len(said) == 3 and all(any(one in text for text in said) for one in others)


@pytest.mark.parametrize("other", ["tool", "total"])
def test_stays_unknown_when_tool_or_total_differ(other):
    stage = a_stage(response_faults.lost_before_the_charge)
    stage.script.listing_faults.echoes_inputs = False

    def made(number):
        intent = stage.intents()[0]
        inputs = [{"prompt": "x"}] * (len(intent.calls) + (other == "total"))
        tool = "run_any_llm" if other == "tool" else intent.tool
        stage.service.create(tool, inputs, intent.comment, posted=False)

    stage.service.later(2.0, lambda: made(1))
    report = stage.finished()
    assert report.exit_status == 4 and stage.service.posts == 0
    assert stage.state().submissions[1].outcome is Outcome.UNKNOWN
