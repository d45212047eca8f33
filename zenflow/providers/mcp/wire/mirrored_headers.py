"""Arguments that a server wants repeated in HTTP headers (`x-mcp-header`, protocol 2026-07-28, “Custom Headers”).

A tool's input schema marks the arguments. A tool whose marks are invalid gets none of them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

MARK = "x-mcp-header"
PREFIX = "Mcp-Param-"

HeaderMap = Mapping[tuple[str, ...], str]
"""The path of an argument to the name of its header."""

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, 5.6.2
_PLAIN = re.compile(r"[\x20-\x7E]*")
_ENCODED = re.compile(r"=\?base64\?.*\?=")
_SCALARS = ("string", "integer", "boolean")
_ONE_SCHEMA = (
    *("items", "contains", "unevaluatedItems", "additionalProperties", "propertyNames"),
    *("unevaluatedProperties", "not", "if", "then", "else", "contentSchema"),
)
_LIST_OF_SCHEMAS = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAP_OF_SCHEMAS = ("patternProperties", "dependentSchemas", "$defs", "definitions")


def header_maps_of(tools: tuple[Mapping[str, Any], ...]) -> dict[str, HeaderMap]:
    """Return the marked arguments of each tool of a listing that has some."""
    maps: dict[str, HeaderMap] = {}
    for tool in tools:
        schema, name = tool.get("inputSchema"), tool.get("name")
        if isinstance(schema, Mapping) and isinstance(name, str):
            found = marked_arguments(schema)
            if found:
                maps[name] = found
    return maps


def marked_arguments(schema: Mapping[str, Any]) -> dict[tuple[str, ...], str]:
    """Return the marks of an input schema, or nothing where one of them is invalid."""
    found: dict[tuple[str, ...], str] = {}
    for path, part in _positions(schema):
        if MARK not in part:
            continue
        name = part[MARK]
        is_valid = isinstance(name, str) and _TOKEN.fullmatch(name) and part.get("type") in _SCALARS
        if not path or not is_valid:
            return {}
        found[path] = name
    names = [name.lower() for name in found.values()]
    return found if len(set(names)) == len(names) else {}


def mirrored(header_map: HeaderMap, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers for the marked arguments that a call has."""
    headers: dict[str, str] = {}
    for path, name in header_map.items():
        value: Any = arguments
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        text = _as_text(value)
        if text is not None:
            headers[f"{PREFIX}{name}"] = header_value(text)
    return headers


def header_value(text: str) -> str:
    """Return `text` as a header can carry it: as it is, or in the protocol's base64 form."""
    if _PLAIN.fullmatch(text) and text == text.strip() and not _ENCODED.fullmatch(text):
        return text
    return f"=?base64?{base64.b64encode(text.encode()).decode('ascii')}?="


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        return None
    try:
        return str(value)
    except ValueError:  # an integer of more digits than Python writes
        return None


def _positions(root: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...] | None, Mapping[str, Any]]]:
    """Yield each schema inside `root` with its path through `properties`; None where the path leaves them.

    Values of `default`, `enum` and the like are data, not schemas; `$ref` is not followed, so the walk ends.
    """
    stack: list[tuple[tuple[str, ...] | None, Any]] = [((), root)]
    while stack:
        path, part = stack.pop()
        if not isinstance(part, Mapping):
            continue
        yield path, part
        properties = part.get("properties")
        if isinstance(properties, Mapping):
            stack += [(None if path is None else (*path, name), inner) for name, inner in properties.items()]
        stack += [(None, part[key]) for key in _ONE_SCHEMA if key in part]
        for key in _LIST_OF_SCHEMAS:
            inside = part.get(key)
            stack += [(None, inner) for inner in (inside if isinstance(inside, list) else ())]
        for key in _MAP_OF_SCHEMAS:
            inside = part.get(key)
            stack += [(None, inner) for inner in (inside.values() if isinstance(inside, Mapping) else ())]
