"""A difference of two prices, for people and as Markdown: `+ - ~` per step, then the totals in credits and percent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.table import Column, table
from zenflow.cli.terminal.text_width import wrap
from zenflow.cli.views.plan import ALIKE_FROM, FOLD_FROM
from zenflow.cli.views.plan_markdown import markdown_table
from zenflow.credits import Credits, Estimate, as_text, in_words
from zenflow.plan.model import Count
from zenflow.plan.output.diff import PlanChange, PlanDifference, PricedStep

SAME_SHOWN = 12
NONE = "–"
_COLUMNS = (
    Column("", least=1),
    Column("step", shrinks=True, least=10),
    Column("tool · model", shrinks=True, least=14),
    Column("calls", right=True),
    Column("credits", right=True),
    Column("change", right=True),
)
_HEAD = ("", "step", "tool · model", "calls", "credits", "change")


def draw_diff(found: PlanDifference, style: Style, width: int) -> str:
    """Where from and where to, the table, the sum in one sentence."""
    lines = [f"{style.bad('-')} {found.before.label}", f"{style.good('+')} {found.after.label}", ""]
    rows, more = _rows(found)
    lines += table(_COLUMNS, rows, width, style, feet=_feet(found))
    if more:
        lines += ["", *wrap(more, width)]
    return "\n".join([*lines, "", *wrap(_sentence(found), width)])


def diff_markdown(found: PlanDifference) -> str:
    """For a pull request."""
    rows, more = _rows(found)
    lines = [f"### Cost of `{found.before.label}` → `{found.after.label}`", "", f"**{_sentence(found)}**", ""]
    lines += markdown_table(_HEAD, rows, _feet(found), right_from=3)
    return "\n".join([*lines, *(["", more] if more else [])])


def _rows(found: PlanDifference) -> tuple[list[list[str]], str]:
    """Every change, and what stayed as long as that is little."""
    same = [change for change in found.changes if change.mark == "="]
    hide = len(same) > SAME_SHOWN
    shown = [change for change in found.changes if not (hide and change.mark == "=")]
    if len(shown) >= FOLD_FROM:
        shown = _folded(shown)
    return [_row(change) for change in shown], f"{len(same)} steps stay as they are." if hide else ""


def _folded(changes: Sequence[PlanChange]) -> list[PlanChange]:
    """Changes that are alike (from what to what, for how much) share a line where there are many."""
    groups: dict[tuple[object, ...], list[PlanChange]] = {}
    for change in changes:
        groups.setdefault((change.mark, _likeness(change.before), _likeness(change.after)), []).append(change)
    found: list[PlanChange] = []
    for group in groups.values():
        if len(group) < ALIKE_FROM:
            found += group
            continue
        name = f"{group[0].path} + {len(group) - 1} like it"
        before, after = _sum_of([one.before for one in group]), _sum_of([one.after for one in group])
        found.append(PlanChange(group[0].mark, name, before, after))
    return found


def _likeness(step: PricedStep | None) -> object:
    return None if step is None else (step.uses, step.model, step.calls, step.credits, step.is_paid, step.unpriced)


def _sum_of(steps: Sequence[PricedStep | None]) -> PricedStep | None:
    known = [step for step in steps if step is not None]
    if not known:
        return None
    calls = Count(*(sum(getattr(step.calls, word) for step in known) for word in ("min", "expected", "max")))
    return replace(known[0], calls=calls, credits=sum((step.credits for step in known), Estimate()))


def _row(change: PlanChange) -> list[str]:
    before, after = change.before, change.after
    mark = "" if change.mark == "=" else change.mark
    return [
        mark,
        change.path,
        _labels(before, after),
        _arrow(_calls(before), _calls(after)),
        _arrow(_credits(before), _credits(after)),
        _signed(change.expected) if _known(before) and _known(after) else "?",
    ]


def _feet(found: PlanDifference) -> list[list[str]]:
    before, after = found.before.credits, found.after.credits
    feet = []
    for word in ("low", "expected", "worst"):
        old, new = getattr(before, word), getattr(after, word)
        feet.append(["", word, "", "", _arrow(as_text(old), as_text(new)), _signed(new - old)])
    return feet


def _sentence(found: PlanDifference) -> str:
    if found.is_empty:
        return f"No difference: {in_words(found.after.credits.expected)} expected on both sides."
    percent = found.percent
    share = "" if percent is None else f" ({'+' if percent > 0 else ''}{as_text(percent)} %)"
    if found.expected:
        said = f"{_signed(found.expected)} credits{share}: {as_text(found.before.credits.expected)} → "
        said += f"{as_text(found.after.credits.expected)} expected, "
    else:
        said = f"{in_words(found.after.credits.expected)} expected, as before; "
    said += f"{_arrow(as_text(found.before.credits.worst), as_text(found.after.credits.worst))} at worst."
    if found.is_of_two_recipes:
        said = f"Two recipes, {found.before.recipe} and {found.after.recipe}: steps are compared by their names. {said}"
    unpriced = found.after.unpriced
    return said + (f" Without what has no price: {', '.join(unpriced)}." if unpriced else "")


def _arrow(before: str | None, after: str | None) -> str:
    old, new = before or NONE, after or NONE
    return old if old == new else f"{old} → {new}"


def _labels(before: PricedStep | None, after: PricedStep | None) -> str:
    known = after or before
    if before is None or after is None:
        return "" if known is None else known.label
    if before.uses == after.uses:
        models = _arrow(before.model, after.model)
        return before.uses if models == NONE else f"{before.uses} · {models}"
    return _arrow(before.label, after.label)


def _calls(step: PricedStep | None) -> str | None:
    return None if step is None else _count(step.calls)


def _credits(step: PricedStep | None) -> str | None:
    if step is None:
        return None
    if step.unpriced is not None:
        return "?"
    return as_text(step.credits.expected) if step.is_paid else NONE


def _known(step: PricedStep | None) -> bool:
    return step is None or step.unpriced is None


def _signed(amount: Credits) -> str:
    return f"+{as_text(amount)}" if amount > 0 else as_text(amount)


def _count(count: Count) -> str:
    return f"{count.max:,}" if count.exact else f"{count.min:,}–{count.max:,}"
