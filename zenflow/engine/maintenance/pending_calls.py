"""Paid calls that wait with everything about them known: what a resume would send next, told from the facts alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zenflow.catalog.check import with_default_model
from zenflow.catalog.model import Tool
from zenflow.engine.expansion.readiness import Go, decide
from zenflow.engine.model.instances import Instance, Status
from zenflow.engine.reporting.replay import expanded
from zenflow.history.state import RunState


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """`instance` is its address, `step` that of its step."""

    instance: str
    step: str
    try_number: int
    params: Mapping[str, Any]


def calls_waiting(state: RunState, tool: Tool) -> list[WaitingCall]:
    """Calls of one tool that nothing is known to have been sent for, in the order of their steps and lists. `state` is
    the reader's own: it is unfolded here."""
    found = []
    for frame in expanded(state).frames:
        for step in frame.steps.values():
            if step.spec.kind == "tool" and step.spec.uses == tool.name:
                found += [call for one in step.ordered() if (call := _waiting(one, tool)) is not None]
    return found


def _waiting(instance: Instance, tool: Tool) -> WaitingCall | None:
    begun = instance.journaled is not None and instance.journaled.submissions
    if begun or instance.status is not Status.WAITING:
        return None
    decision = decide(instance)
    if not isinstance(decision, Go):
        return None
    return WaitingCall(instance.address, instance.step.path, 1, with_default_model(tool, decision.params))
