"""Looking for a submission whose answer did not come (docs/money.md, “After a lost answer”).

A look lists the tasks that carry the run's part of the stamp, to the end, and must also find a task that this run is known
to have. Where that control fails, or there is nothing to check it with, the unfiltered listing is read down to the
watermark. Seeing later tasks is no evidence; the balance alone is no evidence.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from zenflow.clock import from_iso
from zenflow.credits import in_words
from zenflow.engine.context import Context
from zenflow.engine.io.rate_limiter import Kind
from zenflow.engine.reconciliation.transactions import TransactionReconciler
from zenflow.history import events as e
from zenflow.history.state import Outcome, RunState, SubmissionState
from zenflow.ids import STAMP_LENGTH, STAMP_RUN_LENGTH
from zenflow.providers.base import ServiceError, Task, TaskSummary

PAGE = 100
MOST_PAGES = 100
COMMENTS_ASKED = 200  # in a process: of tasks that a listing shows without their comments
MARGIN = timedelta(hours=26)  # our clock may be wrong by a zone and a day; the listing is by the service's


@dataclass(frozen=True, slots=True)
class LookupResult:
    """What one look saw: the tasks of this run, and whether that is all of them."""

    begun_at: datetime
    begun_s: float  # by the clock that does not jump
    tasks: tuple[TaskSummary, ...]
    complete: bool
    detail: str


class TaskLookup:
    """Answers one question: what became of this submission?"""

    def __init__(self, context: Context, transactions: TransactionReconciler) -> None:
        self._context = context
        self._transactions = transactions
        self._comments: dict[str, str] = {}  # of tasks that the listing showed without one
        self._closed_s: dict[int, float] = {}  # when this process lost a connection, by the clock that does not jump

    async def confirm(self) -> None:
        """The second witness: the debits of what was accepted."""
        await self._transactions.confirm()

    async def look_up(self) -> LookupResult:
        """One look for every submission of the run at once. Raises ServiceError; also where the sign-in is another's now."""
        context = self._context
        await context.identity.check()
        begun, begun_s = context.clock.now(), context.clock.monotonic_s()
        state = context.recorder.state
        run_part = _run_part(state)
        known = {s.task_id for s in state.submissions.values() if s.task_id is not None}
        tasks = await self._commented(await self._pages(run_part, None), known)
        ours = tuple(task for task in tasks if task.comment.startswith(run_part) or task.task_id in known)
        if known and known & {task.task_id for task in ours}:
            return LookupResult(begun, begun_s, ours, True, f"listed by stamp: {len(ours)} tasks, control found")
        oldest = _oldest_intent(state)
        everything = await self._commented(await self._pages(None, oldest), known)
        ours = tuple(task for task in everything if task.comment.startswith(run_part))
        seen = {task.task_id for task in everything}
        control = not known or bool(known & seen)
        detail = f"listed unfiltered: {len(everything)} tasks, {'control found' if known & seen else 'no control'}"
        return LookupResult(begun, begun_s, ours, control, detail)

    async def _commented(self, tasks: Sequence[TaskSummary], known: Collection[str]) -> Sequence[TaskSummary]:
        """A listing may leave comments out, and so hide our stamps: then tasks that could be a lost one are asked for."""
        submissions = self._context.recorder.state.submissions.values()
        lost = {(s.tool, len(s.calls)) for s in submissions if s.needs_lookup or s.outcome is Outcome.ABANDONED}
        found: list[TaskSummary] = []
        for task in tasks:
            could_be = not task.comment and task.task_id not in known
            if could_be and any(tool == task.tool and task.total in (None, calls) for tool, calls in lost):
                if task.task_id not in self._comments and len(self._comments) < COMMENTS_ASKED:
                    whole = await self._task(task.task_id)
                    if whole is not None:
                        self._comments[task.task_id] = whole.comment
                task = replace(task, comment=self._comments.get(task.task_id, ""))
            found.append(task)
        return found

    async def listing(self, down_to: datetime | None) -> list[TaskSummary]:
        """The tasks of the account, newest first, whoever made them. Raises ServiceError."""
        return await self._pages(None, down_to)

    async def _pages(self, query: str | None, down_to: datetime | None) -> list[TaskSummary]:
        """Every page of a listing, newest first; the unfiltered one ends at what is older than the oldest open intent."""
        service = self._context.service
        found: dict[str, TaskSummary] = {}
        offset: int | None = 0
        for _ in range(MOST_PAGES):
            page, following = await service.ask(
                Kind.LOOK,
                lambda at=offset: service.provider.list_tasks(query=query, limit=PAGE, offset=at or 0),  # type: ignore[misc]
            )
            found.update((task.task_id, task) for task in page)
            last = page[-1].created_at if page else None
            if following is None or not page or (down_to is not None and last is not None and last < down_to):
                return list(found.values())
            offset = following
        raise ServiceError("server", "the listing of tasks does not end")

    async def resolve(self, submission: SubmissionState, lookup_result: LookupResult) -> bool:
        """Adopt what a look found for one submission; else record what it saw. True when a task was adopted."""
        context = self._context
        known = {s.task_id for s in context.recorder.state.submissions.values() if s.task_id is not None}
        unknown = [task for task in lookup_result.tasks if task.task_id not in known]
        found = [task for task in unknown if task.comment.startswith(submission.stamp)]
        matching = [(task, whole) for task in found if (whole := await self._match(submission, task)) is not None]
        if matching:
            await self._adopt(submission, matching)
            return True
        found += await self._of_another_copy(submission, unknown)
        if submission.outcome is Outcome.ACCEPTED:
            return True
        against = {task.task_id: None for task in found} | dict.fromkeys(self._made_already(submission))
        explained, why_not = await self._explained(submission)
        waited = self._is_after_wait(submission, lookup_result)
        detail = (
            lookup_result.detail if not against else f"{lookup_result.detail}; a task with our stamp holds other inputs"
        )
        detail += why_not
        event = e.LookupRecorded(
            context.recorder.now(),
            submission.number,
            lookup_result.complete and not against,
            waited,
            explained,
            tuple(against),
            detail,
        )
        await context.recorder.commit(event)
        return False

    async def _explained(self, submission: SubmissionState) -> tuple[bool | None, str]:
        """The second and the third witness: every debit is somebody's, and the balance is no lower than they say."""
        explained = await self._transactions.all_debits_attributed(submission)
        missing = await self._transactions.missing_from_balance(submission) if explained else None
        if not missing:
            return explained, ""
        return False, f"; the balance is {in_words(missing)} lower than the transaction list explains"

    async def _match(self, submission: SubmissionState, summary: TaskSummary) -> Task | None:
        """The task, if it is our submission: our stamp, our tool, our number of calls, our inputs."""
        task = await self._task(summary.task_id)
        return task if task is not None and is_ours(submission, task) else None

    async def _of_another_copy(self, submission: SubmissionState, unknown: Sequence[TaskSummary]) -> list[TaskSummary]:
        """Tasks of this run that are no submission of this journal: another copy of it has made them. One that asked for
        just this is adopted; one that may have asked for a part of it is evidence against sending this again."""
        by_stamp = {s.stamp: s for s in self._context.recorder.state.submissions.values()}
        asked = {canonical(call.call.params) for call in submission.calls}
        against = []
        for summary in unknown:
            same_stamp = by_stamp.get(summary.comment[:STAMP_LENGTH])
            if same_stamp is submission or summary.tool != submission.tool:
                continue
            task = await self._task(summary.task_id)
            if same_stamp is not None and task is not None and is_ours(same_stamp, task):
                continue
            inputs = None if task is None else [canonical(one) for one in task.inputs]
            if task is not None and inputs == [canonical(call.call.params) for call in submission.calls]:
                await self._adopt(submission, [(summary, task)])
                return []
            if not inputs or asked.intersection(inputs):
                against.append(summary)
        return against

    def _made_already(self, submission: SubmissionState) -> list[str]:
        """Tasks of other submissions that were accepted for the very calls of this one: refused as far as this journal knew,
        and made all the same, by the service or under another copy."""
        asked = {(call.call.instance, call.call.try_number) for call in submission.calls}
        found = []
        for other in self._context.recorder.state.submissions.values():
            made = {(call.call.instance, call.call.try_number) for call in other.calls}
            if other is not submission and other.task_id is not None and asked & made:
                found.append(other.task_id)
        return found

    async def _task(self, task_id: str) -> Task | None:
        service = self._context.service
        try:
            return await service.ask(Kind.LOOK, lambda: service.provider.get_task(task_id))
        except ServiceError:
            return None

    async def _adopt(self, submission: SubmissionState, matching: Sequence[tuple[TaskSummary, Task]]) -> None:
        """The oldest of several; the others are reported with their price and nothing more is sent."""
        recorder = self._context.recorder
        oldest_first = sorted(matching, key=lambda pair: _age(pair[0]))
        task, whole = oldest_first[0]
        if submission.outcome is Outcome.ACCEPTED:
            return  # the watcher's look and the one for it alone came to the same
        facts: list[e.Event] = [e.Accepted(recorder.now(), submission.number, task.task_id, task.total, adopted=True)]
        if not whole.inputs:
            what = "stamp and tool" if whole.total is None else "stamp, tool and total"
            text = (
                f"task {task.task_id} was adopted for #{submission.number} by {what}: this server does not show inputs"
            )
            facts.append(e.Noted(recorder.now(), "ZF640", text))
        await recorder.commit(*facts)
        for other, _ in oldest_first[1:]:
            self.report_second(submission, other.task_id)

    def report_second(self, submission: SubmissionState, task_id: str) -> None:
        """Another task with the stamp of one that we have: said once, with its price; nothing more is sent for it."""
        recorder = self._context.recorder
        text = f"task {task_id} is a second one with the same stamp ({in_words(submission.quote)})"
        if all(note.message != text for note in recorder.state.notes):
            recorder.record(e.Noted(recorder.now(), "ZF640", text))

    def _wait_ends(self, submission: SubmissionState) -> datetime:
        assert submission.closed_at is not None
        return from_iso(submission.closed_at) + timedelta(seconds=self._context.limits.lost_answer_wait_s)

    def _is_after_wait(self, submission: SubmissionState, lookup_result: LookupResult) -> bool:
        """Wall clocks jump; only of what an earlier process lost is nothing better known."""
        closed_s = self._closed_s.get(submission.number)
        if closed_s is not None:
            return lookup_result.begun_s >= closed_s + self._context.limits.lost_answer_wait_s
        return submission.closed_at is not None and lookup_result.begun_at >= self._wait_ends(submission)

    def lost_now(self, submission: SubmissionState) -> None:
        """The connection of its last attempt is gone, as of this moment."""
        self._closed_s[submission.number] = self._context.clock.monotonic_s()

    def wait_left_s(self, submission: SubmissionState) -> float:
        """Seconds until a look may count as begun after `lost_answer_wait`."""
        closed_s = self._closed_s.get(submission.number)
        if closed_s is not None:
            left_s = closed_s + self._context.limits.lost_answer_wait_s - self._context.clock.monotonic_s()
            return max(0.0, left_s)
        if submission.closed_at is None:
            return 0.0
        return max(0.0, (self._wait_ends(submission) - self._context.clock.now()).total_seconds())


def is_conclusive(submission: SubmissionState) -> bool:
    """Never charged, as far as evidence can say: two complete looks without the stamp, the second begun after
    `lost_answer_wait`, and every debit since the watermark explained at that time."""
    if any(look.found or not look.complete for look in submission.lookups[-1:]):
        return False  # what was seen last counts: another submission may have turned out to be this one
    complete = [look for look in submission.lookups if look.complete and not look.found]
    return len(complete) >= 2 and any(look.after_wait and look.debits_explained for look in complete[1:])


def is_refusal(submission: SubmissionState) -> bool:
    """Whether the last lookup confirms a no that came: complete, without a task, and every debit is explained."""
    last = submission.lookups[-1:]
    return any(look.complete and not look.found and look.debits_explained for look in last)


def is_ours(submission: SubmissionState, task: Task) -> bool:
    """Whether a task is what this submission asked for (docs/money.md, “The stamp”)."""
    if not task.comment.startswith(submission.stamp) or task.tool != submission.tool:
        return False
    if task.total is not None and task.total != len(submission.calls):
        return False
    if not task.inputs:  # a deployment that does not echo them: stamp, tool and number must do
        return True
    asked = [canonical(call.call.params) for call in submission.calls]
    return asked == [canonical(one) for one in task.inputs]


def _age(task: TaskSummary) -> tuple[bool, datetime | None, str]:
    return task.created_at is None, task.created_at, task.task_id


def _run_part(state: RunState) -> str:
    assert state.started is not None
    return state.started.stamp_run[:STAMP_RUN_LENGTH]


def _oldest_intent(state: RunState) -> datetime | None:
    moments = [from_iso(s.intended_at) for s in state.submissions.values() if s.outcome is not Outcome.REFUSED]
    return min(moments) - MARGIN if moments else None


def canonical(value: object) -> str:
    """As text that is equal for equal values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
