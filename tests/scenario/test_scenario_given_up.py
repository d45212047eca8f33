"""What was given up stays booked as charged until the account's list says otherwise: a debit of it, or that there is none."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.support import response_faults
from tests.support.build import harness_of
from tests.support.fidelity import rest_plan
from tests.support.maintenance import maintenance_session
from zenflow.app.running.remaining_work import preview_remaining
from zenflow.engine.maintenance.audit import check_transactions
from zenflow.engine.maintenance.evidence import gather
from zenflow.engine.maintenance.reconciler import Reconciler
from zenflow.engine.reconciliation.abandoned import settle_abandoned
from zenflow.history import events as e
from zenflow.history.state import Outcome

TWO = """
steps:
  draw:
    foreach: [a, b]
    uses: image_editor
    with: {prompt: "${{ item }}"}
"""


def abandoned(then=lambda stage: None, *, has_watermark=True):
    """Unknown, because the list could not be read when the answer was lost; given up by a person. Now it can be read."""
    stage = harness_of(TWO, budget=100)

    async def lost(line, submission):
        stage.script.always["transactions"] = "server"
        return await response_faults.lost_before_the_charge(line, submission)

    if not has_watermark:
        stage.script.always["transactions"] = "server"  # from the start
    stage.script.submits.append(lost)
    assert stage.finished().exit_status == 4

    async def decide(session):
        await gather(session)
        await Reconciler(session).write_off(1)

    maintenance_session(stage, decide)
    assert stage.state().submissions[1].outcome is Outcome.ABANDONED and books_of(stage) == (4, 0, 0, 4)
    del stage.script.always["transactions"]
    then(stage)
    return stage


async def read(session):
    """What `ledger --check` does."""
    await session.transactions.settle(from_start=True)
    await settle_abandoned(session.context, session.lookup, session.transactions)
    return await check_transactions(session)


def books_of(stage):
    totals = stage.state().totals
    assert totals.balanced
    return totals.charged, totals.released, totals.difference, totals.spent


def by_ledger(stage):
    return maintenance_session(stage, read)


def by_resume(stage):
    return stage.finished()


def by_reconcile(stage):
    return maintenance_session(stage, gather)


@pytest.mark.parametrize("way", [by_ledger, by_resume, by_reconcile])
def test_releases_by_silence_and_makes_no_calls(way):
    stage = abandoned()
    way(stage)
    assert [event.submission for event in stage.events() if isinstance(event, e.Released)] == [1]
    assert stage.state().submissions[1].outcome is Outcome.RELEASED
    assert books_of(stage) == (0, 4, 0, 0)
    assert stage.journal.committed_on("account-1", stage.intents()[0].at[:10]) == 0
    report = stage.finished()
    assert report.status == "failed" and stage.service.posts == 0, "the decision stands"
    assert {one.code for one in report.steps["draw"].instances} == {"ZF641"}
    assert sum(isinstance(event, e.Released) for event in stage.events()) == 1


@pytest.mark.parametrize("way", [by_ledger, by_resume, by_reconcile])
def test_confirms_a_call_by_a_debit_that_is_only_its_own(way):
    stage = abandoned(lambda stage: stage.service._book(Decimal(-4), None))
    way(stage)
    assert stage.state().submissions[1].debits == {"row-1": Decimal(4)}
    assert books_of(stage) == (4, 0, 0, 4)
    found = maintenance_session(stage, read)
    assert found.compared[0].found == "matched" and found.unowned == ()


def spent_by_others(stage):
    stage.service.spend_elsewhere()


def two_alike(stage):
    stage.service._book(Decimal(-4), None)
    stage.service._book(Decimal(-4), None)


def another_amount(stage):
    stage.service._book(Decimal(-3), None)


@pytest.mark.parametrize("rows", [two_alike, another_amount])
def test_leaves_an_ambiguous_debit_booked_as_it_is(rows):
    stage = abandoned(rows)
    by_ledger(stage)
    assert stage.state().submissions[1].outcome is Outcome.ABANDONED
    assert stage.state().submissions[1].debits == {} and books_of(stage) == (4, 0, 0, 4)


def test_explains_what_others_spent_and_continues():
    stage = abandoned(spent_by_others)
    by_ledger(stage)
    assert stage.state().submissions[1].outcome is Outcome.RELEASED


def test_without_a_watermark_nothing_is_conclusive():
    stage = abandoned(has_watermark=False)
    by_ledger(stage)
    by_ledger(stage)
    assert stage.state().submissions[1].outcome is Outcome.ABANDONED, "nobody knows how far to read"
    assert books_of(stage) == (4, 0, 0, 4)


def test_a_list_that_cannot_be_read_says_nothing():
    stage = abandoned(lambda stage: stage.script.always.update(transactions="server"))
    assert stage.finished().status == "failed"
    assert stage.state().submissions[1].outcome is Outcome.ABANDONED


def test_takes_back_its_task_even_after_the_release():
    stage = abandoned()
    by_ledger(stage)
    intent = stage.intents()[0]
    stage.service.create("image_editor", [call.params for call in intent.calls], intent.comment, posted=False)
    assert stage.finished().status == "done" and stage.service.posts == 0
    assert books_of(stage) == (4, 0, 0, 4)


def test_finds_its_task_when_the_listing_lacks_comments():
    stage = abandoned()
    stage.script.listing_faults.comments_listed = False
    intent = stage.intents()[0]
    stage.service.create("image_editor", [call.params for call in intent.calls], intent.comment, posted=False)
    assert stage.finished().status == "done" and stage.service.posts == 0


def test_what_a_resume_will_not_make_is_no_part_of_what_is_left():
    stage = abandoned()
    started, catalog = stage.state().started, stage.plan.catalog
    told = preview_remaining(stage.recipe, started, stage.events(), {}, catalog, stage.journal).by_path()
    plan = rest_plan(stage, told)
    assert told["draw"].new == () and plan.credits.worst == 0
