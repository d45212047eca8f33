"""Values for inputs that must be given, to price a recipe that nobody runs yet: examples, or the smallest that fit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from zenflow.recipe.model import Recipe

PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAf"
    "FcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ASSET = "00000000-0000-4000-8000-000000000000"


def example_inputs(recipe: Recipe) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield what may be given for the required inputs, as on the command line: texts as words, then as ids of assets."""
    for text in ("example", ASSET):
        words = []
        for name, spec in recipe.inputs.items():
            if spec.required:
                value = _value(spec.schema, text)
                words.append((name, value if isinstance(value, str) else json.dumps(value)))
        yield tuple(words)
        if not words:
            return


def _value(schema: Mapping[str, Any], text: str) -> Any:
    examples, enum = schema.get("examples"), schema.get("enum")
    if isinstance(examples, list) and examples:
        return examples[0]
    if isinstance(enum, list) and enum:
        return enum[0]
    kind = schema.get("type", "string")
    if kind == "array":
        items = schema.get("items")
        one = _value(items if isinstance(items, Mapping) else {}, text)
        return [one] * max(1, int(schema.get("minItems", 1)))
    if kind == "object":
        properties = schema.get("properties")
        known = properties if isinstance(properties, Mapping) else {}
        return {name: _value(known.get(name) or {}, text) for name in schema.get("required", ())}
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("maximum", 1))
    if kind == "boolean":
        return False
    if kind in ("image", "video", "audio"):
        return PICTURE if kind == "image" else ASSET
    return text.ljust(int(schema.get("minLength", 0)), "x")
