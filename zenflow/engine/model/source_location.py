"""From what the service says is wrong with an input to the line of the recipe where that input was written.

Knows how validators write places (`inputs[3].ratio: …`, `params.ratio: …`, `ratio: …`), not what they check.
"""

from __future__ import annotations

import re
from pathlib import Path

from zenflow.problems import Place
from zenflow.recipe.model import PathKey, StepSpec

_PLACED = re.compile(r"(?:\binputs(?:\[\d+\]|[./]\d+)|\bparams)[./]([A-Za-z_][\w.\[\]/]*)")
_BARE = re.compile(r"^\W*([A-Za-z_][\w.\[\]/]*)\s*:")
_PART = re.compile(r"[A-Za-z_]\w*|\d+")


def written_at(step: StepSpec, violation: str) -> Place:
    """Where the parameter stands that a violation names; the value of `uses` for one that is missing, or none."""
    found = _PLACED.search(violation) or _BARE.match(violation)
    if found is not None:
        parts: PathKey = tuple(int(part) if part.isdigit() else part for part in _PART.findall(found[1]))
        if parts and parts[0] in step.with_:
            return step.places.value("with", *parts)
    named = [name for name in step.with_ if re.search(rf"\b{re.escape(name)}\b", violation)]
    if len(named) == 1:
        return step.places.value("with", named[0])
    return step.places.value("uses")


def pointed(step: StepSpec, violation: str) -> str:
    """The violation with the recipe's file and line in front."""
    place = written_at(step, violation)
    return f"{Path(place.file).name}:{place.line}:{place.column}: {violation}"
