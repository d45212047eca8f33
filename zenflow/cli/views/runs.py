"""The list of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zenflow.cli.terminal.headings import where_line
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.table import Column, table
from zenflow.cli.terminal.units import span
from zenflow.credits import as_number, as_text
from zenflow.journal.base import RunRow

if TYPE_CHECKING:
    from zenflow.app.queries.runs import RunLine

_COLUMNS = (
    Column("run"),
    Column("recipe", shrinks=True, least=8),
    Column("status"),
    Column("credits", right=True),
    Column("files", right=True),
    Column("took", right=True),
)
_SERVER, _LABEL = Column("server", shrinks=True, least=7), Column("label", shrinks=True, least=6)


def draw_runs(lines: Sequence[RunLine], total: int, style: Style, width: int) -> str:
    """Return the table; a column for servers only where they differ, one for labels only where a run has one."""
    if not lines:
        return "No runs yet. `zenflow run RECIPE` starts one."
    servers = len({line.row.server for line in lines}) > 1
    labelled = any(line.labels for line in lines)
    columns = (*_COLUMNS, *([_SERVER] if servers else []), *([_LABEL] if labelled else []))
    cells = [
        [*_cells(line), *([line.row.server] if servers else []), *([_labels(line)] if labelled else [])]
        for line in lines
    ]
    drawn = [] if servers else [style.strong(where_line(lines[0].row.server))]
    drawn += table(columns, cells, width, style, indent="")
    if total > len(lines):
        drawn.append(f"… and {total - len(lines)} older: `zenflow runs --limit {total}`")
    return "\n".join(drawn)


def _cells(line: RunLine) -> list[str]:
    row = line.row
    took = span(line.duration_s)
    return [row.run_id, row.recipe_name, status_word(row), as_text(line.credits), str(line.files), took]


def _labels(line: RunLine) -> str:
    return " ".join(f"{key}={value}" for key, value in line.labels.items())


def runs_document(lines: Sequence[RunLine], total: int) -> dict[str, Any]:
    """Return the list as JSON."""
    return {
        "total": total,
        "runs": [
            {
                "run_id": line.row.run_id,
                "recipe": line.row.recipe_name,
                "server": line.row.server,
                "account_id": line.row.account_id,
                "status": status_word(line.row),
                "started_at": line.row.started_at,
                "holder": None if line.row.holder is None else str(line.row.holder),
                "credits": as_number(line.credits),
                "files": line.files,
                "duration_s": line.duration_s,
                "labels": dict(line.labels),
            }
            for line in lines
        ],
    }


def status_word(row: RunRow) -> str:
    """Return the state; a run whose journal says running and that no process holds was interrupted."""
    return "interrupted" if row.status == "running" and not row.holder_alive else row.status
