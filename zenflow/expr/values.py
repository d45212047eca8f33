"""What an expression can give: JSON's values, and two answers that are no value.

`PENDING`-like answers say “not known yet, and this is what is waited for”; `SKIPPED` says “will not come”. Neither ever
reaches the service. A `Lookup` is a place in the scope that can be asked for a name (`steps.generate`), so that the engine
and the plan answer the same expressions from different books.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

Json: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Type:
    """What is known of a value without running. `name` is a JSON type, a media kind, or `any`.

    `asset` is an asset id (text on the wire); `image`, `video`, `audio` are what an input of that type holds *before*
    upload: a path or an address, never an id. For an asset id, `media` says what it shows where that is known.
    """

    name: str = "any"  # any null boolean integer number string array object | image video audio | asset
    items: Type | None = None  # of an array
    fields: Mapping[str, Type] | None = None  # of an object; None: not known
    media: str | None = None  # of an asset: image video audio text
    count: int | None = None  # of an array whose length is known
    most: int | None = field(default=None, compare=False)  # of one that can have no more


ANY = Type()
STRING = Type("string")
WORDS = Type("string", media="text")  # text that is never an asset id, whatever it turns out to be
INTEGER = Type("integer")
NUMBER = Type("number")
BOOLEAN = Type("boolean")
ASSET = Type("asset")


@dataclass(frozen=True, slots=True)
class Pending:
    """Not known yet. `on` names what is waited for, in the words of whoever answers the scope; `type` what is known."""

    on: object = None
    type: Type = ANY


class Skipped:
    """A result that will not come (rule 12). There is one: `SKIPPED`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "SKIPPED"


SKIPPED = Skipped()


@runtime_checkable
class Lookup(Protocol):
    """A name of the scope that answers `.name` and `[key]` lazily."""

    def get(self, key: str | int) -> Value:
        """The value under `key`. Raises `Unknown` when there can be none of that name."""
        ...

    def value(self) -> Value:
        """The plain value, when the lookup itself is used as one. Raises `Unknown` where it has none."""
        ...

    def keys(self) -> Sequence[str]:
        """The names it answers, for messages."""
        ...


Value: TypeAlias = Json | Pending | Skipped | Lookup


def without_skipped(tree: Any) -> Any:
    """The tree as JSON has it: a value that will not come is null, and is left out of a list; so is one still waited for."""
    if tree is SKIPPED or type(tree) is Pending:
        return None
    if isinstance(tree, dict):
        return {key: without_skipped(item) for key, item in tree.items()}
    if isinstance(tree, list):
        return [without_skipped(item) for item in tree if item is not SKIPPED and type(item) is not Pending]
    return tree


class Unknown(Exception):
    """A name that is not there: an error of validation (rule 12), never a null."""

    def __init__(self, key: str | int, known: Sequence[str] = (), of: str = "") -> None:
        super().__init__(f"{of or 'it'} has no `{key}`")
        self.key = key
        self.known = tuple(known)
        self.of = of
