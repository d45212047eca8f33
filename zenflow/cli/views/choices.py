"""What a person is to choose from: the question, the candidates by number with their files, the price of what follows."""

from __future__ import annotations

from zenflow.cli.terminal.headings import relative_path
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.units import plural
from zenflow.credits import ZERO, in_words
from zenflow.engine.model.report import Choice, RunReport
from zenflow.report.run_document import rest_expected


def draw_choices(report: RunReport, style: Style) -> str:
    """The line above all of them."""
    rest = rest_expected(report)
    follows = (
        ""
        if rest is None
        else " What follows is free."
        if rest == ZERO
        else f" What follows costs about {in_words(rest)}."
    )
    return style.strong(f"{plural(len(report.choices), 'choice')} to make.") + follows


def draw_choice(address: str, choice: Choice, style: Style) -> str:
    """One of them."""
    lines = [f"{style.strong(address)}: {choice.question}"]
    wide = len(str(len(choice.asset_ids)))
    for number, asset_id in enumerate(choice.asset_ids, 1):
        file = choice.files[number - 1] if choice.files else ""
        lines.append(f"  {number:>{wide}}  {relative_path(file) if file else f'asset {asset_id}'}")
    return "\n".join(lines)
