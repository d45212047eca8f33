"""What a person decides about a submission that zenflow may not decide by itself: checked, recorded, never silent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.support import response_faults
from tests.support.build import harness_of
from tests.support.maintenance import maintenance_session
from zenflow.engine.budget.ledger import Ledger
from zenflow.engine.maintenance.evidence import gather
from zenflow.engine.maintenance.reconciler import Reconciler
from zenflow.engine.reconciliation.task_lookup import TaskLookup
from zenflow.engine.run import Changes
from zenflow.errors import Refused, Stopped, UsageError
from zenflow.history import events as e
from zenflow.history.state import Outcome
from zenflow.providers.base import ServiceError

ONE = """
steps:
  draw:
    foreach: [a, b]
    uses: image_editor
    with: {prompt: "${{ item }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.draw.asset_ids }}"}
"""


def unknown_stage(accident=response_faults.lost_before_the_charge, **parts):
    """A run that ended with its submission unknown: the transaction list cannot be read, so nothing is conclusive."""
    stage = harness_of(ONE, budget=100, **parts)
    stage.script.submits.append(accident)
    stage.script.always["transactions"] = "server"
    report = stage.finished()
    assert (report.status, report.exit_status) == ("stopped", 4)
    assert stage.state().submissions[1].outcome is Outcome.UNKNOWN
    del stage.script.always["transactions"]
    return stage


def decide(stage, act):
    async def work(session):
        evidence = await gather(session)
        return evidence, await act(Reconciler(session), evidence)

    return maintenance_session(stage, work)


def agreed(prices):
    return lambda submission, price: prices.append(price)


def test_names_all_evidence_and_decides_nothing():
    stage = unknown_stage()
    before = len(stage.intents())
    evidence = maintenance_session(stage, gather)
    (case,) = evidence.cases
    assert case.submission.stamp == stage.intents()[0].stamp and case.submission.attempts == 1
    assert [call.call.params for call in case.submission.calls] == [{"prompt": "a"}, {"prompt": "b"}]
    assert len(case.submission.lookups) >= 3 and case.submission.lookups[-1].complete
    assert case.candidates == () and not case.conclusive
    assert (len(stage.intents()), stage.service.posts) == (before, 0)
    assert stage.state().submissions[1].outcome is Outcome.UNKNOWN


def test_a_debit_that_is_there_is_shown_with_what_is_known_of_it():
    stage = harness_of(ONE, budget=100)
    stage.script.submits.append(response_faults.lost_after_the_charge)
    stage.service.lag_s = lambda number: 86_400.0 if number == 0 else 0.0
    assert stage.finished().exit_status == 4
    stage.service.spend_elsewhere()
    (case,) = maintenance_session(stage, gather).cases
    assert [(row.amount, row.explained) for row in case.rows] == [(Decimal(-2), True), (Decimal(-4), False)]
    assert case.rows[1].whose == "carries the stamp of this submission"
    assert not case.conclusive


def test_adopts_a_task_without_a_second_charge():
    stage = unknown_stage()
    inputs = [call.params for call in stage.intents()[0].calls]
    made = stage.service.create("image_editor", inputs, "its comment was lost", posted=False)
    evidence, done = decide(stage, lambda r, _: r.adopt(1, made.task_id))
    assert [(c.task_id, c.stamped, c.same_inputs) for c in evidence.cases[0].candidates] == [
        (made.task_id, False, True)
    ]
    assert done.settled and done.task_id == made.task_id
    assert stage.finished().status == "done"
    assert stage.service.posts == 0 and len(stage.contents()) == 2 and stage.state().totals.charged == 4


@pytest.mark.parametrize(
    ("tool", "inputs", "why"),
    [
        ("run_any_llm", [{"prompt": "a"}, {"prompt": "b"}], "its tool is run_any_llm"),
        ("image_editor", [{"prompt": "a"}], "it has 1 calls, and 2 were asked"),
        ("image_editor", [{"prompt": "b"}, {"prompt": "a"}], "its inputs are others"),
    ],
)
def test_refuses_an_impossible_task_and_records_nothing(tool, inputs, why):
    stage = unknown_stage()
    made = stage.service.create(tool, inputs, "somebody's", posted=False)
    with pytest.raises(Refused) as refused:
        decide(stage, lambda r, _: r.adopt(1, made.task_id))
    assert why in refused.value.message
    assert stage.state().submissions[1].outcome is Outcome.UNKNOWN


def test_a_task_of_another_owner_is_refused(monkeypatch):
    stage = unknown_stage()
    inputs = [call.params for call in stage.intents()[0].calls]
    made = stage.service.create("image_editor", inputs, "theirs", posted=False)
    shown = type(stage.script.listing_faults).task
    monkeypatch.setattr(
        type(stage.script.listing_faults), "task", lambda self, *a: replace(shown(self, *a), owner_id="another")
    )
    with pytest.raises(Refused, match="belongs to account another"):
        decide(stage, lambda r, _: r.adopt(1, made.task_id))


def test_refuses_to_adopt_a_task_of_another_submission():
    stage = harness_of(ONE.replace("[a, b]", "[a, a]"), budget=100, limits=harness_of(ONE).limits)
    stage.limits = replace(stage.limits, batch=1)
    stage.script.submits += [response_faults.as_it_should, response_faults.lost_before_the_charge]
    stage.script.always["transactions"] = "server"
    assert stage.finished().exit_status == 4
    del stage.script.always["transactions"]
    first = stage.state().submissions[1].task_id
    with pytest.raises(Refused, match="already submission #1 of this run"):
        decide(stage, lambda r, _: r.adopt(2, first))


def test_prices_a_resend_as_attempt_two_of_one_intent():
    stage = unknown_stage()
    prices = []
    _, done = decide(stage, lambda r, _: r.resubmit(1, agreed(prices)))
    assert (prices, done.settled) == ([Decimal(4)], True)
    submission = stage.state().submissions[1]
    assert (submission.attempts, submission.outcome, stage.service.posts) == (2, Outcome.ACCEPTED, 1)
    assert len(stage.intents()) == 1
    kinds = [type(event).__name__ for event in stage.events()]
    assert kinds[kinds.index("Attempted") - 1] == "LookupRecorded"
    assert stage.finished().status == "done" and set(stage.charges().values()) == {1}


def test_records_the_operators_word_for_a_task_without_inputs():
    stage = unknown_stage()
    inputs = [call.params for call in stage.intents()[0].calls]
    made = stage.service.create("image_editor", inputs, "its comment was lost", posted=False)
    stage.script.listing_faults.echoes_inputs = False
    asked = []
    with pytest.raises(Refused, match=r"What cannot be compared: its inputs.*; the stamp, which its comment lacks"):
        decide(stage, lambda r, _: r.adopt(1, made.task_id))
    assert stage.state().submissions[1].outcome is Outcome.UNKNOWN
    _, done = decide(stage, lambda r, _: r.adopt(1, made.task_id, asked.append))
    assert len(asked) == 1 and "not compared: its inputs" in done.said
    (note,) = [event for event in stage.events() if isinstance(event, e.Noted)]
    assert (note.code, made.task_id in note.message) == ("ZF648", True)
    assert stage.finished().status == "done" and stage.service.posts == 0


def test_another_account_s_task_is_not_taken_whatever_it_holds():
    stage = unknown_stage()
    inputs = [call.params for call in stage.intents()[0].calls]
    made = stage.service.create("image_editor", inputs, "somebody's", posted=False)

    async def seen_by_all(reconciler, evidence):
        provider = stage.provider
        get_task = provider.get_task

        async def shown(task_id):
            return replace(await get_task(task_id), owner_id="account-2")

        provider.get_task = shown
        return await reconciler.adopt(1, made.task_id)

    with pytest.raises(Refused, match="it belongs to account account-2, and the run to account-1"):
        decide(stage, seen_by_all)
    assert stage.state().submissions[1].outcome is Outcome.UNKNOWN


def test_adopts_a_task_found_before_resending():
    stage = unknown_stage()
    prices = []

    async def meanwhile(reconciler, evidence):
        inputs = [call.params for call in stage.intents()[0].calls]
        stage.service.create("image_editor", inputs, stage.intents()[0].comment, posted=False)
        return await reconciler.resubmit(1, agreed(prices))

    _, done = decide(stage, meanwhile)
    assert done.settled and "adopted, nothing was sent" in done.said
    assert (prices, stage.service.posts) == ([], 0)


def test_who_does_not_agree_to_the_price_has_sent_nothing():
    stage = unknown_stage()

    def no(submission, price):
        raise Refused("ZF665", "Not agreed to. Nothing was spent.")

    with pytest.raises(Refused):
        decide(stage, lambda r, _: r.resubmit(1, no))
    assert stage.service.posts == 0 and stage.state().submissions[1].attempts == 1


def test_does_not_resend_above_what_is_set_aside():
    stage = unknown_stage()
    stage.service.price_factor = Decimal(2)
    with pytest.raises(Refused, match="now costs 8 credits, and 4 are set aside"):
        decide(stage, lambda r, _: r.resubmit(1, agreed([])))
    assert stage.service.posts == 0


def test_offers_three_decisions_on_a_rise_and_takes_the_new_one():
    stage = unknown_stage()
    stage.service.price_factor = Decimal(2)
    with pytest.raises(Refused) as refused:
        decide(stage, lambda r, _: r.resubmit(1, agreed([]), Decimal(7)))
    hint = refused.value.hint
    assert all(word in hint for word in ("zenflow reconcile RUN", "--resubmit 1=8", "--adopt 1=TASK", "--write-off 1"))
    prices = []
    _, done = decide(stage, lambda r, _: r.resubmit(1, agreed(prices), Decimal(8)))
    assert (prices, done.settled, stage.service.posts) == ([Decimal(8)], True, 1)
    state = stage.state()
    assert (state.submissions[1].quote, [c.call.quote for c in state.submissions[1].calls]) == (8, [4, 4])
    assert (state.totals.reserved, state.totals.charged, state.totals.unknown, state.totals.balanced) == (8, 8, 0, True)
    assert stage.journal.committed_on("account-1", state.submissions[1].intended_at[:10]) == 8
    assert stage.finished().status == "done" and stage.state().totals.spent == 8


@pytest.mark.parametrize(("budget", "per_day", "code"), [(7, None, "ZF620"), (100, 7, "ZF690")])
def test_a_new_price_is_taken_only_where_there_is_room_for_it(budget, per_day, code):
    stage = unknown_stage()
    stage.finished(changes=Changes(budget=Decimal(budget)))
    stage.per_day = None if per_day is None else Decimal(per_day)
    stage.service.price_factor = Decimal(2)
    with pytest.raises(Stopped) as stopped:
        decide(stage, lambda r, _: r.resubmit(1, agreed([]), Decimal(8)))
    assert stopped.value.code == code and stage.service.posts == 0
    assert stage.state().submissions[1].attempts == 1


def test_accepts_a_fallen_price_and_keeps_what_is_set_aside():
    stage = unknown_stage()
    stage.service.price_factor = Decimal("0.5")
    prices = []
    decide(stage, lambda r, _: r.resubmit(1, agreed(prices)))
    assert prices == [2] and stage.state().submissions[1].quote == 4


def test_stays_unknown_after_two_lost_answers():
    stage = unknown_stage()
    stage.script.submits.append(response_faults.lost_after_the_charge)
    _, done = decide(stage, lambda r, _: r.resubmit(1, agreed([])))
    assert not done.settled and stage.state().submissions[1].outcome is Outcome.UNKNOWN
    assert stage.finished().status == "done"  # the resume finds it by its stamp
    assert stage.service.posts == 1 and set(stage.charges().values()) == {1}


def test_books_the_quote_of_an_abandoned_submission():
    stage = unknown_stage()
    _, done = decide(stage, lambda r, _: r.write_off(1))
    assert done.settled
    totals = stage.state().totals
    assert (totals.charged, totals.unknown, totals.balanced) == (4, 0, True)
    report = stage.finished()
    assert report.status == "failed" and stage.service.posts == 0
    assert {one.code for one in report.steps["draw"].instances} == {"ZF641"}
    assert stage.finished().status == "failed" and stage.service.posts == 0  # nor does a later resume send it


def test_takes_in_an_abandoned_task_on_the_next_resume():
    stage = unknown_stage()
    decide(stage, lambda r, _: r.write_off(1))
    intent = stage.intents()[0]
    stage.service.create("image_editor", [call.params for call in intent.calls], intent.comment, posted=False)
    assert stage.finished().status == "done"
    assert stage.service.posts == 0 and len(stage.contents()) == 2


def test_what_is_decided_already_is_no_case_for_a_decision():
    stage = harness_of(ONE, budget=100)
    assert stage.finished().status == "done"
    with pytest.raises(UsageError, match="#1 is accepted"):
        decide(stage, lambda r, _: r.write_off(1))
    with pytest.raises(UsageError, match="no submission #9"):
        decide(stage, lambda r, _: r.write_off(9))


def test_books_an_unrequested_stamped_task_with_its_results():
    stage = harness_of(ONE, budget=100)
    assert stage.finished().status == "done"
    run_part = stage.state().started.stamp_run
    unrecognized = stage.service.create("image_editor", [{"prompt": "who?"}], f"{run_part}zzzzzzzzzzzz", posted=False)
    report = stage.finished()
    assert report.exit_status == 4 and "ZF646" in [code for code, _, _ in report.reasons]

    evidence, done = decide(stage, lambda r, found: r.assign_unrecognized(found.unrecognized_cases[0]))
    assert (evidence.unrecognized_cases[0].task.task_id, evidence.unrecognized_cases[0].debit, done.settled) == (
        unrecognized.task_id,
        2,
        True,
    )
    state = stage.state()
    assert state.totals.charged == 6 and state.totals.balanced
    assert stage.finished().status == "done"
    assert state.submissions[max(state.submissions)].confirmed == 2


def test_every_decision_is_a_fact_in_the_journal():
    stage = unknown_stage()
    decide(stage, lambda r, _: r.write_off(1))
    assert any(isinstance(event, e.Abandoned) and event.submission == 1 for event in stage.events())


@pytest.mark.parametrize(("budget", "sent"), [(11, 0), (12, 1)])
def test_counts_an_unknown_task_when_taking_a_new_price(budget, sent):
    stage = unknown_stage()
    stage.finished(changes=Changes(budget=Decimal(budget)))
    run_part = stage.state().started.stamp_run
    stage.service.create(
        "image_editor", [{"prompt": "?", "number_of_images": 2}], f"{run_part}zzzzzzzzzzzz", posted=False
    )
    stage.service.price_factor = Decimal(2)
    try:
        decide(stage, lambda r, _: r.resubmit(1, agreed([]), Decimal(8)))
    except Stopped as stopped:
        assert stopped.code == "ZF620"
    assert stage.service.posts == sent


# ------------------------------------------------------------------------------------- what a broken decision would leave out


def test_an_adopted_task_s_debit_is_booked_at_once():
    stage = harness_of(ONE, budget=100)
    stage.script.submits.append(response_faults.lost_after_the_charge)
    stage.service.lag_s = lambda number: 86_400.0  # the listing does not show it
    assert stage.finished().exit_status == 4
    (task_id,) = stage.service.tasks
    decide(stage, lambda r, _: r.adopt(1, task_id))
    assert stage.state().submissions[1].confirmed == 4


def test_sends_nothing_after_an_incomplete_lookup(monkeypatch):
    stage = unknown_stage()
    look = TaskLookup.look_up

    async def partly(self):
        return replace(await look(self), complete=False, detail="listed unfiltered: 0 tasks, no control")

    async def act(reconciler, _):
        monkeypatch.setattr(TaskLookup, "look_up", partly)
        return await reconciler.resubmit(1, agreed([]))

    with pytest.raises(Stopped, match="is not complete: listed unfiltered") as stopped:
        decide(stage, act)
    assert (stopped.value.code, stage.service.posts, stage.state().submissions[1].attempts) == ("ZF649", 0, 1)


def test_pays_nothing_under_another_sign_in():
    stage = unknown_stage()

    def elsewhere(submission, price):
        stage.provider.account_id, stage.provider.sign_in = "somebody-else", 2

    with pytest.raises(ServiceError) as refused:
        decide(stage, lambda r, _: r.resubmit(1, elsewhere))
    assert (refused.value.code, stage.service.posts) == ("ZF668", 0)
    assert stage.state().submissions[1].attempts == 1


def test_counts_debits_of_a_new_attempt_from_its_list():
    stage = unknown_stage()
    stage.service.spend_elsewhere()
    decide(stage, lambda r, _: r.resubmit(1, agreed([])))
    (attempted,) = [event for event in stage.events() if isinstance(event, e.Attempted)]
    assert attempted.watermark == stage.service.rows[0].transaction_id  # the stranger's; ours came after it


def test_without_a_price_nothing_is_sent_again():
    stage = unknown_stage()
    stage.script.always["quote"] = "invalid"
    with pytest.raises(Stopped, match="No price can be had for #1"):
        decide(stage, lambda r, _: r.resubmit(1, agreed([]), Decimal(100)))
    assert stage.service.posts == 0


def test_takes_the_real_charge_at_such_quotes_as_price(monkeypatch):
    stage = unknown_stage()
    monkeypatch.setattr(Ledger, "cost", lambda self, tool, quote: quote * 3)
    with pytest.raises(Refused, match="now costs 12 credits, and 4 are set aside"):
        decide(stage, lambda r, _: r.resubmit(1, agreed([])))
    assert stage.service.posts == 0


def test_sends_nothing_when_forgotten_costs_fill_the_budget():
    stage = unknown_stage()
    comment = stage.state().started.stamp_run + "z" * 12
    stage.service.create("image_editor", [{"prompt": str(n)} for n in range(50)], comment)  # all of the budget
    posts = stage.service.posts
    with pytest.raises(Stopped, match="104 credits are charged or set aside, and the budget is 100"):
        decide(stage, lambda reconciler, evidence: reconciler.resubmit(1, agreed([])))
    assert stage.service.posts == posts


def test_sends_nothing_while_a_forgotten_tasks_cost_is_unknown():
    stage = unknown_stage()
    comment = stage.state().started.stamp_run + "z" * 12
    stage.service.create("image_editor", [{"prompt": "a"}], comment)
    stage.script.listing_faults.echoes_inputs = False
    stage.script.always["transactions"] = "server"
    posts = stage.service.posts
    with pytest.raises(Stopped, match="nobody can say what it has cost"):
        decide(stage, lambda reconciler, evidence: reconciler.resubmit(1, agreed([])))
    assert stage.service.posts == posts
