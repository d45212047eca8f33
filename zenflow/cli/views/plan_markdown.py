"""A plan as Markdown, for a pull request or the summary of a job. The words are those of the plan on a terminal."""

from __future__ import annotations

from datetime import datetime

from zenflow.cli.terminal.headings import where_line
from zenflow.cli.views.plan import plan_rows
from zenflow.cli.views.plan_notes import ages, duration, note_texts
from zenflow.plan.model import Plan
from zenflow.report.verdict import sentence, ways_out

_HEAD = ("step", "tool · model", "calls", "each", "low", "expected", "worst")


def plan_markdown(plan: Plan, *, as_of: datetime | None = None, offline: bool = False, note: str = "") -> str:
    """Title, verdict, table, notes."""
    recipe = plan.recipe
    description = f": {recipe.description}" if recipe.description else ""
    lines = [f"### Plan of {_text(recipe.name)} {_text(recipe.version)}{_text(description)}", ""]
    lines += [f"*{_text(note)}*", ""] if note else []
    word, _, rest = sentence(plan).partition(":")
    lines += [f"**{word}:**{_text(rest)}", ""]
    lines += [f"- {_text(way)}" for way in ways_out(plan)]
    lines += markdown_table(_HEAD, *plan_rows(plan), right_from=2)
    notes = [f"- {_text(text)}" for _, text in note_texts(plan)]
    takes = duration(plan)
    if notes:
        lines += ["", *notes]
    old = [] if as_of is None else list(ages(plan, as_of, offline=offline))
    lines += ["", _text(" ".join(old))] if old else []
    lines += ["", " ".join(filter(None, (takes, f"*{_text(where_line(plan.server))}*")))]
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
    return "&nbsp;" * indent + _text(text.strip())


def _text(text: str) -> str:
    """What Markdown would take for its own, and HTML, marked as text."""
    for character in "\\|<>*_":
        text = text.replace(character, {"<": "&lt;", ">": "&gt;"}.get(character, "\\" + character))
    return text.replace("\n", " ")


def fenced(text: str) -> str:
    """What is drawn for a terminal, as it is."""
    return f"\n```text\n{text.strip()}\n```"
