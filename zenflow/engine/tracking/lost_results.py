"""Paid results that an earlier process could not find: each resume and each `fetch` asks for every one of them again.

Nothing is sent. What is found is taken in, a call that still runs is waited for, and the rest stays *not retrievable*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zenflow.engine.context import Context
from zenflow.engine.io.rate_limiter import Kind
from zenflow.engine.reconciliation.call_binding import Binder
from zenflow.engine.tracking.result_assets import assets_made
from zenflow.history import events as e
from zenflow.history.state import CallState, SubmissionState
from zenflow.providers.base import Call, ServiceError, Task

Produce = Callable[[SubmissionState, int, CallState, Call, Any, tuple[str, ...]], None]


class LostResults:
    """Asks once for each task and call; the next command asks again."""

    def __init__(self, context: Context, binder: Binder, produce: Produce) -> None:
        self._context = context
        self._binder = binder
        self._produce = produce

    async def find(self) -> None:
        """Record what became of every lost result."""
        await self._binder.look_up_again()
        state = self._context.recorder.state
        for number in dict.fromkeys(lost.submission for lost in state.lost):
            submission = state.submissions.get(number)
            if submission is None or submission.task_id is None:
                continue
            task = await self._task(submission.task_id)
            if task is not None and not submission.is_bound:
                self._binder.bind_whole(submission, task)
            calls = {call.call_id: call for call in task.calls} if task is not None else {}
            for lost in [one for one in state.lost if one.submission == number]:
                if 0 <= lost.position < len(submission.calls) and self._is_wanted(submission, lost):
                    await self._ask(submission, lost, calls)

    async def _task(self, task_id: str) -> Task | None:
        service = self._context.service
        try:
            return await service.ask(Kind.POLL, lambda: service.provider.get_task(task_id))
        except ServiceError:
            return None

    def _is_wanted(self, submission: SubmissionState, lost: e.NotRetrievable) -> bool:
        """Whether no later call was made for its instance (`resume --again`)."""
        instance = self._context.recorder.state.instances.get(submission.calls[lost.position].call.instance)
        return instance is None or instance.submissions[-1:] in ([], [(lost.submission, lost.position)])

    async def _ask(self, submission: SubmissionState, lost: e.NotRetrievable, calls: Mapping[str, Call]) -> None:
        recorder, position = self._context.recorder, lost.position
        state = submission.calls[position]
        call_id = state.call_id or lost.call_id
        call = calls.get(call_id)
        address, now = state.call.instance, recorder.now()
        if call is not None and call.status == "failed":
            said = call.error or "the service reports the call as failed, without a reason"
            recorder.record(e.CallFailed(now, submission.number, position, call_id, said))
            hint = "It counts as charged until a refund is seen."
            recorder.record(e.InstanceFailed(now, address, "ZF720", said, hint, paid=True))
        elif call is not None and call.status != "completed":
            recorder.record(e.ResultAwaited(now, address, submission.number, position))
        elif call_id:
            await self._fetch(submission, position, state, call_id)

    async def _fetch(self, submission: SubmissionState, position: int, state: CallState, call_id: str) -> None:
        service = self._context.service
        try:
            result = await service.ask(Kind.RESULT, lambda: service.provider.call_result(call_id))
            asset_ids = await assets_made(self._context, submission, position, result)
        except ServiceError:
            return
        if asset_ids is not None:
            self._produce(submission, position, state, Call(call_id, "completed"), result.output, asset_ids)
