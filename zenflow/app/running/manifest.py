"""Leaves `manifest.json` beside a run's files, at its end and at every stop."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from zenflow.artifacts.manifest import write_json
from zenflow.credits import as_number
from zenflow.engine.model.report import RunReport
from zenflow.engine.reporting.replay import frames_of
from zenflow.engine.reporting.run_report import at_risk
from zenflow.expr.values import Lookup, without_skipped
from zenflow.report.manifest import NAME, manifest_document
from zenflow.report.run_view_document import plain_json

ACCEPTED = "accepted-tasks.json"
OUTPUTS = "outputs.json"
LATEST = "latest"


def leave_manifest(report: RunReport, folder: Path) -> Path | None:
    """Write it, whole or not at all; nothing for a run without files and without anything lost."""
    if not report.files and not report.state.lost:
        return None
    write_json(folder, NAME, manifest_document(report, instance_items(report)))
    write_json(folder, OUTPUTS, {"format": 1, "run_id": report.run_id, "outputs": plain_json(report.outputs)})
    return folder / NAME


def point_latest(folder: Path) -> None:
    """Let `latest` beside the run's folder lead to it. A real file or folder of that name stays; so does all on Windows."""
    link = folder.parent / LATEST
    if os.name == "nt" or (link.exists() and not link.is_symlink()):
        return
    with suppress(OSError):
        fresh = link.with_name(f".{secrets.token_hex(8)}.zenflow-new")
        fresh.symlink_to(folder.name)
        os.replace(fresh, link)


def leave_accepted(report: RunReport, folder: Path) -> Path:
    """The tasks that were accepted and that a failed journal may not know. Raises ArtifactError."""
    rows = [
        {
            "submission": one.number,
            "task_id": one.task_id,
            "tool": one.tool,
            "stamp": one.stamp,
            "credits": as_number(one.quote),
            "calls": [call.call.instance for call in one.calls],
        }
        for one in at_risk(report.state)
    ]
    write_json(folder, ACCEPTED, {"format": 1, "run_id": report.run_id, "accepted": rows})
    return folder / ACCEPTED


def instance_items(report: RunReport) -> Mapping[str, Any]:
    """The plain `foreach` element of each instance; an element that is a step's results is told by those."""
    return {
        instance.address: without_skipped(instance.item)
        for frame in frames_of(report.state)
        for step in frame.steps.values()
        for instance in step.instances.values()
        if step.fans_out and not isinstance(instance.item, Lookup)
    }
