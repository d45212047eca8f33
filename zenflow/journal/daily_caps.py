"""What each submission weighs in caps and balances: the fold's sums, cut by account and UTC day.

Pure. It moves by the same rules as `history/fold` (both use `history/outcomes`; a property test holds them against
each other) and knows nothing of tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC
from decimal import Decimal
from typing import TypeAlias

from zenflow.clock import from_iso
from zenflow.credits import ZERO, as_text, in_words
from zenflow.history import events as e
from zenflow.history.events import Intended
from zenflow.history.outcomes import MOVING, difference, is_released, outcome_after
from zenflow.history.state import Outcome
from zenflow.journal.base import Cap, CapReached

SpendFact: TypeAlias = (
    e.Attempted
    | e.NotSent
    | e.OutcomeUnknown
    | e.SubmissionRefused
    | e.Accepted
    | e.Abandoned
    | e.Released
    | e.Reclaimed
    | e.Confirmed
    | e.Refunded
)

SPEND_FACTS: frozenset[type] = MOVING | {e.Confirmed, e.Refunded}


@dataclass(slots=True)
class Spend:
    """One submission, booked on the UTC day of its intent."""

    account_id: str
    day: str
    quote: Decimal
    outcome: Outcome = Outcome.OPEN
    debits: dict[str, Decimal] = field(default_factory=dict)
    refunds: dict[str, Decimal] = field(default_factory=dict)

    def copied(self) -> Spend:
        return replace(self, debits=dict(self.debits), refunds=dict(self.refunds))

    @property
    def committed(self) -> Decimal:
        """Counts against a cap: open, unknown or charged, less refunds."""
        held = ZERO if is_released(self.outcome) else self.quote
        return held + self._difference - sum(self.refunds.values(), ZERO)

    @property
    def pending(self) -> Decimal:
        """May yet reach the balance: open reservations and unknowns."""
        return self.quote if self.outcome in (Outcome.OPEN, Outcome.NOT_SENT, Outcome.UNKNOWN) else ZERO

    @property
    def _difference(self) -> Decimal:
        debited = sum(self.debits.values(), ZERO) if self.debits else None
        return difference(self.outcome, self.quote, debited)


def spend_of(event: e.Intended, account_id: str) -> Spend:
    """`account_id` is the run's, for an intent that names none."""
    return Spend(event.account_id or account_id, utc_day(event.at), event.quote)


def take(spend: Spend, event: SpendFact) -> None:
    """Let one more fact move it."""
    if isinstance(event, e.Confirmed):
        spend.debits.setdefault(event.transaction_id, event.amount)
    elif isinstance(event, e.Refunded):
        spend.refunds.setdefault(event.transaction_id, event.amount)
    else:
        after = outcome_after(spend.outcome, type(event))
        if after is not None and isinstance(event, e.Attempted) and event.quotes:
            spend.quote = sum(event.quotes, ZERO)
        spend.outcome = after or spend.outcome


def utc_day(at: str) -> str:
    """`YYYY-MM-DD` of a moment. Raises ValueError."""
    return at[:10] if at.endswith("Z") else from_iso(at).astimezone(UTC).strftime("%Y-%m-%d")


def check_cap(cap: Cap, event: Intended, committed: Decimal) -> None:
    """`committed`: what all runs of the account hold on that day. Raises CapReached."""
    room = cap.credits - committed
    if event.quote > room:
        raise CapReached(
            "ZF690",
            f"The cap of {in_words(cap.credits)} for {cap.day} leaves {as_text(max(room, Decimal(0)))}: "
            f"the next call needs {as_text(event.quote)}",
            "Resume on another day, or raise per_day in the settings.",
            room=max(room, Decimal(0)),
        )
