"""Which fact moves a submission where, and what it then weighs: the rules that the fold and the journal's caps share.

A stronger fact is never taken back by a weaker one. A known task id is the strongest: what is accepted stays charged,
whatever late word of another attempt follows. Where two facts contradict each other, the answer that costs more stands.
"""

from __future__ import annotations

from decimal import Decimal

from zenflow.credits import ZERO
from zenflow.history import events as e
from zenflow.history.state import LedgerTotals, Outcome

_OPEN = frozenset({Outcome.OPEN, Outcome.NOT_SENT})
_UNDECIDED = _OPEN | {Outcome.UNKNOWN}
_RELEASED = frozenset({Outcome.REFUSED, Outcome.NOT_CHARGED, Outcome.RELEASED})
_ALL = frozenset(Outcome)

# Kind of fact → from where it leads, and where to. From anywhere else it moves nothing.
_MOVES: dict[type, tuple[frozenset[Outcome], Outcome]] = {
    e.Attempted: (_ALL - {Outcome.ACCEPTED}, Outcome.OPEN),
    e.NotSent: (_OPEN, Outcome.NOT_SENT),
    e.OutcomeUnknown: (_UNDECIDED | _RELEASED, Outcome.UNKNOWN),
    e.SubmissionRefused: (_UNDECIDED, Outcome.REFUSED),
    e.Accepted: (_ALL, Outcome.ACCEPTED),
    e.Abandoned: (_UNDECIDED, Outcome.ABANDONED),
    e.Released: (frozenset({Outcome.ABANDONED}), Outcome.RELEASED),
    e.Reclaimed: (_ALL - {Outcome.ACCEPTED, Outcome.REFUSED}, Outcome.NOT_CHARGED),
}

MOVING = frozenset(_MOVES)


def outcome_after(now: Outcome, fact: type) -> Outcome | None:
    """Where the fact leads from here; None when it moves nothing (it may still repeat where we are)."""
    sources, target = _MOVES[fact]
    return target if now in sources else None


def is_released(outcome: Outcome) -> bool:
    """Set aside once and given back: as far as is known, nothing was charged."""
    return outcome in _RELEASED


def keeps_calls(outcome: Outcome) -> bool:
    """Its instances go by it: it was made, or may have been, or a person has decided that it is not to be made."""
    return outcome is Outcome.RELEASED or not is_released(outcome)


def is_charged(outcome: Outcome) -> bool:
    """Booked as charged, at the quote."""
    return outcome in (Outcome.ACCEPTED, Outcome.ABANDONED)


def add_to_totals(totals: LedgerTotals, outcome: Outcome, amount: Decimal) -> None:
    """Add to the sum of the books under which such a submission stands."""
    if is_charged(outcome):
        totals.charged += amount
    elif is_released(outcome):
        totals.released += amount
    elif outcome is Outcome.UNKNOWN:
        totals.unknown += amount
    else:
        totals.open += amount


def difference(outcome: Outcome, quote: Decimal, debited: Decimal | None) -> Decimal:
    """What the rows of the transaction list say beyond (or below) what the books hold for the submission.

    While its outcome is open or unknown the quote is set aside anyway, so only an excess counts. A row for one that
    was released was a charge after all (assumption A2 was false): all of it counts.
    """
    if debited is None:
        return ZERO
    if is_released(outcome):
        return debited
    beyond = debited - quote
    return beyond if is_charged(outcome) else max(ZERO, beyond)
