"""The results of all tasks that carry a stamp, for when no journal knows their run any more. Free; needs no journal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.connection.retry import with_retries
from zenflow.app.recovery.fetched_files import FetchedFileIndex, save_assets
from zenflow.artifacts.base import SavedFile
from zenflow.artifacts.manifest import write_json
from zenflow.artifacts.naming import portable_path
from zenflow.catalog.model import Account
from zenflow.clock import Clock
from zenflow.engine.maintenance.fetch_all import PAID
from zenflow.errors import UsageError
from zenflow.providers.base import Provider, ServiceError, TaskSummary

PAGES_MOST = 100
STAMP_LEAST = 12  # the run's part of a stamp: less would take other runs' tasks for its own


@dataclass(frozen=True, slots=True)
class StampView:
    """`new` and `kept` are files, `texts` those of results that are no assets; `failures` what is not there, and why."""

    server: str
    account: Account
    folder: Path
    tasks: tuple[TaskSummary, ...]
    new: tuple[SavedFile, ...]
    kept: tuple[SavedFile, ...]
    texts: tuple[str, ...]
    failures: tuple[str, ...]


async def fetch_by_stamp(stamp: str, out: Path | None, settings: Settings) -> StampView:
    """The results of every task whose comment begins with a stamp. Raises UsageError, ServiceError."""
    if len(stamp) < STAMP_LEAST or not stamp.isalnum():
        raise UsageError(
            "ZF654",
            f"`{stamp}` is no stamp: at least {STAMP_LEAST} letters and digits.",
            "It opens the comment of each task: `zenflow tasks`.",
        )
    folder = out or settings.output_dir / stamp
    clock = wiring.clock()
    async with wiring.open_provider(settings, clock) as provider:
        account = await with_retries(provider.account, clock)
        tasks = await stamped_tasks(provider, clock, stamp)
        names: dict[str, str] = {}
        texts: dict[str, dict[str, Any]] = {}
        failures: list[str] = []
        for task in tasks:
            await _name(task, provider, clock, names, texts, failures)
        for path, text in texts.items():
            write_json((folder / path).parent, Path(path).name, text)
        fetched_files, store = FetchedFileIndex(folder), wiring.open_store(folder)
        kept = [f for f in map(fetched_files.find, names) if f is not None and await store.verify(f)]
        there = {file.asset_id for file in kept}
        missing = [asset_id for asset_id in names if asset_id not in there]
        new = await save_assets(missing, names, provider, clock, store, failures)
        for file in new:
            fetched_files.put(file)
        if new:
            fetched_files.leave(stamp)
    return StampView(settings.server, account, folder, tasks, tuple(new), tuple(kept), tuple(texts), tuple(failures))


async def stamped_tasks(provider: Provider, clock: Clock, stamp: str) -> tuple[TaskSummary, ...]:
    """All tasks whose comment begins with `stamp`, oldest first. Raises ServiceError."""
    found: dict[str, TaskSummary] = {}
    offset: int | None = 0
    for _ in range(PAGES_MOST):
        page, offset = await with_retries(
            lambda at=offset: provider.list_tasks(query=stamp, limit=100, offset=at or 0),  # type: ignore[misc]
            clock,
        )
        found.update((task.task_id, task) for task in page if task.comment.startswith(stamp))
        if offset is None or not page:
            break
    return tuple(reversed(found.values()))


async def _name(
    summary: TaskSummary,
    provider: Provider,
    clock: Clock,
    names: dict[str, str],
    texts: dict[str, dict[str, Any]],
    failures: list[str],
) -> None:
    """The names under which a task's assets are saved, and by path what is none; what is not there is told."""
    try:
        task = await with_retries(lambda: provider.get_task(summary.task_id), clock)
    except ServiceError as error:
        failures.append(f"task {summary.task_id}: {error.message}")
        return
    for place, call in enumerate(task.calls):
        if call.status != "completed":
            failures.append(f"task {summary.task_id}, call {place}: {call.status}")
            continue
        try:
            result = await with_retries(lambda one=call.call_id: provider.call_result(one), clock)  # type: ignore[misc]
        except ServiceError as error:
            failures.append(f"task {summary.task_id}, call {place}: {error.message}")
            continue
        name = f"{PAID}/{task.tool}-{summary.task_id}-{place}"  # the whole id: those that begin with a time begin alike
        for number, asset_id in enumerate(result.asset_ids):
            more = f"-{number}" if len(result.asset_ids) > 1 else ""
            names.setdefault(asset_id, f"{name}{more}")
        if not result.asset_ids:
            texts[f"{portable_path(name)}.json"] = {
                "task_id": task.task_id,
                "call_id": call.call_id,
                "output": result.output,
            }
