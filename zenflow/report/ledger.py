"""The books of a run, one row per submission. Pure; the sums are those of the state."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from zenflow.history.state import RunState, SubmissionState


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """`confirmed`: the account's own row was seen; until then the charge stands at the quote."""

    submission: int
    at: str
    steps: str
    tool: str
    calls: int
    outcome: str
    task_id: str | None
    quote: Decimal
    charged: Decimal
    refunded: Decimal
    confirmed: bool


def ledger_rows(state: RunState) -> tuple[LedgerRow, ...]:
    """In the order in which they were sent."""
    return tuple(_row(submission) for _, submission in sorted(state.submissions.items()))


def _row(submission: SubmissionState) -> LedgerRow:
    steps = Counter(_step_of(call.call.instance) for call in submission.calls)
    return LedgerRow(
        submission=submission.number,
        at=submission.accepted_at or submission.intended_at,
        steps=", ".join(steps),
        tool=submission.tool,
        calls=len(submission.calls),
        outcome=submission.outcome.value,
        task_id=submission.task_id,
        quote=submission.quote,
        charged=submission.charge,
        refunded=submission.refunded,
        confirmed=submission.confirmed is not None,
    )


def _step_of(address: str) -> str:
    return "/".join(part.split(".")[0] for part in address.split("/"))
