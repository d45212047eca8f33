"""The books of a run: a row per submission, a row per call. Pure; the sums are those of the state."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from zenflow.history.allocation import allocate
from zenflow.history.state import CallState, Outcome, RunState, SubmissionState


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


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call. `charged` is its share of what its submission was charged, `refunded` its share of what came back."""

    submission: int
    instance: str
    try_number: int
    tool: str
    status: str  # produced | failed | lost | waiting, or the submission's outcome where it was not accepted
    task_id: str | None
    call_id: str | None
    quote: Decimal
    charged: Decimal
    refunded: Decimal
    confirmed: bool


def call_rows(state: RunState) -> tuple[CallRow, ...]:
    """In the order in which they were sent."""
    return tuple(
        _call_row(submission, position, call)
        for _, submission in sorted(state.submissions.items())
        for position, call in enumerate(submission.calls)
    )


def _call_row(submission: SubmissionState, position: int, call: CallState) -> CallRow:
    accepted = submission.outcome is Outcome.ACCEPTED
    share = allocate(submission)[position]
    return CallRow(
        submission=submission.number,
        instance=call.call.instance,
        try_number=call.call.try_number,
        tool=submission.tool,
        status=call.status if accepted else submission.outcome.value,
        task_id=submission.task_id,
        call_id=call.call_id,
        quote=call.call.quote,
        charged=share.charged,
        refunded=share.refunded,
        confirmed=submission.confirmed is not None,
    )


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
