"""The prices of what follows a call, asked with stand-ins when the run was planned: which of them are asked again before it
is paid, and whether one has risen (money.md, “Budget” and promise 2). Pure; asks nothing itself.

Equal questions are one question, and an answer serves as long as any other quote. That a stand-in has no price is no word
about the real call: that one is asked for right before it, with its real parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from zenflow.catalog.prices import Question, Quote
from zenflow.credits import as_text, in_words
from zenflow.plan.graph import descendants, topological_order
from zenflow.plan.model import Plan, PlannedStep


@dataclass(frozen=True, slots=True)
class Ahead:
    """One price that the plan was told for a stand-in, and the step that it is of."""

    path: str
    question: Question
    shown: Decimal

    def moved(self, quotes: Mapping[str, Quote]) -> str | None:
        """What to say when it has risen; None when it has not."""
        now = quotes[self.question.key].credits
        if now is None or now <= self.shown:
            return None
        moved = f"{as_text(self.shown)} → {in_words(now)} a call"
        return f"the price of `{self.path}`, which follows, moved since the plan: {moved}"


def prices_ahead(plan: Plan | None) -> dict[str, tuple[Ahead, ...]]:
    """By path of a paid step: the stand-in prices of all that follows it."""
    if plan is None:
        return {}
    own = {path: _of(step, plan) for path, step in plan.steps.items()}
    if not any(own.values()):
        return {}
    needs = _needs(plan.steps)
    after = descendants(topological_order(list(plan.steps), needs), needs)
    found = {}
    for path, step in plan.steps.items():
        following = {one.question.key: one for later in plan.steps if later in after[path] for one in own[later]}
        if step.is_paid and following:
            found[path] = tuple(following.values())
    return found


def dearest(step: PlannedStep | None) -> Decimal | None:
    """The most that the plan showed for one call of a step whose parameters it did not know; None where it showed nothing."""
    if step is None or not step.stand_in or step.unpriced is not None:
        return None
    return step.credits_each if step.credits_each_range is None else step.credits_each_range[1]


def _of(step: PlannedStep, plan: Plan) -> tuple[Ahead, ...]:
    if not step.is_paid or not step.instances.max:
        return ()
    found = []
    for key in step.questions:
        quote, question = plan.prices.quotes.get(key), plan.prices.questions.get(key)
        if quote is not None and question is not None and quote.stand_in and quote.credits is not None:
            found.append(Ahead(step.path, question, quote.credits))
    return tuple(found)


def _needs(steps: Mapping[str, PlannedStep]) -> dict[str, dict[str, None]]:
    """Per path, what comes before it. A recipe used as a step is done when its inner steps are, which begin after its needs."""
    needs = {path: dict.fromkeys(step.needs) for path, step in steps.items()}
    for path in steps:
        parent = path.rpartition("/")[0]
        if parent in needs:
            needs[path].update({name: None for name in needs[parent] if not name.startswith(f"{parent}/")})
            needs[parent][path] = None
    return needs
