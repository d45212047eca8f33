"""What a corrected recipe no longer asks for is saved all the same, beside the run's files: it is paid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zenflow.app.connection.wiring import Connection
from zenflow.app.queries.assets import fetch
from zenflow.engine.model.report import RunReport
from zenflow.errors import ZenflowError
from zenflow.history.events import Event, FileSaved

FOLDER = "orphaned"


def saved_assets(events: Sequence[Event]) -> frozenset[str]:
    """Assets whose files were saved before: they lie there still."""
    return frozenset(event.asset_id for event in events if isinstance(event, FileSaved))


async def save_orphans(report: RunReport, saved: frozenset[str], out_dir: Path, to: Connection) -> None:
    """Into a folder of their own. That one cannot be had fails nothing: the report names it with its assets."""
    wanted = [asset_id for one in report.orphans for asset_id in one.asset_ids if asset_id not in saved]
    if not wanted:
        return
    try:
        await fetch(wanted, False, out_dir / FOLDER, to.settings)
    except ZenflowError:
        return
