"""A directed graph without cycles: an order, a cycle when there is one, the longest way to the end.

Knows nothing of recipes. Written out rather than taken from networkx: importing that costs 100 ms (architecture.md),
twice what `import zenflow` may take, for three functions of a few lines; and the order here is stable (by place in the file).
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


class Cycle(Exception):
    """The graph has a cycle; `path` begins and ends with the same node."""

    def __init__(self, path: Sequence[Hashable]) -> None:
        super().__init__(" → ".join(map(str, path)))
        self.path = tuple(path)


def topological_order(nodes: Sequence[Node], needs: Mapping[Node, Collection[Node]]) -> list[Node]:
    """The nodes so that each comes after what it needs; among equals, in the given order. Raises `Cycle`."""
    position = {node: place for place, node in enumerate(nodes)}
    waiting = {node: {n for n in needs.get(node, ()) if n in position and n != node} for node in nodes}
    loops = [node for node in nodes if node in needs.get(node, ())]
    if loops:
        raise Cycle((loops[0], loops[0]))
    readers = _readers(nodes, waiting)
    ready = [position[node] for node in nodes if not waiting[node]]
    heapq.heapify(ready)
    order: list[Node] = []
    while ready:
        node = nodes[heapq.heappop(ready)]
        order.append(node)
        for reader in readers[node]:
            waiting[reader].discard(node)
            if not waiting[reader]:
                heapq.heappush(ready, position[reader])
    if len(order) < len(nodes):
        raise Cycle(_cycle_in({node: left for node, left in waiting.items() if left}))
    return order


def descendants(order: Sequence[Node], needs: Mapping[Node, Collection[Node]]) -> dict[Node, frozenset[Node]]:
    """Per node, everything that comes after it because of it."""
    readers = _readers(order, needs)
    below: dict[Node, frozenset[Node]] = {}
    for node in reversed(order):
        below[node] = frozenset(readers[node]).union(*(below[reader] for reader in readers[node]))
    return below


def longest_ways(
    order: Sequence[Node], needs: Mapping[Node, Collection[Node]], cost: Mapping[Node, float]
) -> dict[Node, float]:
    """Per node, the longest way from its start to the end of the graph, its own cost included."""
    readers = _readers(order, needs)
    way: dict[Node, float] = {}
    for node in reversed(order):
        way[node] = cost.get(node, 0.0) + max((way[reader] for reader in readers[node]), default=0.0)
    return way


def _readers(nodes: Sequence[Node], needs: Mapping[Node, Collection[Node]]) -> dict[Node, list[Node]]:
    readers: dict[Node, list[Node]] = {node: [] for node in nodes}
    for node in nodes:
        for needed in needs.get(node, ()):
            if needed in readers:
                readers[needed].append(node)
    return readers


def _cycle_in(waiting: Mapping[Node, Collection[Node]]) -> list[Node]:
    """Every node left waits for one that is left: following that comes back to where it was."""
    node, seen = next(iter(waiting)), dict[Node, int]()
    path: list[Node] = []
    while node not in seen:
        seen[node] = len(path)
        path.append(node)
        node = next(n for n in waiting[node] if n in waiting)
    return [*path[seen[node] :], node]
