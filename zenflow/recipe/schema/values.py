"""Values against the JSON Schema fragment of an input or of an action's parameter, and what such a fragment tells of types.

Works on plain values. A `Pending` leaf is held against the fragment's type alone; where it stands is the caller's to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zenflow.expr.types import MEDIA, explain_mismatch, type_name
from zenflow.expr.values import ANY, ASSET, SKIPPED, Pending, Type
from zenflow.foreign_terms import KEYS_OF_A_STEP, parameter_called
from zenflow.patterns import BadPattern, pattern_of
from zenflow.recipe.model import PathKey
from zenflow.suggest import nearest

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MAX_PATTERN_TEXT = 10_000
WORDS_OF_OLD_YAML = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_WORDS = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "image": "an image: a path, a URL, or the UUID of an asset",
    "video": "a video: a path, a URL, or the UUID of an asset",
    "audio": "a sound: a path, a URL, or the UUID of an asset",
}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One reason why a value does not fit."""

    path: PathKey
    kind: str  # type enum range form unknown missing asset
    message: str
    hint: str | None = None


def is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def type_from_schema(schema: Mapping[str, Any]) -> Type:
    """What a fragment tells of the values that fit it."""
    name = schema.get("type", "any")
    if isinstance(name, list):
        words = [word for word in name if word != "null"]
        name = words[0] if len(words) == 1 else "any"
    if name == "string" and schema.get("format") == "uuid":
        return ASSET
    if name == "array":
        items = schema.get("items")
        return Type("array", items=type_from_schema(items) if isinstance(items, Mapping) else ANY)
    if name == "object":
        fields = schema.get("properties")
        known = {key: type_from_schema(inner) for key, inner in fields.items()} if isinstance(fields, Mapping) else None
        return Type("object", fields=known)
    return Type(str(name)) if name != "any" else ANY


def mismatches(value: Any, schema: Mapping[str, Any], path: PathKey = ()) -> Iterator[Mismatch]:
    """Everything that is wrong with a value. A null leaf is not sent (rule 13), and so is wrong only where required."""
    if type(value) is Pending:
        why = explain_mismatch(value.type, type_from_schema(schema))
        if why is not None:
            yield Mismatch(path, "type", why)
        return
    if value is SKIPPED:
        return
    wrong = _wrong_type(value, schema)
    if wrong is not None:
        yield Mismatch(path, "type", wrong, _fix(value, schema))
        return
    if "enum" in schema and value not in schema["enum"]:
        yield _not_in_enum(value, schema["enum"], path)
    if type(value) is str:
        yield from _text(value, schema, path)
    elif type(value) in (int, float):
        yield from _number(value, schema, path)
    elif type(value) is list:
        yield from _list(value, schema, path)
    elif type(value) is dict:
        yield from _mapping(value, schema, path)


def _wrong_type(value: Any, schema: Mapping[str, Any]) -> str | None:
    name = schema.get("type", "any")
    fits = {
        "string": type(value) is str,
        "integer": type(value) is int,
        "number": type(value) in (int, float),
        "boolean": type(value) is bool,
        "array": type(value) is list,
        "object": type(value) is dict,
        "null": value is None,
    }
    if name == "any" or fits.get(name, type(value) is str):
        return None
    return f"expected {_WORDS.get(name, name)}, found {shown(value)}"


def _fix(value: Any, schema: Mapping[str, Any]) -> str | None:
    name = schema.get("type")
    if name != "string" and type(value) is str and ("{{" in value or value.startswith("$")):
        return "An expression stands in `${{ }}`: `${{ steps.ID.asset_ids }}`, `${{ inputs.NAME }}`."
    if type(value) is list and name not in {"array", "any", "object"}:
        return "One value; for each of several, write the list as `foreach` of the step, and here `${{ item }}`."
    if name == "string" and type(value) in (int, float, bool):
        return f'Write it in quotes: "{json.dumps(value)}".'
    if (
        type(value) is str
        and name in {"integer", "number", "boolean"}
        and re.fullmatch(r"-?\d+(\.\d+)?|true|false", value)
    ):
        return f"Write it without quotes: {value}."
    if name == "boolean" and type(value) is str and value.lower() in WORDS_OF_OLD_YAML:
        return f"`{value}` is text in YAML 1.2: write `{WORDS_OF_OLD_YAML[value.lower()]}`."
    if name == "array" and type(value) is not dict:
        return "Write a list: `[ … ]`."
    return None


def _not_in_enum(value: Any, allowed: list[Any], path: PathKey) -> Mismatch:
    words = [str(item) if type(item) is str else json.dumps(item) for item in allowed]
    near = nearest(value, words) if type(value) is str else None
    listing = ", ".join(f"`{word}`" for word in words[:20])
    hint = f"Did you mean `{near}`? Allowed: {listing}." if near else f"Allowed: {listing}."
    return Mismatch(path, "enum", f"{shown(value)} is not one of the allowed values", hint)


def _text(value: str, schema: Mapping[str, Any], path: PathKey) -> Iterator[Mismatch]:
    low, high = schema.get("minLength"), schema.get("maxLength")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        hint = "A pair such as `\\ud83d\\ude3a` is one character; write both halves, or the character itself."
        yield Mismatch(path, "form", "the text holds half a character, which cannot be sent", hint)
    if low is not None and len(value) < low:
        yield Mismatch(
            path,
            "range",
            "the text is empty" if not value else f"the text has {len(value)} characters; it needs at least {low}",
        )
    if high is not None and len(value) > high:
        yield Mismatch(path, "range", f"the text has {len(value):,} characters; at most {high:,} are allowed")
    pattern = schema.get("pattern")
    if type(pattern) is str and len(value) <= _MAX_PATTERN_TEXT:
        try:
            fits = pattern_of(pattern).is_in(value)
        except BadPattern:
            fits = True  # the recipe's check has said so
        if not fits:
            yield Mismatch(path, "form", f"{shown(value)} does not match the pattern `{pattern}`")
    if schema.get("format") == "uuid" and not is_uuid(value):
        yield Mismatch(
            path,
            "asset",
            f"{shown(value)} is no asset id",
            "An asset id is a UUID; a file is uploaded first: `uses: upload`.",
        )


def _number(value: int | float, schema: Mapping[str, Any], path: PathKey) -> Iterator[Mismatch]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and value < low:
        yield Mismatch(path, "range", f"{value} is too small; it must be at least {low}")
    if high is not None and value > high:
        yield Mismatch(path, "range", f"{value} is too large; it must be at most {high}")


def _list(value: list[Any], schema: Mapping[str, Any], path: PathKey) -> Iterator[Mismatch]:
    low, high = schema.get("minItems"), schema.get("maxItems")
    if low is not None and len(value) < low:
        yield Mismatch(path, "range", f"the list has {len(value)} elements; it needs at least {low}")
    if high is not None and len(value) > high:
        yield Mismatch(path, "range", f"the list has {len(value)} elements; at most {high} are allowed")
    items = schema.get("items")
    if isinstance(items, Mapping):
        for position, item in enumerate(value):
            yield from mismatches(item, items, (*path, position))


def _mapping(value: dict[str, Any], schema: Mapping[str, Any], path: PathKey) -> Iterator[Mismatch]:
    properties = schema.get("properties") or {}
    for key in schema.get("required", ()):
        if value.get(key) is None:
            words = describe(properties.get(key, {}))
            yield Mismatch(
                (*path, key), "missing", f"`{key}` is missing", f"Expected: {words.rstrip('.')}." if words else None
            )
    for key, item in value.items():
        if key in properties:
            if item is not None:
                yield from mismatches(item, properties[key], (*path, key))
        elif schema.get("additionalProperties") is False:
            near = parameter_called(key, properties) or nearest(key, properties)
            listing = ", ".join(f"`{name}`" for name in properties)
            step_key = f"`{key}` is a key of the step: it stands beside `with`. " if key in KEYS_OF_A_STEP else ""
            hint = step_key + (f"Did you mean `{near}`? " if near and not step_key else "") + f"Known: {listing}."
            yield Mismatch((*path, key), "unknown", f"unknown `{key}`", hint)


def describe(schema: Mapping[str, Any]) -> str | None:
    """What a value of that fragment is, with an example where there is one."""
    words = schema.get("description") or _WORDS.get(str(schema.get("type")), "")
    examples = schema.get("examples") or ()
    example = f" For example `{examples[0]}`." if examples else ""
    return f"{words}{example}".strip() or None


def shown(value: Any) -> str:
    """A value in a message."""
    if type(value) is str:
        return "text " + json.dumps(value if len(value) <= 40 else value[:39] + "…", ensure_ascii=False)
    if type(value) in (int, float):
        return f"the number {value}"
    if type(value) is bool:
        return f"`{json.dumps(value)}`"
    return type_name(value)


def media_leaves(value: Any, schema: Mapping[str, Any], path: PathKey = ()) -> Iterator[tuple[PathKey, str, str]]:
    """Every text in a value that its fragment calls an image, a video or a sound: path, media kind, text."""
    name = schema.get("type")
    if name in MEDIA and type(value) is str:
        yield path, name, value
    elif type(value) is list and isinstance(schema.get("items"), Mapping):
        for position, item in enumerate(value):
            yield from media_leaves(item, schema["items"], (*path, position))
    elif type(value) is dict and isinstance(schema.get("properties"), Mapping):
        for key, inner in schema["properties"].items():
            if key in value:
                yield from media_leaves(value[key], inner, (*path, key))
