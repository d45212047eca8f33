"""What `report` and `sheet` say about the files that they wrote."""

from __future__ import annotations

from typing import Any

from zenflow.app.queries.run_views import WrittenReport, WrittenSheet
from zenflow.cli.terminal.headings import relative_path
from zenflow.cli.terminal.units import plural, size


def draw_written(written: WrittenReport) -> str:
    """Return the lines about a report."""
    view = written.view
    lines = [
        f"Wrote {relative_path(written.file)} ({size(written.bytes)})",
        f"{view.recipe} · run {view.run_id} · {plural(len(view.files), 'file')}",
    ]
    if written.beside is not None:
        lines.append(f"Media that does not fit in one file is in {relative_path(written.beside)}: send both.")
    return "\n".join(lines)


def report_document(written: WrittenReport) -> dict[str, Any]:
    """Return the JSON about a report."""
    return {
        "run_id": written.view.run_id,
        "file": str(written.file),
        "bytes": written.bytes,
        "beside": None if written.beside is None else str(written.beside),
    }


def draw_sheet(written: WrittenSheet) -> str:
    """Return the line about a sheet."""
    return f"Wrote {relative_path(written.file)} ({plural(written.cells, 'picture')}, {size(written.bytes)})"


def sheet_document(written: WrittenSheet) -> dict[str, Any]:
    """Return the JSON about a sheet."""
    return {
        "run_id": written.run_id,
        "file": str(written.file),
        "bytes": written.bytes,
        "cells": [{"number": one.number, "file": str(one.file), "caption": one.caption} for one in written.sheet.cells],
        "rows": list(written.sheet.rows),
        "columns": list(written.sheet.columns),
    }
