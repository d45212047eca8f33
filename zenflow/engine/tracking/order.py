"""Whether a result can be what its input asked for: size, duration and type, as far as request and result tell. Pure.

`calls[]` is taken to be in the order of `inputs[]` (A5). Results that fit each other's inputs and not their own contradict
that. Liberal: services round sizes and durations, and most say nothing; what cannot be compared contradicts nothing, and a
result that fits no input at all says nothing about the order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import Enum
from typing import Any

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
