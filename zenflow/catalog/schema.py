"""Reads a tool's JSON Schema as far as it can be read: its fields, which are required, and what a field is for.

A server's schema may use `$ref`, `allOf`, unions, or words of another draft (facts 3.4: “may use $ref / $defs”).
Nothing here raises on an odd one; what cannot be read is simply not known. Knows nothing of validation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

Schema: TypeAlias = Mapping[str, Any]
Media: TypeAlias = Literal["image", "video", "audio"]

_DEPTH = 16  # of references to references; a ring of them ends here
_ASSET_NAME = re.compile(r"(^|_)(assets?|asset_ids?)(_|$)")
_PROMPT_NAME = re.compile(r"prompt|^text$|^caption$|^lyrics$|^script$|^brief$|^description$")
_SEED_NAME = re.compile(r"(^|_)seeds?$")
_NO_SCHEMA: Schema = {}


def resolved(schema: Any, root: Schema, depth: int = 0) -> Schema:
    """The schema with a local `$ref` followed and an optional (`anyOf: [X, null]`) read as X."""
    if not isinstance(schema, Mapping) or depth > _DEPTH:
        return _NO_SCHEMA
    reference = schema.get("$ref")
    if isinstance(reference, str):
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return {**resolved(_pointed(reference, root), root, depth + 1), **beside}
    for union in ("anyOf", "oneOf", "allOf"):
        branches = schema.get(union)
        if isinstance(branches, list) and "type" not in schema and "properties" not in schema:
            real = [b for b in branches if isinstance(b, Mapping) and b.get("type") != "null"]
            if len(real) == 1:
                beside = {key: value for key, value in schema.items() if key != union}
                return {**resolved(real[0], root, depth + 1), **beside}
    return schema


def _pointed(reference: str, root: Schema) -> Any:
    if not reference.startswith("#"):
        return None
    found: Any = root
    for part in reference[1:].strip("/").split("/") if len(reference) > 1 else ():
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found


def fields_of(schema: Any, root: Schema | None = None, depth: int = 0) -> dict[str, Schema]:
    """Every field that an object of this schema may have, by name, with references followed."""
    root = root if root is not None else (schema if isinstance(schema, Mapping) else _NO_SCHEMA)
    plain = resolved(schema, root)
    found: dict[str, Schema] = {}
    for union in ("anyOf", "oneOf", "allOf"):
        branches = plain.get(union)
        for branch in branches if isinstance(branches, list) and depth < _DEPTH else ():
            found.update(fields_of(branch, root, depth + 1))
    properties = plain.get("properties")
    if isinstance(properties, Mapping):
        found.update({str(name): resolved(field, root) for name, field in properties.items()})
    return found


def required_of(schema: Any, root: Schema | None = None, depth: int = 0) -> tuple[str, ...]:
    """The names that must be there whatever else is said."""
    root = root if root is not None else (schema if isinstance(schema, Mapping) else _NO_SCHEMA)
    plain = resolved(schema, root)
    names = [str(n) for n in plain["required"]] if isinstance(plain.get("required"), list) else []
    branches = plain.get("allOf")
    for branch in branches if isinstance(branches, list) and depth < _DEPTH else ():
        names += required_of(branch, root, depth + 1)
    return tuple(dict.fromkeys(names))


def takes_other_fields(schema: Schema) -> bool:
    """Whether fields beyond the declared ones pass. Silence means no: the service refuses them (docs/service.md,
    “Generation”)."""
    plain = resolved(schema, schema)
    extra = plain.get("additionalProperties")
    return extra is True or isinstance(extra, Mapping) or isinstance(plain.get("patternProperties"), Mapping)


def types_of(field: Schema) -> tuple[str, ...]:
    """The JSON types that a field takes; empty when it does not say."""
    named = field.get("type")
    if isinstance(named, str):
        return (named,)
    if isinstance(named, list):
        return tuple(n for n in named if isinstance(n, str) and n != "null")
    values = field.get("enum")
    if isinstance(values, list) and values and all(isinstance(v, str) for v in values):
        return ("string",)
    if "items" in field:
        return ("array",)
    return ("object",) if "properties" in field else ()


def takes_lists(field: Schema) -> bool:
    return types_of(field) == ("array",)


def item_of(field: Schema, root: Schema) -> Schema:
    """The schema of a list's elements."""
    return resolved(field.get("items"), root)


def is_asset_field(name: str, field: Schema, root: Schema) -> bool:
    """Whether a field holds an asset id, or a list of them: by `format: uuid`, or by its name."""
    element = item_of(field, root) if takes_lists(field) else field
    if element.get("format") == "uuid":
        return True
    kinds = types_of(element)
    return bool(_ASSET_NAME.search(name)) and (not kinds or "string" in kinds) and "enum" not in element


def asset_media(name: str) -> Media | None:
    """What the asset in a field of this name should show; None: not told by the name (`ref_asset`)."""
    if "face" in name or "image" in name:
        return "image"
    if "video" in name:
        return "video"
    return "audio" if "audio" in name or "voice" in name else None


def is_prompt_field(name: str, field: Schema) -> bool:
    """Free text: what it says moves no price (docs/money.md, “Budget”)."""
    return bool(_PROMPT_NAME.search(name)) and types_of(field) == ("string",) and "enum" not in field


def is_seed_field(name: str) -> bool:
    return bool(_SEED_NAME.search(name))


def price_free_fields(schema: Schema) -> frozenset[str]:
    """The fields that are free of price as far as name and form tell: prompt texts, seeds, asset ids."""
    return frozenset(
        name
        for name, field in fields_of(schema).items()
        if is_prompt_field(name, field) or is_seed_field(name) or is_asset_field(name, field, schema)
    )


def default_of(field: Schema) -> Any:
    return field.get("default")
