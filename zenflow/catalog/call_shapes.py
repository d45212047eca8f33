"""Which calls of one tool are alike for checking and pricing: those that differ only in good values of free fields.

A fan-out of ten thousand calls that differ in a prompt has one shape; it is checked once and its price is asked once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from zenflow.catalog.check import PROMPT_LIMIT, form_of
from zenflow.catalog.model import Tool
from zenflow.catalog.plain_schema import is_uuid
from zenflow.catalog.schema import Schema, is_asset_field, is_prompt_field, is_seed_field
from zenflow.expr.values import Pending, Skipped

Mark: TypeAlias = Callable[[Any], bool]
_PLAIN_TEXT = frozenset({"type", "minLength", "maxLength", "title", "description", "examples", "default"})
_PLAIN_NUMBER = frozenset({"type", "minimum", "maximum", "title", "description", "examples", "default"})


def shape_of(tool: Tool | None, params: Mapping[str, Any]) -> Hashable:
    """Equal for parameters that are checked and priced alike."""
    marks = {} if tool is None else _marks(tool.name, tool.digest, _Held(tool))
    return tuple(
        (name, "*") if name in marks and marks[name](value) else (name, frozen(value)) for name, value in params.items()
    )


def check_key(tool: Tool, params: Mapping[str, Any]) -> Hashable:
    """Equal for parameters of whatever steps that are checked alike: what a pending value waits for does not matter."""
    marks = _marks(tool.name, tool.digest, _Held(tool))
    return (
        tool.name,
        tool.digest,
        *(
            (name, "*") if name in marks and marks[name](value) else (name, _typed(value))
            for name, value in params.items()
        ),
    )


def _typed(value: Any) -> Hashable:
    kind = type(value)
    if kind is Pending:
        known = value.type
        if known.fields is None and (known.items is None or known.items.items is known.items.fields is None):
            items = None if known.items is None else (known.items.name, known.items.media)
            return ("?", known.name, known.media, known.count, items)
    elif kind is list:
        return ("[", *(_typed(item) for item in value))
    return frozen(value)


def frozen(value: Any) -> Hashable:
    """A hashable twin of a JSON tree with pending leaves. A boolean is no number, so types are part of it."""
    kind = type(value)
    if kind is dict:
        return ("{", *((key, frozen(item)) for key, item in value.items()))
    if kind is list:
        return ("[", *(frozen(item) for item in value))
    if kind is Pending:
        known = value.type
        items = None if known.items is None else (known.items.name, known.items.media)
        on = value.on if isinstance(value.on, Hashable) else None
        return ("?", known.name, known.media, known.count, items, on)
    if isinstance(value, Skipped):
        return ("-",)
    return (kind.__name__, value)


class _Held:
    """Carries a tool past the cache's key: the digest is what is compared."""

    __slots__ = ("tool",)

    def __init__(self, tool: Tool) -> None:
        self.tool = tool

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and (bool(self.tool.digest) or other.tool is self.tool)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=256)
def _marks(name: str, digest: str, held: _Held) -> Mapping[str, Mark]:
    tool = held.tool
    marks: dict[str, Mark] = {}
    for field_name, field in form_of(tool).fields.items():
        if is_prompt_field(field_name, field) and set(field) <= _PLAIN_TEXT:
            marks[field_name] = _text_mark(field)
        elif is_seed_field(field_name) and set(field) <= _PLAIN_NUMBER:
            marks[field_name] = _number_mark(field)
        elif is_asset_field(field_name, field, tool.input_schema) and "array" not in str(field.get("type")):
            marks[field_name] = lambda value: type(value) is str and is_uuid(value)
    return marks


def _text_mark(field: Schema) -> Mark:
    least, most = field.get("minLength", 0), min(field.get("maxLength", PROMPT_LIMIT), PROMPT_LIMIT)
    return lambda value: type(value) is str and least <= len(value) <= most


def _number_mark(field: Schema) -> Mark:
    least, most = field.get("minimum", float("-inf")), field.get("maximum", float("inf"))
    return lambda value: type(value) is int and least <= value <= most
