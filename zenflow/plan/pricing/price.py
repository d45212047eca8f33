"""What the calls cost: each distinct question asked once, through whoever may ask; then count times price.

Holds nothing that could submit. An unknown price stays unknown: it is named, never counted as zero.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from zenflow.catalog.gates import is_open
from zenflow.catalog.price_requests import price_request_for
from zenflow.catalog.prices import PriceBook, PriceRequest, Quote
from zenflow.credits import ZERO, Credits, Estimate
from zenflow.plan.analysis.check import sent_model
from zenflow.plan.analysis.draft import InstanceGroup, RecipeDraft, StepDraft
from zenflow.plan.model import Count
from zenflow.recipe.model import StepSpec

Ask: TypeAlias = Callable[[Sequence[PriceRequest]], Awaitable[Mapping[str, Quote]]]
"""Answers by question key. A question without an answer has no price."""

_MOST_ALTERNATIVES = 60  # questions, when looking for a cheaper model


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another model for a step, and what one call with it costs."""

    path: str
    model: str
    instead_of: str
    credits_each: Credits
    saves: Credits  # of the expected total


@dataclass(slots=True)
class StepPrice:
    """The price of one step, over all the recipes it stands in."""

    credits: Estimate = field(default_factory=Estimate)
    each: list[Credits] = field(default_factory=list)
    unpriced: str | None = None
    placeholder: bool = False


def walk(draft: RecipeDraft) -> Iterator[tuple[RecipeDraft, StepDraft]]:
    """Every step of a recipe and of those inside it, the outer step first."""
    for step in draft.steps.values():
        yield draft, step
        for group in step.groups:
            if group.inner is not None:
                yield from walk(group.inner)


async def ask_prices(draft: RecipeDraft, ask: Ask) -> PriceBook:
    """Put every distinct question once."""
    book = PriceBook()
    await _answer(book, book.missing(collect_price_requests(draft)), ask)
    return book


def collect_price_requests(draft: RecipeDraft) -> list[PriceRequest]:
    """The question of every shape that a paid step has."""
    price_requests: list[PriceRequest] = []
    for _, step in walk(draft):
        if step.spec.kind != "tool" or step.tool is None:
            continue
        for group in step.groups:
            if group.weight.max > 0:
                group.price_request = price_request_for(step.tool, group.params)
                price_requests.append(group.price_request)
    return price_requests


async def _answer(book: PriceBook, price_requests: Sequence[PriceRequest], ask: Ask) -> None:
    if not price_requests:
        return
    answers = await ask(price_requests)
    for price_request in price_requests:
        quote = answers.get(price_request.key)
        if quote is not None:
            book.add(price_request, quote)


def price_of(pairs: Sequence[tuple[RecipeDraft, StepDraft]], book: PriceBook) -> StepPrice:
    """The price of one step from all its drafts."""
    price = StepPrice()
    for draft, step in pairs:
        for group in step.groups:
            if group.price_request is None:
                continue
            count = group.weight.times(draft.weight)
            each, why = quoted(group, step.spec, book)
            price.placeholder |= group.price_request.placeholder
            price.unpriced = price.unpriced or why
            if why is None and each is not None:
                price.each.append(each)
            price.credits += times(count, each, step.spec.retry)
    return price


def quoted(group: InstanceGroup, step: StepSpec, book: PriceBook) -> tuple[Credits | None, str | None]:
    """What one call counts as, and why it has no price: `max_credits` then stands in for it."""
    quote = None if group.price_request is None else book.find(group.price_request)
    if quote is not None and quote.credits is not None:
        return quote.credits, None
    why = quote.refusal if quote is not None and quote.refusal else "the service gave no price"
    return limit_of(step), why


def limit_of(step: StepSpec) -> Credits | None:
    return None if step.max_credits is None else Decimal(str(step.max_credits))


def times(count: Count, each: Credits | None, retries: int) -> Estimate:
    """In the worst case every call uses every retry (docs/money.md: each may be charged)."""
    if each is None:
        return Estimate()
    return Estimate(each * count.min, each * count.expected, each * count.max * (1 + retries))


def cost_of(draft: RecipeDraft, book: PriceBook) -> Estimate:
    """What one run of a recipe costs, with everything inside it."""
    total = Estimate()
    for step in draft.steps.values():
        for group in step.groups:
            if group.inner is not None:
                one, count = cost_of(group.inner, book), group.weight
                total += Estimate(one.low * count.min, one.expected * count.expected, one.worst * count.max)
            elif group.price_request is not None:
                total += times(group.weight, quoted(group, step.spec, book)[0], step.spec.retry)
    return total


async def cheaper_models(draft: RecipeDraft, book: PriceBook, ask: Ask) -> list[Alternative]:
    """For each paid step, what the other models that are open to it would cost; the greatest saving first."""
    candidates: list[tuple[RecipeDraft, StepDraft, InstanceGroup, str, str, PriceRequest]] = []
    for inside, step in walk(draft):
        for group in step.groups:
            model = sent_model(step, group)
            if step.tool is None or model is None or quoted(group, step.spec, book)[1] is not None:
                continue
            for other in step.tool.models:
                if other.value != model and is_open(step.tool, other, inside.gates):
                    price_request = price_request_for(step.tool, {**group.params, "model": other.value})
                    candidates.append((inside, step, group, model, other.value, price_request))
    await _answer(book, book.missing(candidate[-1] for candidate in candidates)[:_MOST_ALTERNATIVES], ask)
    found: dict[tuple[str, str, str], Alternative] = {}
    for inside, step, group, model, name, price_request in candidates:
        quote, now = book.find(price_request), quoted(group, step.spec, book)[0]
        if quote is None or quote.credits is None or now is None or quote.credits >= now:
            continue
        saves = (now - quote.credits) * group.weight.times(inside.weight).expected
        before = found.get((step.path, model, name))
        total = saves + (ZERO if before is None else before.saves)
        found[(step.path, model, name)] = Alternative(step.path, name, model, quote.credits, total)
    return sorted(found.values(), key=lambda one: -one.saves)
