"""How evaluation says no inside the room, before anybody knows where in the recipe that was.

A `Failure` carries the stretch of the expression's own text; `evaluate` turns it into an `ExpressionError` with a place.
"""

from __future__ import annotations

from collections.abc import Sequence

from zenflow.suggest import Patience, nearest

Span = tuple[int, int]  # offsets into the text of the expression; the end is exclusive

ABSENT = "ZF313"  # null where a value is needed, or a key or element that the data does not have
UNKNOWN = "ZF310"  # a name that cannot be there
WRONG_KIND = "ZF311"
NOT_IN_TEXT = "ZF312"
ARITHMETIC = "ZF314"
TOO_LARGE = "ZF315"


class Failure(Exception):
    """Something in an expression cannot be worked out."""

    def __init__(self, code: str, message: str, hint: str | None = None, span: Span | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.span = span

    def at(self, span: Span | None) -> Failure:
        """The same failure; the innermost place that was given stands."""
        if self.span is None:
            self.span = span
        return self


class Missing(Failure):
    """Data that is not there. `default()` and `is defined` answer for it (rule 12); an unknown *name* is no such thing."""

    def __init__(self, message: str, hint: str | None = None, span: Span | None = None) -> None:
        super().__init__(ABSENT, message, hint, span)


def suggestion(word: str, known: Sequence[str], what: str = "There is", patience: Patience | None = None) -> str | None:
    """Did you mean …, and what there is to choose from."""
    if not known:
        return None
    shown = ", ".join(f"`{name}`" for name in known[:20]) + (", …" if len(known) > 20 else "")
    near = nearest(word, known) if patience is None or patience.allows(len(known)) else None
    listing = f"{what}: {shown}."
    return listing if near is None else f"Did you mean `{near}`? {listing}"
