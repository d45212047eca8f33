"""Ready calls in any mixture: every call goes once, in its order, and no batch is larger or dearer than it may be."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenflow.engine.model.ready_queue import Priced, Ready, ReadyQueue, batches

pytestmark = pytest.mark.slow

KEYS = st.tuples(st.integers(0, 60), st.integers(0, 3))


def ready(key: tuple[int, ...], tool: str = "draw", max_batch_size: int = 1_000_000) -> Ready:
    instance: Any = SimpleNamespace(key=key)
    return Ready(instance, tool, {}, 1, max_batch_size)


PRICED = st.builds(
    lambda key, tool, max_batch_size, quote: Priced(ready(key, tool, max_batch_size), Decimal(quote)),
    KEYS,
    st.sampled_from(["draw", "enlarge", "animate"]),
    st.sampled_from([1, 2, 5, 1_000_000]),
    st.integers(0, 12),
)


@given(st.lists(PRICED, max_size=200), st.integers(1, 50), st.integers(0, 60).map(Decimal))
def test_every_call_travels_exactly_once_with_calls_of_its_tool(
    calls: list[Priced], most: int, max_submission: Decimal
) -> None:
    found = batches(calls, most, max_submission)
    assert sorted(map(id, (call for batch in found for call in batch))) == sorted(map(id, calls))
    for batch in found:
        assert batch and len({call.ready.tool for call in batch}) == 1


@given(st.lists(PRICED, max_size=200), st.integers(1, 50), st.integers(0, 60).map(Decimal))
def test_no_batch_is_larger_or_dearer_than_it_may_be(calls: list[Priced], most: int, max_submission: Decimal) -> None:
    for batch in batches(calls, most, max_submission):
        assert len(batch) <= most
        assert len(batch) <= min(call.ready.max_batch_size for call in batch)
        assert len(batch) == 1 or sum(call.quote for call in batch) <= max_submission


@given(st.lists(PRICED, max_size=200), st.integers(1, 50), st.integers(0, 60).map(Decimal))
def test_calls_of_one_tool_stay_in_their_order(calls: list[Priced], most: int, max_submission: Decimal) -> None:
    found = batches(calls, most, max_submission)
    for tool in ("draw", "enlarge", "animate"):
        sent = [id(call) for batch in found for call in batch if call.ready.tool == tool]
        assert sent == [id(call) for call in calls if call.ready.tool == tool]


@given(st.lists(PRICED, min_size=1, max_size=120), st.integers(1, 50))
def test_fills_each_batch_before_the_next(calls: list[Priced], most: int) -> None:
    """Few requests: a batch is closed only where the next call has no place in it."""
    bound = Decimal(20)
    found = batches(calls, most, bound)
    for tool in ("draw", "enlarge", "animate"):
        mine = [batch for batch in found if batch[0].ready.tool == tool]
        for batch, following in pairwise(mine):
            first = following[0]
            max_batch_size = min([most, first.ready.max_batch_size, *(call.ready.max_batch_size for call in batch)])
            dear = sum((call.quote for call in batch), Decimal(0)) + first.quote > bound
            assert len(batch) >= max_batch_size or dear


@given(st.lists(st.tuples(KEYS, st.integers(0, 5)), max_size=120), st.booleans(), st.integers(1, 30))
def test_returns_everything_from_the_queue_in_order(
    calls: list[tuple[tuple[int, ...], int]], longest_first: bool, at_once: int
) -> None:
    queue = ReadyQueue(longest_first)
    tails = {}
    for key, tail in calls:
        one = ready(key)
        tails[id(one)] = tail
        queue.push(one, float(tail))
    popped = queue.pop_up_to(at_once)
    for one in popped:  # they did not fit: back they go
        queue.push(one, float(tails[id(one)]))
    order = queue.drain()
    assert len(order) == len(calls) and len(queue) == 0
    sign = -1 if longest_first else 1
    ranks = [(sign * tails[id(one)], one.instance.key) for one in order]
    assert ranks == sorted(ranks)
