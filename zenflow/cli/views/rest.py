"""What is left of a run, before it goes on: what it costs, and which failed calls will be made (and paid) again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zenflow.cli.terminal.headings import titled, where_line
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.text_width import wrap
from zenflow.cli.terminal.units import plural
from zenflow.credits import ZERO, as_text, in_words

if TYPE_CHECKING:
    from zenflow.app.running.resume import Rest

AGAIN_SHOWN = 10


def draw_rest(rest: Rest, style: Style, width: int) -> str:
    started, totals = rest.report.state.started, rest.report.state.totals
    name = "" if started is None else f"{titled(started.recipe_name, started.recipe_version)} · "
    lines = [style.strong(where_line(rest.server)), f"{name}run {rest.report.run_id}"]
    cost = "an unknown number of" if rest.credits is None else _cost(rest)
    said = f"Goes on for {cost} credits; {as_text(totals.committed)} of the budget of {as_text(rest.budget)} are used."
    lines += wrap(said, width)
    if rest.again:
        lines.append(f"{plural(len(rest.again), 'failed instance')} will be made again:")
        lines += [f"  {address}: {in_words(price)}" for address, price in rest.again[:AGAIN_SHOWN]]
        if len(rest.again) > AGAIN_SHOWN:
            lines.append(f"  … and {len(rest.again) - AGAIN_SHOWN} more")
    if rest.orphans:
        lines += wrap(_orphaned(rest), width, "  ")
    return "\n".join(lines)


def _cost(rest: Rest) -> str:
    credits = None if rest.plan is None else rest.plan.credits
    if credits is None or credits.exact:
        return as_text(rest.credits) if credits is not None else f"about {as_text(rest.credits)}"
    if credits.expected == credits.worst:
        return f"at most {as_text(credits.worst)}"
    return f"about {as_text(credits.expected)} (at most {as_text(credits.worst)})"


def _orphaned(rest: Rest) -> str:
    """What is paid and no longer asked for: kept, saved, and said."""
    shown = ", ".join(f"{one.instance} ({as_text(one.credits)})" for one in rest.orphans[:AGAIN_SHOWN])
    more = len(rest.orphans) - AGAIN_SHOWN
    results = plural(len(rest.orphans), "paid result")
    total = as_text(sum((one.credits for one in rest.orphans), ZERO))
    rest_of = f" and {more} more" if more > 0 else ""
    return (
        f"{results} for {total} credits will be saved apart, as the new recipe does not ask for them: {shown}{rest_of}"
    )
