"""What a person wishes to take from earlier runs, as the command line says it and a saved plan keeps it.

Knows nothing of how results are found (`reuse`), so that a plan that takes nothing loads nothing for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zenflow.recipe.model import Recipe, StepSpec

ANY, LAST = "any", "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReuseOptions:
    """What the command line asks for. `source`: a run, `last` (of this recipe), `any`; None: what the steps say only."""

    source: str | None = None
    redo: tuple[str, ...] = ()  # steps or instances that are made new although there is a result
    start: str | None = None  # `--from STEP`: that step and all that follows it
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # parameters by instance (`zenflow redo`)

    @property
    def is_plain(self) -> bool:
        return self.source is None and not self.redo and self.start is None

    def as_document(self) -> dict[str, Any]:
        return {"source": self.source, "redo": list(self.redo), "from": self.start}


def reuse_options_from(document: Mapping[str, Any]) -> ReuseOptions:
    """As it was kept in a file."""
    source, start = document.get("source"), document.get("from")
    return ReuseOptions(
        source=None if source is None else str(source),
        redo=tuple(map(str, document.get("redo") or ())),
        start=None if start is None else str(start),
    )


def needs_reuse_preview(recipe: Recipe, options: ReuseOptions) -> bool:
    """Whether anything could be taken that changes what is paid: else nothing is looked for."""
    return not options.is_plain or any(spec.reuse is True and spec.uses != "upload" for spec in _all_steps(recipe))


def _all_steps(recipe: Recipe) -> list[StepSpec]:
    found: list[StepSpec] = []
    for spec in recipe.steps.values():
        found.append(spec)
        if spec.recipe is not None:
            found += _all_steps(spec.recipe)
    return found
