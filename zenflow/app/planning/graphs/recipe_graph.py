"""A recipe's steps and what each reads, offline: the edges come from the expressions and from `needs`.

Expanded, a recipe used as a step is its own steps. An edge then leads to the inner step that reads the input, and from the
inner step that the output names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from zenflow.app.planning.prepare import RecipeRequest, read_recipe
from zenflow.expr.tree import templates_in
from zenflow.recipe.model import Recipe, StepSpec


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One step. `step_id` is its path: `edit`, or `outer/edit` in an expanded recipe."""

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
    nodes: tuple[GraphNode, ...]
    edges: tuple[Edge, ...]


def graph(request: RecipeRequest, *, expand: bool = False) -> RecipeGraph:
    """Return the graph of a recipe. Raises InvalidRecipe."""
    return graph_of(read_recipe(request), expand=expand)


def graph_of(recipe: Recipe, *, expand: bool = False) -> RecipeGraph:
    """Return steps and edges; `expand` opens recipes used as steps, at every depth."""
    walk = _Walk(expand)
    walk.open(recipe, "", {}, ())
    return RecipeGraph(recipe.name, recipe.version, tuple(walk.nodes), tuple(dict.fromkeys(walk.edges)))


@dataclass(frozen=True, slots=True)
class _Read:
    """A step that something reads: its path and the field."""

    source: str
    why: str


@dataclass(slots=True)
class _Walk:
    expand: bool
    nodes: list[GraphNode] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    def open(
        self, recipe: Recipe, prefix: str, given: Mapping[str, tuple[_Read, ...]], waits: tuple[_Read, ...]
    ) -> _Frame:
        """Take in the steps of a recipe. `given`: what each input reads; `waits`: what its first steps wait for."""
        frame = _Frame(recipe, prefix, given)
        for step in recipe.steps.values():
            reads = {name: tuple(frame.reads(written)) for name, written in _fields(step)}
            needs = tuple(read for name in step.needs for read in frame.ends(name, "needs"))
            first = () if needs or any(reads.values()) else waits
            inner = step.recipe if self.expand else None
            if inner is None:
                self._add(prefix + step.id, step, reads, (*needs, *first))
                continue
            handed = {name: tuple(frame.reads(written)) for name, written in step.with_.items()}
            before = (*reads["foreach"], *reads["if"], *needs, *first)
            frame.inner[step.id] = self.open(inner, f"{prefix}{step.id}/", handed, before)
        return frame

    def _add(self, path: str, step: StepSpec, reads: Mapping[str, tuple[_Read, ...]], needs: Iterable[_Read]) -> None:
        self.nodes.append(GraphNode(path, step.uses, step.kind, step.fans_out, step.if_ is not None))
        for name, found in reads.items():
            self.edges += [Edge(read.source, path, read.why, name == "foreach") for read in found]
        self.edges += [Edge(read.source, path, read.why, False) for read in needs]


@dataclass(slots=True)
class _Frame:
    """One recipe as it stands in the graph."""

    recipe: Recipe
    prefix: str
    given: Mapping[str, tuple[_Read, ...]]
    inner: dict[str, _Frame] = field(default_factory=dict)  # of each expanded step

    def reads(self, written: object) -> Iterator[_Read]:
        """Yield the step and field of everything that a value reads of other steps."""
        for _, template in templates_in(written):
            for reference in template.reads:
                names = [part for part in reference.path if isinstance(part, str)]
                if not names:
                    continue
                if reference.root == "steps":
                    yield from self.ends(names[0], names[1] if len(names) > 1 else "")
                elif reference.root == "origin":
                    yield from self.ends(names[0], "origin")
                elif reference.root == "inputs":
                    yield from self.given.get(names[0], ())

    def ends(self, name: str, why: str) -> Iterator[_Read]:
        """Yield where a field of a step comes from: the step, or what makes it inside an expanded one."""
        inner = self.inner.get(name)
        if inner is not None:
            made = tuple(inner.reads(inner.recipe.outputs[why])) if why in inner.recipe.outputs else ()
            yield from made or inner.last(why)
        elif name in self.recipe.steps:
            yield _Read(self.prefix + name, why)

    def last(self, why: str) -> Iterator[_Read]:
        """Yield the steps that no other step of this recipe reads."""
        read = {name for step in self.recipe.steps.values() for name in _names_before(step)}
        for name in self.recipe.steps:
            if name not in read:
                yield from self.ends(name, why)


def _fields(step: StepSpec) -> Iterator[tuple[str, object]]:
    yield "foreach", step.foreach
    yield "if", step.if_
    yield "with", step.with_


def _names_before(step: StepSpec) -> Iterator[str]:
    yield from step.needs
    for _, written in _fields(step):
        for _, template in templates_in(written):
            for reference in template.reads:
                if reference.root in ("steps", "origin") and reference.path:
                    yield str(reference.path[0])
