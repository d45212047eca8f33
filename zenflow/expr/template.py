"""A text with expressions in it, parsed once. What it gives is worked out in `evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from zenflow.expr.references import Locate, Reference
from zenflow.expr.values import Value
from zenflow.problems import Place

Scope: TypeAlias = Mapping[str, Value]
Run: TypeAlias = Callable[[Scope], Value]


@dataclass(frozen=True, slots=True)
class Expression:
    """What stands between `${{` and `}}`. `run` works it out; `start` is where its source begins in the whole text."""

    source: str
    start: int
    run: Run = field(compare=False, repr=False)
    is_plain: bool = field(default=False, compare=False)  # one dotted reference and nothing else
    existing: Run | None = field(default=None, compare=False, repr=False)  # for readers that take what exists


@dataclass(frozen=True, slots=True)
class Template:
    """Text and expressions in turn. `is_single`: exactly one expression, whose value is given as it is (rule 9)."""

    text: str
    place: Place | None = field(compare=False)
    parts: tuple[str | Expression, ...] = field(compare=False, repr=False)
    is_single: bool = field(compare=False)
    reads: tuple[Reference, ...] = field(compare=False, repr=False)
    locate: Locate | None = field(default=None, compare=False, repr=False)

    @property
    def plain_reference(self) -> Reference | None:
        """The reference, where the whole template is one and nothing else: `${{ steps.a.asset_ids }}`."""
        if self.is_single and isinstance(self.parts[0], Expression) and self.parts[0].is_plain:
            return self.reads[0]
        return None
