"""What is known of an input that nobody has given yet: the type its declaration promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zenflow.expr.values import ANY, Type

_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object", "image", "video", "audio"})


def input_type(schema: Mapping[str, Any]) -> Type:
    """The type of an input's schema (rule 6), at any depth."""
    name = schema.get("type")
    if name not in _TYPES:
        return ANY
    if name == "array":
        items = schema.get("items")
        most = schema.get("maxItems")
        known = input_type(items) if isinstance(items, Mapping) else ANY
        return Type("array", items=known, most=most if isinstance(most, int) else None)
    if name == "object" and isinstance(schema.get("properties"), Mapping):
        return Type("object", fields={key: input_type(one) for key, one in schema["properties"].items()})
    return Type(str(name))
