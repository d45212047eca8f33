"""Which steps a step needs: those that its expressions read, and those it names in `needs`."""

from __future__ import annotations

from collections.abc import Iterator

from zenflow.expr.references import Reference
from zenflow.expr.tree import templates_in
from zenflow.plan.analysis.graph import Cycle, topological_order
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
