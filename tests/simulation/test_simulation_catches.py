"""The simulation is worth something only if it sees a broken protocol: each way of breaking it is caught by some seed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.baseline import baseline
from tests.support.ending import check_the_end
from tests.support.runner import run_scenario
from tests.support.scenario import scenario_of
from tests.support.shapes import SHAPES
from zenflow.engine.budget.ledger import Ledger
from zenflow.engine.io.recorder import Recorder
from zenflow.engine.payment import sender as posting
from zenflow.engine.payment.submitter import Submitter
from zenflow.engine.reconciliation.task_lookup import TaskLookup
from zenflow.engine.reconciliation.transactions import TransactionReconciler
from zenflow.engine.reconciliation.unrecognized_tasks import UnrecognizedTasks
from zenflow.engine.scheduling import lost_responses
from zenflow.history import events as e
from zenflow.history import fold

TRIED = 400


def caught(monkeypatch, break_it, near):
    """What the first seed that notices says, beginning at one that is known to. Undisturbed runs are made unbroken."""
    for shape in SHAPES:
        baseline(shape.name)
    break_it(monkeypatch)
    for seed in (near, *range(TRIED)):
        scenario = scenario_of(seed)
        try:
            check_the_end(scenario, run_scenario(scenario))
        except AssertionError as error:
            return str(error)
    return None


def intent_after_the_post(monkeypatch):
    """The intent is kept in memory and written together with the answer."""
    waiting = []
    commit = Recorder.commit

    async def reserve_and_intend(self, event, cap):
        waiting.append(event)
        self._take_in((event,))

    async def commit_with_intents(self, *events):
        held, waiting[:] = list(waiting), []
        if held:
            await self._journal.append(self._lease, held)
        await commit(self, *events)

    monkeypatch.setattr(Recorder, "reserve_and_intend", reserve_and_intend)
    monkeypatch.setattr(Recorder, "commit", commit_with_intents)


def blind_resubmit(monkeypatch):
    """An answer that did not come is a reason to send again, at once."""

    async def unknown(self, submission):
        await self._submitter.send_again(submission)
        return True

    monkeypatch.setattr(lost_responses.LostResponseResolver, "_unknown", unknown)


def a_single_look_is_enough(monkeypatch):
    """One look that does not find it, before the wait is over, counts as conclusive."""
    monkeypatch.setattr(TaskLookup, "wait_left_s", lambda self, submission: 0.0)
    monkeypatch.setattr(lost_responses, "is_conclusive", lambda submission: bool(submission.lookups))


def no_second_witness(monkeypatch):
    """Debits that nobody explains are no reason to wait."""
    conclusive = lost_responses.is_conclusive

    async def explained(self, submission):
        return True

    monkeypatch.setattr(
        "zenflow.engine.reconciliation.transactions.TransactionReconciler.all_debits_attributed", explained
    )
    monkeypatch.setattr(lost_responses, "is_conclusive", conclusive)


def no_third_witness(monkeypatch):
    """A balance that is lower than the transaction list explains is no reason to wait."""

    async def nothing(self, submission):
        return None

    monkeypatch.setattr(TransactionReconciler, "missing_from_balance", nothing)


def sent_again_without_end(monkeypatch):
    """As many attempts as the lookups allow."""
    monkeypatch.setattr(lost_responses, "MOST_UNANSWERED", 1_000)


def any_no_is_a_refusal(monkeypatch):
    """A no in unknown words is believed without a lookup."""

    async def believed(self, submission):
        await self._submitter.refusal_confirmed(submission)
        return True

    monkeypatch.setattr(lost_responses.LostResponseResolver, "_said_no", believed)


def budget_checked_after_the_call(monkeypatch):
    """Everything is sent; what it cost is seen later."""
    monkeypatch.setattr(Ledger, "no_room_for", lambda self, instance, quote, tail, budgets: None)


def no_intent_at_all(monkeypatch):
    """What is sent is known to nobody but this process."""

    async def reserve_and_intend(self, event, cap):
        self._take_in((event,))

    monkeypatch.setattr(Recorder, "reserve_and_intend", reserve_and_intend)


def later_tasks_are_evidence(monkeypatch):
    """A look that sees a task younger than the request is believed, whatever it hides and however soon it is."""

    def seen(submission):
        return any("listed" in look.detail and "listed unfiltered: 0" not in look.detail for look in submission.lookups)

    monkeypatch.setattr(TaskLookup, "wait_left_s", lambda self, submission: 0.0)
    monkeypatch.setattr(lost_responses, "is_conclusive", seen)


def released_twice(monkeypatch):
    """A refusal gives its reservation back two times."""
    once = fold._APPLY[e.SubmissionRefused]

    def twice(state, event):
        once(state, event)
        submission = state.submissions.get(event.submission)
        state.totals.open -= submission.quote if submission is not None else 0

    monkeypatch.setitem(fold._APPLY, e.SubmissionRefused, twice)


def found_is_not_believed(monkeypatch):
    """A task with our stamp is not taken for ours, and its call is made again."""

    async def resolve(self, submission, sight):
        event = e.LookupRecorded(self._context.recorder.now(), submission.number, True, True, True)
        await self._context.recorder.commit(event)
        return False

    monkeypatch.setattr(TaskLookup, "resolve", resolve)


def no_look_for_strangers(monkeypatch):
    """A resume believes that its journal knows everything."""

    async def find(self):
        return None

    monkeypatch.setattr(UnrecognizedTasks, "find", find)


def what_another_copy_made_is_no_evidence(monkeypatch):
    """An open intent is sent again although another copy of the journal has made it under another number."""

    async def nothing(self, submission, unknown):
        return []

    monkeypatch.setattr(TaskLookup, "_of_another_copy", nothing)


def the_lease_is_no_gate(monkeypatch):
    """Whoever has lost the lease sends all the same."""

    async def always(context):
        return True

    monkeypatch.setattr(posting, "is_open", always)


def no_cap_of_a_day(monkeypatch):
    """What a day may cost is not looked at."""
    monkeypatch.setattr(Submitter, "_cap", lambda self: None)


def refunds_are_not_read(monkeypatch):
    """Rows that give money back are passed over."""
    take_in = TransactionReconciler._take_in_all

    def debits_only(self, submission, rows):
        take_in(self, submission, [row for row in rows if (row.amount or 0) < 0])

    monkeypatch.setattr(TransactionReconciler, "_take_in_all", debits_only)


def any_account_will_do(monkeypatch):
    """Nobody asks who is signed in."""
    monkeypatch.setattr("zenflow.engine.run.compare_account", lambda started, account: None)


def a_debit_is_the_quote(monkeypatch):
    """What was really charged is not booked."""
    take_in = TransactionReconciler._take_in_all

    def quote(self, submission, rows):
        quoted = [replace(row, amount=-submission.quote) if (row.amount or 0) < 0 else row for row in rows]
        take_in(self, submission, quoted)

    monkeypatch.setattr(TransactionReconciler, "_take_in_all", quote)


@pytest.mark.parametrize(
    ("break_it", "near"),
    [
        (intent_after_the_post, 16),
        (blind_resubmit, 0),
        (a_single_look_is_enough, 4),
        (no_second_witness, 25),
        (no_third_witness, 22),
        (sent_again_without_end, 8),
        (any_no_is_a_refusal, 74),
        (budget_checked_after_the_call, 6),
        (released_twice, 6),
        (found_is_not_believed, 0),
        (no_intent_at_all, 0),
        (later_tasks_are_evidence, 3),
        (no_look_for_strangers, 0),
        (what_another_copy_made_is_no_evidence, 19),
        (the_lease_is_no_gate, 1324),
        (no_cap_of_a_day, 2),
        (refunds_are_not_read, 2),
        (any_account_will_do, 10),
        (a_debit_is_the_quote, 31),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_simulation_catches(monkeypatch, break_it, near):
    said = caught(monkeypatch, break_it, near)
    assert said is not None, f"{TRIED} seeds saw nothing wrong"
