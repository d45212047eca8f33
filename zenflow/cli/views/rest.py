"""What is left of a run, before it goes on: what it costs, and which failed calls will be made (and paid) again."""

from __future__ import annotations

from zenflow.app.resume import Rest
from zenflow.cli.views.ink import Ink
from zenflow.cli.views.places import where_line
from zenflow.cli.views.spans import plural
from zenflow.cli.views.width import wrap
from zenflow.credits import as_text

AGAIN_SHOWN = 10


def draw_rest(rest: Rest, ink: Ink, width: int) -> str:
    started, books = rest.report.state.started, rest.report.state.books
    name = "" if started is None else f"{started.recipe_name} {started.recipe_version} · "
    lines = [ink.strong(where_line(rest.server)), f"{name}run {rest.report.run_id}"]
    cost = "an unknown number of" if rest.credits is None else f"about {as_text(rest.credits)}"
    said = f"Goes on for {cost} credits; {as_text(books.committed)} of the budget of {as_text(rest.budget)} are used."
    lines += wrap(said, width)
    if rest.again:
        lines.append(f"{plural(len(rest.again), 'failed instance')} will be made again:")
        lines += [f"  {address}: {as_text(price)} credits" for address, price in rest.again[:AGAIN_SHOWN]]
        if len(rest.again) > AGAIN_SHOWN:
            lines.append(f"  … and {len(rest.again) - AGAIN_SHOWN} more")
    return "\n".join(lines)
