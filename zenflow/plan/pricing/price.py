"""What the calls cost: each distinct question asked once, through whoever may ask; then count times price.

Holds nothing that could submit. An unknown price stays unknown: it is named, never counted as zero.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from zenflow.catalog.gates import is_open
from zenflow.catalog.price_requests import question_for
from zenflow.catalog.prices import PriceBook, Question, Quote
from zenflow.credits import ZERO, Credits, Estimate
from zenflow.plan.analysis.check import sent_model
from zenflow.plan.analysis.draft import RecipeDraft, Shape, StepDraft
from zenflow.plan.model import Count
from zenflow.recipe.model import StepSpec

Ask: TypeAlias = Callable[[Sequence[Question]], Awaitable[Mapping[str, Quote]]]
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
    stand_in: bool = False


def walk(draft: RecipeDraft) -> Iterator[tuple[RecipeDraft, StepDraft]]:
    """Every step of a recipe and of those inside it, the outer step first."""
    for step in draft.steps.values():
        yield draft, step
        for shape in step.shapes:
            if shape.inner is not None:
                yield from walk(shape.inner)


async def ask_prices(draft: RecipeDraft, ask: Ask) -> PriceBook:
    """Put every distinct question once."""
    book = PriceBook()
    await _answer(book, book.missing(put_questions(draft)), ask)
    return book


def put_questions(draft: RecipeDraft) -> list[Question]:
    """The question of every shape that a paid step has."""
    questions: list[Question] = []
    for _, step in walk(draft):
        if step.spec.kind != "tool" or step.tool is None:
            continue
        for shape in step.shapes:
            if shape.weight.max > 0:
                shape.question = question_for(step.tool, shape.params)
                questions.append(shape.question)
    return questions


async def _answer(book: PriceBook, questions: Sequence[Question], ask: Ask) -> None:
    if not questions:
        return
    answers = await ask(questions)
    for question in questions:
        quote = answers.get(question.key)
        if quote is not None:
            book.add(question, quote)


def price_of(pairs: Sequence[tuple[RecipeDraft, StepDraft]], book: PriceBook) -> StepPrice:
    """The price of one step from all its drafts."""
    price = StepPrice()
    for draft, step in pairs:
        for shape in step.shapes:
            if shape.question is None:
                continue
            count = shape.weight.times(draft.weight)
            each, why = quoted(shape, step.spec, book)
            price.stand_in |= shape.question.stand_in
            price.unpriced = price.unpriced or why
            if why is None and each is not None:
                price.each.append(each)
            price.credits += times(count, each, step.spec.retry)
    return price


def quoted(shape: Shape, step: StepSpec, book: PriceBook) -> tuple[Credits | None, str | None]:
    """What one call counts as, and why it has no price: `max_credits` then stands in for it."""
    quote = None if shape.question is None else book.find(shape.question)
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
        for shape in step.shapes:
            if shape.inner is not None:
                one, count = cost_of(shape.inner, book), shape.weight
                total += Estimate(one.low * count.min, one.expected * count.expected, one.worst * count.max)
            elif shape.question is not None:
                total += times(shape.weight, quoted(shape, step.spec, book)[0], step.spec.retry)
    return total


async def cheaper_models(draft: RecipeDraft, book: PriceBook, ask: Ask) -> list[Alternative]:
    """For each paid step, what the other models that are open to it would cost; the greatest saving first."""
    candidates: list[tuple[RecipeDraft, StepDraft, Shape, str, str, Question]] = []
    for inside, step in walk(draft):
        for shape in step.shapes:
            model = sent_model(step, shape)
            if step.tool is None or model is None or quoted(shape, step.spec, book)[1] is not None:
                continue
            for other in step.tool.models:
                if other.value != model and is_open(step.tool, other, inside.gates):
                    question = question_for(step.tool, {**shape.params, "model": other.value})
                    candidates.append((inside, step, shape, model, other.value, question))
    await _answer(book, book.missing(candidate[-1] for candidate in candidates)[:_MOST_ALTERNATIVES], ask)
    found: dict[tuple[str, str, str], Alternative] = {}
    for inside, step, shape, model, name, question in candidates:
        quote, now = book.find(question), quoted(shape, step.spec, book)[0]
        if quote is None or quote.credits is None or now is None or quote.credits >= now:
            continue
        saves = (now - quote.credits) * shape.weight.times(inside.weight).expected
        before = found.get((step.path, model, name))
        total = saves + (ZERO if before is None else before.saves)
        found[(step.path, model, name)] = Alternative(step.path, name, model, quote.credits, total)
    return sorted(found.values(), key=lambda one: -one.saves)
