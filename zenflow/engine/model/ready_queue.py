"""Paid calls that are ready: in which order they go, and in which batches. Pure."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from zenflow.engine.model.instances import Instance


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """One paid call with everything known: its parameters as they will be sent, which try it is.

    `max_batch_size` bounds the batch it may travel in: after a refusal that names no input, a batch is taken apart in halves.
    """

    instance: Instance
    tool: str
    params: Mapping[str, Any]
    try_number: int
    max_batch_size: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Priced:
    """A ready call at its fresh quote; `price_request` is the key under which that was asked."""

    ready: Ready
    quote: Decimal
    price_request: str = ""


class ReadyQueue:
    """Longest way first, or, where the worst case does not fit the budget, shortest: what was begun is finished first."""

    def __init__(self, longest_first: bool) -> None:
        self._sign = -1.0 if longest_first else 1.0
        self._heap: list[tuple[float, tuple[int, ...], int, Ready]] = []
        self._numbers = itertools.count()

    def push(self, ready: Ready, downstream_seconds: float) -> None:
        place = (self._sign * downstream_seconds, ready.instance.key, next(self._numbers), ready)
        heapq.heappush(self._heap, place)

    def pop_up_to(self, count: int) -> list[Ready]:
        """The next calls, in order."""
        return [heapq.heappop(self._heap)[3] for _ in range(min(count, len(self._heap)))]

    def drain(self) -> list[Ready]:
        """All of them; the queue is empty afterwards."""
        found = [place[3] for place in sorted(self._heap)]
        self._heap.clear()
        return found

    def __len__(self) -> int:
        return len(self._heap)


def batches(calls: Sequence[Priced], most: int, max_submission: Decimal) -> list[list[Priced]]:
    """One batch per tool, cut at `most` calls and at `max_submission` credits; at least one call in each."""
    open_batches: dict[str, list[Priced]] = {}
    sums: dict[str, Decimal] = {}
    max_batch_size: dict[str, int] = {}
    done: list[list[Priced]] = []
    for call in calls:
        tool = call.ready.tool
        batch = open_batches.get(tool)
        bound = min(most, max_batch_size.get(tool, most), call.ready.max_batch_size)
        if batch is None or len(batch) >= bound or sums[tool] + call.quote > max_submission:
            batch = open_batches[tool] = []
            sums[tool], max_batch_size[tool] = Decimal(0), most
            done.append(batch)
        batch.append(call)
        max_batch_size[tool] = min(max_batch_size[tool], call.ready.max_batch_size)
        sums[tool] += call.quote
    return done
