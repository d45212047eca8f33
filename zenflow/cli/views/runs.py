"""The list of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zenflow.cli.terminal.style import Ink
from zenflow.cli.terminal.table import Column, table
from zenflow.journal.base import RunRow

_COLUMNS = (
    Column("run"),
    Column("recipe", shrinks=True, least=10),
    Column("server", shrinks=True, least=8),
    Column("status"),
    Column("started"),
)


def draw_runs(rows: Sequence[RunRow], limit: int, ink: Ink, width: int) -> str:
    if not rows:
        return "No run yet. `zenflow run RECIPE` begins one."
    cells = [[row.run_id, row.recipe_name, row.server, status_word(row), _moment(row)] for row in rows[:limit]]
    lines = table(_COLUMNS, cells, width, ink, indent="")
    if len(rows) > limit:
        lines.append(f"… and {len(rows) - limit} older: `zenflow runs --limit {len(rows)}`")
    return "\n".join(lines)


def runs_document(rows: Sequence[RunRow], limit: int) -> dict[str, Any]:
    return {
        "total": len(rows),
        "runs": [
            {
                "run_id": row.run_id,
                "recipe": row.recipe_name,
                "server": row.server,
                "account_id": row.account_id,
                "status": status_word(row),
                "started_at": row.started_at,
                "holder": None if row.holder is None else str(row.holder),
            }
            for row in rows[:limit]
        ],
    }


def status_word(row: RunRow) -> str:
    """A run whose journal says running and that nobody works on has died; it can be resumed."""
    return "interrupted" if row.status == "running" and not row.holder_alive else row.status


def _moment(row: RunRow) -> str:
    return row.started_at[:16].replace("T", " ")
