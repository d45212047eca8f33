"""What would make a plan fit that does not: a cheaper model, fewer instances, more money. The least painful first.

A number of instances is only named after the plan was worked out again with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from zenflow.credits import ZERO, Credits, Estimate, as_text, in_words
from zenflow.plan.model import Judgement, PlannedStep, Verdict
from zenflow.plan.pricing.price import Alternative

CostWith: TypeAlias = Callable[[str, int], Estimate | None]
"""What the run would cost if the step of that path had at most so many instances; None: that cannot be said."""

_MOST_MODELS = 2


def with_ways_out(
    judgement: Judgement,
    credits: Estimate,
    steps: Mapping[str, PlannedStep],
    cost_with: CostWith,
    cheaper: Sequence[Alternative] = (),
    top_up_at: str | None = None,
) -> Judgement:
    """The judgement with its ways out."""
    if judgement.verdict in (Verdict.FITS, Verdict.UNPRICED) or judgement.ways_out:
        return judgement
    ways = [
        *_cheaper(cheaper, judgement.short_by),
        *_fewer(judgement, credits, steps, cost_with),
        _more(judgement, credits, top_up_at),
    ]
    return replace(judgement, ways_out=tuple(ways))


def _cheaper(alternatives: Sequence[Alternative], short_by: Credits) -> list[str]:
    best: dict[str, Alternative] = {}
    for one in alternatives:
        best.setdefault(one.path, one)
    alike: dict[tuple[str, str, Credits], list[Alternative]] = {}
    for one in best.values():
        alike.setdefault((one.model, one.instead_of, one.credits_each), []).append(one)
    ways = []
    for (model, instead_of, each), group in sorted(alike.items(), key=lambda item: -_saved(item[1]))[:_MOST_MODELS]:
        saves = _saved(group)
        fits = ", and fits" if saves >= short_by else ""
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        ways.append(
            f"model {model} instead of {instead_of} in `{group[0].path}`{more}: "
            f"{as_text(each)} a call, saves {as_text(saves)}{fits}"
        )
    return ways


def _saved(group: Sequence[Alternative]) -> Credits:
    return sum((one.saves for one in group), ZERO)


def _counted(judgement: Judgement, estimate: Estimate) -> Credits:
    """The number that the verdict is about."""
    return estimate.expected if judgement.verdict is Verdict.OVER else estimate.worst


def _fewer(judgement: Judgement, credits: Estimate, steps: Mapping[str, PlannedStep], cost_with: CostWith) -> list[str]:
    """The fan-out nearest the start that can be cut so far that it fits."""
    limit = _counted(judgement, credits) - judgement.short_by
    for step in steps.values():
        count = step.instances.expected if judgement.verdict is Verdict.OVER else step.instances.max
        most = _guess(judgement, step, count, limit, steps) if count > 1 and "/" not in step.path else 0
        while most > 0:
            cost = cost_with(step.path, most)
            if cost is None:
                break
            if _counted(judgement, cost) <= limit:
                noun = "instance" if most == 1 else "instances"
                return [f"{most} {noun} of `{step.path}` instead of {count}: `max: {most}`, or a shorter list"]
            most //= 2
    return []


def _guess(
    judgement: Judgement, step: PlannedStep, count: int, limit: Credits, steps: Mapping[str, PlannedStep]
) -> int:
    """How many fit, if what has at least as many instances shrinks with them and the rest stays."""
    shrinks = ZERO
    for one in steps.values():
        instances = one.instances.expected if judgement.verdict is Verdict.OVER else one.instances.max
        if instances >= count:
            shrinks += _counted(judgement, one.credits)
    rest = _counted(judgement, sum((one.credits for one in steps.values()), Estimate())) - shrinks
    return 0 if shrinks <= 0 or limit <= rest else min(int((limit - rest) * count / shrinks), count - 1)


def _more(judgement: Judgement, credits: Estimate, top_up_at: str | None) -> str:
    if judgement.bound == "balance":
        where = f" at {top_up_at}" if top_up_at else ""
        return f"top up the account{where}: {in_words(judgement.short_by)} are missing"
    needed, now = as_text(_counted(judgement, credits)), as_text(judgement.budget.credits)
    return f"a budget of {needed}, now {now} (from {judgement.budget.origin})"
