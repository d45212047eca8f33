"""How the scripted service shows its tasks: plainly, or with the oddities that a listing and `get_task` may have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.support.service import MadeTask, ScriptedService
from zenflow.providers.base import Call, Task, TaskSummary

LISTED_AS_CREATED_S = 1.0


@dataclass(slots=True)
class ListingFaults:
    """`query`: what the listing's filter does. `calls`: what `get_task` says of the calls."""

    query: Literal["works", "nothing", "ignored"] = "works"
    calls: Literal["plain", "growing", "repeated", "shuffled"] = "plain"
    grows_for_s: float = 6.0  # with "growing": only some of the calls are there for this long
    ends_partial: bool = False  # a task whose calls are over says `partial` for ever
    failed_count_as_done: bool = True
    echoes_inputs: bool = True
    comments_listed: bool = True  # else `get_task` alone shows them
    oldest_rows_first: bool = False  # the list of transactions; the documentation leaves its order open
    stale: tuple[float, float] | None = None  # what came about since the first moment is not listed until the second
    is_bound: Callable[[MadeTask], bool] | None = None  # with "shuffled": whether its calls have their inputs already

    def hides(self, made_s: float, now_s: float) -> bool:
        """Whether a stale replica answers, which does not know a task or a row of that moment yet."""
        return self.stale is not None and self.stale[0] <= made_s and now_s < self.stale[1]

    def matches(self, task: MadeTask, query: str | None) -> bool:
        if query is None or self.query == "ignored":
            return True
        return self.query == "works" and query in task.comment

    def summary(self, task: MadeTask, service: ScriptedService) -> TaskSummary:
        over = [call for call in task.calls if service.is_over(call)]
        done = sum(self.failed_count_as_done or call.fate.error is None for call in over)
        total = len(task.calls)
        finished_at = service.moment(max(c.ends_s for c in task.calls)) if done == total else None
        status = self.status(task, service)
        comment = task.comment if self.comments_listed else ""
        return TaskSummary(task.task_id, task.tool, status, total, done, comment, task.created_at, finished_at)

    def task(self, task: MadeTask, service: ScriptedService) -> Task:
        brief = self.summary(task, service)
        inputs = task.inputs if self.echoes_inputs else ()
        return Task(
            brief.task_id,
            brief.tool,
            brief.status,
            brief.total,
            brief.done,
            task.comment,
            brief.created_at,
            brief.finished_at,
            inputs=inputs,
            calls=tuple(self._calls(task, service)),
            owner_id=task.owner_id,
        )

    def status(self, task: MadeTask, service: ScriptedService) -> str:
        over = [call for call in task.calls if service.is_over(call)]
        if not over:
            young = service.clock.monotonic_s() - task.created_s < LISTED_AS_CREATED_S
            return "created" if young else "processing"
        if len(over) < len(task.calls) or self.ends_partial:
            return "partial"
        return "failed" if all(call.fate.error is not None for call in over) else "completed"

    def _calls(self, task: MadeTask, service: ScriptedService) -> Sequence[Call]:
        age_s = service.clock.monotonic_s() - task.created_s
        found = [_call(call.call_id, service.is_over(call), call.fate.error) for call in task.calls]
        if self.calls == "growing" and age_s < self.grows_for_s:
            return found[: len(found) // 2]
        if self.calls == "repeated":
            return [*found, *found[:1]]
        if self.calls == "shuffled" and self._may_shuffle(task, age_s):
            return found[::-1]
        return found

    def _may_shuffle(self, task: MadeTask, age_s: float) -> bool:
        """Only after they were bound, or could be: A5 holds."""
        return age_s >= self.grows_for_s if self.is_bound is None else self.is_bound(task)


def _call(call_id: str, is_over: bool, error: str | None) -> Call:
    if not is_over:
        return Call(call_id, "processing")
    return Call(call_id, "completed") if error is None else Call(call_id, "failed", error)
