"""Steps that wait for each other: found in one walk over the references, told by the first of them in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from zenflow.expr.references import Reference
from zenflow.problems import Place, Problems
from zenflow.recipe.checks.templates import Placed
from zenflow.recipe.model import Recipe, StepSpec

Mention: TypeAlias = list[Reference | Place]  # where a step is read or needed; places are made only for knots
Edges: TypeAlias = Mapping[str, Mapping[str, Mention]]  # step → the steps that it waits for


def check_cycles(recipe: Recipe, templates: Sequence[Placed], problems: Problems) -> None:
    """One problem for each knot of steps that cannot begin."""
    edges = _edges(recipe, templates)
    for knot in _knots(edges):
        inside = [
            (_first_place(mentions), reader, read)
            for reader in knot
            for read, mentions in edges[reader].items()
            if read in knot
        ]
        place, reader, read = min(inside)
        path = " → ".join((reader, *_way(edges, knot, read, reader)))
        if reader == read:
            problems.error(
                "ZF323",
                f"the step `{reader}` reads itself",
                place,
                "Inside `foreach`, `previous` is the instance before.",
            )
        else:
            problems.error(
                "ZF323",
                f"these steps wait for each other: {path}",
                place,
                "One of them has to begin without the others.",
            )


def _edges(recipe: Recipe, templates: Sequence[Placed]) -> Edges:
    edges: dict[str, dict[str, Mention]] = {step_id: {} for step_id in recipe.steps}
    for placed in templates:
        if placed.step is None:
            continue
        found = edges[placed.step.id]
        for read in placed.template.reads:
            step_id = read.path[0] if read.root == "steps" and read.path else None
            if type(step_id) is str and step_id in edges:
                found.setdefault(step_id, []).append(read)
    for step in recipe.steps.values():
        for position, step_id in enumerate(step.needs):
            if step_id in edges:
                edges[step.id].setdefault(step_id, []).append(need_place(step, position))
    return edges


def _first_place(mentions: Mention) -> Place:
    places = [mention.place_of(1) if isinstance(mention, Reference) else mention for mention in mentions]
    return min(place for place in places if place is not None)


def need_place(step: StepSpec, position: int) -> Place:
    listed = ("needs", position) in step.places.values
    return step.places.value("needs", position) if listed else step.places.value("needs")


def _knots(edges: Edges) -> list[set[str]]:
    """Strongly connected components that hold a cycle (Tarjan, without recursion)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    knots: list[set[str]] = []
    for start in edges:
        if start in number:
            continue
        work: list[tuple[str, Iterator[str]]] = [(start, iter(edges[start]))]
        number[start] = low[start] = len(number)
        stack.append(start)
        on_stack.add(start)
        while work:
            current, following = work[-1]
            for read in following:
                if read not in number:
                    number[read] = low[read] = len(number)
                    stack.append(read)
                    on_stack.add(read)
                    work.append((read, iter(edges[read])))
                    break
                if read in on_stack:
                    low[current] = min(low[current], number[read])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[current])
                if low[current] == number[current]:
                    knot = _popped(stack, on_stack, current)
                    if len(knot) > 1 or current in edges[current]:
                        knots.append(knot)
    return knots


def _popped(stack: list[str], on_stack: set[str], until: str) -> set[str]:
    knot: set[str] = set()
    while True:
        member = stack.pop()
        on_stack.discard(member)
        knot.add(member)
        if member == until:
            return knot


def _way(edges: Edges, knot: set[str], start: str, goal: str) -> list[str]:
    """The shortest way from one step of a knot to another, both included."""
    came_from: dict[str, str | None] = {start: None}
    queue = [start]
    for current in queue:
        if current == goal:
            break
        for read in edges[current]:
            if read in knot and read not in came_from:
                came_from[read] = current
                queue.append(read)
    way: list[str] = []
    step: str | None = goal
    while step is not None:
        way.append(step)
        step = came_from.get(step)
    return way[::-1]
