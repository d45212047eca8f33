"""Where the parts of a call were written: what a check asks so that a problem points at the recipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from zenflow.problems import Place

Path: TypeAlias = tuple[str | int, ...]


class FieldPath(Protocol):
    """Places by path into the parameters; None where nobody wrote it."""

    def key(self, path: Path) -> Place | None: ...

    def value(self, path: Path) -> Place | None: ...

    def uses(self) -> Place | None: ...

    def is_computed(self, path: Path) -> bool:
        """Whether an expression gives the value, so that rewriting what stands there is no advice."""
        ...


class Nowhere:
    """For parameters that no file holds, such as those of a running call."""

    def key(self, path: Path) -> Place | None:
        return None

    def value(self, path: Path) -> Place | None:
        return None

    def uses(self) -> Place | None:
        return None

    def is_computed(self, path: Path) -> bool:
        return False


NOWHERE = Nowhere()


def path_text(path: Sequence[str | int]) -> str:
    """`references[0].asset_id`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
