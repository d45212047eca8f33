"""How a step fans out, and how its instances are named. Shared by plan and engine, so that they cannot disagree.

Rules 15 to 19 of the language page. An instance's *key* is the place of its element in what it comes from: `(2,)` over
a list, `(3, 1)` for the second result of instance 3; a step without `foreach` has the key `()`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from zenflow.expr.template import Template
from zenflow.recipe.model import StepSpec

Key: TypeAlias = tuple[int, ...]


class Fan(Enum):
    NONE = "none"  # no `foreach`: one instance
    LIST = "list"  # a list, or an expression that gives one: known all at once
    MATRIX = "matrix"  # a mapping of names to lists: all combinations, the last name fastest
    STEP = "step"  # `steps.ID`: one per instance of ID, as each comes
    FIELD = "field"  # `steps.ID.FIELD`: one per element, as each comes


@dataclass(frozen=True, slots=True)
class Fanout:
    """`source` and `field` are set for STEP and FIELD only."""

    kind: Fan
    source: str | None = None
    field: str | None = None

    @property
    def streams(self) -> bool:
        return self.kind in (Fan.STEP, Fan.FIELD)


def fanout_of(step: StepSpec) -> Fanout:
    """Which form of `foreach` a step has."""
    written = step.foreach
    if written is None:
        return Fanout(Fan.NONE)
    if isinstance(written, Mapping):
        return Fanout(Fan.MATRIX)
    if isinstance(written, Template):
        plain = step_field_of(written)
        if plain is not None:
            source, field = plain
            return Fanout(Fan.STEP if field is None else Fan.FIELD, source, field)
    return Fanout(Fan.LIST)


def step_field_of(written: Any) -> tuple[str, str | None] | None:
    """`(ID, FIELD)` when a value is exactly one step's field, `(ID, None)` for exactly a step; else None."""
    if not isinstance(written, Template) or written.plain_reference is None:
        return None
    reference = written.plain_reference
    if reference.root != "steps" or not all(type(key) is str for key in reference.path):
        return None
    if len(reference.path) == 1:
        return str(reference.path[0]), None
    return (str(reference.path[0]), str(reference.path[1])) if len(reference.path) == 2 else None


def combinations(lists: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """All combinations as objects, the last name fastest."""
    names = list(lists)
    for values in itertools.product(*lists.values()):
        yield dict(zip(names, values, strict=True))


def address(step_path: str, key: Key) -> str:
    """The name of an instance: `generate.2`, `upscale.3.1`, `upload`; `step_path` already holds the outer instances."""
    return step_path if not key else step_path + "." + ".".join(map(str, key))


def parse_address(text: str) -> tuple[str, Key]:
    """`("upscale", (3, 1))` of `upscale.3.1`; of a nested address, the outer part stays in the step's path."""
    head, slash, last = text.rpartition("/")
    name, *numbers = last.split(".")
    return head + slash + name, tuple(int(number) for number in numbers)
