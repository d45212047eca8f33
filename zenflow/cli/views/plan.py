"""A plan for people: where, what, the table, the total, and one sentence that says whether it may run.

Knows the plan as a value; decides nothing. Unknown is `?` and never 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from zenflow.cli.views.ink import Ink
from zenflow.cli.views.places import where_line
from zenflow.cli.views.table import Column, table
from zenflow.cli.views.verdict import draw_sentence
from zenflow.cli.views.width import wrap
from zenflow.credits import ZERO, Estimate, as_text
from zenflow.plan.model import Count, Plan, PlannedStep
from zenflow.report.verdict import ways_out

FREE = "–"
FOLD_FROM = 24  # beyond so many steps those that cost nothing share one line

_COLUMNS = (
    Column("step", shrinks=True, least=10),
    Column("tool · model", shrinks=True, least=12),
    Column("calls", right=True),
    Column("each", right=True),
    Column("low", right=True),
    Column("expected", right=True),
    Column("worst", right=True),
)


def draw_plan(plan: Plan, ink: Ink, width: int, *, verdict: bool = True) -> str:
    """The whole plan; without the verdict where an error says it."""
    lines = [ink.strong(where_line(plan.server)), _what(plan), ""]
    lines += _table(plan, ink, width)
    notes = _notes(plan, width)
    lines += ["", *notes] if notes else []
    if not verdict:
        return "\n".join(lines)
    lines += ["", *wrap(draw_sentence(plan, ink), width)]
    lines += [line for way in ways_out(plan) for line in wrap(way, width, "  ", "→ ")]
    return "\n".join(lines)


def _what(plan: Plan) -> str:
    description = f": {plan.recipe.description}" if plan.recipe.description else ""
    return f"{plan.recipe.name} {plan.recipe.version}{description}"


def _table(plan: Plan, ink: Ink, width: int) -> list[str]:
    shown, folded = _split(list(plan.steps.values()))
    rows = [_row(step) for step in shown]
    if folded:
        kinds = ", ".join(dict.fromkeys(step.uses for step in folded))
        calls = _span([step.instances for step in folded])
        rows.append([f"+ {len(folded)} free steps", kinds, calls, FREE, FREE, FREE, FREE])
    return table(_COLUMNS, rows, width, ink, feet=_feet(plan))


def _split(steps: Sequence[PlannedStep]) -> tuple[list[PlannedStep], list[PlannedStep]]:
    if len(steps) < FOLD_FROM:
        return list(steps), []
    return [s for s in steps if s.is_paid], [s for s in steps if not s.is_paid]


def _row(step: PlannedStep) -> list[str]:
    tool = step.uses + (f" · {step.model}" if step.model else "")
    calls = _count(step.instances)
    if not step.is_paid:
        return [step.path, tool, calls, FREE, FREE, FREE, FREE]
    if step.unpriced is not None and step.max_credits is None:
        return [step.path, tool, calls, "?", "?", "?", "?"]
    return [step.path, tool, calls, _each(step), *_amounts(step.credits)]


def _each(step: PlannedStep) -> str:
    mark = "~" if step.stand_in else ""
    if step.unpriced is not None:
        return f"≤ {as_text(step.max_credits)}"
    if step.credits_each is not None:
        return mark + as_text(step.credits_each)
    if step.credits_each_range is not None:
        low, high = step.credits_each_range
        return f"{mark}{as_text(low)}–{as_text(high)}"
    return "?"


def _feet(plan: Plan) -> list[list[str]]:
    open_end = "+ ?" if _has_holes(plan) else ""
    total = [amount + open_end for amount in _amounts(plan.credits)]
    balance = plan.account.credits if plan.account is not None else None
    feet = [
        ["total", "", _count(plan.calls) + " paid", "", *total],
        ["budget", plan.judgement.budget.origin, "", "", "", "", as_text(plan.budget)],
    ]
    if plan.account is not None:
        feet.append(["balance", "", "", "", "", "", as_text(balance)])
    return feet


def _has_holes(plan: Plan) -> bool:
    return any(plan.steps[path].max_credits is None for path in plan.unpriced if path in plan.steps)


def _notes(plan: Plan, width: int) -> list[str]:
    lines: list[str] = []
    for step in plan.steps.values():
        if step.unpriced is not None:
            lines += wrap(f"{step.path} has no price: {step.unpriced}", width, "    ", "  ? ")
    if any(step.stand_in for step in plan.steps.values()):
        said = "priced with a stand-in for what is not made yet; asked again before it is paid"
        lines += wrap(said, width, "    ", "  ~ ")
    by_cause: dict[str, list[str]] = {}
    for step in plan.steps.values():
        if step.uncertain:
            by_cause.setdefault(step.uncertain, []).append(step.path)
    for cause, paths in by_cause.items():
        named = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
        lines += wrap(f"{named}: {cause}", width, "    ", "  · ")
    return lines


def _amounts(estimate: Estimate) -> list[str]:
    return [as_text(estimate.low), as_text(estimate.expected), as_text(estimate.worst)]


def _count(count: Count) -> str:
    return f"{count.max:,}" if count.exact else f"{count.min:,}–{count.max:,}"


def _span(counts: Sequence[Count]) -> str:
    return _count(Count(sum(c.min for c in counts), sum(c.expected for c in counts), sum(c.max for c in counts)))


def is_free(plan: Plan) -> bool:
    """Whether nothing in it can cost anything."""
    return plan.credits.worst == ZERO and not plan.unpriced
