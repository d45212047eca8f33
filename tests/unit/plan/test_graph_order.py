"""The graph alone: letters, no recipes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenflow.plan.analysis.dependencies import Cycle, descendants, longest_ways, topological_order


def test_what_is_needed_comes_first_and_the_rest_keeps_its_order() -> None:
    assert topological_order("dcba", {"d": ["a"], "c": [], "b": ["c"]}) == ["c", "b", "a", "d"]


def test_a_cycle_is_told_with_its_path() -> None:
    with pytest.raises(Cycle) as caught:
        topological_order("abcd", {"a": ["b"], "b": ["c"], "c": ["a"], "d": []})
    path = caught.value.path
    assert path[0] == path[-1]
    assert set(path) == set("abc")


def test_a_node_that_needs_itself_is_a_cycle() -> None:
    with pytest.raises(Cycle, match="a → a"):
        topological_order("ab", {"a": ["a"]})


def test_needs_outside_the_graph_do_not_count() -> None:
    assert topological_order("ab", {"a": ["z"]}) == ["a", "b"]


def test_the_longest_way_counts_the_node_itself() -> None:
    needs = {"b": ["a"], "c": ["a"], "d": ["b", "c"]}
    order = topological_order("abcd", needs)
    ways = longest_ways(order, needs, {"a": 1.0, "b": 10.0, "c": 2.0, "d": 1.0})
    assert ways == {"a": 12.0, "b": 11.0, "c": 3.0, "d": 1.0}


def test_descendants_are_counted_once_each_over_a_diamond() -> None:
    needs = {"b": ["a"], "c": ["a"], "d": ["b", "c"]}
    assert descendants(topological_order("abcd", needs), needs)["a"] == frozenset("bcd")


@given(st.dictionaries(st.integers(0, 12), st.sets(st.integers(0, 12), max_size=4), max_size=13))
def test_an_order_respects_every_edge_or_a_real_cycle_is_named(needs: dict[int, set[int]]) -> None:
    nodes = sorted(set(needs) | {n for some in needs.values() for n in some})
    try:
        order = topological_order(nodes, needs)
    except Cycle as cycle:
        steps = list(zip(cycle.path, cycle.path[1:], strict=False))
        assert steps
        assert all(a in needs.get(b, ()) for a, b in steps)  # type: ignore[call-overload]
        return
    place = {node: i for i, node in enumerate(order)}
    assert all(place[need] < place[node] for node in nodes for need in needs.get(node, ()))
