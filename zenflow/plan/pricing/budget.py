"""Does it fit? The verdict of a plan against its budget and the balance (docs/money.md, “Budget”)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from zenflow.credits import ZERO, Credits, Estimate, as_text
from zenflow.expr.evaluate import ExpressionError, evaluate
from zenflow.expr.template import Template
from zenflow.expr.types import type_name
from zenflow.expr.values import Pending
from zenflow.plan.analysis.draft import PlanContext, RecipeDraft
from zenflow.plan.analysis.scope import scope_of
from zenflow.plan.model import BudgetLine, Judgement, PlannedStep, Verdict

WRONG_BUDGET = "ZF601"
WORST_CASE = "the plan's worst case"
_MOST_WAYS = 4


@dataclass(frozen=True, slots=True)
class BudgetBound:
    """An amount that the run may not pass, and what it is called."""

    credits: Credits
    name: str  # "budget", "balance", or the budget of a recipe used as a step


def recipe_budget(draft: RecipeDraft, context: PlanContext) -> Credits | None:
    """The recipe's own budget; None where it has none, or where it is not known yet."""
    written, place = draft.recipe.budget, draft.recipe.places.value("budget")
    try:
        value = evaluate(written, scope_of(draft)) if isinstance(written, Template) else written
    except ExpressionError as error:
        context.report(error.problem)
        return None
    if value is None or isinstance(value, Pending):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        found = f"{as_text(Credits(str(value)))}, and less than nothing cannot be spent" if number else type_name(value)
        context.error(WRONG_BUDGET, f"`budget` is a number of credits; this is {found}", place, "`budget: 60`")
        return None
    return Credits(str(value))


def judge(
    lines: Sequence[BudgetLine], credits: Estimate, available: Credits | None, steps: Mapping[str, PlannedStep]
) -> Judgement:
    """The verdict for the whole run. `available`: the balance without what others have reserved; None: not known."""
    budget = min(lines, key=lambda line: line.credits, default=BudgetLine(credits.worst, WORST_CASE))
    unpriced = [step.path for step in steps.values() if step.unpriced is not None and step.max_credits is None]
    if unpriced:
        return Judgement(Verdict.UNPRICED, budget, ways_out=tuple(map(_way_for_unpriced, unpriced[:_MOST_WAYS])))
    bounds = [BudgetBound(budget.credits, "budget")]
    if available is not None:
        bounds.append(BudgetBound(max(available, ZERO), "balance"))
    return _against(bounds, budget, credits, steps)


def judge_inner(
    outer: Judgement, step: str, budget: Credits, credits: Estimate, steps: Mapping[str, PlannedStep]
) -> Judgement:
    """The harsher of the run's verdict and that of one instance of a recipe used as a step."""
    line = BudgetLine(budget, f"the recipe that `{step}` uses")
    inner = _against([BudgetBound(budget, f"budget of `{step}`")], line, credits, {})
    if _HARSHNESS[inner.verdict] <= _HARSHNESS[outer.verdict]:
        return outer
    way = f"raise the budget of the recipe that `{step}` uses to {as_text(budget + inner.short_by)}"
    return replace(inner, budget=outer.budget, stops_at=step if step in steps else None, ways_out=(way,), inner=line)


_HARSHNESS = {Verdict.FITS: 0, Verdict.MAY_STOP: 1, Verdict.OVER: 2, Verdict.UNPRICED: 3}


def _against(
    bounds: Sequence[BudgetBound], budget: BudgetLine, credits: Estimate, steps: Mapping[str, PlannedStep]
) -> Judgement:
    tightest = min(bounds, key=lambda bound: bound.credits)
    if credits.expected > tightest.credits:
        return Judgement(Verdict.OVER, budget, credits.expected - tightest.credits, tightest.name)
    if credits.worst > tightest.credits:
        stops_at, finished = _first_stop(steps, tightest.credits)
        short_by = credits.worst - tightest.credits
        return Judgement(Verdict.MAY_STOP, budget, short_by, tightest.name, stops_at, finished)
    return Judgement(Verdict.FITS, budget)


def _first_stop(steps: Mapping[str, PlannedStep], limit: Credits) -> tuple[str | None, str]:
    """Where the worst case would come to the limit, and what would be finished by then."""
    spent, finished = ZERO, list[str]()
    for step in steps.values():
        if spent + step.credits.worst <= limit:
            spent += step.credits.worst
            if step.instances.max > 0 and step.kind != "recipe":
                finished.append(step.path)
            continue
        done = int(step.instances.max * (limit - spent) / step.credits.worst)
        if done:
            finished.append(f"{done} of at most {step.instances.max} of {step.path}")
        return step.path, ", ".join(finished) or "nothing"
    return None, ", ".join(finished)


def _way_for_unpriced(path: str) -> str:
    return f"say what one call of `{path}` may cost at most: `max_credits: 5`"
