"""One watcher for all tasks of a run: a listing by the run's stamp each round, then only what moved is asked for.

Calls are bound to inputs once, from the first answer with exactly as many distinct ids as there are inputs, and known by id
from then on (docs/money.md, “The life of a submission”, row 3). What a call gave is fetched as soon as it is
finished; downstream starts per call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from zenflow.catalog.outputs import media_of
from zenflow.clock import from_iso
from zenflow.engine.context import Context
from zenflow.engine.io.rate_limiter import Kind
from zenflow.engine.model.instances import Instance, Status
from zenflow.engine.reconciliation.call_binding import Binder, rest_unknown
from zenflow.engine.reconciliation.task_lookup import LookupResult, TaskLookup
from zenflow.engine.tracking.lost_results import LostResults
from zenflow.engine.tracking.poll_shortcuts import PollShortcuts
from zenflow.engine.tracking.result_assets import assets_made
from zenflow.engine.tracking.result_order import OrderGuard, OrderVerdict
from zenflow.history import events as e
from zenflow.history.allocation import allocate
from zenflow.history.state import CallState, Outcome, SubmissionState
from zenflow.ids import STAMP_LENGTH
from zenflow.plan.fingerprint import fingerprint_of
from zenflow.providers.base import Call, CallResult, ServiceError, Task, TaskSummary

SLOWEST_ROUND_S = 5.0
DURATIONS_THAT_TELL = 5  # fewer say nothing of how early a task may be done
PART_OF_USUAL = 0.05  # a round is 5 % of the shortest running tool's usual duration, within its bounds
IMAGE_TIMEOUT_S = 30 * 60.0  # docs/money.md, “Budget”
VIDEO_TIMEOUT_S = 3 * 3600.0
TASK_PATIENCE_S = (
    300.0  # a task that answers 404 or 403 is asked for again for this long: what is paid for is not given up
)
RESULT_PATIENCE_S = 180.0  # a completed call whose result is not there yet is asked for again for this long
RESULTS_AT_ONCE = 10  # of one task: as many as the rate lets out in a second


class Watcher:
    """Follows accepted submissions until each of their calls is over."""

    def __init__(self, context: Context, lookup: TaskLookup) -> None:
        self.on_call_over: Callable[[], None] = lambda: None  # a slot is free
        self.on_retry: Callable[[Instance, e.IntendedCall], None] = lambda instance, call: None
        self._context = context
        self._lookup = lookup
        self._binder = Binder(context)
        self._cheap = PollShortcuts(context)
        self._began = context.clock.now()
        self.order = OrderGuard(context)
        self._watched: dict[int, SubmissionState] = {}
        self._followed: dict[int, tuple[str, int | None]] = {}  # how far each task was when all of it was taken in
        self._denied_since_s: dict[str, float] = {}  # tasks that answer 404 or 403 by now, by id
        self._missing_since_s: dict[str, float] = {}  # completed calls without a result, by id
        self._reported: set[str] = set()  # second tasks with a stamp of ours

    @property
    def is_watching(self) -> bool:
        return bool(self._watched)

    def add(self, submission: SubmissionState) -> None:
        """Follow an accepted submission; one that a round has adopted and finished meanwhile needs no more."""
        if not submission.is_settled:
            self._watched[submission.number] = submission

    def interval_s(self) -> float:
        """How long one round lasts: never under the service's 2 s (docs/service.md, “Troubleshooting”)."""
        usual = [self._usual_s(s) for s in self._watched.values()]
        wanted = min(usual, default=0.0) * PART_OF_USUAL
        least = self._context.limits.watch_least_s
        return max(least, min(wanted, SLOWEST_ROUND_S, least * 2.5))

    async def round(self) -> None:
        """Look once, and follow up on what moved. Service trouble leaves everything for the next round."""
        watched = list(self._watched.values())
        if not any(one.needs_lookup for one in self._context.recorder.state.submissions.values()):
            if await self._cheap.nothing_moved(watched):
                self._check_timeouts()
                return
            await self._cheap.wait(watched)
        try:
            lookup_result = await self._lookup.look_up()
        except ServiceError as error:
            if error.trouble != "absent":
                self._meet(error)
                return
            parts = self._context.parts  # a server that does not list: every task is asked for by its id
            lookup_result = LookupResult(parts.clock.now(), parts.clock.monotonic_s(), (), False, error.message)
        await self._adopt_lost_responses(lookup_result)
        self._report_seconds(lookup_result)
        summaries = {task.task_id: task for task in lookup_result.tasks}
        moved = [s for s in list(self._watched.values()) if self._has_moved(s, summaries.get(s.task_id or ""))]
        await asyncio.gather(*(self._follow(s, summaries.get(s.task_id or "")) for s in moved))
        self._check_timeouts()
        await self._lookup.confirm()

    async def _adopt_lost_responses(self, lookup_result: LookupResult) -> None:
        """A listing may show what a lost answer did not say."""
        for submission in list(self._context.recorder.state.submissions.values()):
            if not submission.needs_lookup:
                continue
            seen = any(task.comment.startswith(submission.stamp) for task in lookup_result.tasks)
            if seen and await self._lookup.resolve(submission, lookup_result):
                self.add(submission)

    def _report_seconds(self, lookup_result: LookupResult) -> None:
        """Two tasks with one stamp: a request took effect that was given up, or somebody copied ours (A4, A7)."""
        by_stamp = {s.stamp: s for s in self._context.recorder.state.submissions.values()}
        for task in lookup_result.tasks:
            submission = by_stamp.get(task.comment[:STAMP_LENGTH])
            if submission is None or submission.task_id in (None, task.task_id) or task.task_id in self._reported:
                continue
            self._reported.add(task.task_id)
            self._lookup.report_second(submission, task.task_id)

    def _has_moved(self, submission: SubmissionState, task: TaskSummary | None) -> bool:
        """A task missing from the listing is asked for by its id: listings lag and `query` may be broken."""
        if task is None or not submission.is_bound:
            return True
        if task.is_finished or task.done is None or task.status == "partial":
            return True  # `partial` is said before and after the end, and a call that failed does not count as done
        return self._followed.get(submission.number) != (task.status, task.done)

    async def _follow(self, submission: SubmissionState, seen: TaskSummary | None) -> None:
        """What could not be taken in this time is asked for again in the next round, whether the task moves or not."""
        self._followed.pop(submission.number, None)
        if await self._follow_up(submission, seen) and seen is not None:
            self._followed[submission.number] = (seen.status, seen.done)

    async def _follow_up(self, submission: SubmissionState, seen: TaskSummary | None) -> bool:
        """Take in what is finished. Whether nothing finished was left for later."""
        task_id = submission.task_id or ""
        service = self._context.service
        try:
            task = await service.ask(Kind.POLL, lambda: service.provider.get_task(task_id))
        except ServiceError as error:
            if error.trouble not in ("not_found", "forbidden"):
                self._meet(error)
            elif self._is_denied_for_long(task_id):
                self._leave(submission, error.message, is_listed=seen is not None)
            return False
        self._denied_since_s.pop(task_id, None)
        for instance in self._binder.bind(submission, task):
            self._free_slot(instance)
            rest_unknown(self._context, submission, instance)
        all_taken = True
        if submission.is_bound:
            all_taken = await self._take_calls(submission, task)
        elif task.status == "failed" and not task.calls:
            self._fail_all(submission, "the service reports the task as failed")
        if submission.is_settled:
            self._watched.pop(submission.number, None)
            self._remember_duration(submission)
        return all_taken

    def _remember_duration(self, submission: SubmissionState) -> None:
        """From acceptance to the round that saw it done: what the next plan expects of this tool on this server."""
        if submission.accepted_at is None or any(call.status != "produced" for call in submission.calls):
            return
        accepted = from_iso(submission.accepted_at)
        if submission.adopted or accepted < self._began:
            return  # nobody looked all the while: that it took a night says nothing about the tool
        parts = self._context.parts
        seconds = (parts.clock.now() - accepted).total_seconds()
        model = submission.calls[0].call.params.get("model", "")
        if seconds >= 0:
            parts.journal.remember_duration(parts.provider.server, submission.tool, str(model), seconds)

    def first_poll_s(self, submission: SubmissionState) -> float:
        """How long nothing can be finished yet: the 10th percentile of what the tool has usually taken here."""
        model = str(submission.calls[0].call.params.get("model", ""))
        parts = self._context.parts
        seen = sorted(parts.journal.durations(parts.provider.server, submission.tool, model))
        early = seen[len(seen) // 10] * 0.9 if len(seen) >= DURATIONS_THAT_TELL else 0.0
        return max(early, self.interval_s())

    async def find_lost(self) -> None:
        """Take in paid results that an earlier process could not find. Call it before the run is unfolded again."""
        await LostResults(self._context, self._binder, self._produce).find()

    # --------------------------------------------------------------------------------------------------------- the calls

    async def _take_calls(self, submission: SubmissionState, task: Task) -> bool:
        by_id = {call.call_id: call for call in task.calls}
        finished = []
        for position, state in enumerate(submission.calls):
            call = by_id.get(state.call_id or "")
            if state.status != "waiting" or call is None:
                continue
            if call.status == "completed":
                finished.append((position, state, call))
            elif call.status == "failed" or task.status == "failed":
                self._call_failed(submission, position, state, call)
        rest = iter(finished if not submission.out_of_order else ())

        async def lane() -> None:
            for position, state, call in rest:
                await self._fetch(submission, position, state, call)

        await asyncio.gather(*(lane() for _ in finished[:RESULTS_AT_ONCE]))
        if submission.out_of_order:
            self._suspend(submission)
        return all(state.status != "waiting" for _, state, _ in finished)

    async def _fetch(self, submission: SubmissionState, position: int, state: CallState, call: Call) -> None:
        """The result of one finished call; a result that cannot be found is paid and kept in the books."""
        service = self._context.service
        result: CallResult | None = None
        asset_ids: tuple[str, ...] | None = None
        try:
            result = await service.ask(Kind.RESULT, lambda: service.provider.call_result(call.call_id))
            asset_ids = await assets_made(self._context, submission, position, result)
        except ServiceError as error:
            if error.trouble not in ("not_found", "invalid"):
                self._meet(error)
                return  # the next round asks again
            now_s = self._context.clock.monotonic_s()
            if now_s - self._missing_since_s.setdefault(call.call_id, now_s) < RESULT_PATIENCE_S:
                return
        if state.status != "waiting":
            return
        if result is None or asset_ids is None:
            self._lose_call(submission, position, call, None if result is None else result.output)
        elif self.order.judge(submission, position, result.output) is OrderVerdict.FITS:
            self._produce(submission, position, state, call, result.output, asset_ids)

    def _suspend(self, submission: SubmissionState) -> None:
        """Its results may be another's: what is not taken waits for a person, as what is late waits for a resume."""
        for _ in range(self.order.pause(submission)):
            self.on_call_over()
        self._watched.pop(submission.number, None)

    def _produce(
        self,
        submission: SubmissionState,
        position: int,
        state: CallState,
        call: Call,
        output: Any,
        asset_ids: tuple[str, ...],
    ) -> None:
        share = allocate(submission)[position].charged
        results = {
            "asset_ids": list(asset_ids),
            "asset_id": asset_ids[0] if asset_ids else None,
            "output": output,
            "call_id": call.call_id,
            "task_id": submission.task_id,
            "credits": int(share) if share == int(share) else float(share),
        }
        contents = self._context.recorder.state.contents
        mark = fingerprint_of(submission.tool, state.call.params, contents)
        instance = self._context.instances.get(state.call.instance)
        if instance is None:  # the recipe no longer has it: the fact is kept all the same
            now = self._context.recorder.now()
            address = state.call.instance
            self._context.recorder.record(e.Produced(now, address, results, submission.number, position, share, mark))
        else:
            self._free_slot(instance)
            self._context.produce(
                instance, results, submission=submission.number, position=position, credits=share, fingerprint=mark
            )

    def _free_slot(self, instance: Instance | None) -> None:
        """A call is over. One that rested, late or unknown, gave its slot back when it went to rest."""
        if instance is not None and instance.status is Status.RUNNING:
            self.on_call_over()

    def _call_failed(self, submission: SubmissionState, position: int, state: CallState, call: Call) -> None:
        """The service reports a failure. A declared retry is an intent of its own (docs/money.md, “Budget”)."""
        context, recorder = self._context, self._context.recorder
        message = call.error or "the service reports the call as failed, without a reason"
        recorder.record(e.CallFailed(recorder.now(), submission.number, position, call.call_id, message))
        instance = context.instances.get(state.call.instance)
        self._free_slot(instance)
        if instance is None:
            return
        if tries_of(instance, context) <= instance.step.spec.retry and context.takes_new_work:
            instance.status = Status.WAITING
            self.on_retry(instance, state.call)
            return
        context.fail(instance, "ZF720", message, "It counts as charged until a refund is seen.", paid=True)

    def _fail_all(self, submission: SubmissionState, message: str) -> None:
        for position, state in enumerate(submission.calls):
            if state.status == "waiting":
                self._call_failed(submission, position, state, Call(state.call_id or "", "failed", message))

    def _lose_call(self, submission: SubmissionState, position: int, call: Call, output: Any) -> None:
        """Paid, not retrievable: never submitted again; ids and raw output stay in the record."""
        context, state = self._context, submission.calls[position]
        event = e.NotRetrievable(
            context.recorder.now(), state.call.instance, submission.number, position, call.call_id, output
        )
        context.recorder.record(event)
        instance = context.instances.get(state.call.instance)
        self._free_slot(instance)
        if instance is not None:
            context.suspend(instance, Status.LOST, "paid, and its result cannot be found")

    def _is_denied_for_long(self, task_id: str) -> bool:
        """What is paid for is not given up at the first no, nor in a bad minute."""
        now_s = self._context.clock.monotonic_s()
        return now_s - self._denied_since_s.setdefault(task_id, now_s) >= TASK_PATIENCE_S

    def _leave(self, submission: SubmissionState, message: str, *, is_listed: bool) -> None:
        """Nothing more is asked in this process. A task that is listed still exists: its calls are late. The results of
        another are not retrievable as far as is known; a resume and `fetch` ask for both again."""
        if not is_listed:
            self._lose_task(submission, message)
            return
        late = [state for state in submission.calls if state.status == "waiting"]
        self._rest_late(submission, late, f"the listing shows its task, which answers: {message}")
        self._watched.pop(submission.number, None)

    def _lose_task(self, submission: SubmissionState, message: str) -> None:
        for position, state in enumerate(submission.calls):
            if state.status == "waiting":
                self._lose_call(submission, position, Call(state.call_id or "", "completed", message), None)
        self._watched.pop(submission.number, None)

    # ---------------------------------------------------------------------------------------------------------- the clock

    def _check_timeouts(self) -> None:
        """Past its `timeout` a call is late: parked, in the books, taken up by a resume; nothing is submitted for it."""
        now = self._context.clock.now()
        for submission in list(self._watched.values()):
            if submission.accepted_at is None:
                continue
            age_s = (now - from_iso(submission.accepted_at)).total_seconds()
            late = [s for s in submission.calls if s.status == "waiting" and age_s > self._timeout_s(submission, s)]
            self._rest_late(submission, late, f"still not finished after {age_s:.0f} s")
            waiting = [s for s in submission.calls if s.status == "waiting"]
            if late and len(late) == len(waiting):
                self._watched.pop(submission.number, None)

    def _rest_late(self, submission: SubmissionState, calls: Sequence[CallState], why: str) -> None:
        context = self._context
        for state in calls:
            instance = context.instances.get(state.call.instance)
            if instance is None or instance.status is Status.LATE:
                continue
            context.recorder.record(e.WentLate(context.recorder.now(), state.call.instance, submission.number))
            context.suspend(instance, Status.LATE, why)
            self.on_call_over()

    def _timeout_s(self, submission: SubmissionState, state: CallState) -> float:
        instance = self._context.instances.get(state.call.instance)
        if instance is not None and instance.step.spec.timeout_s is not None:
            return instance.step.spec.timeout_s
        tool = self._context.catalog.tools.get(submission.tool)
        return VIDEO_TIMEOUT_S if tool is not None and media_of(tool) == "video" else IMAGE_TIMEOUT_S

    def _usual_s(self, submission: SubmissionState) -> float:
        instance = self._context.instances.get(submission.calls[0].call.instance)
        planned = self._context.plan_of(instance.step) if instance is not None else None
        return planned.usual_s if planned is not None else 40.0

    def _meet(self, error: ServiceError) -> None:
        """Free questions that went wrong: sign-in and lasting silence stop the run, the rest waits for the next round."""
        if error.trouble in ("sign_in", "unreachable", "rate_limited"):
            self._context.stop_polling(error)


def tries_of(instance: Instance, context: Context) -> int:
    """How many calls of this instance were accepted so far."""
    found = context.recorder.state.instances.get(instance.address)
    return len(found.submissions) if found is not None else 0


def watchable(submissions: Mapping[int, SubmissionState]) -> Sequence[SubmissionState]:
    """Accepted submissions that are not over."""
    return [s for s in submissions.values() if s.outcome is Outcome.ACCEPTED and not s.is_settled]
