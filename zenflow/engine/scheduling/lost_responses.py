"""Submissions without an answer, until the table of docs/money.md says what became of each: found, not found, still unknown.

While one waits, its instances wait and everything else goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from zenflow.engine.context import Context
from zenflow.engine.io.client import backoff_s
from zenflow.engine.model.instances import Status, StopReason
from zenflow.engine.payment.submitter import Submitter
from zenflow.engine.reconciliation.task_lookup import LookupResult, TaskLookup, is_conclusive, is_refusal
from zenflow.history import events as e
from zenflow.history.state import Outcome, SubmissionState
from zenflow.providers.base import ServiceError

LOOKUPS_AFTER_WAIT = 3
PAUSE_BETWEEN_LOOKUPS_S = 5.0
MOST_NOT_SENT = 40
MOST_UNANSWERED = 2  # attempts of one intent whose outcome is or was unknown; then a person decides


class LostResponseResolver:
    """One small task per submission that waits for a look; they share the brake with everything else."""

    def __init__(self, context: Context, submitter: Submitter, lookup: TaskLookup) -> None:
        self.on_found: Callable[[SubmissionState], None] = lambda submission: None
        self._context = context
        self._submitter = submitter
        self._lookup = lookup
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._why: dict[int, StopReason] = {}  # of submissions that cannot be sent again as they are

    @property
    def is_busy(self) -> bool:
        return bool(self._tasks)

    def on_lost(self, submission: SubmissionState) -> None:
        """Its connection is gone, now: find out what became of it."""
        self._lookup.lost_now(submission)
        self.track(submission)

    def track(self, submission: SubmissionState) -> None:
        """Find out what became of it."""
        if submission.number in self._tasks:
            return
        task = asyncio.create_task(self._resolve(submission))
        self._tasks[submission.number] = task
        task.add_done_callback(lambda done: self._ended(submission, done))

    def _ended(self, submission: SubmissionState, task: asyncio.Task[None]) -> None:
        self._tasks.pop(submission.number, None)
        self._context.task_ended(task)

    async def _resolve(self, submission: SubmissionState) -> None:
        """Rounds of looking and, where nothing was sent, sending again, until one of the classes is reached."""
        begun_s, attempts = self._context.clock.monotonic_s(), submission.attempts
        while submission.needs_lookup:
            if submission.outcome is Outcome.NOT_SENT:
                go_on = await self._not_sent(submission, begun_s, submission.attempts - attempts)
            elif submission.refusal:
                go_on = await self._said_no(submission)
            else:
                go_on = await self._unknown(submission)
            if not go_on and submission.needs_lookup:
                self._suspend(submission)
                return
        if submission.outcome is Outcome.ACCEPTED:
            self.on_found(submission)

    # ------------------------------------------------------------------------------------------------------------ not sent

    async def _not_sent(self, submission: SubmissionState, begun_s: float, repeats: int) -> bool:
        """Wait, look, then send as attempt k+1 of the same intent."""
        context = self._context
        patience_s = context.limits.patience_429_s
        if context.clock.monotonic_s() - begun_s > patience_s or repeats > MOST_NOT_SENT:
            context.stop_run(
                "ZF704", f"the service does not take requests: {submission.detail}", "`zenflow resume RUN`."
            )
            return False
        lookup_result = await self._look_up_until_complete(submission, repeats)
        if submission.outcome is not Outcome.NOT_SENT:
            return True  # found
        if lookup_result is None or not lookup_result.complete:
            return False
        if submission.lookups and submission.lookups[-1].found:
            await self._mark_unknown(submission, "and a task with our stamp holds other inputs")
            return True
        if submission.lookups and submission.lookups[-1].debits_explained is False:
            await self._mark_unknown(submission, "and a debit that nobody explains")
            return True
        return await self._send_again(submission)

    async def _look_up_until_complete(self, submission: SubmissionState, repeats: int) -> LookupResult | None:
        """Wait, then look; a look that failed its control is no look, and is gone on with for `lost_answer_wait`. None when
        there is no looking any more."""
        context = self._context
        until_s = context.clock.monotonic_s() + context.limits.lost_answer_wait_s
        while True:
            repeats += 1
            await context.clock.sleep(max(backoff_s(repeats), context.service.limiter.paused_s))
            if not context.takes_new_work:
                return None
            try:
                lookup_result = await self._lookup.look_up()
            except ServiceError as error:
                context.stop_polling(error)
                return None
            if await self._lookup.resolve(submission, lookup_result) or submission.outcome is not Outcome.NOT_SENT:
                return lookup_result
            if lookup_result.complete or context.clock.monotonic_s() >= until_s:
                return lookup_result

    async def _send_again(self, submission: SubmissionState) -> bool:
        """Attempt k+1, unless something speaks against it: then its branch stops, and nothing else."""
        why_not = await self._submitter.send_again(submission)
        if why_not is not None:
            self._why[submission.number] = why_not
        return why_not is None

    async def _mark_unknown(self, submission: SubmissionState, why: str) -> None:
        """It may have been charged after all, whatever the 401 or 429 said (A2). Now it is unknown."""
        recorder = self._context.recorder
        now, text = recorder.now(), f"{submission.detail}; {why}"
        closed = submission.closed_at or now
        await recorder.commit(e.OutcomeUnknown(now, submission.number, submission.attempts, text, closed))

    # ------------------------------------------------------------------------------------------------------------- unknown

    async def _unknown(self, submission: SubmissionState) -> bool:
        """A look at once, a look after `lost_answer_wait`; then conclusive, or a person's decision."""
        context = self._context
        if await self._look_up_once(submission):
            return True
        wait_s = self._lookup.wait_left_s(submission)
        context.service.status_text = f"looking for a lost answer, {wait_s:.0f} s left"
        if not await self._sleep_until(submission, wait_s):
            return submission.outcome is not Outcome.UNKNOWN
        for number in range(LOOKUPS_AFTER_WAIT):
            if number:
                await context.clock.sleep(PAUSE_BETWEEN_LOOKUPS_S)
            if await self._look_up_once(submission):
                return True
            if is_conclusive(submission):
                if not context.takes_new_work:
                    return False
                return await self._second_attempt(submission)
        return False

    async def _second_attempt(self, submission: SubmissionState) -> bool:
        """Send it once more, and never a third time: a service that hides what it took would charge without end."""
        sent = len(submission.unanswered)
        if sent < MOST_UNANSWERED:
            return await self._send_again(submission)
        text = f"{sent} attempts, none conclusive, and it is not sent again by itself. Last: {submission.detail}"
        hint = f"`zenflow reconcile RUN` shows what is known; `--resubmit {submission.number}` sends it again."
        self._why[submission.number] = StopReason("ZF637", text, hint)
        return False

    async def _said_no(self, submission: SubmissionState) -> bool:
        """The service answered no, in words that no table knows. One complete lookup that finds neither a task nor a debit
        makes that a refusal; one that cannot say so is repeated, and after `lost_answer_wait` a person decides."""
        tries = 0
        while True:
            if await self._look_up_once(submission):
                return True
            if is_refusal(submission):
                await self._submitter.refusal_confirmed(submission)
                return True
            tries += 1
            wait_s = self._lookup.wait_left_s(submission)
            if tries > LOOKUPS_AFTER_WAIT and not wait_s:
                return False
            if not await self._sleep_until(submission, min(wait_s, backoff_s(tries)) or PAUSE_BETWEEN_LOOKUPS_S):
                return submission.outcome is not Outcome.UNKNOWN

    async def _sleep_until(self, submission: SubmissionState, wait_s: float) -> bool:
        """In short stretches: a stop, or the watcher finding it, ends the wait. False when it need not go on."""
        end_s = self._context.clock.monotonic_s() + wait_s
        while self._context.clock.monotonic_s() < end_s:
            if submission.outcome is not Outcome.UNKNOWN or not self._context.takes_new_work:
                return False
            left_s = end_s - self._context.clock.monotonic_s()
            await self._context.clock.sleep(min(1.0, left_s))
        return True

    async def _look_up_once(self, submission: SubmissionState) -> bool:
        """True when it is known what became of it."""
        if submission.outcome is not Outcome.UNKNOWN:
            return True
        try:
            lookup_result = await self._lookup.look_up()
        except ServiceError:
            return False
        return await self._lookup.resolve(submission, lookup_result)

    def _suspend(self, submission: SubmissionState) -> None:
        """Still unknown, or stopped before it could be found out or sent: its branch stops, status 4."""
        context, why = self._context, self._why.pop(submission.number, None)
        for call in submission.calls:
            instance = context.instances.get(call.call.instance)
            if instance is None or instance.is_over:
                continue
            if submission.outcome is Outcome.NOT_SENT:
                context.pause(instance, why or _not_sent_yet(submission))
            else:
                context.suspend(instance, Status.UNKNOWN, _unknown_still(submission), why)
        self._submitter.finished(len(submission.calls))


def _unknown_still(submission: SubmissionState) -> str:
    came = submission.detail.startswith("answered")
    said = "its answer does not say whether it was charged" if came else "its answer did not come"
    return f"{said}: {submission.detail}"


def _not_sent_yet(submission: SubmissionState) -> StopReason:
    said = f"not sent, and not charged as far as the answer says: {submission.detail}"
    return StopReason(
        "ZF636", said, "`zenflow resume RUN` looks for it, then sends it; its credits stay set aside for that."
    )
