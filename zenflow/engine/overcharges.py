"""What a service charges beyond its quotes, as far as its rows have shown: from then on that is what a call costs. Pure.

money.md, promise 3: a charge above its quote is booked and named, and nothing that follows may pass the budget by it. Kept
nowhere: it follows from the facts, so that a resume knows it too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from zenflow.credits import ZERO
from zenflow.history.outcomes import is_released
from zenflow.history.state import Outcome, SubmissionState

ONE = Decimal(1)
_EXACT = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Overcharge:
    """By how much one tool's charges were seen above their quotes, at most: as a factor, and per call."""

    times: Decimal = ONE
    each: Decimal = ZERO

    def price(self, quote: Decimal) -> Decimal:
        """What a call quoted at this must be expected to cost."""
        scaled = quote * self.times
        rounded = scaled.quantize(_EXACT, ROUND_CEILING)
        return max(scaled if scaled == rounded else rounded, quote + self.each)


FAIR = Overcharge()


def overcharges(submissions: Iterable[SubmissionState]) -> dict[str, Overcharge]:
    """By tool, those that still stand: a later charge below what was set aside ends it."""
    found: dict[str, Overcharge] = {}
    for one in sorted(submissions, key=lambda submission: submission.number):
        if one.outcome is not Outcome.ACCEPTED or one.confirmed is None or one.confirmed == one.quote:
            continue
        if one.confirmed < one.quote:
            found.pop(one.tool, None)
            continue
        before = found.get(one.tool, FAIR)
        times = one.confirmed / one.quote if one.quote else ONE
        each = (one.confirmed - one.quote) / len(one.calls)
        found[one.tool] = Overcharge(max(before.times, times), max(before.each, each))
    return found


def still_to_show(submissions: Iterable[SubmissionState], by_tool: dict[str, Overcharge]) -> Decimal:
    """What submissions whose rows were not seen yet may turn out to cost beyond what the books hold for them."""
    total = ZERO
    for one in submissions:
        overcharge = by_tool.get(one.tool)
        if overcharge is None or one.confirmed is not None or is_released(one.outcome):
            continue
        total += sum((overcharge.price(call.call.quote) - call.call.quote for call in one.calls), ZERO)
    return total
