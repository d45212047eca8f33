"""JSON Schema validation of parameters of which some are not known yet.

A `Pending` leaf is checked by what is known of its type and passes everything else. Knows nothing of tools or messages.
Every keyword is wrapped so that a schema that is itself wrong costs that keyword, never the check.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import jsonschema
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend, validator_for
from referencing import Registry

from zenflow.catalog.plain_schema import JSON_TYPES, SchemaTrouble, has_pending, is_uuid
from zenflow.expr.values import Pending, Skipped
from zenflow.patterns import is_match

Keyword: TypeAlias = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]

# These compare or count a value as a whole, so they say nothing while a part of it is unknown.
_WHOLE_VALUE = frozenset({"enum", "const", "uniqueItems", "not", "if", "oneOf", "contains", "dependentSchemas"})
_formats = FormatChecker(formats=())
_formats.checks("uuid")(is_uuid)


def validator_of(schema: Any) -> Any:
    """A validator of this schema that lets `Pending` parts pass. Raises `SchemaTrouble`."""
    if not isinstance(schema, Mapping):
        raise SchemaTrouble("it is not an object")
    try:
        dialect = validator_for(schema, default=Draft202012Validator)
        dialect.check_schema(dict(schema))
    except (jsonschema.exceptions.SchemaError, RecursionError, TypeError, ValueError, re.error) as error:
        raise SchemaTrouble(_first_line(error)) from error
    return _tolerant(dialect)(schema, format_checker=_formats, registry=Registry())


def errors_of(validator: Any, value: Any) -> list[ValidationError]:
    """Every finding. Raises `SchemaTrouble` where the schema cannot be followed, as with a `$ref` to nowhere."""
    try:
        return list(validator.iter_errors(value))
    except Exception as error:  # whatever a foreign schema does to the library is about the schema
        raise SchemaTrouble(_first_line(error)) from error


_TOLERANT: dict[Any, Any] = {}


def _tolerant(dialect: Any) -> Any:
    if dialect not in _TOLERANT:
        wrapped = {word: _wrapped(word, check) for word, check in dialect.VALIDATORS.items()}
        _TOLERANT[dialect] = extend(dialect, wrapped)  # type: ignore[no-untyped-call]
    return _TOLERANT[dialect]


def _wrapped(word: str, check: Keyword) -> Keyword:
    check = _unevaluated_properties(check) if word == "unevaluatedProperties" else _OWN_KEYWORDS.get(word, check)
    if word == "type":
        return _typed(check)

    if word in ("$ref", "$dynamicRef", "allOf", "anyOf"):
        return check  # these only lead on to others

    def tolerant(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[ValidationError] | None:
        if isinstance(value, (Pending, Skipped)) or (word in _WHOLE_VALUE and has_pending(value)):
            return None
        return check(validator, wanted, value, schema)

    return tolerant


# A server's patterns, through a matcher whose time is bounded: the library's own would try them on the user's prompt
# with Python's, for hours where the server wants that. What cannot be told in time passes.


def _pattern(validator: Any, pattern: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and is_match(pattern, value) is False:
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    for pattern, inner in patterns.items() if isinstance(value, dict) else ():
        for name, item in value.items():
            if is_match(pattern, name):
                yield from validator.descend(item, inner, path=name, schema_path=pattern)


def _additional_properties(validator: Any, extra: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name in value:
        if name in known or any(is_match(pattern, name) is not False for pattern in patterns):
            continue
        if isinstance(extra, Mapping):
            yield from validator.descend(value[name], extra, path=name)
        elif not extra:
            yield ValidationError(f"Additional properties are not allowed ({name!r} was unexpected)")


def _unevaluated_properties(check: Keyword) -> Keyword:
    def unevaluated(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[ValidationError] | None:
        """The library tries `patternProperties` by itself here; where the schema has some, nothing is said."""
        if isinstance(value, dict) and _mentions("patternProperties", validator.schema):
            return None
        return check(validator, wanted, value, schema)

    return unevaluated


def _mentions(word: str, schema: Any) -> bool:
    stack = [schema]
    while stack:
        part = stack.pop()
        if isinstance(part, Mapping):
            if word in part:
                return True
            stack += part.values()
        elif isinstance(part, list):
            stack += part
    return False


_OWN_KEYWORDS: Mapping[str, Keyword] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
}


def _typed(check: Keyword) -> Keyword:
    def typed(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[ValidationError] | None:
        if isinstance(value, Skipped):
            return None
        if not isinstance(value, Pending):
            if value is None and schema.get("nullable") is True:  # OpenAPI 3.0's way of saying it
                return None
            return check(validator, wanted, value, schema)
        possible = JSON_TYPES.get(value.type.name)
        if possible is None or possible & set([wanted] if isinstance(wanted, str) else wanted):
            return None
        return iter([ValidationError(f"is {value.type.name}")])

    return typed


def _first_line(error: Exception) -> str:
    leads = getattr(error, "ref", None)
    if isinstance(leads, str):
        return f"its `$ref: {leads}` leads nowhere"
    text = getattr(error, "message", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0][:200]
