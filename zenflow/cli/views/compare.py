"""What other models would cost, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zenflow.app.compare import Choice, Comparison, StepChoices
from zenflow.cli.views.ink import Ink
from zenflow.cli.views.table import Column, table
from zenflow.cli.views.width import wrap
from zenflow.credits import ZERO, as_number, as_text, in_words

_COLUMNS = (
    Column("model", shrinks=True, least=12),
    Column("resolution"),
    Column("each", right=True),
    Column("expected", right=True),
    Column("saves", right=True),
    Column("differs", shrinks=True, least=10),
)


def draw_comparison(comparison: Comparison, ink: Ink, width: int, *, cheapest: bool = False) -> str:
    """A table per step; with `cheapest` a line per step that could save something."""
    lines: list[str] = []
    if cheapest:
        lines += ["", *_cheapest(comparison, width)]
    else:
        for step in comparison.steps:
            lines += ["", *_step(step, ink, width)]
        for path, why in comparison.why_not:
            lines += ["", *wrap(f"{path}: {why}", width)]
    lines += ["", *_sum(comparison, width)]
    return "\n".join(lines)


def _step(step: StepChoices, ink: Ink, width: int) -> list[str]:
    heading = f"{ink.strong(step.path)} · {step.tool}, {step.calls} calls expected"
    rows = [_row(choice) for choice in step.choices]
    lines = [heading, *table(_COLUMNS, rows, width, ink)]
    for name, why in step.closed:
        lines += wrap(f"{name}: {why}", width, "    ", "  × ")
    return lines


def _row(choice: Choice) -> list[str]:
    saves = "used now" if choice.is_used else as_text(choice.saves)
    return [
        choice.model,
        choice.resolution or "–",
        as_text(choice.each),
        as_text(choice.total),
        saves,
        "; ".join(choice.loses),
    ]


def _cheapest(comparison: Comparison, width: int) -> Iterator[str]:
    for step in comparison.steps:
        best, used = step.cheapest, step.used
        if best is None:
            yield from wrap(f"{step.path}: nothing that may be used is cheaper", width, "  ")
            continue
        words = [f"`model: {best.model}`"] + ([f"`resolution: {best.resolution}`"] if best.resolution else [])
        now = f" instead of {used.model}" if used is not None else ""
        loses = f" ({'; '.join(best.loses)})" if best.loses else ""
        yield from wrap(f"{step.path}: {' '.join(words)}{now} saves {as_text(best.saves)}{loses}", width, "  ")


def _sum(comparison: Comparison, width: int) -> list[str]:
    if comparison.saves == ZERO:
        return wrap("The cheapest models that may be used are used already.", width)
    return wrap(f"The cheapest choice of every step would save {in_words(comparison.saves)}.", width)


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


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        "model": choice.model,
        "resolution": choice.resolution,
        "credits_each": as_number(choice.each),
        "credits": as_number(choice.total),
        "saves": as_number(choice.saves),
        "used": choice.is_used,
        "loses": list(choice.loses),
    }
