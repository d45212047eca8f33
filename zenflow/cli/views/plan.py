"""A plan for people: where, what, the table, the total, and one sentence that says whether it may run.

Knows the plan as a value; decides nothing. Unknown is `?` and never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from zenflow.cli.terminal.headings import titled, where_line
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.table import Column, table
from zenflow.cli.terminal.text_width import wrap
from zenflow.cli.views.plan_notes import ages, duration, notes
from zenflow.credits import ZERO, Estimate, as_text
from zenflow.plan.model import Count, Plan, PlannedStep, Verdict
from zenflow.recipe.origins import origin_lines
from zenflow.report.verdict import sentence, ways_out

FREE = "–"
FOLD_FROM = 24  # beyond so many steps those that cost nothing share one line, and paid ones that are alike
ALIKE_FROM = 4

_COLUMNS = (
    Column("step", shrinks=True, least=10),
    Column("tool · model", shrinks=True, least=12),
    Column("calls", right=True),
    Column("each", right=True),
    Column("low", right=True),
    Column("expected", right=True),
    Column("worst", right=True),
)


def draw_plan(
    plan: Plan,
    style: Style,
    width: int,
    *,
    verdict: bool = True,
    as_of: datetime | None = None,
    offline: bool = False,
    note: str = "",
) -> str:
    """The whole plan; without the verdict where an error says it. `as_of`: now, where ages are to be told. `note`: what of."""
    lines = [style.strong(where_line(plan.server)), *wrap(_what(plan), width)]
    lines += [line for text in origin_lines(plan.recipe.origins) for line in wrap(text, width, "  ")]
    lines += [*(wrap(style.warn(note), width) if note else ()), ""]
    lines += _table(plan, style, width)
    below = notes(plan, width)
    lines += ["", *below] if below else []
    takes = duration(plan)
    lines += ["", takes] if takes else []
    old = [] if as_of is None else [line for text in ages(plan, as_of, offline=offline) for line in wrap(text, width)]
    lines += ["", *old] if old else []
    if not verdict:
        return "\n".join(lines)
    lines += ["", *wrap(draw_sentence(plan, style), width)]
    lines += [line for way in ways_out(plan) for line in wrap(way, width, "  ", "→ ")]
    return "\n".join(lines)


def _what(plan: Plan) -> str:
    description = f": {plan.recipe.description}" if plan.recipe.description else ""
    return f"{titled(plan.recipe.name, plan.recipe.version)}{description}"


def _table(plan: Plan, style: Style, width: int) -> list[str]:
    rows, feet = plan_rows(plan)
    return table(_COLUMNS, rows, width, style, feet=feet)


def plan_rows(plan: Plan) -> tuple[list[list[str]], list[list[str]]]:
    """The rows of the table, folded where there are many, and its feet."""
    shown, folded = _split(list(plan.steps.values()))
    rows = [_row(step) for step in shown] if len(shown) < FOLD_FROM else _folded_rows(shown)
    if folded:
        kinds = ", ".join(dict.fromkeys(step.uses for step in folded))
        calls = _span([step.instances for step in folded])
        rows.append([f"+ {len(folded)} free steps", kinds, calls, FREE, FREE, FREE, FREE])
    return rows, _feet(plan)


def _split(steps: Sequence[PlannedStep]) -> tuple[list[PlannedStep], list[PlannedStep]]:
    if len(steps) < FOLD_FROM:
        return list(steps), []
    return [s for s in steps if s.is_paid], [s for s in steps if not s.is_paid]


def _folded_rows(steps: Sequence[PlannedStep]) -> list[list[str]]:
    """Paid steps that are alike (tool, model, price) share a line; the others have their own."""
    groups: dict[tuple[object, ...], list[PlannedStep]] = {}
    for step in steps:
        alike = (step.uses, step.model, step.credits_each, step.credits_each_range, step.unpriced, step.instances.exact)
        groups.setdefault(alike, []).append(step)
    rows = []
    for group in groups.values():
        if len(group) < ALIKE_FROM:
            rows += [_row(step) for step in group]
            continue
        total = sum((step.credits for step in group), Estimate())
        _, tool, _, each, *amounts = _row(group[0])
        if "?" not in amounts:
            amounts = _amounts(total)
        rows.append(
            [f"{group[0].path} + {len(group) - 1} like it", tool, _span([s.instances for s in group]), each, *amounts]
        )
    return rows


def _row(step: PlannedStep) -> list[str]:
    tool = step.uses + (f" · {step.model}" if step.model else "")
    calls = _calls(step)
    name = _in_tree(step.path)
    if not step.is_paid:
        return [name, tool, calls, FREE, FREE, FREE, FREE]
    if step.unpriced is not None and step.max_credits is None:
        return [name, tool, calls, "?", "?", "?", "?"]
    return [name, tool, calls, FREE if step.instances.max == 0 else _each(step), *_amounts(step.credits)]


def _calls(step: PlannedStep) -> str:
    """`2`, `1 + 1 kept`, `2 kept`."""
    if not step.kept:
        return _count(step.instances)
    new = "" if step.instances.max == 0 else f"{_count(step.instances)} + "
    return f"{new}{step.kept:,} kept"


def _in_tree(path: str) -> str:
    """Steps of a recipe used as a step stand indented below it."""
    *outer, name = path.split("/")
    return "  " * len(outer) + name


def _each(step: PlannedStep) -> str:
    mark = "~" if step.placeholder else ""
    if step.unpriced is not None:
        return f"≤ {as_text(step.max_credits)}"
    if step.credits_each is not None:
        return mark + as_text(step.credits_each)
    if step.credits_each_range is not None:
        low, high = step.credits_each_range
        return f"{mark}{as_text(low)}–{as_text(high)}"
    return "?"


def _feet(plan: Plan) -> list[list[str]]:
    open_end = " + ?" if _has_holes(plan) else ""
    total = [amount + open_end for amount in _amounts(plan.credits)]
    balance = plan.account.credits if plan.account is not None else None
    feet = [
        ["total", "", _count(plan.calls) + " paid", "", *total],
        ["budget", plan.judgement.budget.origin, "", "", "", "", as_text(plan.budget)],
    ]
    if plan.account is not None:
        seen = "" if plan.balance_at is None else f"as of {plan.balance_at:%Y-%m-%d}"
        feet.append(["balance", seen, "", "", "", "", as_text(balance)])
        if balance is not None and plan.credits.worst > 0 and not _has_holes(plan):
            credits = plan.credits
            left = [as_text(balance - spent) for spent in (credits.low, credits.expected, credits.worst)]
            feet.append(["  afterwards", "", "", "", *left])
    return feet


def _has_holes(plan: Plan) -> bool:
    return any(plan.steps[path].max_credits is None for path in plan.unpriced if path in plan.steps)


def _amounts(estimate: Estimate) -> list[str]:
    return [as_text(estimate.low), as_text(estimate.expected), as_text(estimate.worst)]


def _count(count: Count) -> str:
    return f"{count.max:,}" if count.exact else f"{count.min:,}–{count.max:,}"


def _span(counts: Sequence[Count]) -> str:
    return _count(Count(sum(c.min for c in counts), sum(c.expected for c in counts), sum(c.max for c in counts)))


def is_free(plan: Plan) -> bool:
    """Whether nothing in it can cost anything."""
    return plan.credits.worst == ZERO and not plan.unpriced


def draw_sentence(plan: Plan, style: Style) -> str:
    word, rest = sentence(plan).split(":", 1)
    mark = {Verdict.FITS: style.good, Verdict.MAY_STOP: style.warn}.get(plan.judgement.verdict, style.bad)
    return f"{mark(word + ':')}{rest}"
