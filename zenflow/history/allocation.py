"""Each call's part of what its submission was charged and refunded: one rule for report, ledger, results and manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from zenflow.credits import ZERO
from zenflow.history.state import CallState, SubmissionState


@dataclass(frozen=True, slots=True)
class Share:
    charged: Decimal
    refunded: Decimal

    @property
    def cost(self) -> Decimal:
        """Return what the call has cost as far as is known."""
        return self.charged - self.refunded


def allocate(submission: SubmissionState) -> tuple[Share, ...]:
    """Share out the charge and the refunds among the calls, by their quotes; equally where no quote tells them apart.

    A debit that was seen is of the calls that the task has (A6). A refund goes to the calls that failed, else to all of them.
    """
    calls = submission.calls
    has_row = submission.confirmed is not None
    charged = [call for call in calls if submission.has(call)] if has_row else list(calls)
    failed = [call for call in calls if call.status == "failed" and submission.has(call)]
    charges = _parts(submission.charge, calls, charged or calls)
    refunds = _parts(submission.refunded, calls, failed or charged or calls)
    return tuple(Share(charge, refund) for charge, refund in zip(charges, refunds, strict=True))


def _parts(amount: Decimal, calls: Sequence[CallState], among: Sequence[CallState]) -> list[Decimal]:
    chosen = {id(call) for call in among}
    total = sum((call.call.quote for call in among), ZERO)
    found = []
    for call in calls:
        if not amount or id(call) not in chosen:
            found.append(ZERO)
        else:
            found.append(amount * call.call.quote / total if total else amount / len(among))
    return found
