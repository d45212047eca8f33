"""Stops a step whose results are plainly not in the order of its inputs (A5): nothing more is sent with its tool, and what
is not taken yet of that submission waits for a person (`zenflow reconcile RUN`).

What the results tell is compared in `order`; here is what follows from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import Enum
from typing import Any

from zenflow.engine.context import Context
from zenflow.engine.model.instances import StopReason
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


RATIO_OFF = 0.12  # 16:9 is made as 1344 × 768
SECONDS_OFF = 0.1
LEAST_SECONDS_OFF = 0.6
DEPTH = 4
_MEDIUM = frozenset({"width", "height", "fps", "frames", "mime_type", "media_type", "content_type", "asset_id", "url"})
_ECHO = frozenset(
    {"request", "input", "inputs", "params", "parameters"}
)  # what was asked, and no measure of what was made
_RATIO = re.compile(r"\s*(\d+(?:\.\d+)?)\s*[:x×/]\s*(\d+(?:\.\d+)?)\s*")
_SECONDS = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:s|sec|seconds)?\s*", re.I)


@dataclass(frozen=True, slots=True)
class MediaTraits:
    """What can be told of a picture, clip or sound; None where nothing is said."""

    ratio: float | None = None  # width by height
    seconds: float | None = None
    kind: str | None = None  # png, jpeg, mp4 …

    def __str__(self) -> str:
        seconds = None if self.seconds is None else f"{self.seconds:g} s"
        ratio = None if self.ratio is None else f"{self.ratio:.2f} wide by 1 high"
        return ", ".join(part for part in (ratio, seconds, self.kind) if part) or "nothing"


def traits_of_request(params: Mapping[str, Any]) -> MediaTraits:
    """What an input asks for."""
    ratio = _ratio(params.get("ratio", params.get("aspect_ratio"))) or _by_sides(
        params.get("width"), params.get("height")
    )
    seconds = _seconds(params.get("duration", params.get("seconds")))
    return MediaTraits(ratio, seconds, kind_of(params.get("output_format")))


def traits_of_output(output: Any) -> MediaTraits:
    """What the output of a call says of what was made."""
    ratio = seconds = kind = None
    for one in _media_in(output, DEPTH):
        ratio = ratio or _by_sides(one.get("width"), one.get("height"))
        seconds = seconds or _seconds(one.get("duration", one.get("duration_s", one.get("duration_seconds"))))
        kind = kind or kind_of(one.get("mime_type") or one.get("media_type") or one.get("content_type"))
    return MediaTraits(ratio, seconds, kind)


class OrderVerdict(Enum):
    FITS = "fits"  # or says nothing that could contradict
    OPEN = "open"  # it fits another input; whether that one's result fits its own is not known yet
    ELSEWHERE = "elsewhere"  # it fits another input, whose own result does not


def compare_order(
    position: int, asked: Sequence[MediaTraits], told: Mapping[int, MediaTraits], waiting: Set[int]
) -> tuple[OrderVerdict, int | None]:
    """On one result among those of its submission that are known; and the input that it fits. `waiting`: whose results are
    still to come. A service that gives the same whatever was asked contradicts no order: one of its results fits its own."""
    if _fits(asked[position], told[position]) is not False:
        return OrderVerdict.FITS, None
    is_open = None
    for other, look in enumerate(asked):
        if look == asked[position] or not _fits(look, told[position]):
            continue
        if other not in told:
            is_open = other if other in waiting else is_open
        elif _fits(look, told[other]) is False:
            return OrderVerdict.ELSEWHERE, other
    return (OrderVerdict.FITS if is_open is None else OrderVerdict.OPEN), is_open


def _fits(asked: MediaTraits, told: MediaTraits) -> bool | None:
    """None where there is nothing to compare."""
    found = []
    if asked.ratio is not None and told.ratio is not None:
        found.append(abs(told.ratio / asked.ratio - 1) <= RATIO_OFF)
    if asked.seconds is not None and told.seconds is not None:
        found.append(abs(told.seconds - asked.seconds) <= max(LEAST_SECONDS_OFF, asked.seconds * SECONDS_OFF))
    if asked.kind is not None and told.kind is not None:
        found.append(asked.kind == told.kind)
    return all(found) if found else None


def _media_in(value: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    if depth and isinstance(value, Mapping):
        if not _MEDIUM.isdisjoint(value):
            yield value
        for key, inner in value.items():
            if key not in _ECHO:
                yield from _media_in(inner, depth - 1)
    elif depth and isinstance(value, list):
        for inner in value:
            yield from _media_in(inner, depth - 1)


def _ratio(value: Any) -> float | None:
    found = _RATIO.fullmatch(value) if isinstance(value, str) else None
    return None if found is None else _by_sides(float(found[1]), float(found[2]))


def _by_sides(width: Any, height: Any) -> float | None:
    sides = [
        side for side in (width, height) if isinstance(side, int | float) and not isinstance(side, bool) and side > 0
    ]
    return sides[0] / sides[1] if len(sides) == 2 else None


def _seconds(value: Any) -> float | None:
    if isinstance(value, str):
        found = _SECONDS.fullmatch(value)
        return None if found is None else float(found[1])
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None


def kind_of(value: Any) -> str | None:
    """`image/jpeg`, `jpg` → jpeg."""
    if not isinstance(value, str) or not value:
        return None
    word = value.partition(";")[0].rpartition("/")[2].strip().lower().removeprefix(".")
    return {"jpg": "jpeg"}.get(word, word)
