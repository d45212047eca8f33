"""Tool answers spoiled on request, after the tool has done its work."""

from __future__ import annotations

from typing import Any

from zenflow.sandbox.faults import TriggeredFaults
from zenflow.sandbox.refusals import OutOfCredits, Refusal
from zenflow.sandbox.service.answers import Answer


def refusal_asked(faults: TriggeredFaults, when: str) -> Refusal | None:
    """The tool error that a rule wants before or after the tool's work."""
    rule = next((rule for rule in faults.rules if rule.kind == "tool_error" and rule.when == when), None)
    if rule is None:
        return None
    if rule.status == 402:
        return OutOfCredits()
    hint = {} if rule.retry_after_s is None else {"retry_after_s": rule.retry_after_s}
    return Refusal(rule.status, rule.message, **hint)


def spoiled(answer: Answer, faults: TriggeredFaults) -> Answer:
    """The answer with the data changed as the rules ask."""
    data = answer.data
    if isinstance(data.get("calls"), list):
        data = _calls_changed(data, faults)
    if faults.first("bare_id"):
        data = {name: data[name] for name in ("id", "task_id") if name in data}
    if faults.first("no_asset_ids"):
        data = {**data, "asset_ids": []}
    if faults.first("unknown_fields"):
        data = _with_unknown_fields(data)
    if faults.first("wrong_counts"):
        counts = ("count", "total", "done", "succeeded", "failed", "size_bytes")
        data = {name: value + 1 if name in counts else value for name, value in data.items()}
    return Answer(data=data, title=answer.title, remark=answer.remark, pictures=answer.pictures)


def _calls_changed(data: dict[str, Any], faults: TriggeredFaults) -> dict[str, Any]:
    calls = list(data["calls"])
    if faults.first("calls_shuffled"):
        middle = len(calls) // 2
        calls = calls[middle:] + calls[:middle]  # no call stays in its place
    if faults.first("calls_growing"):
        calls = calls[: len(calls) // 2]
    if faults.first("calls_duplicated"):
        calls = calls + calls[:1]
    return {**data, "calls": calls}


def _with_unknown_fields(data: dict[str, Any]) -> dict[str, Any]:
    extra = {"x_new_field": {"since": "tomorrow"}}
    changed = {
        name: [{**element, **extra} if isinstance(element, dict) else element for element in value]
        if isinstance(value, list)
        else value
        for name, value in data.items()
    }
    return {**changed, **extra}
