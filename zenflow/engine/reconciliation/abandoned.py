"""What a person has given up, and what the account's list says of it since: a debit of it, or that there never was one.

The quote stays booked as charged until then (docs/money.md). “Never” takes the evidence that any submission not found takes:
complete looks, the wait over, every debit since its watermark explained. The decision itself stands either way.
"""

from __future__ import annotations

from zenflow.engine.context import Context
from zenflow.engine.reconciliation.task_lookup import TaskLookup, is_conclusive
from zenflow.engine.reconciliation.transactions import TransactionReconciler
from zenflow.history import events as e
from zenflow.history.state import Outcome, SubmissionState
from zenflow.providers.base import ServiceError

NEVER_CHARGED = "given up, and never charged: complete looks without it, and every debit since is another's"


async def settle_abandoned(context: Context, lookup: TaskLookup, transactions: TransactionReconciler) -> None:
    """Look once for all of them; a service that cannot be asked leaves them booked as they are."""
    waiting = [one for one in context.recorder.state.submissions.values() if _waits(one)]
    if not waiting:
        return
    try:
        lookup_result = await lookup.look_up()
        for submission in waiting:
            if not await lookup.resolve(submission, lookup_result):  # found: it is the run's again
                await _settle(context, transactions, submission)
    except ServiceError:
        return


def _waits(submission: SubmissionState) -> bool:
    return submission.outcome is Outcome.ABANDONED and submission.confirmed is None


async def _settle(context: Context, transactions: TransactionReconciler, submission: SubmissionState) -> None:
    recorder = context.recorder
    row = await transactions.debit_of(submission)
    if row is not None and row.amount is not None:
        await recorder.commit(e.Confirmed(recorder.now(), submission.number, row.transaction_id, -row.amount))
    elif is_conclusive(submission):
        await recorder.commit(e.Released(recorder.now(), submission.number, NEVER_CHARGED))
