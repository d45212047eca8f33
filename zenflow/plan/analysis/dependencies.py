"""Which steps a step needs: those that its expressions read, and those it names in `needs`."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from zenflow.expr.references import Reference
from zenflow.expr.tree import templates_in
from zenflow.problems import Problems
from zenflow.recipe.model import Recipe, StepSpec

CYCLE = "ZF350"


def link(recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """Per step id, the ids that it needs, in reading order; names that are no steps are left to the reference check."""
    return {step.id: needs_of(step, recipe) for step in recipe.steps.values()}


def needs_of(step: StepSpec, recipe: Recipe) -> tuple[str, ...]:
    read = [str(ref.path[0]) for ref in references_of(step) if ref.root == "steps" and ref.path]
    if not step.needs and len(read) < 2:
        return tuple(name for name in read if name in recipe.steps)
    return tuple(name for name in dict.fromkeys((*step.needs, *read)) if name in recipe.steps)


def references_of(step: StepSpec) -> Iterator[Reference]:
    """Everything that a step's expressions read, in `foreach`, `if` and `with`."""
    for written in (step.foreach, step.if_, step.with_):
        if written is None or written is True:
            continue
        for _, template in templates_in(written):
            yield from template.reads


def order_of(recipe: Recipe, needs: dict[str, tuple[str, ...]], problems: Problems) -> list[str]:
    """The step ids in an order in which they could run; on a cycle the file's order, and a problem."""
    try:
        return topological_order(list(recipe.steps), needs)
    except Cycle as cycle:
        first = recipe.steps[str(cycle.path[0])]
        problems.error(CYCLE, f"these steps wait for each other: {cycle}", first.places.root)
        return list(recipe.steps)


Node = TypeVar("Node", bound=Hashable)


class Cycle(Exception):
    """The graph has a cycle; `path` begins and ends with the same node."""

    def __init__(self, path: Sequence[Hashable]) -> None:
        super().__init__(" → ".join(map(str, path)))
        self.path = tuple(path)


def _is_ordered(nodes: Sequence[Node], needs: Mapping[Node, Collection[Node]], position: Mapping[Node, int]) -> bool:
    """Whether each comes after what it needs as they are given, as in most recipes: that is the order then."""
    return all(position.get(needed, -1) < place for place, node in enumerate(nodes) for needed in needs.get(node, ()))


def topological_order(nodes: Sequence[Node], needs: Mapping[Node, Collection[Node]]) -> list[Node]:
    """The nodes so that each comes after what it needs; among equals, in the given order. Raises `Cycle`."""
    position = {node: place for place, node in enumerate(nodes)}
    if _is_ordered(nodes, needs, position):
        return list(nodes)
    sorter = TopologicalSorter({node: [n for n in needs.get(node, ()) if n in position] for node in nodes})
    try:
        sorter.prepare()
    except CycleError as error:
        raise Cycle(error.args[1]) from None
    ready = [position[node] for node in sorter.get_ready()]
    heapq.heapify(ready)
    order: list[Node] = []
    while ready:
        order.append(nodes[heapq.heappop(ready)])
        sorter.done(order[-1])
        for node in sorter.get_ready():
            heapq.heappush(ready, position[node])
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
