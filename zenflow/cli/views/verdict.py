"""The verdict's sentence, its word coloured."""

from __future__ import annotations

from zenflow.cli.terminal.style import Ink
from zenflow.plan.model import Plan, Verdict
from zenflow.report.verdict import sentence


def draw_sentence(plan: Plan, ink: Ink) -> str:
    word, rest = sentence(plan).split(":", 1)
    mark = {Verdict.FITS: ink.good, Verdict.MAY_STOP: ink.warn}.get(plan.judgement.verdict, ink.bad)
    return f"{mark(word + ':')}{rest}"
