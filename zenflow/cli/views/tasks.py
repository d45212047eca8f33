"""The account's tasks: a page of them, or one with its calls."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from zenflow.cli.terminal.headings import where_line
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.table import Column, table
from zenflow.cli.terminal.text_width import wrap
from zenflow.clock import as_iso
from zenflow.providers.base import TaskSummary

if TYPE_CHECKING:
    from zenflow.app.queries.tasks import TaskPage, TaskView

_PAGE = (
    Column("task"),
    Column("tool"),
    Column("status"),
    Column("done", right=True),
    Column("created"),
    Column("comment", shrinks=True, least=10),
)
_CALLS = (Column("#", right=True), Column("call"), Column("status"), Column("gave", shrinks=True, least=36))
_ID_SHOWN = 8


def draw_tasks(page: TaskPage, style: Style, width: int) -> str:
    lines = [style.strong(where_line(page.server))]
    lines.append(f"At work: {', '.join(page.at_work)}." if page.at_work else "Nothing is at work.")
    if not page.tasks:
        return "\n".join([*lines, "", "No task is like that." if _is_filtered(page) else "No task yet."])
    cells = [
        [task.task_id[:_ID_SHOWN], task.tool, task.status, _done(task), _minute(task.created_at), task.comment]
        for task in page.tasks
    ]
    lines += ["", *table(_PAGE, cells, width, style)]
    if page.next_offset is not None:
        lines.append(f"→ more: `zenflow tasks --offset {page.next_offset}`")
    return "\n".join(lines)


def tasks_document(page: TaskPage) -> dict[str, Any]:
    return {
        "server": page.server,
        "at_work": list(page.at_work),
        "offset": page.asked.offset,
        "next_offset": page.next_offset,
        "tasks": [_summary(task) for task in page.tasks],
    }


def draw_task(view: TaskView, style: Style, width: int) -> str:
    task = view.task
    lines = [
        style.strong(where_line(view.server)),
        f"{task.task_id} · {task.tool} · {task.status} · {_done(task)} done",
        *wrap(f"comment  {task.comment or '–'}", width, indent="         "),
        f"created  {_minute(task.created_at)}   finished  {_minute(task.finished_at)}",
    ]
    if view.run_id is not None:
        lines.append(f"run      {view.run_id}  → zenflow show {view.run_id}")
    cells = [
        [str(place), call.call_id, call.status, call.error or ", ".join(_assets(view, call.call_id))]
        for place, call in enumerate(task.calls)
    ]
    lines += ["", *(table(_CALLS, cells, width, style) if cells else ["  It shows no calls yet."])]
    if any(_assets(view, call.call_id) for call in task.calls):
        lines.append("→ zenflow assets get ID…")
    return "\n".join(lines)


def task_document(view: TaskView) -> dict[str, Any]:
    task = view.task
    return {
        "server": view.server,
        "run_id": view.run_id,
        "task": {
            **_summary(task),
            "inputs": [dict(one) for one in task.inputs],
            "calls": [
                {
                    "call_id": call.call_id,
                    "status": call.status,
                    "error": call.error,
                    "asset_ids": list(_assets(view, call.call_id)),
                    "output": view.results[call.call_id].output if call.call_id in view.results else None,
                }
                for call in task.calls
            ],
        },
    }


def _assets(view: TaskView, call_id: str) -> tuple[str, ...]:
    result = view.results.get(call_id)
    return result.asset_ids if result is not None else ()


def _summary(task: TaskSummary) -> dict[str, Any]:
    return {
        "task_id": task.task_id,
        "tool": task.tool,
        "status": task.status,
        "total": task.total,
        "done": task.done,
        "comment": task.comment,
        "created_at": None if task.created_at is None else as_iso(task.created_at),
        "finished_at": None if task.finished_at is None else as_iso(task.finished_at),
    }


def _done(task: TaskSummary) -> str:
    def shown(count: int | None) -> str:
        return "?" if count is None else str(count)

    return f"{shown(task.done)}/{shown(task.total)}"


def _minute(moment: datetime | None) -> str:
    return "–" if moment is None else as_iso(moment)[:16].replace("T", " ")


def _is_filtered(page: TaskPage) -> bool:
    return any((page.asked.tool, page.asked.status, page.asked.query, page.asked.offset))
