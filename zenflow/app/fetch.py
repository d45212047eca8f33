"""Get everything that a run has paid for: one that failed, was abandoned, or ended before a late call did.

Free; the run stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from zenflow.app.desk import open_desk
from zenflow.app.manifest import leave_manifest
from zenflow.app.settings import Settings
from zenflow.artifacts.base import SavedFile
from zenflow.artifacts.manifest import write_json
from zenflow.engine.collecting import Collected, Text, collect, still_running, take_in
from zenflow.engine.result import RunReport

INDEX = "fetched.json"


@dataclass(frozen=True, slots=True)
class FetchView:
    """`running`: paid calls that are not over, by task. `lost`: paid, and no result is to be found."""

    server: str
    run_id: str
    folder: Path
    collected: Collected
    running: Mapping[str, int]
    lost: tuple[str, ...]
    report: RunReport | None

    @property
    def is_whole(self) -> bool:
        return not (self.running or self.lost or self.collected.failures)


async def fetch(word: str | None, out: Path | None, settings: Settings) -> FetchView:
    """Of one run (left out: the last), into its own folder or `out`. Raises NoSuchRun, RunBusy, Refused, ServiceError."""
    async with open_desk(word, settings, out=out) as opened:
        desk, own = opened.desk, out is None or _is_same(out, Path(opened.started.out_dir))
        folder = desk.context.parts.store.folder
        shelf = None if own else FolderShelf(folder)
        await take_in(desk)
        collected = await collect(desk, shelf)
        _leave_texts(folder, collected.texts)
        await desk.context.recorder.flush()
        report = opened.report_now()
        if shelf is not None:
            shelf.leave(opened.row.run_id)
        else:
            leave_manifest(report, folder)
        lost = tuple(f"{one.instance}: call {one.call_id}" for one in report.state.lost)
        running = still_running(report.state)
        return FetchView(opened.started.server, opened.row.run_id, folder, collected, running, lost, report)


def _is_same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _leave_texts(folder: Path, texts: Sequence[Text]) -> None:
    """A text is the result itself: beside the files, as the service gave it."""
    for text in texts:
        path = folder / f"{text.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path.parent, path.name, {"instance": text.instance, "output": text.output})


class FolderShelf:
    """What lies in a folder that is not the run's own, in `fetched.json` there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_asset: dict[str, SavedFile] = {}
        try:
            rows = json.loads((folder / INDEX).read_text(encoding="utf-8"))["files"]
            self._by_asset = {row["asset_id"]: SavedFile(**row) for row in rows}
        except (OSError, ValueError, KeyError, TypeError):
            return  # none, or one that is no longer ours: files of the same bytes are found by the store

    def find(self, asset_id: str) -> SavedFile | None:
        return self._by_asset.get(asset_id)

    def put(self, saved: SavedFile) -> None:
        self._by_asset[saved.asset_id] = saved

    def leave(self, run_id: str) -> None:
        """Write it, whole or not at all."""
        document = {"format": 1, "run_id": run_id, "files": [asdict(one) for one in self._by_asset.values()]}
        write_json(self._folder, INDEX, document)
