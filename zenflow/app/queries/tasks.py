"""The tasks of the account, whoever made them: list them, look at one, delete one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.connection.retry import with_retries
from zenflow.clock import Clock
from zenflow.engine.reporting.replay import look_at
from zenflow.errors import UsageError
from zenflow.ids import is_uuid
from zenflow.providers.base import CallResult, Service, ServiceError, Task, TaskSummary

NEWEST = 100  # the most that one listing gives (docs/service.md, “Generation”, list_tasks)
WHOLE = "`zenflow tasks --json` shows them whole."
_BEGINNING = re.compile(r"[0-9a-fA-F-]{4,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    tool: str | None = None
    status: str | None = None
    query: str | None = None
    limit: int = 20
    offset: int = 0


@dataclass(frozen=True, slots=True)
class TaskPage:
    server: str
    tasks: tuple[TaskSummary, ...]
    next_offset: int | None
    at_work: tuple[str, ...]  # tools with something in flight
    asked: TaskFilter


@dataclass(frozen=True, slots=True)
class TaskView:
    """One task; `results` by call id, for the calls that are completed. `run_id`: the run of ours that it belongs to."""

    server: str
    task: Task
    results: Mapping[str, CallResult]
    run_id: str | None


AgreeToDelete = Callable[[TaskView], None]
"""Shows what would be deleted and asks; returns when it is agreed to, raises Refused when not."""


async def tasks(asked: TaskFilter, settings: Settings) -> TaskPage:
    """One page, newest first."""
    clock = wiring.clock()
    async with wiring.open_provider(settings, clock) as provider:
        (rows, following), working = await asyncio.gather(
            with_retries(
                lambda: provider.list_tasks(
                    query=asked.query, tool=asked.tool, status=asked.status, limit=asked.limit, offset=asked.offset
                ),
                clock,
            ),
            with_retries(provider.processing_tools, clock),
        )
    at_work = tuple(name for name, busy in working.items() if busy)
    return TaskPage(settings.server, tuple(rows), following, at_work, asked)


async def task(task_id: str, settings: Settings) -> TaskView:
    """One task with the results of its completed calls; the beginning of its id will do, as lists and ledgers show it.

    Raises UsageError when there is none.
    """
    if not _BEGINNING.fullmatch(task_id):
        _check_id(task_id)
    clock = wiring.clock()
    async with wiring.open_provider(settings, clock) as provider:
        return await _view(await _whole_id(task_id, provider, clock), settings, provider, clock)


async def delete(task_id: str, settings: Settings, agree: AgreeToDelete) -> TaskView:
    """Delete a task after it was shown and agreed to. Nothing is refunded (docs/service.md, “Generation”: a soft delete)."""
    _check_id(task_id)
    clock = wiring.clock()
    async with wiring.open_provider(settings, clock) as provider:
        found = await _view(task_id, settings, provider, clock)
        agree(found)
        # Not asked again: a second answer would be 404, and the first may have been lost on its way back.
        await provider.delete_task(task_id)
    return found


async def _whole_id(word: str, provider: Service, clock: Clock) -> str:
    if is_uuid(word):
        return word
    rows, _ = await with_retries(lambda: provider.list_tasks(limit=NEWEST), clock)
    found = [row.task_id for row in rows if row.task_id.lower().startswith(word.lower())]
    if len(found) == 1:
        return found[0]
    said = (
        f"{len(found)} tasks begin with `{word}`."
        if found
        else f"None of the newest {NEWEST} tasks begins with `{word}`."
    )
    raise UsageError("ZF055", said, WHOLE)


async def _view(task_id: str, settings: Settings, provider: Service, clock: Clock) -> TaskView:
    try:
        found = await with_retries(lambda: provider.get_task(task_id), clock)
    except ServiceError as error:
        if error.trouble in ("not_found", "forbidden"):
            why = "belongs to another account" if error.trouble == "forbidden" else "is not known, or was deleted"
            raise UsageError("ZF055", f"Task {task_id} {why}.", "`zenflow tasks` lists them.") from error
        raise
    completed = [call for call in found.calls if call.status == "completed"]
    gate = asyncio.Semaphore(8)

    async def result_of(call_id: str) -> CallResult | None:
        async with gate:
            try:
                return await with_retries(lambda: provider.call_result(call_id), clock)
            except ServiceError as error:
                if error.trouble == "not_found":
                    return None
                raise

    results = await asyncio.gather(*(result_of(call.call_id) for call in completed))
    by_id = {call.call_id: result for call, result in zip(completed, results, strict=True) if result is not None}
    return TaskView(settings.server, found, by_id, await _run_of(found, settings, clock))


async def _run_of(found: Task, settings: Settings, clock: Clock) -> str | None:
    """The run whose stamp the comment begins with, among those of this journal."""
    journal = wiring.open_journal(settings, clock, read_only=True)
    try:
        for row in journal.runs():
            started = look_at(journal.events(row.run_id)).state.started
            if started is not None and found.comment.startswith(started.stamp_run):
                return row.run_id
    finally:
        await journal.close()
    return None


def _check_id(task_id: str) -> None:
    if not is_uuid(task_id):
        raise UsageError("ZF055", f"`{task_id}` is no task id.", WHOLE)
