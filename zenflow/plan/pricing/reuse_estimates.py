"""The planned steps, less what results of earlier runs make needless.

Where all instances of a step are known, its calls and its price are exact; where some are still to come, what is kept is
taken off the bounds. It is told what is kept and decides nothing about that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from zenflow.catalog.model import Catalog, Tool
from zenflow.catalog.price_requests import question_for
from zenflow.catalog.prices import PriceBook, Question
from zenflow.credits import ZERO, Credits, Estimate
from zenflow.plan.model import Count, Foresight, PlannedStep
from zenflow.plan.pricing.price import Ask


async def with_foresight(
    steps: Mapping[str, PlannedStep],
    foresight: Mapping[str, Foresight],
    catalog: Catalog,
    book: PriceBook,
    ask: Ask,
) -> dict[str, PlannedStep]:
    """Every step as it stands with what is known beforehand; prices of real requests are asked for, once each."""
    questions = {path: _questions(steps[path], known, catalog) for path, known in foresight.items() if path in steps}
    missing = book.missing(q for kept, new in questions.values() for q in (*kept, *new))
    answers = await ask(missing) if missing else {}
    for question in missing:
        if question.key in answers:
            book.add(question, answers[question.key])
    return foreseen(steps, foresight, catalog, book)


def foreseen(
    steps: Mapping[str, PlannedStep], foresight: Mapping[str, Foresight], catalog: Catalog, book: PriceBook
) -> dict[str, PlannedStep]:
    """The same at prices that are known."""
    questions = {path: _questions(steps[path], known, catalog) for path, known in foresight.items() if path in steps}
    return {
        path: _with(step, foresight[path], questions[path], book) if path in questions else step
        for path, step in steps.items()
    }


_Questions = tuple[list[Question], list[Question]]  # of what is kept, of what is new


def _questions(step: PlannedStep, known: Foresight, catalog: Catalog) -> _Questions:
    tool = catalog.tools.get(step.uses) if step.is_paid else None
    if tool is None:
        return [], []
    return [_question(tool, params) for params in known.kept], [_question(tool, params) for params in known.new]


def _question(tool: Tool, params: Mapping[str, Any]) -> Question:
    return question_for(tool, params)


def _with(step: PlannedStep, known: Foresight, questions: _Questions, book: PriceBook) -> PlannedStep:
    count = _count(step, known)
    usual_s = 0.0 if count.max == 0 else step.usual_s
    step = replace(step, instances=count, kept=len(known.kept), usual_s=usual_s)
    if known.complete:
        step = replace(step, uncertain="")
    if not step.is_paid:
        return step
    return _priced_exactly(step, questions[1], book) if known.complete else _priced_less(step, questions[0], book)


def _count(step: PlannedStep, known: Foresight) -> Count:
    if known.complete:
        return Count(len(known.new), len(known.new), len(known.new))
    kept, over = len(known.kept), step.instances
    gone = kept + known.skipped
    low = max(0, over.min - kept)
    expected = max(low, over.expected - gone)
    return Count(low, expected, max(expected, over.max - kept))


def _priced_exactly(step: PlannedStep, new: Sequence[Question], book: PriceBook) -> PlannedStep:
    """Every call is known with its own price."""
    prices = [_price(question, book) for question in new]
    known = [price if price is not None else step.max_credits or ZERO for price in prices]
    total = sum(known, ZERO)
    each = {price for price in prices if price is not None}
    why = step.unpriced or "the service gave no price" if None in prices else None
    return replace(
        step,
        credits=Estimate(total, total, total * (1 + step.retries)),
        credits_each=each.pop() if len(each) == 1 and why is None else (None if each or why else step.credits_each),
        credits_each_range=None if len(set(known)) < 2 or why else (min(known), max(known)),
        unpriced=why,
        stand_in=step.stand_in and bool(new),
        questions=dict(Counter(question.key for question in new)),
    )


def _priced_less(step: PlannedStep, kept: Sequence[Question], book: PriceBook) -> PlannedStep:
    """What is kept, taken off: the rest is as uncertain as it was."""
    saved = sum((_price(question, book) or ZERO for question in kept), ZERO)
    credits = step.credits
    if step.instances.max == 0:
        return replace(step, credits=Estimate())
    low = max(ZERO, credits.low - saved)
    expected = max(low, credits.expected - saved)
    worst = max(expected, credits.worst - saved * (1 + step.retries))
    return replace(step, credits=Estimate(low, expected, worst))


def _price(question: Question, book: PriceBook) -> Credits | None:
    quote = book.find(question)
    return None if quote is None else quote.credits
