"""A plan as Markdown, for a pull request or the summary of a job. The words are those of the plan on a terminal."""

from __future__ import annotations

import re
from datetime import datetime

from zenflow.cli.terminal.headings import where_line
from zenflow.cli.views.plan import plan_rows
from zenflow.cli.views.plan_notes import ages, duration, note_texts
from zenflow.foreign_text import markdown_text, visible
from zenflow.plan.model import Plan
from zenflow.report.verdict import sentence, ways_out

_HEAD = ("step", "tool · model", "calls", "each", "low", "expected", "worst")


def plan_markdown(plan: Plan, *, as_of: datetime | None = None, offline: bool = False, note: str = "") -> str:
    """Title, verdict, table, notes."""
    recipe = plan.recipe
    description = f": {recipe.description}" if recipe.description else ""
    lines = [
        f"### Plan of {markdown_text(recipe.name)} {markdown_text(recipe.version)}{markdown_text(description)}",
        "",
    ]
    lines += [f"*{markdown_text(note)}*", ""] if note else []
    word, _, rest = sentence(plan).partition(":")
    lines += [f"**{word}:**{markdown_text(rest)}", ""]
    lines += [f"- {markdown_text(way)}" for way in ways_out(plan)]
    lines += markdown_table(_HEAD, *plan_rows(plan), right_from=2)
    notes = [f"- {markdown_text(text)}" for _, text in note_texts(plan)]
    takes = duration(plan)
    if notes:
        lines += ["", *notes]
    old = [] if as_of is None else list(ages(plan, as_of, offline=offline))
    lines += ["", markdown_text(" ".join(old))] if old else []
    lines += ["", " ".join(filter(None, (takes, f"*{markdown_text(where_line(plan.server))}*")))]
    return "\n".join(lines)


def markdown_table(
    head: tuple[str, ...], rows: list[list[str]], feet: list[list[str]] | None = None, *, right_from: int
) -> list[str]:
    """A table; the columns from `right_from` on stand right, the feet are bold."""
    lines = ["| " + " | ".join(head) + " |"]
    lines.append("| " + " | ".join("---:" if place >= right_from else "---" for place in range(len(head))) + " |")
    lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    lines += ["| " + " | ".join(f"**{_cell(cell)}**" if cell else "" for cell in foot) + " |" for foot in feet or []]
    return lines


def _cell(text: str) -> str:
    indent = len(text) - len(text.lstrip(" "))
    return "&nbsp;" * indent + markdown_text(text.strip())


def fenced(text: str) -> str:
    """What is drawn for a terminal, as it is; no line of it ends the fence."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"\n{fence}text\n{visible(text.strip())}\n{fence}"
