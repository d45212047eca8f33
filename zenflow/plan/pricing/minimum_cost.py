"""A budget that the cheapest possible run of a recipe is above: found without asking anybody for a price.

Counts the calls that are certain, whatever its inputs and conditions turn out to be, each at the least that is known of it.
An `if` that is not known is false, a list of unknown length is empty, a step that takes earlier results is free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from zenflow.catalog.minimum_price import least_credits
from zenflow.catalog.price_requests import price_request_for
from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.credits import ZERO, Credits, as_text, in_words
from zenflow.plan.analysis.draft import InstanceGroup, PlanContext, RecipeDraft, StepDraft
from zenflow.plan.model import BudgetLine
from zenflow.plan.pricing.budget import recipe_budget
from zenflow.problems import Note, Place, Problem

BELOW_THE_CHEAPEST = "ZF603"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPrices:
    """What is known of prices without asking.

    `stand`: they cannot change, being the embedded sandbox's own; then a budget below them is an error. Those that a service
    told once may have fallen since (“costs are backend-driven and shift”, docs/service.md, “Generation”), and only
    warn: the plan asks anew.
    """

    stand: bool = False
    rows: bool = True  # whether the catalogue's rows are of the server that will be paid
    rows_of: datetime | None = None
    told: Callable[[PriceRequest], Quote | None] = lambda price_request: None


@dataclass(slots=True)
class _Least:
    """What the certain calls of one step, or of one recipe, come to."""

    credits: Credits = ZERO
    calls: int = 0
    oldest: datetime | None = None

    def add(self, credits: Credits, calls: int, told_at: datetime | None) -> None:
        self.credits += credits
        self.calls += calls
        if told_at is not None:
            self.oldest = told_at if self.oldest is None else min(self.oldest, told_at)


@dataclass(slots=True)
class _Bill:
    """The steps of one run of a recipe, those of inner recipes with them, and their sum."""

    steps: dict[str, tuple[StepDraft, _Least]] = field(default_factory=dict)
    whole: _Least = field(default_factory=_Least)


def check_budgets(draft: RecipeDraft, lines: Sequence[BudgetLine], known: KnownPrices, context: PlanContext) -> None:
    """The recipe's own budget and those of the recipes in it, and the caps of the workspace, which stand elsewhere."""
    whole = _bill(draft, known)
    for one in _with_inner(draft):
        own = recipe_budget(one, context)
        if own is not None:
            bill = whole if one is draft else _bill(one, known)
            _compare(own, bill, one.recipe.places.value("budget"), "the budget", known, context)
    for line in lines:
        _compare(line.credits, whole, None, line.origin, known, context)


def _with_inner(draft: RecipeDraft) -> Iterator[RecipeDraft]:
    yield draft
    for step in draft.steps.values():
        for group in step.groups:
            if group.inner is not None:
                yield from _with_inner(group.inner)


def _bill(draft: RecipeDraft, known: KnownPrices) -> _Bill:
    bill = _Bill()
    _add(draft, 1, known, bill)
    return bill


def _add(draft: RecipeDraft, times: int, known: KnownPrices, bill: _Bill) -> None:
    for step in draft.steps.values():
        if step.spec.reuse is True:
            continue
        for group in step.groups:
            calls = group.weight.min * times
            if group.inner is not None:
                _add(group.inner, calls, known, bill)
            elif step.spec.kind == "tool" and step.tool is not None and calls > 0:
                each, told_at = _least_of(step, group, known)
                if each > 0:
                    _, least = bill.steps.setdefault(step.path, (step, _Least()))
                    least.add(each * calls, calls, told_at)
                    bill.whole.add(each * calls, calls, told_at)


def _least_of(step: StepDraft, group: InstanceGroup, known: KnownPrices) -> tuple[Credits, datetime | None]:
    """A price that was told for this very call says more than the rows do."""
    assert step.tool is not None
    if not known.stand:
        quote = known.told(price_request_for(step.tool, group.params))
        if quote is not None and quote.credits is not None:
            return max(quote.credits, ZERO), quote.asked_at
    return (least_credits(step.tool, group.params), known.rows_of) if known.rows else (ZERO, None)


def _compare(
    limit: Credits, bill: _Bill, place: Place | None, name: str, known: KnownPrices, context: PlanContext
) -> None:
    least = bill.whole
    if least.credits <= limit:
        return
    step, dearest = max(bill.steps.values(), key=lambda one: one[1].credits)
    said = (
        f"{name} is {in_words(limit)}, and the cheapest run costs at least {as_text(least.credits)}: "
        f"{as_text(least.credits - limit)} too few"
    )
    calls = "1 call" if dearest.calls == 1 else f"{dearest.calls} calls"
    part = f"`{step.path}`: {calls}, at least {in_words(dearest.credits)}"
    where = step.spec.places.value("uses")
    context.report(
        Problem(
            BELOW_THE_CHEAPEST,
            said if place is not None else f"{said} ({part})",
            place or where,
            _hint(least, place is not None, known),
            "error" if known.stand else "warning",
            (Note(part, where),) if place is not None else (),
            refuses=place is None,
        )
    )


def _hint(least: _Least, is_written_here: bool, known: KnownPrices) -> str:
    enough = as_text(least.credits)
    raised = f"Write `budget: {enough}` or more" if is_written_here else f"Allow {enough} or more"
    ways = f"{raised}, make fewer calls, or take a cheaper model."
    if known.stand:
        return f"{ways} The prices are the sandbox's own."
    date = "" if least.oldest is None else f" of {least.oldest:%Y-%m-%d %H:%M} UTC"
    return f"{ways} By prices{date}: `zenflow plan` asks for those of today."
