"""Where the parameters of a step were written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from zenflow.catalog.field_path import Path
from zenflow.expr.template import Template
from zenflow.problems import Place
from zenflow.recipe.model import PathKey, StepSpec


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


# How validators write places: `inputs[3].ratio: …`, `params.ratio: …`, `ratio: …`.
_PLACED = re.compile(r"(?:\binputs(?:\[\d+\]|[./]\d+)|\bparams)[./]([A-Za-z_][\w.\[\]/]*)")
_BARE = re.compile(r"^\W*([A-Za-z_][\w.\[\]/]*)\s*:")
_PART = re.compile(r"[A-Za-z_]\w*|\d+")


def named_parameter(step: StepSpec, violation: str) -> PathKey:
    """Find the parameter that a violation names, as a path below `with`; empty when it names none, or several."""
    found = _PLACED.search(violation) or _BARE.match(violation)
    if found is not None:
        parts: PathKey = tuple(int(part) if part.isdigit() else part for part in _PART.findall(found[1]))
        if parts and parts[0] in step.with_:
            return parts
    named = [name for name in step.with_ if re.search(rf"\b{re.escape(name)}\b", violation)]
    return (named[0],) if len(named) == 1 else ()


def source_location(step: StepSpec, violation: str) -> Place:
    """Find where the parameter stands that a violation names; the value of `uses` for one that is missing, or none."""
    path = named_parameter(step, violation)
    return step.places.value("with", *path) if path else step.places.value("uses")


def with_source_location(step: StepSpec, violation: str) -> str:
    """Put the recipe's file and line in front of a violation."""
    place = source_location(step, violation)
    return f"{PurePath(place.file).name}:{place.line}:{place.column}: {violation}"
