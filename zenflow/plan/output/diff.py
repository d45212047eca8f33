"""Two prices side by side: which steps came, went or changed, what that does to the total, and whether it passes a guard.

Each side is a plan or a run, reduced to what is compared. Unknown stays unknown: a step without a price never counts as free.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from zenflow.credits import ZERO, Credits, Estimate, as_number, as_numbers, as_text, credits_from, in_words
from zenflow.plan.model import Count

Mark = Literal["+", "-", "~", "="]


@dataclass(frozen=True, slots=True)
class PricedStep:
    """One step of one side. `unpriced`: why it has no price."""

    path: str
    uses: str
    model: str | None
    calls: Count
    credits: Estimate
    is_paid: bool
    unpriced: str | None = None

    @property
    def label(self) -> str:
        return self.uses if self.model is None else f"{self.uses} · {self.model}"


@dataclass(frozen=True, slots=True)
class Side:
    """`label` says where it comes from, in the person's own words."""

    label: str
    steps: Mapping[str, PricedStep]
    credits: Estimate
    recipe: str = ""  # its name

    @property
    def unpriced(self) -> tuple[str, ...]:
        return tuple(step.path for step in self.steps.values() if step.unpriced is not None)


@dataclass(frozen=True, slots=True)
class PlanChange:
    """One step, before and after; None where it is not there."""

    mark: Mark
    path: str
    before: PricedStep | None
    after: PricedStep | None

    @property
    def expected(self) -> Credits:
        """By how much its expected credits change."""
        return _expected(self.after) - _expected(self.before)


@dataclass(frozen=True, slots=True)
class PlanDifference:
    before: Side
    after: Side
    changes: tuple[PlanChange, ...]  # every step, those that stayed too, in the order of what is there now

    @property
    def expected(self) -> Credits:
        return self.after.credits.expected - self.before.credits.expected

    @property
    def worst(self) -> Credits:
        return self.after.credits.worst - self.before.credits.worst

    @property
    def percent(self) -> Decimal | None:
        """Of the expected total; None where there is nothing to compare with."""
        return percent_of(self.before.credits.expected, self.after.credits.expected)

    @property
    def is_of_two_recipes(self) -> bool:
        """Whether the two have different names: steps of one name may then be quite different things."""
        return bool(self.before.recipe and self.after.recipe and self.before.recipe != self.after.recipe)

    @property
    def is_empty(self) -> bool:
        return all(change.mark == "=" for change in self.changes)


@dataclass(frozen=True, slots=True)
class Limit:
    """`--max-increase`: so many percent, or so many credits, of the expected and of the worst total."""

    amount: Decimal
    in_percent: bool

    def __str__(self) -> str:
        return f"{as_text(self.amount)}{' %' if self.in_percent else ' credits'}"


def side_of(label: str, document: Mapping[str, Any]) -> Side:
    """A side from the document of a plan."""
    steps = {str(step["id"]): _step(step) for step in document["steps"]}
    return Side(label, steps, _estimate(document["credits"]), str(document["recipe"]["name"]))


def _step(step: Mapping[str, Any]) -> PricedStep:
    count = step["instances"]
    return PricedStep(
        path=str(step["id"]),
        uses=str(step["uses"]),
        model=step["model"],
        calls=Count(int(count["min"]), int(count["expected"]), int(count["max"])),
        credits=_estimate(step["credits"]),
        is_paid=step.get("kind") == "tool",
        unpriced=step["unpriced"] if step.get("max_credits") is None else None,
    )


def _estimate(numbers: Mapping[str, Any]) -> Estimate:
    low, expected, worst = (credits_from(numbers[name]) or ZERO for name in ("low", "expected", "worst"))
    return Estimate(low, expected, worst)


def difference(before: Side, after: Side) -> PlanDifference:
    """Step by step, by path. A step that was renamed has gone and another has come."""
    paths = [*after.steps, *(path for path in before.steps if path not in after.steps)]
    changes = tuple(_change(path, before.steps.get(path), after.steps.get(path)) for path in paths)
    return PlanDifference(before, after, changes)


def _change(path: str, before: PricedStep | None, after: PricedStep | None) -> PlanChange:
    mark: Mark = "+" if before is None else "-" if after is None else "=" if before == after else "~"
    return PlanChange(mark, path, before, after)


def _expected(step: PricedStep | None) -> Credits:
    return ZERO if step is None else step.credits.expected


def percent_of(before: Credits, after: Credits) -> Decimal | None:
    if before == 0:
        return ZERO if after == 0 else None
    return ((after - before) * 100 / before).quantize(Decimal("0.1"))


def broken_guards(found: PlanDifference, limit: Limit | None, budget: Credits | None) -> Iterator[str]:
    """Why the change may not pass, in sentences. What has no price passes no guard."""
    if limit is None and budget is None:
        return
    if found.after.unpriced:
        yield f"there is no price for {', '.join(found.after.unpriced[:3])}"
    if limit is not None:
        for word in ("expected", "worst"):
            before, after = getattr(found.before.credits, word), getattr(found.after.credits, word)
            if _grows_beyond(before, after, limit):
                yield f"the {word} total grows from {as_text(before)} to {in_words(after)}, more than {limit} allows"
    if budget is not None and found.after.credits.worst > budget:
        worst = as_text(found.after.credits.worst)
        yield f"the worst case of {worst} credits is over the budget of {as_text(budget)}"


def _grows_beyond(before: Credits, after: Credits, limit: Limit) -> bool:
    if not limit.in_percent:
        return after - before > limit.amount
    return (after - before) * 100 > limit.amount * before


def difference_document(found: PlanDifference) -> dict[str, Any]:
    """As JSON."""
    return {
        "before": {
            "from": found.before.label,
            "recipe": found.before.recipe,
            "credits": as_numbers(found.before.credits),
        },
        "after": {"from": found.after.label, "recipe": found.after.recipe, "credits": as_numbers(found.after.credits)},
        "change": {
            "low": as_number(found.after.credits.low - found.before.credits.low),
            "expected": as_number(found.expected),
            "worst": as_number(found.worst),
            "percent": as_number(found.percent),
        },
        "steps": [
            {
                "id": change.path,
                "change": {"+": "added", "-": "removed", "~": "changed", "=": "same"}[change.mark],
                "before": None if change.before is None else _side_document(change.before),
                "after": None if change.after is None else _side_document(change.after),
                "expected": as_number(change.expected),
            }
            for change in found.changes
        ],
    }


def _side_document(step: PricedStep) -> dict[str, Any]:
    return {
        "uses": step.uses,
        "model": step.model,
        "calls": {"min": step.calls.min, "expected": step.calls.expected, "max": step.calls.max},
        "credits": as_numbers(step.credits),
        "unpriced": step.unpriced,
    }
