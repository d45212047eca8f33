"""Stops a step whose results are plainly not in the order of its inputs (A5): nothing more is sent with its tool, and what
is not taken yet of that submission waits for a person (`zenflow reconcile RUN`).

What the results tell is compared in `order`; here is what follows from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zenflow.engine.context import Context
from zenflow.engine.model.instances import StopReason
from zenflow.engine.tracking.order import MediaTraits, OrderVerdict, compare_order, traits_of_output, traits_of_request
from zenflow.history import events as e
from zenflow.history.state import SubmissionState

OUT_OF_ORDER = "ZF656"
HINT = "`zenflow reconcile RUN` takes your decision; `[limits] batch = 1` sends one call at a time from here on."


class OrderGuard:
    """`on_contradiction` stops what sends: the tool, and why."""

    def __init__(self, context: Context) -> None:
        self.on_contradiction: Callable[[str, StopReason], None] = lambda tool, reason: None
        self._context = context
        self._told: dict[int, dict[int, MediaTraits]] = {}  # by submission and place, of what this process has seen

    def resume(self) -> None:
        """What an earlier process has found is not forgotten."""
        for submission in self._context.recorder.state.submissions.values():
            if submission.out_of_order:
                self.on_contradiction(submission.tool, _stop_run(submission))

    def tells(self, submission: SubmissionState) -> bool:
        """Whether its inputs ask for things that can be told apart."""
        return len({traits_of_request(call.call.params) for call in submission.calls}) > 1

    def judge(self, submission: SubmissionState, position: int, output: Any) -> OrderVerdict:
        """Whether this result may be taken, or must wait for another one, or is not of this input."""
        if submission.order_taken or len(submission.calls) == 1:
            return OrderVerdict.FITS
        return (
            OrderVerdict.ELSEWHERE
            if submission.out_of_order
            else self.check(submission, position, traits_of_output(output))
        )

    def check(self, submission: SubmissionState, position: int, told: MediaTraits) -> OrderVerdict:
        """Compare what results tell with what was asked; a contradiction is recorded, and stops the step."""
        if submission.contradiction or submission.order_taken or told == MediaTraits():
            return OrderVerdict.FITS
        known = self._told.setdefault(submission.number, {})
        known[position] = told
        asked = [traits_of_request(call.call.params) for call in submission.calls]
        waiting = {place for place, call in enumerate(submission.calls) if call.status == "waiting"}
        verdict, other = compare_order(position, asked, known, waiting)
        if verdict is OrderVerdict.ELSEWHERE and other is not None:
            self._contradicted(
                submission,
                f"{submission.calls[position].call.instance} asked for {asked[position]}, and its result is {told}, as "
                f"{submission.calls[other].call.instance} asked for (task {submission.task_id})",
            )
        return verdict

    def _contradicted(self, submission: SubmissionState, text: str) -> None:
        recorder = self._context.recorder
        recorder.record(e.Contradicted(recorder.now(), submission.number, text))
        if not submission.out_of_order:  # all of it was taken already: nothing is left to decide, and it is told
            recorder.record(e.Noted(recorder.now(), OUT_OF_ORDER, text))
        self.on_contradiction(submission.tool, _stop_run(submission))

    def pause(self, submission: SubmissionState) -> int:
        """Its calls that are not taken yet rest; how many of them were running."""
        rested = 0
        for call in submission.calls:
            instance = self._context.instances.get(call.call.instance)
            if call.status == "waiting" and instance is not None and not instance.is_over:
                self._context.pause(instance, StopReason(OUT_OF_ORDER, "its result may be another's", HINT))
                rested += 1
        return rested


def _stop_run(submission: SubmissionState) -> StopReason:
    return StopReason(OUT_OF_ORDER, f"its results are not in the order of its inputs: {submission.contradiction}", HINT)
