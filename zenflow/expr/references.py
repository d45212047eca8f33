"""What an expression reads: the edges of the graph come from here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from zenflow.problems import Place

Locate = Callable[[int, int], Place]


@dataclass(frozen=True, slots=True)
class Reference:
    """`steps.generate.asset_ids` is root `steps` and path `("generate", "asset_ids")`; a computed key stands as None.

    `guarded` says that it stands under `default()` or `is defined`, which answer for null and skipped.
    """

    root: str
    path: tuple[str | int | None, ...]
    guarded: bool = False
    spans: tuple[tuple[int, int], ...] = field(default=(), compare=False, repr=False)  # of the root and of each part
    locate: Locate | None = field(default=None, compare=False, repr=False)

    @property
    def place(self) -> Place | None:
        """The whole of it, from the root to the last part."""
        if self.locate is None or not self.spans:
            return None
        return self.locate(self.spans[0][0], self.spans[-1][1])

    def place_of(self, part: int) -> Place | None:
        """One part alone: 0 is the root, 1 the first key."""
        if self.locate is None or part >= len(self.spans):
            return self.place
        return self.locate(*self.spans[part])

    @property
    def words(self) -> str:
        """As it is written: `steps.a[…].b`."""
        parts = [self.root]
        for key in self.path:
            parts.append(f".{key}" if type(key) is str else "[…]" if key is None else f"[{key}]")
        return "".join(parts)
