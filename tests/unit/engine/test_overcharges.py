"""What a service takes beyond its quotes, read from the facts; and what is kept free of the budget for it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from zenflow.engine.budget.ledger import Ledger
from zenflow.engine.budget.surcharges import Overcharges
from zenflow.history import events as e
from zenflow.history.fold import apply, fold

AT = "2026-11-21T08:00:00.000000Z"
LATER = "2026-11-21T08:00:01.000000Z"


def sent(number, tool="draw", quotes=(2,), charged=None):
    """A submission that was accepted; `charged` is what its row says, where there is one."""
    calls = tuple(e.IntendedCall(f"{tool}.{number}.{at}", 1, Decimal(quote), {}) for at, quote in enumerate(quotes))
    facts = [
        e.Intended(AT, number, f"stamp-{number}", tool, "", calls, ""),
        e.Accepted(LATER, number, f"t{number}", None),
    ]
    return facts + ([] if charged is None else [e.Confirmed(AT, number, f"row-{number}", Decimal(charged))])


def state_of(*submissions, budget=100):
    state = fold([fact for facts in submissions for fact in facts])
    state.budget = Decimal(budget)
    return state


def test_a_service_that_charges_its_quotes_is_believed():
    found = Overcharges(state_of(sent(1, charged=2), sent(2)).submissions.values())
    assert not found and found.cost("draw", Decimal(7)) == 7


@pytest.mark.parametrize(
    ("quotes", "charged", "expected"),
    [
        ((2,), 4, 4),
        ((2, 2), 6, 3),  # of two calls together
        ((2, 6), 12, 3),  # each its part
        ((0,), 3, 3),  # what was said to be free
        ((2, 2, 2), 10, Decimal("3.333334")),  # never a little less
    ],
)
def test_the_same_quote_again_is_expected_to_cost_what_it_did(quotes, charged, expected):
    found = Overcharges(state_of(sent(1, quotes=quotes, charged=charged)).submissions.values())
    assert found.cost("draw", Decimal(quotes[0])) == expected


def test_another_quote_and_another_tool_are_believed():
    ledger = Ledger(state_of(sent(1, charged=4), sent(2, "film", charged=2)), reserves_downstream=False)
    assert (ledger.cost("draw", Decimal(2)), ledger.cost("draw", Decimal(4)), ledger.cost("film", Decimal(2))) == (
        4,
        4,
        2,
    )


def test_restores_a_quote_after_a_later_lower_charge():
    assert not Overcharges(state_of(sent(1, charged=4), sent(2, quotes=(4,), charged=2)).submissions.values())
    still = Overcharges(state_of(sent(1, charged=4), sent(2, quotes=(4,), charged=4)).submissions.values())
    assert still.cost("draw", Decimal(2)) == 4


def test_learns_no_quote_from_a_task_of_a_lost_journal():
    calls = (e.IntendedCall("draw.1", 1, Decimal(1), {}),)
    taken = [
        e.Intended(AT, 1, "stamp", "draw", "", calls, ""),
        e.Accepted(AT, 1, "t1", None, adopted=True),
        e.Confirmed(AT, 1, "row", Decimal(3)),
    ]
    assert not Overcharges(state_of(taken).submissions.values())


def test_keeps_in_flight_credits_out_of_the_budget():
    state = state_of(sent(1, charged=4), sent(2), sent(3, quotes=(2, 2)), sent(4, "film"), budget=20)
    assert Ledger(state, reserves_downstream=False).room == 20 - (4 + 2 + 4 + 2) - (2 + 4)
    state = state_of(sent(1, charged=4), sent(2, charged=4), sent(3, quotes=(2, 2)), sent(4, "film"), budget=20)
    assert Ledger(state, reserves_downstream=False).room == 20 - (4 + 4 + 4 + 2) - 4, "what was seen is in the books"


def test_a_new_reading_takes_in_what_was_seen_since():
    state = state_of(sent(1), budget=20)
    ledger = Ledger(state, reserves_downstream=False)
    assert ledger.room == 18
    apply(state, e.Confirmed(AT, 1, "row-1", Decimal(6)))
    ledger.read_charges()
    assert (ledger.room, ledger.cost("draw", Decimal(2))) == (14, 6)


def part(facts, *there):
    """The task of a submission holds these of its calls and no others (A6)."""
    (intended,) = [fact for fact in facts if isinstance(fact, e.Intended)]
    ids = tuple(f"c{at}" if at in there else "" for at in range(len(intended.calls)))
    return [*facts, e.TookPart(LATER, intended.submission, ids, "fewer calls")]


def test_a_row_for_a_part_makes_no_quote_good_again():
    """Two of three were taken, and charged as the service has charged before: more than quoted."""
    state = state_of(sent(1, charged=4), part(sent(2, quotes=(4, 4, 4), charged=8), 0, 1))
    assert Overcharges(state.submissions.values()).cost("draw", Decimal(2)) == 4


def test_checks_a_partial_row_against_quotes_of_present_calls():
    state = state_of(part(sent(1, quotes=(2, 2, 2), charged=6), 0, 1))
    assert Overcharges(state.submissions.values()).cost("draw", Decimal(2)) == 3


def test_learns_no_quote_from_a_row_with_unknown_calls():
    found = Overcharges(state_of(part(sent(1, quotes=(2, 2, 2), charged=4))).submissions.values())
    assert not found
