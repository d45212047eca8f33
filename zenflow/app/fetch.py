"""Get everything that was paid for: of a run that failed, was abandoned or ended before a late call did; or, where no
journal knows the run any more, of all tasks that carry a stamp. Free; the run stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zenflow.app import wiring
from zenflow.app.asking import patiently
from zenflow.app.assets import Fetched, save_assets
from zenflow.app.desk import open_desk
from zenflow.app.manifest import leave_manifest
from zenflow.app.settings import Settings
from zenflow.artifacts.base import SavedFile
from zenflow.artifacts.manifest import write_json
from zenflow.catalog.model import Account
from zenflow.engine.collecting import PAID, Collected, Text, collect, still_running, take_in
from zenflow.engine.result import RunReport
from zenflow.errors import UsageError
from zenflow.providers.base import Provider, ServiceError, TaskSummary

INDEX = "fetched.json"
PAGES_MOST = 100
STAMP_LEAST = 12  # the run's part of a stamp: less would take other runs' tasks for its own


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
        desk, own = opened.desk, out is None or out.resolve() == Path(opened.started.out_dir).resolve()
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


# ------------------------------------------------------------------------------------------ without a journal: by stamp


@dataclass(frozen=True, slots=True)
class StampView:
    server: str
    account: Account
    folder: Path
    tasks: tuple[TaskSummary, ...]
    assets: tuple[Fetched, ...]
    failures: tuple[str, ...]


async def fetch_by_stamp(stamp: str, out: Path | None, settings: Settings) -> StampView:
    """The results of every task whose comment begins with a stamp. Needs no journal."""
    if len(stamp) < STAMP_LEAST or not stamp.isalnum():
        raise UsageError(
            "ZF654",
            f"`{stamp}` is no stamp: at least {STAMP_LEAST} letters and digits.",
            "It opens the comment of each task: `zenflow tasks`.",
        )
    folder = out or settings.output_dir / stamp
    clock = wiring.clock()
    async with wiring.open_provider(settings, clock) as provider:
        account = await patiently(provider.account, clock)
        tasks = await stamped_tasks(provider, clock, stamp)
        names: dict[str, str] = {}
        failures: list[str] = []
        for task in tasks:
            await _names_of(task, provider, clock, names, failures)
        shelf = FolderShelf(folder)
        assets = await save_assets(provider, clock, wiring.open_store(folder), names, shelf.find)
        for one in assets:
            if one.file is not None:
                shelf.put(one.file)
        if assets:
            shelf.leave(stamp)
    return StampView(settings.server, account, folder, tasks, assets, tuple(failures))


async def stamped_tasks(provider: Provider, clock: Any, stamp: str) -> tuple[TaskSummary, ...]:
    """All tasks whose comment begins with `stamp`, oldest first. Raises ServiceError."""
    found: dict[str, TaskSummary] = {}
    offset: int | None = 0
    for _ in range(PAGES_MOST):
        page, offset = await patiently(
            lambda at=offset: provider.list_tasks(query=stamp, limit=100, offset=at or 0),  # type: ignore[misc]
            clock,
        )
        found.update((task.task_id, task) for task in page if task.comment.startswith(stamp))
        if offset is None or not page:
            break
    return tuple(reversed(found.values()))


async def _names_of(
    summary: TaskSummary, provider: Provider, clock: Any, names: dict[str, str], failures: list[str]
) -> None:
    """The names under which a task's assets are saved; calls without assets are told."""
    try:
        task = await patiently(lambda: provider.get_task(summary.task_id), clock)
    except ServiceError as error:
        failures.append(f"task {summary.task_id}: {error.message}")
        return
    for place, call in enumerate(task.calls):
        if call.status != "completed":
            failures.append(f"task {summary.task_id}, call {place}: {call.status}")
            continue
        try:
            result = await patiently(lambda one=call.call_id: provider.call_result(one), clock)  # type: ignore[misc]
        except ServiceError as error:
            failures.append(f"task {summary.task_id}, call {place}: {error.message}")
            continue
        for number, asset_id in enumerate(result.asset_ids):
            more = f"-{number}" if len(result.asset_ids) > 1 else ""
            names.setdefault(asset_id, f"{PAID}/{task.tool}-{summary.task_id[:8]}-{place}{more}")
