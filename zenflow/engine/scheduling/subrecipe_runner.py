"""Recipes used as steps, while they run: opens a frame for each instance and settles the instance when the frame is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zenflow.engine.context import Context
from zenflow.engine.expansion.subrecipes import budget_of, inputs_of, left_short_by, missing_input, results_of
from zenflow.engine.model.instances import Frame, Instance, Status
from zenflow.expr.evaluate import ExpressionError
from zenflow.history.state import InstanceStatus


class Inner:
    """Opens frames for recipe steps and settles their instances when the frames are over."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def open(self, instance: Instance, params: Mapping[str, Any]) -> None:
        """Start the recipe of a step with these inputs."""
        recipe = instance.step.spec.recipe
        assert recipe is not None
        inputs = inputs_of(recipe, params)
        missing = missing_input(recipe, inputs)
        if missing is not None:
            self._context.fail(instance, "ZF501", f"`{recipe.name}` needs the input `{missing}`", "Give it in `with`.")
            return
        instance.status = Status.RUNNING
        prefix = f"{instance.address}/"
        budget = budget_of(recipe, inputs)
        if budget is not None:
            self._context.frame_budgets.budgets[prefix] = budget
        frame = self._context.expander.open_frame(recipe, inputs, instance, instance.step.frame.names["run"])  # type: ignore[arg-type]
        instance.inner = frame
        if frame.is_settled:
            self.settled(frame)

    def settled(self, frame: Frame) -> None:
        """All steps of an inner recipe are over. An output that a failure has left short or empty fails the step; what
        exists of its outputs is kept for those who take what exists."""
        outer = frame.outer
        if outer is None or outer.is_over or outer.inner is not frame:
            return
        try:
            results = results_of(frame)
            failed = left_short_by(frame)
            if failed is not None:
                self._context.fail(outer, "ZF335", f"{failed} failed", "See that step's own message.", left=results)
                return
        except ExpressionError as error:
            self._context.fail(outer, error.code, error.message, error.hint or "")
        else:
            told = outer.journaled
            if told is not None and told.status is InstanceStatus.DONE and told.results == results:
                self._context.settle(outer, Status.DONE, results=results)  # a resume found it as it was
            else:
                self._context.produce(outer, results)
