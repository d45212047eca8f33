"""A run built again from its facts alone, without a service: for `show`, and for telling how a run stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zenflow.engine.expansion.expander import Expander
from zenflow.engine.expansion.expected_counts import expected_count_function
from zenflow.engine.expansion.readiness import TOLERATES_MISSING_INPUTS, Block, Fail, Go, Skip, Wait, decide
from zenflow.engine.expansion.subrecipes import inputs_of, missing_input, results_of
from zenflow.engine.model.instances import Frame, Instance, Status
from zenflow.engine.model.recipe_record import stored_recipe
from zenflow.engine.model.report import RunReport, RunStatus
from zenflow.engine.reporting.run_report import report
from zenflow.expr.evaluate import ExpressionError
from zenflow.history.events import Event
from zenflow.history.fold import fold
from zenflow.history.state import InstanceStatus, Outcome, RunState
from zenflow.recipe.model import Recipe

_STATUSES: Mapping[str, RunStatus] = {
    "done": "done",
    "failed": "failed",
    "stopped": "stopped",
    "interrupted": "interrupted",
    "running": "running",
}


def look_at(events: Sequence[Event]) -> RunReport:
    """How a run stands, from its facts alone."""
    state = fold(events)
    return report(frames_of(state), state, status=_STATUSES.get(state.status, "stopped"))


def frames_of(state: RunState) -> list[Frame]:
    """The frames of a run as far as its facts unfold them."""
    return expanded(state).frames


def expanded(state: RunState) -> Expander:
    """The run as far as its facts unfold it; nothing in it goes on by itself."""
    started = state.started
    asked = expected_count_function({}, state.options.get("asked", {}))
    expander = Expander(state, asked)
    if started is None:
        return expander
    recipe = stored_recipe(started)
    run = {"id": started.run_id, "started_at": started.at}
    expander.on_frame_settled = lambda frame: _settle_outer(expander, frame)
    expander.open_frame(recipe, started.inputs, run=run)
    while expander.agenda:
        _consider(expander, expander.agenda.popleft(), state, run)
    return expander


def _consider(expander: Expander, instance: Instance, state: RunState, run: Mapping[str, Any]) -> None:
    if instance.status is not Status.WAITING:
        return
    if instance.journaled is not None and instance.journaled.submissions:
        instance.status = _paid_status(instance, state)
        return
    decision = decide(instance)
    if isinstance(decision, Wait):
        expander.wait_for(decision.on, instance)
    elif isinstance(decision, Skip):
        expander.settle(instance, Status.SKIPPED, message=decision.reason)
    elif isinstance(decision, Block):
        expander.settle(instance, Status.BLOCKED, message=f"{decision.by} failed")
    elif isinstance(decision, Go) and instance.step.spec.recipe is not None:
        _open_inner(expander, instance, instance.step.spec.recipe, decision.params, run)
    elif isinstance(decision, Fail):
        _settle_as_told(expander, instance)
    elif instance.step.spec.uses in TOLERATES_MISSING_INPUTS and state.files.get(instance.address):
        instance.status = Status.RUNNING


def _open_inner(
    expander: Expander, instance: Instance, recipe: Recipe, params: Mapping[str, Any], run: Mapping[str, Any]
) -> None:
    inputs = inputs_of(recipe, params)
    if missing_input(recipe, inputs) is None:
        instance.status = Status.RUNNING
        instance.inner = expander.open_frame(recipe, inputs, instance, run)
    if instance.inner is None or instance.inner.is_settled:
        _settle_as_told(expander, instance)


def _settle_outer(expander: Expander, frame: Frame) -> None:
    """The steps of a recipe used as a step are over: its instance is as the journal says."""
    if frame.outer is not None and frame.outer.inner is frame:
        _settle_as_told(expander, frame.outer)


def _settle_as_told(expander: Expander, instance: Instance) -> None:
    told = instance.journaled
    if told is None or instance.is_over:
        return
    if told.status is InstanceStatus.DONE:
        expander.settle(instance, Status.DONE, results=told.results)
    elif told.status is InstanceStatus.FAILED:
        left = _left(instance.inner)
        expander.settle(instance, Status.FAILED, results=left, code=told.code, message=told.message, hint=told.hint)


def _left(inner: Frame | None) -> Mapping[str, Any] | None:
    """What exists of the outputs of a recipe in which something failed."""
    try:
        return None if inner is None else results_of(inner)
    except ExpressionError:
        return None


def _paid_status(instance: Instance, state: RunState) -> Status:
    assert instance.journaled is not None
    number, _ = instance.journaled.submissions[-1]
    submission = state.submissions.get(number)
    if instance.journaled.status is InstanceStatus.LATE:
        return Status.LATE
    if submission is not None and submission.outcome is not Outcome.ACCEPTED:
        return Status.UNKNOWN
    return Status.RUNNING
