"""The cost history as a table, as rows for a spreadsheet, as a document. Each server has its own sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zenflow.cli.terminal.headings import where_line
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.table import Column, table
from zenflow.credits import as_number, as_text
from zenflow.report.cost_history import CostEntry, CostRow, grouped, totals


def draw_costs(entries: Sequence[CostEntry], by: str, style: Style, width: int) -> str:
    """Return one table per server."""
    if not entries:
        return "No charged calls in that time."
    rows, lines = grouped(entries, by), []
    for total in totals(entries):
        columns = (
            Column(by, shrinks=True, least=12),
            Column("runs", right=True),
            Column("calls", right=True),
            Column("charged", right=True),
            Column("refunded", right=True),
            Column("spent", right=True),
        )
        own = [_cells(row) for row in rows if row.server == total.server]
        lines += [style.strong(where_line(total.server)), *table(columns, own, width, style, feet=[_cells(total)]), ""]
    return "\n".join(lines).rstrip()


def _cells(row: CostRow) -> list[str]:
    refunded = as_text(row.refunded) if row.refunded else "–"
    return [row.key, str(len(row.runs)), str(row.calls), as_text(row.charged), refunded, as_text(row.spent)]


def costs_document(entries: Sequence[CostEntry], by: str) -> dict[str, Any]:
    """Return the groups and the totals, server by server."""
    rows = grouped(entries, by)
    return {
        "by": by,
        "servers": [
            {
                "server": total.server,
                "total": _row(total),
                "groups": [_row(row) for row in rows if row.server == total.server],
            }
            for total in totals(entries)
        ],
    }


def _row(row: CostRow) -> dict[str, Any]:
    return {
        "key": row.key,
        "runs": len(row.runs),
        "calls": row.calls,
        "charged": as_number(row.charged),
        "refunded": as_number(row.refunded),
        "spent": as_number(row.spent),
    }
