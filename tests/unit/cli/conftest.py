"""Plans and reports made by hand, as small as a view needs them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from zenflow.catalog.model import Account, Catalog
from zenflow.catalog.prices import PriceBook
from zenflow.credits import Estimate
from zenflow.plan.model import BudgetLine, Count, Judgement, Plan, PlannedStep, Verdict
from zenflow.problems import Place
from zenflow.recipe.model import Places, Policy, Recipe


def free_step(path: str, uses: str, count: int = 1) -> PlannedStep:
    return PlannedStep(path, uses, "action", Count(count, count, count))


def paid_step(path: str, uses: str, counts: tuple[int, int, int], each: int, **more: Any) -> PlannedStep:
    credits = Estimate(*(Decimal(each * count) for count in counts))
    return PlannedStep(path, uses, "tool", Count(*counts), credits_each=Decimal(each), credits=credits, **more)


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    def make(
        *steps: PlannedStep,
        budget: int = 60,
        origin: str = "recipe",
        verdict: Verdict = Verdict.FITS,
        server: str = "sandbox",
        balance: int | None = 1000,
        **judged: Any,
    ) -> Plan:
        account = None if balance is None else Account("a-1", Decimal(balance))
        return Plan(
            recipe=_recipe(),
            inputs={},
            server=server,
            catalog=Catalog(server, None, {}, ()),
            account=account,
            steps={step.path: step for step in steps},
            credits=sum((step.credits for step in steps), Estimate()),
            unpriced=tuple(step.path for step in steps if step.unpriced),
            judgement=Judgement(verdict, BudgetLine(Decimal(budget), origin), **judged),
            prices=PriceBook(),
            priced_at=None,
        )

    return make


def _recipe() -> Recipe:
    root = Place("shoot.yaml", 1, 1, 1, 2)
    places = Places({}, {}, root)
    return Recipe("shoot", "1.0.0", "One photo in.", {}, None, Policy(), {}, {}, Path("shoot.yaml"), places, "d" * 64)
