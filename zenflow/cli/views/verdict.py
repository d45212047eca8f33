"""The verdict's sentence, its word coloured."""

from __future__ import annotations

from zenflow.cli.terminal.style import Style
from zenflow.plan.model import Plan, Verdict
from zenflow.report.verdict import sentence


def draw_sentence(plan: Plan, style: Style) -> str:
    word, rest = sentence(plan).split(":", 1)
    mark = {Verdict.FITS: style.good, Verdict.MAY_STOP: style.warn}.get(plan.judgement.verdict, style.bad)
    return f"{mark(word + ':')}{rest}"
