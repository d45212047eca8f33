"""All templates of a recipe, gathered once for every check that asks what is read where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zenflow.expr.template import Template
from zenflow.recipe.model import Recipe, StepSpec


@dataclass(frozen=True, slots=True)
class Placed:
    """A template with the step that holds it (None: the recipe itself) and the key under which it stands."""

    template: Template
    step: StepSpec | None
    key: str  # budget max foreach if with outputs; of `with` the parameter: `with.name`


def gather_templates(recipe: Recipe) -> tuple[Placed, ...]:
    """In no particular order of lines; steps in the order of the file."""
    found: list[Placed] = []
    _gather(recipe.budget, None, "budget", found)
    for step in recipe.steps.values():
        if step.max is not None:
            _gather(step.max, step, "max", found)
        if step.foreach is not None:
            _gather(step.foreach, step, "foreach", found)
        if step.if_ is not None:
            _gather(step.if_, step, "if", found)
        for name, value in step.with_.items():
            if type(value) is not str:
                _gather(value, step, f"with.{name}", found)
    _gather(recipe.outputs, None, "outputs", found)
    return tuple(found)


def _gather(value: Any, step: StepSpec | None, key: str, found: list[Placed]) -> None:
    kind = type(value)
    if kind is Template:
        found.append(Placed(value, step, key))
    elif kind is dict:
        for item in value.values():
            _gather(item, step, key, found)
    elif kind is list:
        for item in value:
            _gather(item, step, key, found)
