"""The prices of what follows a call, asked with stand-ins when the run was planned: which of them are asked again before it
is paid, and whether one has risen (docs/money.md, “Budget” and promise 2). Pure; asks nothing itself.

Equal questions are one question, and an answer serves as long as any other quote. That a stand-in has no price is no word
about the real call: that one is asked for right before it, with its real parameters.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.credits import as_text, in_words
from zenflow.plan.model import Plan, PlannedStep


@dataclass(frozen=True, slots=True)
class DownstreamPrice:
    """One price that the plan was told for a stand-in, and the step that it is of."""

    path: str
    price_request: PriceRequest
    shown: Decimal

    def increased(self, quotes: Mapping[str, Quote]) -> str | None:
        """What to say when it has risen; None when it has not."""
        now = quotes[self.price_request.key].credits
        if now is None or now <= self.shown:
            return None
        moved = f"{as_text(self.shown)} → {in_words(now)} a call"
        return f"the price of `{self.path}`, which follows, moved since the plan: {moved}"


class DownstreamPrices:
    """The stand-in prices of all that follows a step; worked out when somebody asks for it."""

    def __init__(self, plan: Plan | None) -> None:
        steps = {} if plan is None else plan.steps
        self._own = {} if plan is None else {path: own for path, step in steps.items() if (own := _of(step, plan))}
        self._readers = _readers(steps) if self._own else {}
        self._found: dict[str, tuple[DownstreamPrice, ...]] = {}

    def of(self, path: str) -> tuple[DownstreamPrice, ...]:
        """By path of a step. Equal questions once."""
        if path not in self._found:
            following = (one for later in self._after(path) for one in self._own.get(later, ()))
            self._found[path] = tuple({one.price_request.key: one for one in following}.values())
        return self._found[path]

    def _after(self, path: str) -> Iterable[str]:
        """What comes after it because of it, the nearest first."""
        seen: dict[str, None] = {}
        to_do = deque(self._readers.get(path, ()))
        while to_do:
            later = to_do.popleft()
            if later not in seen:
                seen[later] = None
                to_do.extend(self._readers.get(later, ()))
        return seen


def highest_price(step: PlannedStep | None) -> Decimal | None:
    """The most that the plan showed for one call of a step whose parameters it did not know; None where it showed nothing."""
    if step is None or not step.placeholder or step.unpriced is not None:
        return None
    return step.credits_each if step.credits_each_range is None else step.credits_each_range[1]


def _of(step: PlannedStep, plan: Plan) -> tuple[DownstreamPrice, ...]:
    if not step.is_paid or not step.instances.max:
        return ()
    found = []
    for key in step.price_requests:
        quote, price_request = plan.prices.quotes.get(key), plan.prices.price_requests.get(key)
        if quote is not None and price_request is not None and quote.placeholder and quote.credits is not None:
            found.append(DownstreamPrice(step.path, price_request, quote.credits))
    return tuple(found)


def _readers(steps: Mapping[str, PlannedStep]) -> dict[str, dict[str, None]]:
    """Per path, what reads or waits for it. A recipe used as a step is done when its inner steps are, which begin after its
    needs."""
    found: dict[str, dict[str, None]] = {}
    for path, step in steps.items():
        before, outer = list(step.needs), path.rpartition("/")[0]
        if outer in steps:
            found.setdefault(path, {})[outer] = None
        while outer in steps:
            before += steps[outer].needs
            outer = outer.rpartition("/")[0]
        for name in before:
            found.setdefault(name, {})[path] = None
    return found
