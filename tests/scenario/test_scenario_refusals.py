"""A no in words that no table knows, and answers that stay unclear: what is shown, what is sent again, and how often."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.support import response_faults
from tests.support.build import harness_of
from tests.support.maintenance import maintenance_session
from zenflow.engine.maintenance.reconciler import Reconciler
from zenflow.history import events as e
from zenflow.history.state import Outcome

THREE = """
steps:
  draw:
    foreach: [a, b, c]
    uses: image_editor
    with: {prompt: "${{ item }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.draw.asset_ids }}"}
"""
ALONE = """
steps:
  draw:
    uses: image_editor
    with: {prompt: alone}
"""
WORDS = "model X is not allowed on your account"


def a_stage(*accidents, text=ALONE, **parts):
    stage = harness_of(text, budget=100, **parts)
    stage.script.submits.extend(accidents)
    return stage


def always(stage, mishap):
    stage.script.submit = lambda submission: mishap
    return stage


def codes(report):
    return [code for code, _, _ in report.reasons]


@pytest.mark.parametrize(
    "no", [response_faults.in_words(WORDS), response_faults.over_http(403), response_faults.over_http(413)]
)
def test_one_lookup_makes_an_unknown_no_a_refusal(no):
    stage = always(a_stage(), no)
    report = stage.finished()
    assert (report.status, report.exit_status, stage.service.posts) == ("failed", 1, 1)
    assert stage.state().submissions[1].outcome is Outcome.REFUSED and stage.state().totals.released == 2
    assert stage.clock.monotonic_s() < 60, "it does not wait for a lost answer: an answer came"


def test_the_words_of_a_no_are_shown_at_once_and_at_the_end():
    stage = always(a_stage(), response_faults.in_words(WORDS))
    report = stage.finished()
    kinds = [type(event) for event in stage.events()]
    (note,) = [event for event in stage.events() if isinstance(event, e.Noted)]
    assert WORDS in note.message and kinds.index(e.Noted) < kinds.index(e.LookupRecorded), "before any lookup"
    assert any(code == "ZF708" and WORDS in said for code, said, _ in report.reasons)


def test_a_no_about_a_batch_fails_all_of_it_and_is_not_tried_out():
    stage = always(a_stage(text=THREE), response_faults.in_words(WORDS))
    report = stage.finished()
    assert report.status == "failed" and stage.service.posts == 1
    assert [one.status for one in report.steps["draw"].instances] == ["failed"] * 3


def test_a_batch_that_is_too_large_is_halved():
    stage = a_stage(text=THREE)
    edge = response_faults.over_http(413)
    stage.script.submit = lambda one: edge if len(one.inputs) > 1 else response_faults.as_it_should
    report = stage.finished()
    assert report.status == "done" and set(stage.charges().values()) == {1} and len(stage.charges()) == 3


def test_a_no_that_charged_all_the_same_is_found():
    stage = a_stage(response_faults.in_words("something is wrong", charged=True), text=THREE)
    assert stage.finished().status == "done"
    assert stage.service.posts == 1 and stage.state().submissions[1].adopted


def test_a_no_beside_a_debit_of_a_hidden_task_is_no_refusal():
    stage = a_stage(response_faults.over_http(403, charged=True))
    stage.service.lag_s = lambda number: 10_000.0
    report = stage.finished()
    assert report.exit_status == 4 and stage.service.posts == 1
    assert stage.state().submissions[1].outcome is Outcome.UNKNOWN


def test_a_no_beside_a_lower_balance_is_no_refusal():
    stage = a_stage(response_faults.in_words(WORDS, charged=True))
    stage.script.listing_faults.stale = (0.0, 10_000.0)
    report = stage.finished()
    assert report.exit_status == 4 and stage.service.posts == 1
    look = stage.state().submissions[1].lookups[-1]
    assert look.debits_explained is False and "balance is 2 credits lower" in look.detail


def test_a_no_that_cannot_be_confirmed_waits_for_an_operator():
    stage = a_stage(response_faults.in_words(WORDS))
    stage.script.always["transactions"] = "server"
    report = stage.finished()
    assert report.exit_status == 4 and stage.service.posts == 1
    assert any(WORDS in said for code, said, _ in report.reasons if code == "ZF642")
    del stage.script.always["transactions"]
    assert stage.finished().exit_status == 4, "the watermark of that time was never read"


def test_a_crash_after_a_no_loses_neither_the_no_nor_its_words():
    stage = always(a_stage(), response_faults.in_words(WORDS))
    slow = {"list_tasks": 100.0}
    stage.script.latency_s = lambda method: slow.get(method, 0.1)
    assert stage.run(dies_at_s=50.0) is None
    (unknown,) = [event for event in stage.events() if isinstance(event, e.OutcomeUnknown)]
    assert unknown.refusal["message"] == WORDS
    slow.clear()
    report = stage.finished()
    assert report.status == "failed" and any(WORDS in said for _, said, _ in report.reasons)


UNCLEAR = [
    response_faults.lost_before_the_charge,
    response_faults.over_http(500),
    response_faults.over_http(503),
    response_faults.says(500, "internal error"),
]


@pytest.mark.parametrize("answer", UNCLEAR)
def test_at_most_two_attempts_of_one_intent(answer):
    stage = always(a_stage(), answer)
    report = stage.finished()
    assert report.exit_status == 4 and len(stage.provider.submitted) == 2 and "ZF637" in codes(report)
    for _ in range(2):
        report = stage.finished()
        assert report.exit_status == 4 and not stage.provider.submitted, "a resume looks, and sends nothing"
    assert any("--resubmit 1" in hint for code, _, hint in report.reasons if code == "ZF637")


def test_the_words_of_a_server_error_are_shown():
    report = always(a_stage(), response_faults.says(500, "the database is away")).finished()
    assert any(code == "ZF637" and "the database is away" in said for code, said, _ in report.reasons)


def test_an_operator_may_send_it_again():
    stage = a_stage(response_faults.over_http(500), response_faults.over_http(500))
    assert stage.finished().exit_status == 4

    async def send(session):
        return await Reconciler(session).resubmit(1, lambda submission, price: None)

    assert maintenance_session(stage, send).task_id is not None
    assert stage.finished().status == "done" and set(stage.charges().values()) == {1}


def test_a_service_that_hides_what_it_charges_is_paid_once():
    """The listing and the transaction list are empty for ever; the balance alone falls."""
    stage = always(a_stage(), response_faults.answer_in_rubbish)
    stage.script.listing_faults.stale = (0.0, 1e9)
    for _ in range(4):
        report = stage.finished()
        assert report.exit_status == 4
        stage.clock.advance(3600)
    assert stage.service.posts == 1 and sum(row.amount for row in stage.service.rows) == -2


def test_sees_a_hidden_charge_before_resending_an_unsent_call():
    stage = a_stage(response_faults.over_http(429, charged=True, retry_after_s=5.0))
    stage.script.listing_faults.stale = (0.0, 1e9)
    assert stage.finished().exit_status == 4
    assert stage.service.posts == 1


def test_credits_that_others_spend_are_no_reason_to_stop():
    stage = a_stage(response_faults.lost_before_the_charge)
    for at_s in (0.15, 20.0, 60.0, 110.0):
        stage.service.later(at_s, stage.service.spend_elsewhere)
    assert stage.finished().status == "done" and set(stage.charges().values()) == {1}


def test_a_top_up_meanwhile_hides_no_charge_that_is_listed():
    stage = a_stage(response_faults.lost_before_the_charge)
    stage.service.later(30.0, lambda: stage.service._book(Decimal(500), None))
    assert stage.finished().status == "done"


def test_a_balance_that_is_not_told_is_no_witness():
    stage = a_stage(response_faults.lost_before_the_charge)
    account = type(stage.provider).account

    async def silent(self):
        return replace(await account(self), credits=None)

    type(stage.provider).account = silent
    try:
        assert stage.finished().status == "done" and stage.state().submissions[1].attempts == 2
    finally:
        type(stage.provider).account = account
