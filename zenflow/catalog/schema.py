"""Reads a tool's JSON Schema as far as it can be read: its fields, which are required, and what a field is for.

A server's schema may use `$ref`, `allOf`, unions, or words of another draft (docs/service.md, “Recorded answers”:
“may use $ref / $defs”).
Nothing here raises on an odd one; what cannot be read is simply not known. Knows nothing of validation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Literal, TypeAlias

Schema: TypeAlias = Mapping[str, Any]
Media: TypeAlias = Literal["image", "video", "audio"]

MOST_FIELDS = 1000
_DEPTH = 16  # of references to references; a ring of them ends here
_ASSET_NAME = re.compile(r"(^|_)(assets?|asset_ids?)(_|$)")
_PROMPT_NAME = re.compile(r"prompt|^text$|^caption$|^lyrics$|^script$|^brief$|^description$")
_SEED_NAME = re.compile(r"(^|_)seeds?$")
_NO_SCHEMA: Schema = {}


def resolved(schema: Any, root: Schema) -> Schema:
    """Return the schema with a local `$ref` followed and an optional (`anyOf: [X, null]`) read as X.

    A keyword whose value has a wrong type is left out, so that whoever reads one need not look again.
    """
    found = _resolved(schema, root, 0)
    wrong = [key for key, value in found.items() if key in _KINDS and not _KINDS[key](value)]
    return {key: value for key, value in found.items() if key not in wrong} if wrong else found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and int(value) == value


_LARGEST = 10**15
_KINDS: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _is_count),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    "multipleOf": lambda value: _is_number(value) and value > 0,
    "properties": lambda value: isinstance(value, Mapping),
    "required": lambda value: isinstance(value, list),
    "enum": lambda value: isinstance(value, list),
    "examples": lambda value: isinstance(value, list),
    "pattern": lambda value: isinstance(value, str),
    "format": lambda value: isinstance(value, str),
}


def _resolved(schema: Any, root: Schema, depth: int) -> Schema:
    if not isinstance(schema, Mapping) or depth > _DEPTH:
        return _NO_SCHEMA
    reference = schema.get("$ref")
    if isinstance(reference, str):
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return {**_resolved(_pointed(reference, root), root, depth + 1), **beside}
    for union in ("anyOf", "oneOf", "allOf"):
        branches = schema.get(union)
        if isinstance(branches, list) and "type" not in schema and "properties" not in schema:
            real = [b for b in branches if isinstance(b, Mapping) and b.get("type") != "null"]
            if len(real) == 1:
                beside = {key: value for key, value in schema.items() if key != union}
                return {**_resolved(real[0], root, depth + 1), **beside}
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


def fields_of(schema: Any) -> dict[str, Schema]:
    """Return the fields that an object of this schema may have, by name, with references followed: 1,000 at most.

    The fields beside a union win over those of its branches, a later branch over one before it.
    """
    root: Schema = schema if isinstance(schema, Mapping) else _NO_SCHEMA
    found: dict[str, Schema] = {}
    for plain in reversed(list(_parts_of(schema, root, ("anyOf", "oneOf", "allOf"), last_first=True))):
        properties = plain.get("properties")
        for name, field in islice(properties.items(), MOST_FIELDS) if isinstance(properties, Mapping) else ():
            if len(found) < MOST_FIELDS or name in found:
                found[str(name)] = resolved(field, root)
    return found


def _parts_of(schema: Any, root: Schema, unions: tuple[str, ...], *, last_first: bool = False) -> Iterator[Schema]:
    """Yield a schema and then the branches of its unions. Each place of the document comes once, however many
    references lead to it: two that lead to each other would otherwise double the walk at every level."""
    seen: set[int] = set()
    stack: list[tuple[Any, int]] = [(schema, 0)]
    while stack:
        part, depth = stack.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        plain = resolved(part, root)
        yield plain
        lists = [plain.get(union) for union in unions] if depth < _DEPTH else []
        branches = [branch for one in lists if isinstance(one, list) for branch in one]
        stack += [(branch, depth + 1) for branch in (branches if last_first else reversed(branches))]


def required_of(schema: Any, root: Schema | None = None) -> tuple[str, ...]:
    """Return the names that must be there whatever else is said."""
    root = root if root is not None else (schema if isinstance(schema, Mapping) else _NO_SCHEMA)
    names: list[str] = []
    for plain in _parts_of(schema, root, ("allOf",)):
        listed = plain.get("required")
        names += [str(name) for name in listed[:MOST_FIELDS]] if isinstance(listed, list) else []
    return tuple(dict.fromkeys(names))[:MOST_FIELDS]


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
