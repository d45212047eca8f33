"""Draw groups of costs as bars."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from zenflow.credits import as_text
from zenflow.foreign_text import visible
from zenflow.report.cost_history import CostRow

_ROW, _LEFT, _WIDTH, _MOST = 24, 190, 900, 40


def bars_svg(rows: Sequence[CostRow]) -> str:
    """Return an SVG with a bar per group; of more than 40 groups the last 40."""
    shown = rows[-_MOST:]
    most = max((row.spent for row in shown), default=0)
    if not most:
        return ""
    parts = []
    for number, row in enumerate(shown):
        y, width = number * _ROW, float(row.spent / most) * (_WIDTH - _LEFT - 80)
        name = visible(row.key)
        name = name if len(name) <= 26 else name[:25] + "…"
        parts.append(
            f'<text x="{_LEFT - 8}" y="{y + 16}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{_LEFT}" y="{y + 4}" width="{max(width, 1):.1f}" height="16" rx="3"/>'
            f'<text x="{_LEFT + width + 8:.1f}" y="{y + 16}">{as_text(row.spent)}</text>'
        )
    label = ", ".join(f"{row.key} {as_text(row.spent)}" for row in shown)
    return (
        f'<svg class="bars" role="img" aria-label="{escape(visible(label))}" viewBox="0 0 {_WIDTH} {len(shown) * _ROW}">'
        f"{''.join(parts)}</svg>"
    )
