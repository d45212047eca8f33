"""The media in a value, found by the schema of its input: paths, addresses, `data:` URLs and asset ids, at any depth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zenflow.media.data_urls import is_data_url, is_web_url
from zenflow.recipe.inputs.media import MEDIA_WORDS
from zenflow.recipe.schema.values import is_uuid


def with_media(value: Any, schema: Mapping[str, Any], change: Callable[[str], str]) -> Any:
    """The value with every medium in it changed; all else as it is."""
    kind, items, properties = schema.get("type"), schema.get("items"), schema.get("properties")
    if kind in MEDIA_WORDS:
        return change(value) if isinstance(value, str) else value
    if kind == "array" and isinstance(items, Mapping) and isinstance(value, list):
        return [with_media(item, items, change) for item in value]
    if kind == "object" and isinstance(properties, Mapping) and isinstance(value, dict):
        return {
            name: with_media(item, properties[name], change) if isinstance(properties.get(name), Mapping) else item
            for name, item in value.items()
        }
    return value


def media_in(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """Every medium in a value, in reading order."""
    found: list[str] = []

    def seen(medium: str) -> str:
        found.append(medium)
        return medium

    with_media(value, schema, seen)
    return found


def is_local_file(medium: str) -> bool:
    """A path, as against an address, a `data:` URL or the id of an asset."""
    return not (is_data_url(medium) or is_web_url(medium) or is_uuid(medium))
