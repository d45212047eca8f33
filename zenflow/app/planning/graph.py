"""A recipe's steps and what each reads, offline: the edges come from the expressions and from `needs`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zenflow.app.planning.prepare import RecipeRequest, read_recipe
from zenflow.expr.tree import templates_in
from zenflow.recipe.model import Recipe, StepSpec


@dataclass(frozen=True, slots=True)
class Node:
    step_id: str
    uses: str
    kind: str
    fans_out: bool
    conditional: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """`why` is the field that is read, or `needs`."""

    source: str
    target: str
    why: str
    streams: bool  # through `foreach`: one instance starts one instance


@dataclass(frozen=True, slots=True)
class RecipeGraph:
    name: str
    version: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph(request: RecipeRequest) -> RecipeGraph:
    """Raises InvalidRecipe."""
    return graph_of(read_recipe(request))


def graph_of(recipe: Recipe) -> RecipeGraph:
    nodes = tuple(
        Node(step.id, step.uses, step.kind, step.fans_out, step.if_ is not None) for step in recipe.steps.values()
    )
    edges = dict.fromkeys(edge for step in recipe.steps.values() for edge in _edges(step))
    known = tuple(edge for edge in edges if edge.source in recipe.steps)
    return RecipeGraph(recipe.name, recipe.version, nodes, known)


def _edges(step: StepSpec) -> Iterator[Edge]:
    for written, streams in ((step.foreach, True), (step.if_, False), (step.with_, False)):
        for source, why in _reads(written):
            yield Edge(source, step.id, why, streams)
    for needed in step.needs:
        yield Edge(needed, step.id, "needs", False)


def _reads(written: object) -> Iterator[tuple[str, str]]:
    """`(step, field)` of everything that a value reads of other steps."""
    for _, template in templates_in(written):
        for reference in template.reads:
            names = [part for part in reference.path if isinstance(part, str)]
            if reference.root == "steps" and names:
                yield names[0], names[1] if len(names) > 1 else ""
            elif reference.root == "origin" and names:
                yield names[0], "origin"
