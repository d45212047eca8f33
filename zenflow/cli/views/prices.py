"""Prices of one call, model by model."""

from __future__ import annotations

from typing import Any

from zenflow.app.queries.prices import PriceList
from zenflow.cli.terminal.headings import where_line
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.table import Column, table
from zenflow.cli.terminal.text_width import wrap
from zenflow.credits import as_number, as_text


def draw_prices(found: PriceList, style: Style, width: int) -> str:
    swept = any(row.resolution for row in found.rows)
    columns = [
        Column("credits", right=True),
        Column("model"),
        *([Column("resolution")] if swept else []),
        Column("gate"),
        Column("about", shrinks=True, least=12),
    ]
    cells = [
        [
            as_text(row.credits),
            row.model or "–",
            *([row.resolution or "–"] if swept else []),
            ", ".join(m for m, on in (("default", row.is_default), ("trusted only", row.trusted_only)) if on),
            row.description,
        ]
        for row in found.rows
    ]
    lines = [style.strong(where_line(found.server)), f"{found.tool}: one call, cheapest first", ""]
    lines += table(columns, cells, width, style) if cells else ["  No model has a price for this."]
    for none in found.without:
        place = f" at {none.resolution}" if none.resolution else ""
        lines += wrap(f"{none.model}{place}: {none.reason}", width, indent="    ", first=style.faint("  – "))
    if found.filled:
        lines += ["", *wrap(f"Not given, a stand-in was sent: {', '.join(found.filled)}.", width)]
    return "\n".join(lines)


def prices_document(found: PriceList) -> dict[str, Any]:
    return {
        "server": found.server,
        "tool": found.tool,
        "params": dict(found.params),
        "filled": list(found.filled),
        "prices": [
            {
                "model": row.model,
                "resolution": row.resolution,
                "credits": as_number(row.credits),
                "is_default": row.is_default,
                "trusted_only": row.trusted_only,
                "description": row.description,
            }
            for row in found.rows
        ],
        "without": [{"model": no.model, "resolution": no.resolution, "reason": no.reason} for no in found.without],
    }
