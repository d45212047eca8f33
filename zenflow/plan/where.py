"""Where the parameters of a step were written."""

from __future__ import annotations

from dataclasses import dataclass

from zenflow.catalog.place import Path
from zenflow.problems import Place
from zenflow.recipe.model import StepSpec


@dataclass(frozen=True, slots=True)
class StepWhere:
    """Answers the catalogue's question for places from a step's own."""

    step: StepSpec

    def key(self, path: Path) -> Place:
        return self.step.places.key("with", *path)

    def value(self, path: Path) -> Place:
        return self.step.places.value("with", *path)

    def uses(self) -> Place:
        return self.step.places.value("uses")
