"""What a service charges beyond its quotes, as far as its rows have shown: quoted like that again, it is not believed. Pure.

docs/money.md, promise 3: a charge above its quote is booked and named, its step stops until quoted anew, and nothing
that follows
may pass the budget by it. Kept nowhere: it follows from the facts, so that a resume knows it too. Another quote than the one
that was broken is a new price, and is believed.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

from zenflow.credits import ZERO
from zenflow.history.outcomes import is_released
from zenflow.history.state import Outcome, SubmissionState

_EXACT = Decimal("0.000001")


class Overcharges:
    """By tool and quote of one call: what was charged for it in truth."""

    def __init__(self, submissions: Iterable[SubmissionState] = ()) -> None:
        self._charged: dict[tuple[str, Decimal], Decimal] = {}
        for submission in sorted(submissions, key=lambda one: one.number):
            self._learn(submission)

    def __bool__(self) -> bool:
        return bool(self._charged)

    def cost(self, tool: str, quote: Decimal) -> Decimal:
        """What a call quoted at this must be expected to cost."""
        return self._charged.get((tool, quote), quote)

    def still_to_show(self, submissions: Iterable[SubmissionState]) -> Decimal:
        """What those whose rows were not seen yet may turn out to cost beyond what the books hold for them."""
        total = ZERO
        for one in submissions if self else ():
            if one.confirmed is None and not is_released(one.outcome):
                total += sum((self.cost(one.tool, c.call.quote) - c.call.quote for c in one.calls), ZERO)
        return total

    def _learn(self, one: SubmissionState) -> None:
        """A charge above its quote; or one below what was set aside, which makes the quote good again. Of a task that took
        fewer inputs than were sent, against the quotes of those that are there."""
        charged, taken = one.confirmed, one.quote_taken
        if one.outcome is not Outcome.ACCEPTED or charged is None or charged == taken or _is_taken_over(one):
            return
        there = [call for call in one.calls if one.has(call)]
        for call in there:
            quote = call.call.quote
            if charged < taken:
                again = [at for at, cost in self._charged.items() if at[0] == one.tool and quote in (at[1], cost)]
                for at in again:
                    del self._charged[at]
            else:
                each = quote * charged / taken if taken else charged / len(there)
                rounded = each.quantize(_EXACT, ROUND_CEILING)
                self._charged[one.tool, quote] = each if each == rounded else rounded


def _is_taken_over(one: SubmissionState) -> bool:
    """Found at the service, and not in the journal: its quote is a later day's, not the one it was sent at."""
    return one.adopted and one.accepted_at == one.intended_at
