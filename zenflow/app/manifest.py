"""Leaves `manifest.json` beside a run's files, at its end and at every stop."""

from __future__ import annotations

from pathlib import Path

from zenflow.artifacts.manifest import write_json
from zenflow.engine.result import RunReport
from zenflow.report.manifest import NAME, manifest_document


def leave_manifest(report: RunReport, folder: Path) -> Path | None:
    """Write it, whole or not at all; nothing for a run without files and without anything lost."""
    if not report.files and not report.state.lost:
        return None
    write_json(folder, NAME, manifest_document(report))
    return folder / NAME
