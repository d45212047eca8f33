"""Tasks and calls: listing, looking, results, deleting (docs/service.md, “Generation”).

Key names that the documentation leaves open are read in every spelling that is plausible. Submitting is not here:
`submit`; nor are the ledger rows that tasks cause: `transactions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zenflow.providers.base import Call, CallResult, Task, TaskSummary
from zenflow.providers.mcp.session.answers import (
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
from zenflow.providers.mcp.session.call import Caller, ask
from zenflow.providers.mcp.tools.task_status import concluded, in_order, status_of

PAGE_LIMIT = 100  # docs/service.md, “Generation”: 1..100
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
    rows = rows_at(page, "items", "tasks", "data", "results")
    return tuple(TaskSummary(**_summary(row)) for row in rows), next_offset(page, offset, len(rows), limit)


async def get_task(caller: Caller, task_id: str) -> Task:
    content = await ask(caller, "get_task", {"task_id": task_id})
    row = object_at(content, "task") or content
    inputs = first(row, "inputs")
    given = tuple(i for i in inputs if isinstance(i, Mapping)) if isinstance(inputs, list) else ()
    summary = _summary(row)
    rows = in_order([c for c in rows_at(row, "calls") if text_at(c, "id", "call_id")], given)
    return Task(
        **{**summary, "task_id": text_at(row, "id", "task_id") or task_id},
        inputs=given,
        calls=tuple(concluded(_call(c), summary["status"], summary["done"], summary["total"]) for c in rows),
        owner_id=text_at(row, "owner_id", "user_id", "owner.id"),
    )


def _summary(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "task_id": text_at(row, "id", "task_id") or "",
        "tool": text_at(row, "tool_name", "tool") or "",
        "status": status_of(row),
        "total": whole_at(row, "total"),
        "done": whole_at(row, "done"),
        "comment": text_at(row, "comment") or "",
        "created_at": moment_at(row, "created_at"),
        "finished_at": moment_at(row, "finished_at"),
    }


def _call(row: Mapping[str, Any]) -> Call:
    return Call(
        call_id=text_at(row, "id", "call_id") or "",
        status=status_of(row),
        error=_error_text(first(row, "error")),
    )


def _error_text(error: Any) -> str | None:
    """A failed call's error: text, or an object of unknown keys (docs/service.md, “Recorded answers” has one record,
    with its keys renamed)."""
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
        text_at(content, "call_id", "id") or call_id,
        content.get("output"),
        tuple(dict.fromkeys(texts_at(content, "asset_ids"))),
    )


async def processing_tools(caller: Caller) -> Mapping[str, bool]:
    content = await ask(caller, "get_processing_tasks", {})
    rows = rows_at(content, "tools", "items")
    return {name: truth_at(row, "processing") for row in rows if (name := text_at(row, "tool_name", "name"))}


async def wait_for_task(caller: Caller, task_id: str, wait_s: int) -> None:
    """Parameters as of `run_and_wait` (5..50 s); the tool itself is named in docs/service.md, “Generation” and
    documented nowhere."""
    bounded_s = min(max(wait_s, 5), 50)
    await ask(
        caller,
        "wait_for_task",
        {"task_id": task_id, "timeout_s": bounded_s},
        deadline_s=bounded_s + _WAIT_MARGIN_S,
    )


async def delete_task(caller: Caller, task_id: str) -> None:
    await ask(caller, "delete_task", {"task_id": task_id})
