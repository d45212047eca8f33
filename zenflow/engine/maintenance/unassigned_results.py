"""What a run has paid for, or may have, and nobody can say for which of its inputs: results whose order is contradicted
(A5), those of a submission that was given up, tasks with the run's stamp that the journal does not know, second tasks.

Only gathered here, for `fetch` to lay aside with what is known of them; no instance gets anything of it by a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zenflow.engine.io.rate_limiter import Kind
from zenflow.engine.maintenance.session import MaintenanceSession
from zenflow.engine.reconciliation.task_lookup import is_ours
from zenflow.engine.reconciliation.unrecognized_tasks import UnrecognizedTasks
from zenflow.engine.tracking.result_assets import assets_in
from zenflow.history.state import Outcome, SubmissionState
from zenflow.ids import STAMP_LENGTH
from zenflow.providers.base import Call, ServiceError, Task


@dataclass(frozen=True, slots=True)
class PossibleOwner:
    """An input that a result may be of: its instance where one asked for it, and what was asked."""

    instance: str | None
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DoubtfulCall:
    """One call of such a task. `trouble`: why nothing is here of it. A result without assets is its `output` itself."""

    place: int
    call_id: str
    status: str
    asset_ids: tuple[str, ...] = ()
    output: Any = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class DoubtfulTask:
    """`submission`: the one of the run that it has to do with, where there is one."""

    task_id: str
    tool: str
    comment: str
    why: str
    submission: int | None
    may_belong: tuple[PossibleOwner, ...]
    calls: tuple[DoubtfulCall, ...] = field(default=())


async def take_late(session: MaintenanceSession) -> None:
    """A task for what was given up or refused, and made all the same, is the run's again. Raises ServiceError."""
    await session.mark_interrupted_as_unknown()
    try:
        await UnrecognizedTasks(session.context, session.lookup).find()
    except ServiceError as error:
        if error.trouble != "absent":  # a server that does not list has nothing to show
            raise


async def unassigned_tasks(session: MaintenanceSession) -> tuple[DoubtfulTask, ...]:
    """Everything of that kind that the service has. Raises ServiceError."""
    found = [
        await _disordered(session, submission) for submission in session.state.submissions.values() if _open(submission)
    ]
    try:
        lookup_result = await session.lookup.look_up()
    except ServiceError as error:
        if error.trouble != "absent":
            raise
        return tuple(one for one in found if one is not None)
    known = {submission.task_id for submission in session.state.submissions.values()}
    for summary in lookup_result.tasks:
        if summary.task_id not in known:
            found.append(await _unbound(session, summary.task_id))
    return tuple(one for one in found if one is not None)


def _open(submission: SubmissionState) -> bool:
    """Results that were seen to be another's, or of no input that can be told, and that nobody has taken as they are:
    waiting, or given up."""
    disordered = bool(submission.contradiction) and not submission.order_taken
    return (disordered or bool(submission.shortfall)) and submission.task_id is not None


async def _disordered(session: MaintenanceSession, submission: SubmissionState) -> DoubtfulTask | None:
    task = await _task(session, submission.task_id or "")
    disordered = bool(submission.contradiction) and not submission.order_taken
    loose = ("waiting", "failed", "unknown") if disordered else ("unknown", "failed")
    untaken = [call for call in submission.calls if call.status in loose]
    taken = {call.call_id for call in submission.calls if call not in untaken}
    if task is None:
        return None
    calls = [(place, c) for place, c in enumerate(task.calls) if c.call_id not in taken and c.status != "failed"]
    if not calls:
        return None
    may_belong = tuple(PossibleOwner(call.call.instance, call.call.params) for call in untaken)
    why = f"its results are not in the order of its inputs: {submission.contradiction}"
    if not disordered:
        why = f"fewer calls than were asked for: {submission.shortfall}"
    return await _with_calls(session, task, why, submission.number, may_belong, calls)


async def _unbound(session: MaintenanceSession, task_id: str) -> DoubtfulTask | None:
    task = await _task(session, task_id)
    if task is None:
        return None
    same_stamp = next((s for s in session.state.submissions.values() if s.stamp == task.comment[:STAMP_LENGTH]), None)
    if same_stamp is None:
        why = "it carries this run's stamp, and the journal does not know it"
    elif same_stamp.task_id is not None and is_ours(same_stamp, task):
        why = f"a second task with the stamp and the inputs of #{same_stamp.number}, which is task {same_stamp.task_id}"
    else:
        why = f"it carries the stamp of #{same_stamp.number} ({_stands(same_stamp)}), and is not what was asked there"
    if same_stamp is None or (task.inputs and not is_ours(same_stamp, task)):
        asked = tuple(PossibleOwner(None, params) for params in task.inputs)
    else:
        asked = tuple(PossibleOwner(call.call.instance, call.call.params) for call in same_stamp.calls)
    number = None if same_stamp is None else same_stamp.number
    return await _with_calls(session, task, why, number, asked, list(enumerate(task.calls)))


def _stands(submission: SubmissionState) -> str:
    return "accepted" if submission.outcome is Outcome.ACCEPTED else submission.outcome.value


async def _with_calls(
    session: MaintenanceSession,
    task: Task,
    why: str,
    number: int | None,
    may_belong: tuple[PossibleOwner, ...],
    calls: list[tuple[int, Call]],
) -> DoubtfulTask:
    asked = [one.params for one in may_belong]
    results = tuple([await _result(session, task, place, call, asked) for place, call in calls])
    return DoubtfulTask(task.task_id, task.tool, task.comment, why, number, may_belong, results)


async def _result(session: MaintenanceSession, task: Task, place: int, call: Call, asked: Any) -> DoubtfulCall:
    if call.status != "completed":
        trouble = "the service reports it as failed" if call.status == "failed" else "not over yet"
        return DoubtfulCall(place, call.call_id, call.status, trouble=trouble)
    service = session.context.service
    try:
        result = await service.ask(Kind.RESULT, lambda: service.provider.call_result(call.call_id))
        asset_ids = await assets_in(session.context, task.tool, [*asked, *task.inputs], result)
    except ServiceError as error:
        return DoubtfulCall(place, call.call_id, call.status, trouble=error.message)
    trouble = "no result is to be found in its answer" if asset_ids is None else ""
    return DoubtfulCall(place, call.call_id, call.status, asset_ids or (), result.output, trouble)


async def _task(session: MaintenanceSession, task_id: str) -> Task | None:
    service = session.context.service
    try:
        return await service.ask(Kind.LOOK, lambda: service.provider.get_task(task_id))
    except ServiceError as error:
        if error.trouble in ("not_found", "forbidden", "invalid"):
            return None
        raise
