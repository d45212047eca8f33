"""Tasks and calls: listing, looking, results, deleting; and the ledger rows they cause (seed 002, Task lifecycle).

Key names that the documentation leaves open (the ledger's above all: facts 5) are read in every spelling that is
plausible. Submitting is not here: `submit`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from zenflow.credits import credits_from
from zenflow.providers.base import Call, CallResult, Task, TaskSummary, Transaction
from zenflow.providers.mcp.answers import (
    UUID,
    first,
    moment_at,
    next_offset,
    object_at,
    rows_at,
    text_at,
    texts_at,
    truth_at,
    whole_at,
)
from zenflow.providers.mcp.asking import Caller, ask, missing

PAGE_LIMIT = 100  # seed 002: 1..100
_WAIT_MARGIN_S = 15.0


async def list_tasks(
    caller: Caller,
    *,
    query: str | None = None,
    tool: str | None = None,
    status: str | None = None,
    limit: int = PAGE_LIMIT,
    offset: int = 0,
) -> tuple[tuple[TaskSummary, ...], int | None]:
    limit = min(max(limit, 1), PAGE_LIMIT)
    page = await ask(
        caller,
        "list_tasks",
        {
            "tool_name": tool,
            "status": status,
            "query": query,
            "order_by": "created_at",
            "direction": "desc",
            "limit": limit,
            "offset": offset,
        },
    )
    rows = rows_at(page, "items", "tasks")
    return tuple(TaskSummary(**_summary(row)) for row in rows), next_offset(page, offset, len(rows), limit)


async def get_task(caller: Caller, task_id: str) -> Task:
    content = await ask(caller, "get_task", {"task_id": task_id})
    row = object_at(content, "task") or content
    inputs = first(row, "inputs")
    calls = tuple(_call(c) for c in rows_at(row, "calls") if text_at(c, "id", "call_id"))
    return Task(
        **{**_summary(row), "task_id": text_at(row, "id", "task_id") or task_id},
        inputs=tuple(i for i in inputs if isinstance(i, Mapping)) if isinstance(inputs, list) else (),
        calls=calls,
        owner_id=text_at(row, "owner_id", "user_id", "owner.id"),
    )


def _summary(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "task_id": text_at(row, "id", "task_id") or "",
        "tool": text_at(row, "tool_name", "tool") or "",
        "status": (text_at(row, "status") or "").lower(),
        "total": whole_at(row, "total"),
        "done": whole_at(row, "done"),
        "comment": text_at(row, "comment") or "",
        "created_at": moment_at(row, "created_at"),
        "finished_at": moment_at(row, "finished_at"),
    }


def _call(row: Mapping[str, Any]) -> Call:
    return Call(
        call_id=text_at(row, "id", "call_id") or "",
        status=(text_at(row, "status") or "").lower(),
        error=_error_text(first(row, "error")),
    )


def _error_text(error: Any) -> str | None:
    """A failed call's error: text, or an object of unknown keys (facts 8 has one record, with its keys renamed)."""
    if error is None or isinstance(error, str):
        return error
    if isinstance(error, Mapping):
        message = text_at(error, "message", "detail", "error", "description", "reason")
        kind = text_at(error, "category", "code", "type", "exception")
        words = ": ".join(part for part in (kind, message) if part)
        return words or str(dict(error))
    return str(error)


async def call_result(caller: Caller, call_id: str) -> CallResult:
    content = await ask(caller, "get_call_result", {"call_id": call_id})
    return CallResult(
        text_at(content, "call_id", "id") or call_id, content.get("output"), texts_at(content, "asset_ids")
    )


async def processing_tools(caller: Caller) -> Mapping[str, bool]:
    content = await ask(caller, "get_processing_tasks", {})
    rows = rows_at(content, "tools", "items")
    return {name: truth_at(row, "processing") for row in rows if (name := text_at(row, "tool_name", "name"))}


async def wait_for_task(caller: Caller, task_id: str, wait_s: int) -> None:
    """Parameters as of `run_and_wait` (5..50 s); the tool itself is named in seed 002 and documented nowhere."""
    bounded_s = min(max(wait_s, 5), 50)
    await ask(
        caller,
        "wait_for_task",
        {"task_id": task_id, "timeout_s": bounded_s},
        deadline_s=bounded_s + _WAIT_MARGIN_S,
    )


async def delete_task(caller: Caller, task_id: str) -> None:
    await ask(caller, "delete_task", {"task_id": task_id})


async def transactions(caller: Caller, *, limit: int, offset: int) -> tuple[tuple[Transaction, ...], int | None]:
    limit = min(max(limit, 1), PAGE_LIMIT)
    page = await ask(caller, "list_credit_transactions", {"limit": limit, "offset": offset})
    rows = rows_at(page, "items", "transactions")
    found = tuple(_transaction(row) for row in rows)
    if any(not row.transaction_id for row in found):
        raise missing("list_credit_transactions", "id of a row", page)  # a position cannot be built on it (money.md)
    return found, next_offset(page, offset, len(rows), limit)


def _transaction(row: Mapping[str, Any]) -> Transaction:
    return Transaction(
        transaction_id=text_at(row, "id", "transaction_id", "uuid") or "",
        amount=credits_from(first(row, "amount", "credits", "delta", "value", "change")),
        task_id=_task_id(row),
        created_at=_moment(row),
        row=row,
    )


def _moment(row: Mapping[str, Any]) -> datetime | None:
    """When a row came about: by a plausible name, else the first value that is a moment at all."""
    named = moment_at(row, "created_at", "timestamp", "date", "time", "created", "ts")
    return named or next((moment_at(row, key) for key, value in row.items() if _looks_like_a_time(value)), None)


def _looks_like_a_time(value: Any) -> bool:
    return isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", value) is not None


def _task_id(row: Mapping[str, Any]) -> str | None:
    """The task a row is about. A `reference` counts when it is a task's, or a bare UUID; so does any key named for a task."""
    named = text_at(row, "task_id", "taskId", "task.id", "metadata.task_id", "meta.task_id", "details.task_id")
    if named:
        return named
    about = [key for key in row if "task" in key.lower()]
    for key in (*about, "reference", "reference_id", "ref", "ref_id", "generation_id", "job_id"):
        loose = text_at(row, key)
        found = UUID.search(loose) if loose else None
        if found:
            return found.group(0)
    return None
