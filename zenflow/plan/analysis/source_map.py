"""Where the parameters of a step were written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zenflow.catalog.field_path import Path
from zenflow.expr.template import Template
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

    def is_computed(self, path: Path) -> bool:
        written: Any = self.step.with_
        for part in path:
            if isinstance(written, Template):
                return True
            known = isinstance(written, dict) and part in written
            known = known or (isinstance(written, list) and isinstance(part, int) and part < len(written))
            if not known:
                return False
            written = written[part]
        return isinstance(written, Template)

    def uses(self) -> Place:
        return self.step.places.value("uses")
