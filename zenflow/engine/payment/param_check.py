"""The parameters of a paid call once they are all known: checked once more, with the policy of every recipe around it.

What could not be known when the run was planned is checked here, before it is paid (promise 1). Knows nothing of money.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

from zenflow.catalog.call_shapes import shape_of
from zenflow.catalog.check import check_call
from zenflow.catalog.gates import Gates
from zenflow.catalog.model import Tool
from zenflow.engine.model.instances import Instance
from zenflow.problems import Problem

SHAPES_KEPT = 1_000


class ParamCheck:
    """Calls of one shape are checked alike, so once."""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates
        self._sound: set[Hashable] = set()  # shapes of calls that were checked and are good

    def error_in(self, instance: Instance, tool: Tool, params: dict[str, Any]) -> Problem | None:
        """The first error of a call."""
        gates = self._gates_of(instance)
        shape = (tool.name, gates.nsfw, shape_of(tool, params))
        if shape in self._sound:
            return None
        error = next((p for p in check_call(tool, params, gates=gates) if p.severity == "error"), None)
        if error is None and len(self._sound) < SHAPES_KEPT:
            self._sound.add(shape)
        return error

    def _gates_of(self, instance: Instance) -> Gates:
        """The policy of every recipe around the call, the narrowest."""
        frame, nsfw = instance.step.frame, instance.step.frame.recipe.policy.nsfw
        while frame.outer is not None:
            frame = frame.outer.step.frame
            nsfw = "deny" if frame.recipe.policy.nsfw == "deny" else nsfw
        return self._gates if nsfw == self._gates.nsfw else replace(self._gates, nsfw=nsfw)
