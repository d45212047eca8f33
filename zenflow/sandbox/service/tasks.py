"""The life of a task: create, look, wait, list, delete."""

from __future__ import annotations

from typing import Any

from zenflow.sandbox.offers.catalogue import OFFERS
from zenflow.sandbox.progress import TERMINAL
from zenflow.sandbox.refusals import Refusal
from zenflow.sandbox.service.answers import Answer, page
from zenflow.sandbox.service.fault_effects import fault_effects_of
from zenflow.sandbox.service.request_context import Arguments, RequestContext

_SLOWER = 1.5  # each poll waits longer by this, up to 15 s (generation page)
_SLOWEST_POLL_S = 15.0


def create_task(context: RequestContext, args: Arguments) -> Answer:
    task = _submit(context, args)
    return Answer(data=task, title=f"Task {task['id']}", remark="Poll zencreator_get_task, at least 2 s apart.")


def _submit(context: RequestContext, args: Arguments) -> dict[str, Any]:
    # `retry_id` is accepted and changes nothing: what the service does with it is unknown.
    inputs = args["inputs"]
    effects = fault_effects_of(context.faults, len(inputs))
    return context.world.submit(args["tool_name"], inputs, args.get("comment"), effects)


async def run_and_wait(context: RequestContext, args: Arguments) -> Answer:
    _refuse_waiting(context)
    task = _submit(context, args)
    return await _wait(context, task["id"], args)


async def wait_for_task(context: RequestContext, args: Arguments) -> Answer:
    """Exists in practice and is described nowhere; its shape is that of run_and_wait (docs/service.md, “Not known”)."""
    _refuse_waiting(context)
    return await _wait(context, args["task_id"], args)


def _refuse_waiting(context: RequestContext) -> None:
    if context.faults.first("wait_refused"):
        raise Refusal(429, "too many blocking waits at the moment. Poll zencreator_get_task instead.")


async def _wait(context: RequestContext, task_id: str, args: Arguments) -> Answer:
    world, clock = context.world, context.services.clock
    started_s = clock.now_s()
    deadline_s = started_s + args["timeout_s"]
    pause_s, polls = float(args["poll_interval_s"]), 1
    task = world.task(task_id)
    while task["status"] not in TERMINAL and clock.now_s() < deadline_s:
        due_s = world.next_end(task_id)
        left_s = deadline_s - clock.now_s()
        # Woken by the next call's end rather than by the next poll, so that a fast sandbox answers at once.
        await clock.sleep(min(pause_s, left_s, left_s if due_s is None else max(0.001, due_s - clock.now_s())))
        pause_s, polls = min(pause_s * _SLOWER, _SLOWEST_POLL_S), polls + 1
        task = world.task(task_id)
    calls = [_with_result(context, call) for call in task["calls"]]
    data = {
        "task_id": task_id,
        "tool_name": task["tool_name"],
        "status": task["status"],
        "total": task["total"],
        "done": task["done"],
        "timed_out": task["status"] not in TERMINAL,
        "duration_ms": round((clock.now_s() - started_s) * 1000),
        "polls": polls,
        "calls": calls,
        "asset_ids": [asset_id for call in calls for asset_id in call["asset_ids"]],
        "created_at": task["created_at"],
        "finished_at": task["finished_at"],
        "comment": task["comment"],
        "channel": "mcp",
    }
    remark = "Still running: call zencreator_wait_for_task, or poll zencreator_get_task." if data["timed_out"] else ""
    return Answer(data=data, title=f"Task {task_id}: {task['status']}", remark=remark)


def _with_result(context: RequestContext, call: dict[str, Any]) -> dict[str, Any]:
    result = context.world.call_result(call["id"])
    return {
        "call_id": call["id"],
        "status": call["status"],
        "output": result["output"],
        "error": call["error"],
        "asset_ids": result["asset_ids"],
    }


def get_task(context: RequestContext, args: Arguments) -> Answer:
    task = context.world.task(args["task_id"])
    return Answer(data=task, title=f"Task {task['id']}: {task['status']}")


def get_call_result(context: RequestContext, args: Arguments) -> Answer:
    return Answer(data=context.world.call_result(args["call_id"]), title=f"Call {args['call_id']}")


def list_tasks(context: RequestContext, args: Arguments) -> Answer:
    filters = {name: args.get(name) for name in ("tool_name", "status", "query")}
    if context.faults.first("query_ignored"):
        filters["query"] = None
    lag = context.faults.first("listing_lag")
    total, items = context.world.tasks(
        lag_s=lag.seconds if lag else 0.0,
        order_by=args["order_by"],
        direction=args["direction"],
        limit=args["limit"],
        offset=args["offset"],
        **filters,
    )
    if args.get("query") and context.faults.first("query_empty"):
        total, items = 0, []
    return Answer(data=page(total, args["offset"], args["limit"], items), title=f"{total} tasks")


def get_processing_tasks(context: RequestContext, args: Arguments) -> Answer:
    running = context.world.running_tools()
    rows = [{"tool_name": offer.name, "processing": offer.name in running} for offer in OFFERS]
    return Answer(data={"tools": rows, "any_processing": bool(running)}, title="Tools at work")


def delete_task(context: RequestContext, args: Arguments) -> Answer:
    context.world.delete_task(args["task_id"])
    return Answer(data={"deleted_task_id": args["task_id"]}, title="Deleted")
