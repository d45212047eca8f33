"""What a recipe says of itself, without reading its steps: for lists of a thousand recipes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zenflow.problems import Problems
from zenflow.recipe.text.reader import decode, parse_yaml

_WANTED = frozenset({"name", "version", "description", "inputs"})
_KEY = re.compile(r"([A-Za-z_][\w-]*)\s*:")
DESCRIPTION_SHOWN = 500


@dataclass(frozen=True, slots=True)
class InputSummary:
    name: str
    type: str
    is_required: bool
    description: str | None = None


@dataclass(frozen=True, slots=True)
class RecipeSummary:
    """`problem`: why there is nothing else."""

    name: str = ""
    version: str = ""
    description: str | None = None
    inputs: tuple[InputSummary, ...] = ()
    problem: str = ""


def summary_of(data: bytes) -> RecipeSummary:
    """Return what the head of a recipe says. A recipe that cannot be read has a problem instead."""
    problems = Problems()
    text = decode(data, "", problems)
    for part in (None if text is None else head_of(text), text):  # an anchor of the head may be in the steps
        found = None if part is None else parse_yaml(part, "", problems)
        if found is not None and isinstance(found.value, dict):
            return _summary(found.value)
    first = next(iter(problems), None)
    return RecipeSummary(problem=first.message if first is not None else "not a recipe")


def head_of(text: str) -> str:
    """Return the lines of the keys that describe a recipe."""
    kept: list[str] = []
    is_wanted = False
    for line in text.splitlines():
        found = _KEY.match(line)
        if found:
            is_wanted = found[1] in _WANTED
        elif line[:1] not in (" ", "\t", "", "#", "-", "}", "]"):
            is_wanted = False
        if is_wanted:
            kept.append(line)
    return "\n".join(kept) + "\n"


def _summary(body: Mapping[str, Any]) -> RecipeSummary:
    inputs = body.get("inputs")
    description = body.get("description")
    return RecipeSummary(
        str(body.get("name") or ""),
        str(body.get("version") or ""),
        description[:DESCRIPTION_SHOWN] if isinstance(description, str) else None,
        tuple(_input(str(name), spec) for name, spec in inputs.items()) if isinstance(inputs, dict) else (),
    )


def _input(name: str, spec: Any) -> InputSummary:
    if not isinstance(spec, dict):
        return InputSummary(name, str(spec or "string"), True)
    description = spec.get("description")
    return InputSummary(
        name,
        str(spec.get("type", "string")),
        "default" not in spec,
        description if isinstance(description, str) else None,
    )
