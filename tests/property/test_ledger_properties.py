"""The ledger under any order of events: never over the budget, nothing lost, what was begun can be finished."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from zenflow.engine.budget.ledger import FrameBudgets, Ledger, spent_by_frame
from zenflow.engine.model.instances import Frame, Instance, StepRun
from zenflow.history import events as e
from zenflow.history.fold import apply, fold
from zenflow.history.state import Outcome, RunState
from zenflow.plan.fanout import Fan, Fanout

pytestmark = pytest.mark.slow

AT = "2026-11-21T08:00:00Z"
AMOUNTS = st.integers(0, 9).map(Decimal)


def started(budget: Decimal) -> e.RunStarted:
    zero = Decimal(0)
    text = dict.fromkeys(
        ("run_id", "stamp_run", "recipe_name", "recipe_version", "recipe_digest", "recipe_root", "recipe_folder"), "x"
    )
    return e.RunStarted(
        **text,
        at=AT,
        recipe_files={},
        inputs={},
        server="s",
        account_id="a",
        budget=budget,
        planned_low=zero,
        planned_expected=zero,
        planned_worst=zero,
        balance_before=None,
        out_dir="out",
        zenflow_version="0",
    )


class Spec:
    id = "step"


def an_instance(number: int, frame: Frame, source: Instance | None) -> Instance:
    spec: Any = Spec()
    step = StepRun(frame, spec, f"{frame.prefix}step", "step", Fanout(Fan.LIST))
    return Instance(step, (number,), number, source=source)


class LedgerMachine(RuleBasedStateMachine):
    """Calls are reserved, journaled and answered in any order that hypothesis thinks of."""

    @initialize(
        budget=st.integers(0, 60).map(Decimal),
        keeps=st.booleans(),
        inner=st.none() | AMOUNTS,
        balance=st.none() | st.integers(0, 30).map(Decimal),
    )
    def begin(self, budget: Decimal, keeps: bool, inner: Decimal | None, balance: Decimal | None) -> None:
        self.events: list[e.Event] = [started(budget)]
        self.state: RunState = fold(self.events)
        self.ledger = Ledger(self.state, reserves_downstream=keeps, balance=balance)
        recipe: Any = None
        outer = Frame(recipe, {})
        self.frame = Frame(recipe, {}, "step.0/", "step/", an_instance(0, outer, None))
        self.outer = outer
        self.budgets = FrameBudgets({} if inner is None else {self.frame.prefix: inner})
        self.inner_budget = inner
        self.reserved: list[tuple[Instance, Decimal]] = []
        self.sent: dict[int, tuple[Instance, Decimal]] = {}
        self.begun: list[Instance] = []
        self.exceeded = Decimal(0)  # the service charged beyond its quotes
        self.number = 0

    def record(self, event: e.Event) -> None:
        self.events.append(event)
        apply(self.state, event)

    # ------------------------------------------------------------------------------------------------------------- rules

    @rule(quote=AMOUNTS, tail=AMOUNTS, inside=st.booleans(), follows=st.booleans())
    def reserve(self, quote: Decimal, tail: Decimal, inside: bool, follows: bool) -> None:
        source = self.begun[-1] if follows and self.begun else None
        instance = an_instance(self.number, self.frame if inside else self.outer, source)
        self.number += 1
        if self.ledger.no_room_for(instance, quote, tail, self.budgets) is None:
            self.ledger.reserve(instance, quote, tail)
            self.reserved.append((instance, quote))
            self.begun.append(instance)

    @precondition(lambda self: self.reserved)
    @rule()
    def journal(self) -> None:
        instance, quote = self.reserved.pop(0)
        number = len(self.sent) + 1
        call = e.IntendedCall(instance.address, 1, quote, {})
        self.record(e.Intended(AT, number, f"stamp{number}", "tool", "", (call,), None))
        self.ledger.journaled(quote)
        self.sent[number] = (instance, quote)

    @precondition(lambda self: self.reserved)
    @rule()
    def not_sent_after_all(self) -> None:
        instance, quote = self.reserved.pop()
        self.ledger.take_back(instance, quote, was_pending=True)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), kind=st.sampled_from(["accepted", "refused", "unknown", "given up", "charged", "refunded"]))
    def answer(self, data: st.DataObject, kind: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.sent)))
        instance, quote = self.sent[number]
        outcome = self.state.submissions[number].outcome
        if kind == "accepted" and outcome in (Outcome.OPEN, Outcome.UNKNOWN):
            self.record(e.Accepted(AT, number, f"task{number}", 1))
        elif kind == "refused" and outcome is Outcome.OPEN:
            self.record(e.SubmissionRefused(AT, number, 422, "no"))
            self.ledger.take_back(instance, quote, was_pending=False)
        elif kind == "unknown" and outcome is Outcome.OPEN:
            self.record(e.OutcomeUnknown(AT, number, 1, "", AT))
        elif kind == "given up" and outcome is Outcome.UNKNOWN:
            self.record(e.Abandoned(AT, number))
        elif kind == "charged" and outcome is Outcome.ACCEPTED and not self.state.submissions[number].debits:
            amount = data.draw(AMOUNTS)
            self.record(e.Confirmed(AT, number, f"row{number}", amount))
            self.exceeded += max(Decimal(0), amount - quote)
        elif kind == "refunded" and outcome is Outcome.ACCEPTED and not self.state.submissions[number].refunds:
            charge = self.state.submissions[number].charge
            self.record(e.Refunded(AT, number, f"back{number}", charge))

    @rule()
    def idle(self) -> None:
        self.ledger.release_all_downstream()

    # -------------------------------------------------------------------------------------------------------- invariants

    @invariant()
    def the_budget_holds(self) -> None:
        """Charged, set aside and unknown together; what the service charges beyond its quotes is its own doing."""
        held = self.state.totals.committed + self.ledger.pending
        assert held <= self.state.budget + self.exceeded

    @invariant()
    def the_balance_holds(self) -> None:
        """What was set aside since the balance was read fits into it."""
        assert self.ledger.balance is None or self.ledger.since_reading <= self.ledger.balance

    @invariant()
    def the_books_balance(self) -> None:
        totals = self.state.totals
        assert totals.balanced
        assert totals == fold(self.events).totals, "state is the fold of the facts"

    @invariant()
    def what_is_pending_is_what_was_reserved_and_not_journaled(self) -> None:
        assert self.ledger.pending == sum((quote for _, quote in self.reserved), Decimal(0))

    @invariant()
    def nothing_owed_is_negative_and_the_sum_is_right(self) -> None:
        reserved = self.ledger._reserved
        assert all(amount >= 0 for amount in reserved.values())
        assert self.ledger._reserved_sum == sum(reserved.values(), Decimal(0))

    @invariant()
    def an_inner_budget_holds_too(self) -> None:
        if self.inner_budget is None:
            return
        spent = self.ledger.frame_spent.get(self.frame.prefix, Decimal(0))
        assert Decimal(0) <= spent <= self.inner_budget
        journaled = spent_by_frame(self.state).get(self.frame.prefix, Decimal(0))
        pending = sum((q for i, q in self.reserved if i.step.frame is self.frame), Decimal(0))
        assert spent == journaled + pending, "a resume counts on from the same sum"


LedgerMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestLedger = LedgerMachine.TestCase
