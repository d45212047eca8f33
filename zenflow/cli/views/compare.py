"""What other models would cost, for people and as JSON."""

from __future__ import annotations

from typing import Any

from zenflow.app.planning.compare import Comparison, ModelOption, StepChoices
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.table import Column, table
from zenflow.cli.terminal.text_width import wrap
from zenflow.cli.terminal.units import plural
from zenflow.credits import ZERO, as_number, as_text, in_words

_COLUMNS = (
    Column("model", shrinks=True, least=12),
    Column("resolution"),
    Column("each", right=True),
    Column("expected", right=True),
    Column("saves", right=True),
    Column("differs", shrinks=True, least=10),
)


def draw_comparison(comparison: Comparison, style: Style, width: int) -> str:
    """A table per step."""
    lines: list[str] = []
    for step in comparison.steps:
        lines += ["", *_step(step, style, width)]
    for path, why in comparison.why_not:
        lines += ["", *wrap(f"{path}: {why}", width)]
    lines += ["", *_sum(comparison, width)]
    return "\n".join(lines)


def _step(step: StepChoices, style: Style, width: int) -> list[str]:
    calls = plural(step.calls, "call")
    heading = f"{style.strong(step.path)} · {step.tool}, {calls} expected"
    rows = [_row(choice) for choice in step.choices]
    lines = [heading, *table(_COLUMNS, rows, width, style)]
    for name, why in step.closed:
        lines += wrap(f"{name}: {why}", width, "    ", "  × ")
    return lines


def _row(choice: ModelOption) -> list[str]:
    saves = "used now" if choice.is_used else as_text(choice.saves)
    return [
        choice.model or "–",
        choice.resolution or "–",
        as_text(choice.each),
        as_text(choice.total),
        saves,
        "; ".join(choice.loses),
    ]


def _sum(comparison: Comparison, width: int) -> list[str]:
    if comparison.saves == ZERO:
        return wrap("The cheapest models that may be used are used already.", width)
    said = f"The cheapest choice of every step would save {in_words(comparison.saves)}: `--cheapest` shows that plan."
    return wrap(said, width)


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """As JSON."""
    return {
        "saves": as_number(comparison.saves),
        "steps": [
            {
                "id": step.path,
                "tool": step.tool,
                "calls": step.calls,
                "choices": [_choice(choice) for choice in step.choices],
                "closed": [{"model": name, "reason": why} for name, why in step.closed],
            }
            for step in comparison.steps
        ],
        "not_compared": [{"id": path, "reason": why} for path, why in comparison.why_not],
    }


def _choice(choice: ModelOption) -> dict[str, Any]:
    return {
        "model": choice.model,
        "resolution": choice.resolution,
        "credits_each": as_number(choice.each),
        "credits": as_number(choice.total),
        "saves": as_number(choice.saves),
        "used": choice.is_used,
        "loses": list(choice.loses),
    }
