"""The drafts of a step become one planned step: a recipe used as a step with many different inputs has many drafts of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zenflow.catalog.outputs import usual_duration_s
from zenflow.catalog.prices import PriceBook
from zenflow.credits import as_text, in_words
from zenflow.plan.analysis.check import sent_model
from zenflow.plan.analysis.draft import NONE, PlanContext, RecipeDraft, StepDraft, plus
from zenflow.plan.model import PlannedStep
from zenflow.plan.pricing.price import StepPrice, limit_of, price_of

OVER_LIMIT = "ZF602"

Pair = tuple[RecipeDraft, StepDraft]


def planned_steps(
    pairs: Sequence[Pair], book: PriceBook, durations: Callable[[str, str | None], float | None], context: PlanContext
) -> dict[str, PlannedStep]:
    """Every step by path, in an order in which they could run."""
    by_path: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_path.setdefault(pair[1].path, []).append(pair)
    return {path: _planned(path, drafts, book, durations, context) for path, drafts in by_path.items()}


def _planned(
    path: str,
    pairs: Sequence[Pair],
    book: PriceBook,
    durations: Callable[[str, str | None], float | None],
    context: PlanContext,
) -> PlannedStep:
    draft, first = pairs[0]
    spec = first.spec
    instances = NONE
    for inside, step in pairs:
        instances = plus(instances, step.count.times(inside.weight))
    models = _models(pairs)
    price = price_of(pairs, book) if spec.kind == "tool" else StepPrice()
    limit = limit_of(spec)
    each = set(price.each)
    if limit is not None and each and max(each) > limit:
        text = f"one call of `{path}` is quoted at {in_words(max(each))}; its `max_credits` is {as_text(limit)}"
        context.warning(
            OVER_LIMIT, text, spec.places.value("max_credits"), "Such a call is not sent; the run stops there."
        )
    return PlannedStep(
        path=path,
        uses=spec.uses,
        kind=spec.kind,
        instances=instances,
        elements=_elements(pairs),
        model=", ".join(models) or None,
        credits_each=price.each[0] if len(each) == 1 and price.unpriced is None else None,
        credits_each_range=(min(each), max(each)) if len(each) > 1 else None,
        credits=price.credits,
        unpriced=price.unpriced,
        placeholder=price.placeholder,
        max_credits=limit,
        retries=spec.retry,
        needs=tuple(draft.prefix + name for name in first.needs),
        uncertain="; ".join(dict.fromkeys(cause for _, step in pairs for cause in step.causes)),
        skipped="; ".join(dict.fromkeys(why for _, step in pairs for why in step.skips)),
        usual_s=_usual_s(first, models, durations),
        price_requests=_price_requests(pairs),
    )


def _elements(pairs: Sequence[Pair]) -> int:
    return sum(0 if step.elements is None else step.elements.count.max * inside.weight.max for inside, step in pairs)


def _models(pairs: Sequence[Pair]) -> list[str]:
    names = [sent_model(step, group) for _, step in pairs for group in step.groups]
    return list(dict.fromkeys(name for name in names if name is not None))


def _price_requests(pairs: Sequence[Pair]) -> dict[str, int]:
    """How many calls each answer stands for, as asked for."""
    found: dict[str, int] = {}
    for draft, step in pairs:
        for group in step.groups:
            if group.price_request is not None:
                calls = group.weight.times(draft.weight).expected
                found[group.price_request.key] = found.get(group.price_request.key, 0) + calls
    return found


def _usual_s(step: StepDraft, models: Sequence[str], durations: Callable[[str, str | None], float | None]) -> float:
    """The slowest of its models: measured here, else as the service's pages say."""
    if step.spec.kind == "recipe":
        return 0.0
    known = step.tool if step.spec.kind == "tool" and step.tool is not None else step.spec.uses
    found = []
    names: Sequence[str | None] = models or [None]
    for model in names:
        measured = durations(step.spec.uses, model)
        found.append(usual_duration_s(known, model) if measured is None else measured)
    return max(found)
