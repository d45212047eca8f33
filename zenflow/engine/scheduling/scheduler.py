"""The loop of a run: what became ready goes out, what came back goes on, until nothing is left or everything rests.

Short on purpose: what an instance may do is decided in `readiness`, money in `ledger` and `payment`, files in `files`.
There is no task per waiting instance and no scan of all steps per event: the unfolder's agenda holds what to look at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from zenflow.engine.actions.free_actions import FreeWork
from zenflow.engine.context import Context
from zenflow.engine.expansion.readiness import TOLERATES_MISSING_INPUTS, Block, Decision, Fail, Go, Skip, Wait, decide
from zenflow.engine.files.saver import Saver
from zenflow.engine.model.instances import Frame, Instance, Status
from zenflow.engine.model.ready_queue import Ready
from zenflow.engine.payment.submitter import Submitter
from zenflow.engine.reconciliation.call_binding import rest_unknown
from zenflow.engine.reuse.reuse import Reuser
from zenflow.engine.scheduling.lost_responses import LostResponseResolver
from zenflow.engine.scheduling.subrecipe_runner import Inner
from zenflow.engine.scheduling.worker_pool import WorkerPool
from zenflow.engine.tracking.poller import Watcher
from zenflow.history.events import IntendedCall
from zenflow.history.state import InstanceStatus, Outcome, SubmissionState

FREE_AT_ONCE = 16
LEAST_WAIT_S = 0.001  # a rest of rounding must not become a loop that waits for nothing


class Scheduler:
    """Drives one run with the parts that it is given."""

    def __init__(
        self,
        context: Context,
        submitter: Submitter,
        watcher: Watcher,
        lost_responses: LostResponseResolver,
        saver: Saver,
        free: FreeWork,
        inner: Inner,
    ) -> None:
        self._context = context
        self._submitter = submitter
        self._watcher = watcher
        self._lost_responses = lost_responses
        self._saver = saver
        self._free = free
        self._inner = inner
        self._reuser = Reuser(context)
        self._workers: WorkerPool[tuple[Instance, Mapping[str, Any]]] = WorkerPool(
            FREE_AT_ONCE, self._do_free, context.task_ended
        )
        self._next_round_s = 0.0
        self._ready_since_s: float | None = None
        submitter.on_accepted = self._accepted
        submitter.on_lost = lost_responses.on_lost
        lost_responses.on_found = self._accepted
        watcher.on_call_over = submitter.finished
        watcher.on_retry = self._retry

    # ------------------------------------------------------------------------------------------------------------- rounds

    async def run(self) -> None:
        """Until nothing is left to do in this process. The caller says how the run stands then."""
        context = self._context
        while True:
            context.wake.clear()
            self._work_off_agenda()
            if context.stop.leaving or context.defects or context.recorder.failed is not None:
                return
            if context.blind is not None and not self._workers.is_busy and not self._submitter.is_sending:
                return
            await self._dispatch_if_due()
            self._work_off_agenda()
            if self._is_over():
                return
            context.recorder.notify(self.progress)
            if not context.wake.is_set():
                await self._wait()
            await self._watch_if_due()

    def _is_over(self) -> bool:
        busy = (
            self._workers.is_busy
            or self._saver.is_busy
            or self._submitter.is_sending
            or self._lost_responses.is_busy
            or self._watcher.is_watching
            or self._context.expander.agenda
        )
        return not busy and (len(self._submitter.queue) == 0 or not self._context.takes_new_work)

    async def _wait(self) -> None:
        """Sleep until something happens, or the next round or dispatch is due."""
        context = self._context
        now = context.clock.monotonic_s()
        due = []
        if self._watcher.is_watching:
            due.append(self._next_round_s)
        sends = (
            len(self._submitter.queue) > 0 and self._submitter.has_slots
        )  # with none free, a call that ends wakes us
        if sends and context.takes_new_work and self._ready_since_s is not None:
            due.append(self._ready_since_s + context.limits.watch_least_s)
        wait_s = max(LEAST_WAIT_S, min(due) - now) if due else None
        waker = asyncio.ensure_future(context.wake.wait())
        timer = asyncio.ensure_future(context.clock.sleep(wait_s)) if wait_s is not None else None
        try:
            await asyncio.wait({waker, timer} if timer is not None else {waker}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waker.cancel()
            if timer is not None:
                timer.cancel()

    async def _watch_if_due(self) -> None:
        context = self._context
        if not self._watcher.is_watching or context.clock.monotonic_s() < self._next_round_s:
            return
        await self._watcher.round()
        self._next_round_s = context.clock.monotonic_s() + self._watcher.interval_s()
        self._work_off_agenda()
        await self._dispatch(idle=False)  # what became ready goes out with the round

    async def _dispatch_if_due(self) -> None:
        """When nothing runs, ready calls go out at once, unless siblings of theirs are due within a round."""
        queue, context = self._submitter.queue, self._context
        if not len(queue):
            self._ready_since_s = None
            return
        now = context.clock.monotonic_s()
        if self._ready_since_s is None:
            self._ready_since_s = now
        if not self._submitter.has_slots:
            return
        waited = now - self._ready_since_s >= context.limits.watch_least_s
        if self._submitter.in_flight and not waited:
            return
        if self._workers.is_busy and not waited:
            return
        await self._dispatch(idle=not self._workers.is_busy)

    async def _dispatch(self, idle: bool) -> None:
        await self._submitter.dispatch(idle)
        self._ready_since_s = None if not len(self._submitter.queue) else self._context.clock.monotonic_s()

    # ------------------------------------------------------------------------------------------------------------- agenda

    def _work_off_agenda(self) -> None:
        agenda = self._context.expander.agenda
        while agenda:
            self._consider(agenda.popleft())

    def _consider(self, instance: Instance) -> None:
        if instance.status is not Status.WAITING:
            return
        if self._take_up(instance):
            return
        decision = decide(instance)
        if isinstance(decision, Go):
            found = self._start(instance, decision.params)
            if found is None:
                return
            decision = found
        self._obey(instance, decision)

    def _obey(self, instance: Instance, decision: Decision) -> None:
        context = self._context
        if isinstance(decision, Wait):
            context.expander.wait_for(decision.on, instance)
        elif isinstance(decision, Skip):
            context.skip(instance, decision.reason)
        elif isinstance(decision, Block):
            context.block(instance, decision.by)
        elif isinstance(decision, Fail):
            context.fail(instance, decision.code, decision.message, decision.hint)

    def _start(self, instance: Instance, params: Mapping[str, Any]) -> Decision | None:
        """Hand a ready instance to whoever does such work; a Decision when it turns out that it cannot start."""
        spec = instance.step.spec
        if spec.kind != "recipe" and spec.uses not in TOLERATES_MISSING_INPUTS and self._reuser.take(instance, params):
            return None
        if spec.kind == "tool":
            self._context.instances[instance.address] = instance
            self._submitter.take(instance, dict(params))
            return None
        if spec.kind == "recipe":
            self._inner.open(instance, params)
            return None
        if spec.uses in TOLERATES_MISSING_INPUTS:
            return self._saver.begin(instance)
        if self._context.stop.draining:
            return None  # stays waiting: nothing new is begun
        instance.status = Status.RUNNING
        self._workers.add((instance, params))
        return None

    async def _do_free(self, ready: tuple[Instance, Mapping[str, Any]]) -> None:
        instance, params = ready
        if self._context.stop.draining:
            instance.status = Status.WAITING  # nothing new is begun
        else:
            await self._free.do(instance, params)

    # ----------------------------------------------------------------------------------------------- what was begun before

    def _take_up(self, instance: Instance) -> bool:
        """A paid call that an earlier process began goes on where it stands; it is not made again."""
        journaled = instance.journaled
        if journaled is None or not journaled.submissions:
            return False
        if journaled.status not in (InstanceStatus.RUNNING, InstanceStatus.LATE):
            return False
        self._context.instances[instance.address] = instance
        number, position = journaled.submissions[-1]
        submission = self._context.recorder.state.submissions[number]
        if submission.outcome in (Outcome.REFUSED, Outcome.NOT_CHARGED):
            return False
        if submission.outcome is Outcome.ABANDONED:
            self._context.fail(instance, "ZF641", "given up by a person's decision; its quote stays booked", paid=True)
            return True
        if submission.outcome is Outcome.RELEASED:
            self._context.fail(instance, "ZF641", "given up by a person's decision; it was never charged")
            return True
        if submission.outcome is Outcome.ACCEPTED and submission.calls[position].status == "unknown":
            rest_unknown(self._context, submission, instance)
            return True
        if submission.outcome is Outcome.ACCEPTED and submission.calls[position].status in (
            "failed",
            "produced",
            "lost",
        ):
            return False  # reopened by the resume: it is made again, as a new intent
        instance.status = Status.RUNNING
        self._submitter.in_flight += 1
        return True

    def _accepted(self, submission: SubmissionState) -> None:
        """Watch it; the first look comes when something can be done, not at once."""
        alone = not self._watcher.is_watching
        self._watcher.add(submission)
        look_s = self._context.clock.monotonic_s() + self._watcher.first_poll_s(submission)
        self._next_round_s = look_s if alone else min(self._next_round_s, look_s)
        self._context.wake.set()

    def _retry(self, instance: Instance, call: IntendedCall) -> None:
        tool = instance.step.spec.uses
        self._context.ledger.release_downstream(instance)  # what must follow it is set aside anew with the next try
        self._submitter.again(Ready(instance, tool, call.params, call.try_number + 1))

    def frame_settled(self, frame: Frame) -> None:
        """A recipe used as a step is over: its outputs are its results."""
        self._inner.settled(frame)

    # -------------------------------------------------------------------------------------------------------------- leaving

    async def leave(self) -> None:
        """Stop everything that can be stopped without losing money: a POST on the wire is waited for only when draining."""
        self._workers.close()
        await self._saver.close()
        if not self._context.stop.leaving:
            await self._submitter.wait_for_sending()

    def progress(self) -> Any:
        """A snapshot for whoever draws."""
        from zenflow.engine.reporting.progress import snapshot

        return snapshot(self._context)
