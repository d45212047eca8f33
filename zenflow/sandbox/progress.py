"""Tasks and calls as they stand at a moment. The state is a function of the rows and that moment; nothing is running.

Status words are the service's: created, processing, partial, completed, failed. `partial` is what a task is called
while some of its calls have completed, and for good when others have failed (docs/service.md, “Not known” leaves
both readings open).
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from zenflow.sandbox.clock import as_text
from zenflow.sandbox.refusals import Refusal
from zenflow.sandbox.store import Store

TERMINAL = ("completed", "failed", "partial")  # as run_and_wait counts (generation page)
STATUSES = ("created", "processing", "partial", "completed", "failed")

_COUNTS = """
SELECT t.*, COUNT(c.ends_at) FILTER (WHERE c.ends_at <= :now) AS ended,
       COUNT(c.ends_at) FILTER (WHERE c.ends_at <= :now AND c.outcome = 'completed') AS done, MAX(c.ends_at) AS last_end
FROM tasks t JOIN calls c ON c.task_id = t.id
"""
_ORDERS = {"created_at": "n", "done": "done", "total": "total"}


class TaskProgress:
    """Reads tasks and calls of one account."""

    def __init__(self, store: Store, owner_id: str) -> None:
        self._store = store
        self._owner_id = owner_id

    def summary(self, task_id: str, now_s: float) -> dict[str, Any]:
        """What `create_task` answers."""
        row = self._counted(task_id, now_s)
        item = _summary(row, now_s)
        item.pop("finished_at")
        return {**item, "channel": "mcp"}

    def task(self, task_id: str, now_s: float) -> dict[str, Any]:
        row = self._counted(task_id, now_s)
        calls = self._store.rows("SELECT * FROM calls WHERE task_id = ? ORDER BY place", task_id)
        return {
            **_summary(row, now_s),
            "inputs": json.loads(row["inputs"]),
            "calls": [_call(call, row["starts_at"], now_s) for call in calls],
            "owner_id": self._owner_id,
            "channel": "mcp",
        }

    def call_ids(self, task_id: str) -> list[str]:
        return [row["id"] for row in self._store.rows("SELECT id FROM calls WHERE task_id = ? ORDER BY place", task_id)]

    def next_end(self, task_id: str, now_s: float) -> float | None:
        """When the next call of the task ends; None: nothing more will."""
        row = self._store.row("SELECT MIN(ends_at) AS at FROM calls WHERE task_id = ? AND ends_at > ?", task_id, now_s)
        return None if row is None or row["at"] is None else float(row["at"])

    def call_result(self, call_id: str, now_s: float) -> dict[str, Any]:
        """Output and asset ids of a call that has completed; null and none before, as a lazy output is."""
        call = self._store.row(
            "SELECT c.* FROM calls c JOIN tasks t ON t.id = c.task_id WHERE c.id = ? AND t.deleted = 0", call_id
        )
        if call is None:
            raise Refusal(404, f"call {call_id} is not found, or not yours. List the parent task first.")
        if call["ends_at"] is None or call["ends_at"] > now_s or call["outcome"] != "completed":
            return {"call_id": call_id, "output": None, "asset_ids": []}
        output = json.loads(call["output"])
        asset_ids = json.loads(call["asset_ids"]) if output else []
        return {"call_id": call_id, "output": output, "asset_ids": asset_ids}

    def listing(
        self,
        now_s: float,
        *,
        tool_name: str | None = None,
        status: str | None = None,
        query: str | None = None,
        order_by: str = "created_at",
        direction: str = "desc",
        limit: int = 20,
        offset: int = 0,
        created_before_s: float | None = None,
    ) -> tuple[int, list[dict[str, Any]]]:
        """How many tasks match, and one page of them."""
        where = ["t.deleted = 0", "t.hidden_until <= :now"]
        values: dict[str, Any] = {"now": now_s}
        if tool_name is not None:
            where.append("t.tool_name = :tool")
            values["tool"] = tool_name
        if query:
            where.append("instr(lower(t.comment), lower(:query)) > 0")
            values["query"] = query
        if created_before_s is not None:
            where.append("t.created_at <= :before")
            values["before"] = created_before_s
        clause = " AND ".join(where)
        order = f"{_ORDERS[order_by]} {direction.upper()}, n {direction.upper()}"
        if status is None and order_by == "created_at":
            total = self._number(f"SELECT COUNT(*) FROM tasks t WHERE {clause}", values)
            page = f"SELECT n FROM tasks t WHERE {clause} ORDER BY {order} LIMIT {limit} OFFSET {offset}"
            rows = self._all(f"{_COUNTS} WHERE t.n IN ({page}) GROUP BY t.n ORDER BY {order}", values)
            return total, [_summary(row, now_s) for row in rows]
        items = [
            _summary(row, now_s) for row in self._all(f"{_COUNTS} WHERE {clause} GROUP BY t.n ORDER BY {order}", values)
        ]
        items = [item for item in items if status is None or item["status"] == status]
        return len(items), items[offset : offset + limit]

    def running_tools(self, now_s: float) -> set[str]:
        rows = self._store.rows(
            "SELECT DISTINCT t.tool_name FROM tasks t JOIN calls c ON c.task_id = t.id"
            " WHERE t.deleted = 0 AND (c.ends_at IS NULL OR c.ends_at > ?)",
            now_s,
        )
        return {row["tool_name"] for row in rows}

    def delete(self, task_id: str) -> None:
        """Soft: what was charged stays charged (generation page)."""
        with self._store.change():
            changed = self._store.run("UPDATE tasks SET deleted = 1 WHERE id = ? AND deleted = 0", task_id)
            if changed.rowcount == 0:
                raise _no_task(task_id)

    def _counted(self, task_id: str, now_s: float) -> sqlite3.Row:
        rows = self._all(f"{_COUNTS} WHERE t.id = :id AND t.deleted = 0 GROUP BY t.n", {"now": now_s, "id": task_id})
        if not rows:
            raise _no_task(task_id)
        return rows[0]

    def _all(self, statement: str, values: dict[str, Any]) -> list[sqlite3.Row]:
        return self._store.run_named(statement, values).fetchall()

    def _number(self, statement: str, values: dict[str, Any]) -> int:
        return int(self._store.run_named(statement, values).fetchone()[0])


def _no_task(task_id: str) -> Refusal:
    return Refusal(404, f"task {task_id} is not recognised, or was deleted.")


def _status(row: sqlite3.Row, now_s: float) -> str:
    if row["ended"] == row["total"]:
        return "completed" if row["done"] == row["total"] else "partial" if row["done"] else "failed"
    if row["done"]:
        return "partial"
    return "created" if now_s < row["starts_at"] else "processing"


def _summary(row: sqlite3.Row, now_s: float) -> dict[str, Any]:
    over = row["ended"] == row["total"]
    return {
        "id": row["id"],
        "unique_name": row["unique_name"],
        "tool_name": row["tool_name"],
        "status": _status(row, now_s),
        "total": row["total"],
        "done": row["done"],
        "created_at": as_text(row["created_at"]),
        "finished_at": as_text(row["last_end"]) if over else None,
        "comment": row["comment"],
    }


def _call(call: sqlite3.Row, starts_at: float, now_s: float) -> dict[str, Any]:
    """`output` is lazy: always null here, as recorded."""
    over = call["ends_at"] is not None and call["ends_at"] <= now_s
    status = call["outcome"] if over else "created" if now_s < starts_at else "processing"
    error = json.loads(call["error"]) if over and call["error"] else None
    return {"id": call["id"], "status": status, "output": None, "error": error}
