"""A quick yes for calls of tools whose schemas are plain: no JSON Schema library is loaded for a call that is right.

`is_plain` reads a whole schema once: only common keywords, each with a value of the right type. For such a schema `fits`
says yes where the library would find nothing. It never says why not: the library does that (`partial_validation`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from zenflow.expr.values import Pending, Skipped
from zenflow.patterns import is_match

_DEPTH = 40
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\Z")
_DIALECTS = ("2020-12", "2019-09", "draft-07", "draft-06")

JSON_TYPES: Mapping[str, frozenset[str]] = {
    "null": frozenset({"null"}),
    "boolean": frozenset({"boolean"}),
    "integer": frozenset({"integer", "number"}),
    "number": frozenset({"integer", "number"}),
    "string": frozenset({"string"}),
    "image": frozenset({"string"}),
    "video": frozenset({"string"}),
    "audio": frozenset({"string"}),
    "asset": frozenset({"string"}),
    "array": frozenset({"array"}),
    "object": frozenset({"object"}),
}
"""Which JSON types a value of a known type may turn out to be."""

_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


class SchemaTrouble(Exception):
    """A schema that cannot be used itself; the text says why."""


def is_uuid(value: object) -> bool:
    """The only format that is checked: the others are hints, and new ones must not stop anybody."""
    return not isinstance(value, str) or bool(_UUID.match(value))


def has_pending(value: Any) -> bool:
    """Whether any part is not known yet (or will not come)."""
    if isinstance(value, dict):
        return any(has_pending(item) for item in value.values())
    if isinstance(value, list):
        return any(has_pending(item) for item in value)
    return isinstance(value, (Pending, Skipped))


# ------------------------------------------------------------------------------------------------------- the schema


def is_plain(schema: Any, root: Mapping[str, Any], depth: int = 0) -> bool:
    """Whether a schema is of the plain kind throughout, and so one that the library accepts."""
    if isinstance(schema, bool):
        return depth > 0
    if not isinstance(schema, Mapping) or depth > _DEPTH:
        return False
    for word, value in schema.items():
        if word in _NOT_PLAIN:
            return False
        check = _WORDS.get(word)
        if check is not None and not check(value):
            return False
        if word == "$ref" and not _has_place(value, root):
            return False
    return all(is_plain(part, root, depth + 1) for part in _parts(schema))


def _parts(schema: Mapping[str, Any]) -> list[Any]:
    parts = [part for word in _MAPS for part in schema.get(word, {}).values()]
    parts += [part for word in _LISTS for part in schema.get(word, ())]
    return parts + [schema[word] for word in _ONES if word in schema]


def _has_place(reference: str, root: Mapping[str, Any]) -> bool:
    """Whether a reference leads to a definition of this schema: they are plain because the whole is."""
    parts = reference.split("/")
    return len(parts) == 3 and parts[0] == "#" and parts[1] in _DEFINITIONS and parts[2] in root.get(parts[1], {})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value) and len(set(value)) == len(value)


def _is_types(value: Any) -> bool:
    if isinstance(value, str):
        return value in _TYPES
    return _is_names(value) and bool(value) and all(one in _TYPES for one in value)


def _is_dialect(value: Any) -> bool:
    return isinstance(value, str) and any(word in value for word in _DIALECTS)


_DEFINITIONS = ("$defs", "definitions")
_MAPS = ("properties", *_DEFINITIONS)
_LISTS = ("anyOf", "allOf")
_ONES = ("items", "additionalProperties")
_WORDS: Mapping[str, Callable[[Any], bool]] = {
    "type": _is_types,
    "required": _is_names,
    "pattern": lambda value: isinstance(value, str) and is_match(value, "") is not None,
    "$schema": _is_dialect,
    **dict.fromkeys(("title", "description", "$comment", "$ref", "format"), _is_text),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _is_count),
    **dict.fromkeys(_MAPS, lambda value: isinstance(value, Mapping)),
    **dict.fromkeys(_LISTS, lambda value: isinstance(value, list) and bool(value)),
    **dict.fromkeys(("enum", "examples"), lambda value: isinstance(value, list)),
    **dict.fromkeys(("deprecated", "readOnly", "writeOnly"), lambda value: isinstance(value, bool)),
}
_NOT_PLAIN = frozenset(
    (
        *("oneOf", "not", "if", "then", "else", "contains", "minContains", "maxContains", "uniqueItems", "multipleOf"),
        *("prefixItems", "additionalItems", "patternProperties", "propertyNames", "minProperties", "maxProperties"),
        *("dependentRequired", "dependentSchemas", "dependencies", "unevaluatedItems", "unevaluatedProperties"),
        *("$id", "id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$vocabulary"),
        *("extends", "disallow", "divisibleBy"),
    )
)


# -------------------------------------------------------------------------------------------------------- the value


def fits(schema: Any, value: Any, root: Mapping[str, Any], depth: int = 0) -> bool:
    """Whether a value surely fits a plain schema. False: ask the library."""
    if isinstance(schema, bool) or isinstance(value, Skipped):
        return schema is not False
    if depth > _DEPTH:
        return False
    if not _leads_on(schema, value, root, depth):
        return False
    if isinstance(value, Pending):
        possible, wanted = JSON_TYPES.get(value.type.name), schema.get("type")
        kinds = {wanted} if isinstance(wanted, str) else set(wanted or ())
        return possible is None or wanted is None or bool(possible & kinds)
    if "type" in schema and not _has_type(value, schema):
        return False
    if not _is_among(schema, value):
        return False
    if isinstance(value, str):
        return _fits_text(schema, value)
    if isinstance(value, list):
        return _fits_list(schema, value, root, depth)
    if isinstance(value, dict):
        return _fits_object(schema, value, root, depth)
    return not _is_number(value) or _fits_number(schema, value)


def _leads_on(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any], depth: int) -> bool:
    reference = schema.get("$ref")
    if reference is not None:
        _, holder, name = reference.split("/")
        if not fits(root[holder][name], value, root, depth + 1):
            return False
    if not all(fits(part, value, root, depth + 1) for part in schema.get("allOf", ())):
        return False
    return "anyOf" not in schema or any(fits(part, value, root, depth + 1) for part in schema["anyOf"])


def _has_type(value: Any, schema: Mapping[str, Any]) -> bool:
    wanted = schema["type"]
    if value is None and schema.get("nullable") is True:
        return True
    return any(_is_of(value, one) for one in ([wanted] if isinstance(wanted, str) else wanted))


def _is_of(value: Any, name: str) -> bool:
    if name == "null":
        return value is None
    if name == "boolean" or isinstance(value, bool):
        return name == "boolean" and isinstance(value, bool)
    if name == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    kinds: dict[str, Any] = {"number": (int, float), "string": str, "array": list, "object": dict}
    return isinstance(value, kinds[name])


def _is_among(schema: Mapping[str, Any], value: Any) -> bool:
    """`enum` and `const`, for scalars of the very same type: the rest is the library's to compare."""
    if ("enum" not in schema and "const" not in schema) or has_pending(value):
        return True
    if isinstance(value, dict | list):
        return False
    allowed = [*schema.get("enum", (value,))]
    if "const" in schema:
        allowed = [one for one in allowed if type(one) is type(schema["const"]) and one == schema["const"]]
    return any(type(one) is type(value) and one == value for one in allowed)


def _fits_text(schema: Mapping[str, Any], value: str) -> bool:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        return False
    if schema.get("format") == "uuid" and not is_uuid(value):
        return False
    return "pattern" not in schema or is_match(schema["pattern"], value) is not False


def _fits_number(schema: Mapping[str, Any], value: float) -> bool:
    if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return False
    over, under = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    return (over is None or value > over) and (under is None or value < under)


def _fits_list(schema: Mapping[str, Any], value: list[Any], root: Mapping[str, Any], depth: int) -> bool:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return False
    return "items" not in schema or all(fits(schema["items"], item, root, depth + 1) for item in value)


def _fits_object(schema: Mapping[str, Any], value: dict[str, Any], root: Mapping[str, Any], depth: int) -> bool:
    known, extra = schema.get("properties", {}), schema.get("additionalProperties", True)
    if any(name not in value for name in schema.get("required", ())):
        return False
    return all(fits(known.get(name, extra), item, root, depth + 1) for name, item in value.items())
