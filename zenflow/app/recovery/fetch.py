"""Get everything that a run has paid for: one that failed, was abandoned, or ended before a late call did.

Free; the run stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zenflow.app.config.settings import Settings
from zenflow.app.recovery.fetched_files import FetchedFileIndex
from zenflow.app.recovery.session import open_session
from zenflow.app.recovery.unassigned_files import UnassignedFiles, save_unassigned
from zenflow.app.running.manifest import leave_manifest
from zenflow.artifacts.folders import make_inside
from zenflow.artifacts.manifest import write_json
from zenflow.engine.maintenance.fetch_all import Collected, TextResult, collect, still_running, take_in
from zenflow.engine.maintenance.unassigned_results import take_late
from zenflow.engine.model.report import RunReport


@dataclass(frozen=True, slots=True)
class FetchView:
    """`running`: paid calls that are not over, by task. `lost`: paid, and no result is to be found. `unassigned`: what
    nobody can give to an input; `undecided`: submissions that a person must decide on."""

    server: str
    run_id: str
    folder: Path
    collected: Collected
    running: Mapping[str, int]
    lost: tuple[str, ...]
    unassigned: UnassignedFiles
    undecided: tuple[int, ...]
    report: RunReport | None

    @property
    def is_whole(self) -> bool:
        missing = (
            self.running or self.lost or self.collected.failures or self.unassigned.failures or self.unassigned.running
        )
        return not (missing or self.undecided)


async def fetch(word: str | None, out: Path | None, settings: Settings) -> FetchView:
    """Of one run (left out: the last), into its own folder or `out`. Raises NoSuchRun, RunBusy, Refused, ServiceError."""
    async with open_session(word, settings, out=out) as opened:
        session, own = opened.session, out is None or _is_same(out, Path(opened.started.out_dir))
        folder = session.context.parts.store.folder
        fetched_files = None if own else FetchedFileIndex(folder)
        await take_late(session)
        await take_in(session)
        collected = await collect(session, fetched_files)
        _leave_texts(folder, collected.texts)
        unassigned = await save_unassigned(session, opened.row.run_id, folder)
        await session.context.recorder.flush()
        report = opened.report_now()
        if fetched_files is not None:
            fetched_files.leave(opened.row.run_id)
        else:
            leave_manifest(report, folder)
        lost = tuple(f"{one.instance}: call {one.call_id}" for one in report.state.lost)
        running = still_running(report.state)
        undecided = tuple(s.number for s in report.state.submissions.values() if s.needs_lookup or s.needs_decision)
        return FetchView(
            opened.started.server, opened.row.run_id, folder, collected, running, lost, unassigned, undecided, report
        )


def _is_same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _leave_texts(folder: Path, texts: Sequence[TextResult]) -> None:
    """A text is the result itself: beside the files, as the service gave it."""
    for text in texts:
        path = folder / f"{text.name}.json"
        make_inside(folder, path.parent)
        write_json(path.parent, path.name, {"instance": text.instance, "output": text.output})
