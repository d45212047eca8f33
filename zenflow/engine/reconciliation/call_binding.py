"""Which call is of which input: bound once, and known by id from then on (docs/money.md, “The life of a submission”, row 3).

A task may have taken fewer inputs than were sent (A6): what is there is taken, of the rest nobody knows whether it was made.
Then calls are bound by evidence only: the inputs that the task shows, or inputs that are all alike. Nothing is sent again; a
person decides about the rest (`zenflow reconcile RUN`), and a resume comes to the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from zenflow.engine.context import Context
from zenflow.engine.io.rate_limiter import Kind
from zenflow.engine.model.instances import Instance, Status, StopReason
from zenflow.engine.reconciliation.task_lookup import canonical
from zenflow.history import events as e
from zenflow.history.state import SubmissionState
from zenflow.providers.base import ServiceError, Task

PATIENCE_S = 60.0  # a task that is over may show all of its calls a little later


class Binder:
    """Records what is certain, and nothing else."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._over_since_s: dict[int, float] = {}  # tasks that are over and do not show all of their calls

    def bind(self, submission: SubmissionState, task: Task) -> list[Instance]:
        """From the first answer with exactly as many ids as inputs. The instances whose calls will not be there."""
        if submission.is_bound:
            return []
        recorder = self._context.recorder
        ids = _ids_of(task)
        if len(ids) == len(submission.calls):
            recorder.record(e.Bound(recorder.now(), submission.number, ids))
        elif self._is_short(submission, task, ids):
            bound, said = _part(submission, task, ids)
            recorder.record(e.TookPart(recorder.now(), submission.number, bound, said))
            missing = [call.call.instance for call in submission.calls if call.status == "unknown"]
            found = (self._context.instances.get(address) for address in missing)
            return [instance for instance in found if instance is not None]
        return []

    async def look_up_again(self) -> None:
        """What an earlier process did not see of a task: it may show all of its calls now."""
        service = self._context.service
        for submission in list(self._context.recorder.state.submissions.values()):
            if not submission.is_short or submission.task_id is None:
                continue
            try:
                task = await service.ask(
                    Kind.POLL,
                    lambda one=submission.task_id: service.provider.get_task(one),  # type: ignore[misc]
                )
            except ServiceError:
                continue
            self.bind_whole(submission, task)

    def bind_whole(self, submission: SubmissionState, task: Task) -> None:
        """Bind where the task shows all of its calls, and none contradicts what is bound already."""
        ids = _ids_of(task)
        known = [call.call_id in (None, call_id) for call, call_id in zip(submission.calls, ids, strict=False)]
        if len(ids) == len(submission.calls) and all(known):
            recorder = self._context.recorder
            recorder.record(e.Bound(recorder.now(), submission.number, ids))

    def _is_short(self, submission: SubmissionState, task: Task, ids: Sequence[str]) -> bool:
        """Fewer calls are there than were asked for, and no more will come: the task says so by its number of calls, or has
        been over for so long."""
        asked, now_s = len(submission.calls), self._context.clock.monotonic_s()
        totals = [total for total in (task.total, submission.total) if total is not None]
        if len(ids) > asked or (task.status == "failed" and not ids):
            return False
        if totals and len(ids) == totals[0] < asked:
            return True
        return task.is_finished and now_s - self._over_since_s.setdefault(submission.number, now_s) >= PATIENCE_S


def is_part(submission: SubmissionState, task: Task) -> bool:
    """Whether a task carries the submission's stamp and shows some of its inputs, and no others: it may be what the service
    took of it. A person may say so; it may also be another copy of the journal's."""
    if not task.inputs or task.tool != submission.tool or not task.comment.startswith(submission.stamp):
        return False
    left = Counter(canonical(call.call.params) for call in submission.calls)
    left.subtract(canonical(one) for one in task.inputs)
    return task.total in (None, len(task.inputs)) and min(left.values()) >= 0


def _ids_of(task: Task) -> tuple[str, ...]:
    return tuple(dict.fromkeys(call.call_id for call in task.calls))


def _part(submission: SubmissionState, task: Task, ids: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Which call is of which input, as far as that is certain; and what was seen."""
    asked = [canonical(call.call.params) for call in submission.calls]
    bound = _matched(asked, [canonical(one) for one in task.inputs], ids)
    said = f"task {task.task_id} has {len(ids)} of the {len(asked)} calls that were asked for"
    if ids and not any(bound):
        said += ", and does not tell which"
    return tuple(bound), said


def _matched(asked: Sequence[str], shown: Sequence[str], ids: Sequence[str]) -> list[str]:
    """By position of our inputs the id of its call, or "" where there is none or it cannot be told."""
    nothing = [""] * len(asked)
    if len(set(asked)) == 1:
        return [*ids, *nothing[len(ids) :]]
    if len(shown) != len(ids):
        return nothing
    found = list(nothing)
    for one, call_id in zip(shown, ids, strict=True):
        place = next((n for n, other in enumerate(asked) if other == one and not found[n]), None)
        if place is None:
            return nothing
        found[place] = call_id
    return found


def rest_unknown(context: Context, submission: SubmissionState, instance: Instance) -> None:
    """The call of an instance is not there: it rests until a person has decided."""
    said, hint = "it is not known whether it was made", "`zenflow reconcile RUN` shows it; "
    hint += f"`--write-off {submission.number}` lets a resume make it anew."
    context.suspend(instance, Status.UNKNOWN, said, StopReason("ZF642", submission.shortfall, hint))
