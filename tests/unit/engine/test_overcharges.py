"""What a service takes beyond its quotes, read from the facts; and what is kept free of the budget for it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from zenflow.engine.ledger import Ledger
from zenflow.engine.overcharges import FAIR, Overcharge, overcharges, still_to_show
from zenflow.history import events as e
from zenflow.history.fold import apply, fold

AT = "2026-11-21T08:00:00.000000Z"


def sent(number, tool="draw", quotes=(2,), charged=None):
    """A submission that was accepted; `charged` is what its row says, where there is one."""
    calls = tuple(e.IntendedCall(f"{tool}.{number}.{at}", 1, Decimal(quote), {}) for at, quote in enumerate(quotes))
    facts = [e.Intended(AT, number, f"stamp-{number}", tool, "", calls, ""), e.Accepted(AT, number, f"t{number}", None)]
    return facts + ([] if charged is None else [e.Confirmed(AT, number, f"row-{number}", Decimal(charged))])


def state_of(*submissions, budget=100):
    state = fold([fact for facts in submissions for fact in facts])
    state.budget = Decimal(budget)
    return state


def test_a_service_that_charges_its_quotes_has_no_overcharge():
    assert overcharges(state_of(sent(1, charged=2), sent(2)).submissions.values()) == {}
    assert FAIR.price(Decimal(7)) == 7


@pytest.mark.parametrize(
    ("quotes", "charged", "asked", "expected"),
    [
        ((2,), 4, 2, 4),  # twice the price
        ((2,), 4, 10, 20),  # twice, of a dearer one too
        ((2, 2), 6, 2, 3),  # of two calls together
        ((5,), 6, 1, 2),  # a credit more, of a cheaper one too
        ((0,), 3, 0, 3),  # what was said to be free
        ((3,), 10, 1, Decimal("8")),  # a part that has no end is no trouble
    ],
)
def test_what_a_call_is_expected_to_cost_follows_the_worst_row_that_was_seen(quotes, charged, asked, expected):
    found = overcharges(state_of(sent(1, quotes=quotes, charged=charged)).submissions.values())
    assert found["draw"].price(Decimal(asked)) == expected


def test_an_overcharge_of_one_tool_says_nothing_of_another():
    ledger = Ledger(state_of(sent(1, charged=4), sent(2, "film", charged=2)), keeps_tails=False)
    assert (ledger.cost("draw", Decimal(3)), ledger.cost("film", Decimal(3))) == (6, 3)


def test_a_later_charge_below_what_was_set_aside_ends_it():
    assert overcharges(state_of(sent(1, charged=4), sent(2, quotes=(4,), charged=2)).submissions.values()) == {}
    still = overcharges(state_of(sent(1, charged=4), sent(2, quotes=(4,), charged=4)).submissions.values())
    assert still == {"draw": Overcharge(Decimal(2), Decimal(2))}


def test_what_is_in_flight_and_not_seen_yet_is_reckoned_alike_and_kept_free_of_the_budget():
    state = state_of(sent(1, charged=4), sent(2), sent(3, quotes=(2, 2)), sent(4, "film"), budget=20)
    assert still_to_show(state.submissions.values(), overcharges(state.submissions.values())) == 2 + 4
    ledger = Ledger(state, keeps_tails=False)
    assert ledger.room == 20 - (4 + 2 + 4 + 2) - 6
    state = state_of(sent(1, charged=4), sent(2, charged=4), sent(3, quotes=(2, 2)), sent(4, "film"), budget=20)
    assert Ledger(state, keeps_tails=False).room == 20 - (4 + 4 + 4 + 2) - 4, "what was seen is in the books"


def test_a_new_reading_takes_in_what_was_seen_since():
    state = state_of(sent(1), budget=20)
    ledger = Ledger(state, keeps_tails=False)
    assert ledger.room == 18
    apply(state, e.Confirmed(AT, 1, "row-1", Decimal(6)))
    ledger.read_charges()
    assert (ledger.room, ledger.cost("draw", Decimal(1))) == (14, 5)
