"""From a recipe to a plan, pass by pass. This file is the table of contents of the room.

Pure but for prices, which are asked through a callback: nothing here can submit (docs/money.md, promise 2).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from zenflow.catalog.gates import Gates
from zenflow.catalog.model import Account, Catalog
from zenflow.catalog.prices import PriceBook
from zenflow.credits import ZERO, Credits, Estimate
from zenflow.errors import InvalidRecipe
from zenflow.plan.analysis.check import check
from zenflow.plan.analysis.draft import BadSourceOf, PlanContext, RecipeDraft, StepDraft
from zenflow.plan.analysis.walk import walk_recipe
from zenflow.plan.model import BudgetLine, Judgement, Plan, PlannedStep, Reuse, ReuseEstimate, Verdict
from zenflow.plan.pricing.budget import judge, judge_inner, recipe_budget
from zenflow.plan.pricing.critical_path import downstream_seconds, flat_needs
from zenflow.plan.pricing.declined import tell_declined
from zenflow.plan.pricing.minimum_cost import KnownPrices, check_budgets
from zenflow.plan.pricing.planned_steps import planned_steps
from zenflow.plan.pricing.price import Ask, ask_prices, cheaper_models, collect_price_requests, cost_of, walk
from zenflow.plan.pricing.reuse_estimates import apply_reuse_estimates, with_reuse_estimates
from zenflow.plan.pricing.suggestions import CostWith, with_ways_out
from zenflow.problems import Problems
from zenflow.recipe.model import Recipe

SANDBOX = "sandbox"  # its credits cannot be bought
Durations = Callable[[str, str | None], float | None]
"""Seconds that one call of a tool (or an action) with a model usually takes here; None: not measured yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """Everything a plan is made from, besides prices."""

    recipe: Recipe
    inputs: Mapping[str, Any]
    server: str
    catalog: Catalog
    account: Account | None = None
    bounds: Sequence[BudgetLine] = ()  # besides the recipe's own: --budget, per_run, what per_day leaves
    consent_nsfw: bool = False
    max_overrides: Mapping[str, int] = field(default_factory=dict)
    durations: Durations = lambda tool, model: None
    balance: Credits | None = None
    committed_elsewhere: Credits = ZERO  # reserved by other runs of this journal
    in_flight: int = 50  # calls running at once: bounds how fast a large fan-out can be
    reuse: Reuse | None = None
    bad_source: BadSourceOf | None = None  # looks at the files of uploads; None: nobody does
    reuse_estimates: Mapping[str, ReuseEstimate] = field(
        default_factory=dict
    )  # by path: where results of earlier runs are taken
    preview_reuse: Callable[[Mapping[str, int]], Mapping[str, ReuseEstimate]] | None = (
        None  # the same with other maxima
    )


def check_recipe(
    request: PlanRequest, problems: Problems, invalid_steps: Collection[str] = (), known: KnownPrices | None = None
) -> None:
    """Everything that needs no service: what `zenflow validate` runs. The account may be unknown, inputs may be missing.

    `invalid_steps` are steps whose form is wrong: nothing more is said of them, and nothing is known of their results.
    `known`: prices known without asking; a plan asks for them, and judges by the answers.
    """
    context = PlanContext(request.catalog, problems, request.max_overrides, request.bad_source, invalid_steps)
    draft = _draft(request, context)
    if known is not None:
        check_budgets(draft, request.bounds, known, context)


async def build_plan(request: PlanRequest, ask: Ask) -> Plan:
    """Make the plan with its prices and verdict. Raises `InvalidRecipe` with all problems, where it can before it asks."""
    problems = Problems()
    context = PlanContext(request.catalog, problems, request.max_overrides, request.bad_source)
    draft = _draft(request, context)  # expand, link, resolve, check
    if problems.has_errors:
        raise InvalidRecipe(problems.in_order())
    book = await ask_prices(draft, ask)  # price
    tell_declined(draft, book, context)
    if problems.has_errors:
        raise InvalidRecipe(problems.in_order())
    pairs = list(walk(draft))
    steps = planned_steps(pairs, book, request.durations, context)
    steps = await with_reuse_estimates(steps, request.reuse_estimates, request.catalog, book, ask)  # reuse
    steps = _with_downstream(_with_ages(steps, book), pairs)  # tails
    credits = sum((step.credits for step in steps.values()), Estimate())
    judgement = _judge(request, draft, book, steps, credits, context)  # budget
    cheaper = await cheaper_models(draft, book, ask) if judgement.verdict is Verdict.OVER else []
    judgement = with_ways_out(
        judgement,
        credits,
        steps,
        _cost_with(request, book),
        cheaper,
        None if request.account is None or request.server == SANDBOX else request.account.purchase_url,
    )
    return Plan(
        recipe=request.recipe,
        inputs=request.inputs,
        server=request.server,
        catalog=request.catalog,
        account=request.account,
        steps=steps,
        credits=credits,
        unpriced=tuple(step.path for step in steps.values() if step.unpriced is not None),
        judgement=judgement,
        prices=book,
        priced_at=min((step.priced_at for step in steps.values() if step.priced_at is not None), default=None),
        max_overrides=request.max_overrides,
        warnings=problems.in_order(),
        expected_s=_expected_s(steps, request.in_flight),
        reuse=request.reuse,
    )


def _draft(request: PlanRequest, context: PlanContext) -> RecipeDraft:
    draft = walk_recipe(request.recipe, request.inputs, _gates(request), context)
    check(draft, context)
    recipe_budget(draft, context)
    return draft


def _gates(request: PlanRequest) -> Gates:
    return Gates(request.recipe.policy.nsfw, request.consent_nsfw, request.account)


def _with_downstream(
    steps: Mapping[str, PlannedStep], pairs: Sequence[tuple[RecipeDraft, StepDraft]]
) -> dict[str, PlannedStep]:
    ways, follow = downstream_seconds(steps, flat_needs(pairs))
    return {
        path: replace(step, downstream_seconds=ways[path], downstream_credits=follow[path])
        for path, step in steps.items()
    }


def _with_ages(steps: Mapping[str, PlannedStep], book: PriceBook) -> dict[str, PlannedStep]:
    """When the oldest price of each was told. An answer without a price has no age."""
    return {path: replace(step, priced_at=_oldest(step, book)) for path, step in steps.items()}


def _oldest(step: PlannedStep, book: PriceBook) -> datetime | None:
    quotes = [book.quotes.get(key) for key in step.price_requests]
    return min((quote.asked_at for quote in quotes if quote is not None and quote.credits is not None), default=None)


def _judge(
    request: PlanRequest,
    draft: RecipeDraft,
    book: PriceBook,
    steps: Mapping[str, PlannedStep],
    credits: Estimate,
    context: PlanContext,
) -> Judgement:
    own = recipe_budget(draft, context)
    lines = [*([BudgetLine(own, "recipe")] if own is not None else []), *request.bounds]
    available = None if request.balance is None else request.balance - request.committed_elsewhere
    judgement = judge(lines, credits, available, steps)
    for _, step in walk(draft):
        for group in step.groups:
            inner = None if group.inner is None else recipe_budget(group.inner, context)
            if group.inner is not None and inner is not None:
                judgement = judge_inner(judgement, step.path, inner, cost_of(group.inner, book), steps)
    return judgement


def _cost_with(request: PlanRequest, book: PriceBook) -> CostWith:
    """The cost of the same run with fewer instances of one step; fewer of them then take an earlier result, too."""

    def cost_with(path: str, most: int) -> Estimate | None:
        problems = Problems()
        maxima = {**request.max_overrides, path: most}
        context = PlanContext(request.catalog, problems, maxima)
        draft = walk_recipe(request.recipe, request.inputs, _gates(request), context)
        price_requests = collect_price_requests(draft)
        if problems.has_errors or book.missing(price_requests):
            return None
        if not request.reuse_estimates:
            return cost_of(draft, book)
        if request.preview_reuse is None:
            return None
        steps = planned_steps(list(walk(draft)), book, request.durations, context)
        steps = apply_reuse_estimates(steps, request.preview_reuse(maxima), request.catalog, book)
        return sum((step.credits for step in steps.values()), Estimate())

    return cost_with


def _expected_s(steps: Mapping[str, PlannedStep], in_flight: int) -> float:
    """The longest chain, or all the work over the slots that there are, whichever takes longer."""
    chain = max((step.downstream_seconds for step in steps.values()), default=0.0)
    work = sum(step.instances.expected * step.usual_s for step in steps.values() if step.is_paid)
    return max(chain, work / max(in_flight, 1))
