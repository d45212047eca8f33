"""A recipe's tree against `recipe.schema.json`: problems with the places that rule 5 names.

The schema file is the only statement of what a recipe may hold. It is checked here by a small walker of our own over
the keywords that the file uses, because jsonschema takes longer for 1,000 steps than everything else together, and
because it knows no lines. `tests/unit/recipe/test_schema_agrees.py` holds the two together: on random mutations of
recipes this walker and jsonschema agree about what is valid.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

Check = Callable[[Any], bool]  # is this value valid?
Schema = Mapping[str, Any]

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: type(value) is str,
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "boolean": lambda value: type(value) is bool,
    "object": lambda value: type(value) is dict,
    "array": lambda value: type(value) is list,
    "null": lambda value: value is None,
}
_ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "title", "description", "examples", "default", "format"})


@lru_cache(maxsize=1)
def recipe_schema() -> dict[str, Any]:
    """The schema file as it is published."""
    text = Path(__file__).with_name("recipe.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def input_fragment() -> Schema:
    """What an input may say, as a part of the schema file."""
    fragment: Schema = recipe_schema()["$defs"]["fragment"]
    return fragment


def is_valid(value: Any) -> bool:
    """The yes or no alone, without places."""
    return _recipe_check()(value)


@lru_cache(maxsize=1)
def _recipe_check() -> Check:
    return _compiled(recipe_schema(), {})


# --- yes or no, fast -----------------------------------------------------------------------------------------------


def _compiled(schema: Schema, known: dict[str, list[Check]]) -> Check:
    """One closure per schema; `$ref` may lead round in a circle, so that it is looked up when it is asked."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        if name not in known:
            known[name] = []
            known[name].append(_compiled(recipe_schema()["$defs"][name], known))
        target = known[name]
        return lambda value: target[0](value)
    checks = [check for keyword in schema if (check := _keyword_check(keyword, schema, known)) is not None]
    return checks[0] if len(checks) == 1 else _every(checks)


def _every(checks: list[Check]) -> Check:
    """A loop and no generator: it runs several times for each value of a recipe."""

    def check(value: Any) -> bool:
        for one in checks:  # noqa: SIM110
            if not one(value):
                return False
        return True

    return check


def _keyword_check(keyword: str, schema: Schema, known: dict[str, list[Check]]) -> Check | None:
    if keyword in _ANNOTATIONS or keyword == "patternProperties":
        return None
    if keyword == "additionalProperties":
        return _others_check(schema, known) if isinstance(schema[keyword], dict) else None
    if keyword == "anyOf":
        branches = [_compiled(branch, known) for branch in schema["anyOf"]]
        return lambda value: any(branch(value) for branch in branches)
    if keyword == "properties":
        return _properties_check(schema, known)
    if keyword == "items":
        item = _compiled(schema["items"], known)
        return lambda value: type(value) is not list or all(map(item, value))
    if keyword == "propertyNames":
        name = _compiled(schema["propertyNames"], known)
        return lambda value: type(value) is not dict or all(map(name, value))
    return _simple_check(keyword, schema[keyword], schema)


def _others_check(schema: Schema, known: dict[str, list[Check]]) -> Check:
    """`additionalProperties` that is a schema; the file uses it only where there are no `properties` beside it."""
    other = _compiled(schema["additionalProperties"], known)
    assert "properties" not in schema
    return lambda value: type(value) is not dict or all(map(other, value.values()))


def _properties_check(schema: Schema, known: dict[str, list[Check]]) -> Check:
    checks = {name: _compiled(inner, known) for name, inner in schema["properties"].items()}
    own = tuple(pattern.removeprefix("^") for pattern in schema.get("patternProperties", ()))
    closed = schema.get("additionalProperties") is False

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return True
        for key, item in value.items():
            inner = checks.get(key)
            if inner is not None:
                if not inner(item):
                    return False
            elif closed and not key.startswith(own or ("\0",)):
                return False
        return True

    return check


def _simple_check(keyword: str, wanted: Any, schema: Schema) -> Check:
    if keyword == "type":
        kinds = [_TYPES[name] for name in ([wanted] if isinstance(wanted, str) else wanted)]
        return kinds[0] if len(kinds) == 1 else lambda value: any(kind(value) for kind in kinds)
    if keyword == "required":
        return lambda value: type(value) is not dict or all(key in value for key in wanted)
    if keyword == "const":
        return lambda value: type(value) is type(wanted) and value == wanted
    if keyword == "enum":
        return lambda value: type(value) is str and value in wanted
    if keyword == "pattern":
        found = re.compile(wanted.replace("$", r"\Z") if wanted.endswith("$") else wanted).search
        return lambda value: type(value) is not str or found(value) is not None
    if keyword == "minimum":
        return lambda value: value >= wanted if type(value) in (int, float) else True
    if keyword == "maximum":
        return lambda value: value <= wanted if type(value) in (int, float) else True
    kind: Any = {"Length": str, "Items": list, "Properties": dict}[keyword[3:]]
    if keyword.startswith("min"):
        return lambda value: len(value) >= wanted if type(value) is kind else True
    return lambda value: len(value) <= wanted if type(value) is kind else True


def has_type(value: Any, names: str | list[str]) -> bool:
    """Whether a value is of one of JSON Schema's types."""
    return any(_TYPES[name](value) for name in ([names] if isinstance(names, str) else names))


_parts: dict[int, tuple[Schema, Check]] = {}  # by identity; the schema is kept beside it, so that no id is used twice


def valid_against(value: Any, schema: Schema) -> bool:
    """Whether a value is valid for one part of the schema file."""
    known = _parts.get(id(schema))
    if known is None:
        known = _parts[id(schema)] = (schema, _compiled(schema, {}))
    return known[1](value)
