"""A `RunView` as JSON: the `view` of `zenflow show --json`. Published as `schemas/run-view.schema.json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zenflow.credits import as_number
from zenflow.report.run_view import Ancestor, FileView, InstanceView, MoneyView, RunView, StepView


def run_view_document(view: RunView) -> dict[str, Any]:
    """Return the view as plain JSON. Unknown amounts are null, never 0."""
    return {
        "run_id": view.run_id,
        "status": view.status,
        "reason": view.reason or None,
        "recipe": {"name": view.recipe, "version": view.version, "digest": view.digest},
        "server": view.server,
        "account_id": view.account_id,
        "labels": dict(view.labels),
        "started_at": view.started_at,
        "ended_at": view.ended_at,
        "duration_s": view.duration_s,
        "out": str(view.out_dir),
        "inputs": plain_json(view.inputs),
        "outputs": plain_json(view.outputs),
        "credits": _money(view.money),
        "steps": [_step(one) for one in view.steps],
        "instances": [_instance(one) for one in view.instances],
        "files": [_file(one) for one in view.files],
        "reasons": [{"code": code, "message": text, "hint": hint or None} for code, text, hint in view.reasons],
        "notes": [{"at": at, "code": code, "message": text} for at, code, text in view.notes],
        "repositories": [
            {"name": one.name, "url": one.url, "rev": one.rev, "commit": one.commit, "files": dict(one.files)}
            for one in view.repositories
        ],
        "choices": [
            {"instance": one.instance, "question": one.question, "most": one.most, "asset_ids": list(one.asset_ids)}
            for one in view.choices
        ],
    }


def _money(money: MoneyView) -> dict[str, Any]:
    return {
        "planned": {
            "low": as_number(money.planned_low),
            "expected": as_number(money.planned_expected),
            "worst": as_number(money.planned_worst),
        },
        "charged": as_number(money.charged),
        "refunded": as_number(money.refunded),
        "reserved": as_number(money.reserved),
        "unknown": as_number(money.unknown),
        "budget": as_number(money.budget),
        "balance": {"before": as_number(money.balance_before), "after": as_number(money.balance_after)},
    }


def _step(step: StepView) -> dict[str, Any]:
    return {
        "path": step.path,
        "uses": step.uses,
        "status": step.status,
        "needs": list(step.needs),
        "instances": dict(step.counts),
        "credits": as_number(step.credits),
        "planned": None if step.planned is None else dict(step.planned),
        "began_at": step.began_at,
        "ended_at": step.ended_at,
    }


def _instance(one: InstanceView) -> dict[str, Any]:
    return {
        "instance": one.instance,
        "step": one.step,
        "index": one.index,
        "uses": one.uses,
        "status": one.status,
        "item": plain_json(one.item),
        "prompt": one.prompt,
        "model": one.model,
        "seed": one.seed,
        "parameters": plain_json(one.parameters),
        "credits": as_number(one.credits),
        "quoted": as_number(one.quoted),
        "tries": one.tries,
        "task_id": one.task_id,
        "call_id": one.call_id,
        "asset_ids": list(one.asset_ids),
        "began_at": one.began_at,
        "ended_at": one.ended_at,
        "reused_from": one.reused_from,
        "error": {"code": one.code, "message": one.message, "hint": one.hint or None} if one.has_problem else None,
        "made_from": [_ancestor(ancestor) for ancestor in one.made_from],
        "files": [file.name for file in one.files],
    }


def _ancestor(one: Ancestor) -> dict[str, Any]:
    return {
        "instance": one.instance,
        "uses": one.tool,
        "item": plain_json(one.item),
        "prompt": one.prompt,
        "source": one.source,
        "asset_ids": list(one.asset_ids),
    }


def _file(file: FileView) -> dict[str, Any]:
    return {
        "name": file.name,
        "path": str(file.path),
        "asset_id": file.asset_id,
        "media_type": file.media_type,
        "bytes": file.bytes,
        "sha256": file.sha256,
        "step": file.step,
        "preview": file.is_preview,
    }


def plain_json(value: Any) -> Any:
    """Return the value with amounts as numbers, and with what is not JSON as its text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(key): plain_json(inner) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [plain_json(inner) for inner in value]
    number = getattr(value, "as_tuple", None)
    return as_number(value) if number is not None else str(value)
