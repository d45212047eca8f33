"""What JSON Schema found, said the way a person would: what stands there, what was expected, an example, what to do.

Knows schemas and values; the words for models and policy are in `gates`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from zenflow.catalog.field_path import FieldPath, Path, path_text
from zenflow.catalog.schema import Schema, default_of, is_asset_field, item_of, resolved, takes_lists, types_of
from zenflow.expr.types import type_name, type_words
from zenflow.expr.values import Pending
from zenflow.foreign_terms import KEYS_OF_A_STEP, parameter_called
from zenflow.problems import Problem
from zenflow.suggest import nearest

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

UNKNOWN_PARAMETER = "ZF401"
MISSING_PARAMETER = "ZF402"
WRONG_TYPE = "ZF403"
NOT_A_CHOICE = "ZF404"
OUT_OF_RANGE = "ZF405"
WRONG_TEXT = "ZF406"
WRONG_LENGTH = "ZF407"
NO_ASSET_ID = "ZF408"
ONE_OR_MANY = "ZF409"
OTHER_SCHEMA = "ZF410"

_LIKE_AN_EXPRESSION = re.compile(r"\b(steps|inputs|item|origin|previous)\.\w")
_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
}
_TYPE_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def unknown_parameter(tool: str, path: Path, allowed: Iterable[str], where: FieldPath) -> Problem:
    names = sorted(allowed)
    word = str(path[-1])
    near = meant(word, names)
    first = f"Did you mean `{near}`?" if near else None
    if len(path) == 1 and word in KEYS_OF_A_STEP:
        first = f"`{word}` is a key of the step: it stands beside `with`."
    elif word in ("negative_prompt", "negative"):
        first = "It takes no negative prompt: say what is wanted in its prompt."
    hint = " ".join(filter(None, (first, f"Allowed: {', '.join(names)}.")))
    return Problem(UNKNOWN_PARAMETER, f"`{tool}` has no parameter `{path_text(path)}`", where.key(path), hint)


def meant(word: str, names: Iterable[str]) -> str | None:
    """The parameter that an unknown word most likely stands for."""
    known = list(names)
    return parameter_called(word, known) or nearest(word, known)


def missing_parameter(tool: str, path: Path, field: Schema, where: FieldPath) -> Problem:
    why = {
        "resolution": " (its price depends on it, so the service picks no default)",
        "output_format": " (the service picks no default)",
    }.get(str(path[-1]), "")
    hint = f"Add `{path[-1]}: {example(str(path[-1]), field)}`. Expected: {expected(field)}."
    place = where.uses() if len(path) == 1 else where.value(path[:-1])
    return Problem(MISSING_PARAMETER, f"`{tool}` needs `{path_text(path)}`{why}", place, hint)


def problem_of(tool: str, error: ValidationError, root: Schema, where: FieldPath) -> list[Problem]:
    """One finding of the validator below the top level, as problems of ours."""
    path: Path = tuple(error.absolute_path)
    word, wanted, value = _parts(error)
    if isinstance(value, Pending):
        return [_wrong_pending(error, path, root, where)]
    if word is None:  # the schema of the field is `false`
        return [Problem(OTHER_SCHEMA, f"the tool takes no value for `{path_text(path)}`", where.value(path))]
    if word in ("additionalProperties", "unevaluatedProperties") and isinstance(value, dict):
        known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
        return [unknown_parameter(tool, (*path, name), known, where) for name in value if name not in known]
    if word == "required" and isinstance(value, dict):
        known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
        names = [n for n in wanted if n not in value and f"'{n}'" in error.message] or [
            n for n in wanted if n not in value
        ]
        return [missing_parameter(tool, (*path, n), resolved(known.get(n), root), where) for n in names]
    field = error.schema if isinstance(error.schema, Mapping) else {}
    name, place = path_text(path), where.value(path)
    if word == "type":
        return [_wrong_type(name, path, value, field, root, where)]
    if word in ("enum", "const"):
        choices = list(wanted) if word == "enum" else [wanted]
        near = nearest(str(value), [str(c) for c in choices])
        hint = " ".join(filter(None, (f"Did you mean `{near}`?" if near else None, f"Expected: {_listed(choices)}.")))
        return [Problem(NOT_A_CHOICE, f"`{name}` cannot be {shown(value)}", place, hint)]
    if word in _LIMITS:
        hint = f"Expected: {expected(field)}."
        return [
            Problem(OUT_OF_RANGE, f"`{name}` is {shown(value)}; it must be {_LIMITS[word].format(wanted)}", place, hint)
        ]
    if word == "format":
        return [no_asset_id(name, value, place)]
    if word in ("minLength", "maxLength", "pattern"):
        return [_wrong_text(name, word, wanted, value, place)]
    if word in ("minItems", "maxItems"):
        bound = "at least" if word == "minItems" else "at most"
        return [Problem(WRONG_LENGTH, f"`{name}` has {len(value)} elements; it takes {bound} {wanted}", place)]
    if word in ("anyOf", "oneOf") and error.context:
        inner = _of_only_branch(error)
        if inner:
            return [problem for one in inner for problem in problem_of(tool, one, root, where)]
        return [_no_branch(name, path, error, root, where)]
    return [Problem(OTHER_SCHEMA, f"`{name or tool}` does not fit the tool's schema: {error.message[:200]}", place)]


def _parts(error: ValidationError) -> tuple[Any, Any, Any]:
    return error.validator, error.validator_value, error.instance


def _of_only_branch(error: ValidationError) -> list[ValidationError]:
    """The findings of an optional form, `[X, null]`: those of X, as if it stood there alone."""
    branches = [n for n, b in enumerate(_parts(error)[1]) if not (isinstance(b, Mapping) and b.get("type") == "null")]
    if len(branches) != 1:
        return []
    return [one for one in error.context or () if one.schema_path and one.schema_path[0] == branches[0]]


def _no_branch(name: str, path: Path, error: ValidationError, root: Schema, where: FieldPath) -> Problem:
    """None of several forms fits: what they would be, in one line."""
    branches = [resolved(b, root) for b in _parts(error)[1] if isinstance(b, Mapping)]
    forms = list(dict.fromkeys(expected(b) for b in branches if b.get("type") != "null"))
    return Problem(
        WRONG_TYPE,
        f"`{name}` is {shown(error.instance)}, which it cannot be",
        where.value(path),
        f"Expected: {' or '.join(forms)}.",
    )


def _wrong_type(name: str, path: Path, value: Any, field: Schema, root: Schema, where: FieldPath) -> Problem:
    place, wants = where.value(path), types_of(field)
    if isinstance(value, list) and wants and "array" not in wants:
        return Problem(
            ONE_OR_MANY,
            f"`{name}` is a list; it takes one value",
            place,
            "Take one element, or fan out with `foreach`.",
        )
    if "array" in wants and not isinstance(value, (dict, list)):
        return Problem(
            ONE_OR_MANY, f"`{name}` is one value; it takes a list", place, f"Write `[{shown(value)}]`, a list of one."
        )
    hint = f"Expected: {expected(field)}."
    if where.is_computed(path):
        hint = _conversion(value, wants) or hint
    elif wants == ("string",) and isinstance(value, (int, float)):
        hint = f'Quote it: `{path[-1]}: "{shown(value)}"`.'
    elif isinstance(value, str) and _reads_as(value, wants):
        hint = f"Leave out the quotes: `{path[-1]}: {value}`."
    elif isinstance(value, str) and _reads_as(value.rstrip(_UNITS), wants):
        hint = f"The number alone, without a unit: `{path[-1]}: {value.rstrip(_UNITS)}`. {hint}"
    return Problem(
        WRONG_TYPE, f"`{name}` is {type_name(value)} ({shown(value)}); it must be {_types(wants)}", place, hint
    )


_UNITS = " %abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _conversion(value: Any, wants: tuple[str, ...]) -> str | None:
    """How an expression gives the kind that is wanted."""
    if "string" in wants and isinstance(value, (int, float)):
        return "Make it text: `… | string`."
    if isinstance(value, str) and value != value.strip() and _reads_as(value, wants):
        return "Write the expression on one line, with nothing beside it: `|` adds a line end."
    if isinstance(value, str) and _reads_as(value, wants):
        kind = "integer" if "integer" in wants else wants[0]
        into = {"integer": "int", "number": "float"}.get(kind)
        return f"Declare the input as `{{type: {kind}}}`" + (f", or write `… | {into}`." if into else ".")
    return None


def _reads_as(text: str, wants: tuple[str, ...]) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    if isinstance(value, bool):
        return "boolean" in wants
    return isinstance(value, (int, float)) and bool({"integer", "number"} & set(wants))


def _wrong_pending(error: ValidationError, path: Path, root: Schema, where: FieldPath) -> Problem:
    """A value that is not known yet, but whose kind is, and is wrong."""
    pending: Pending = _parts(error)[2]
    field = error.schema if isinstance(error.schema, Mapping) else {}
    return wrong_kind(path, pending, field, where)


def wrong_kind(path: Path, pending: Pending, field: Schema, where: FieldPath) -> Problem:
    name, source, wants = path_text(path), _source(pending), types_of(field)
    if pending.type.name == "array" and "array" not in wants:
        one = source.removesuffix("s") if source.endswith("asset_ids") else f"{source}[0]" if source else ""
        hint = f"For each: `foreach: ${{{{ {source} }}}}` with `${{{{ item }}}}`; for the first: `${{{{ {one} }}}}`."
        if source and path and isinstance(path[-1], int):
            hint = f"Without the brackets, `${{{{ {source} }}}}` is the whole list."
        return Problem(
            ONE_OR_MANY,
            f"`{name}` takes one value, and {source or 'this'} is a list",
            where.value(path),
            hint if source else "Take one element (`…[0]`), or fan out with `foreach`.",
        )
    if "array" in wants:
        hint = f'Write `["${{{{ {source} }}}}"]`, a list of one.' if source else "Put it into `[ ]`."
        return Problem(
            ONE_OR_MANY, f"`{name}` takes a list, and {source or 'this'} is one value", where.value(path), hint
        )
    found = type_words(pending.type)
    text_hint = None if "string" not in wants else "Make it text: `… | string`."
    return Problem(
        WRONG_TYPE, f"`{name}` must be {_types(wants)}; {source or 'this'} is {found}", where.value(path), text_hint
    )


def _source(pending: Pending) -> str:
    return "" if pending.on is None else str(pending.on)


def no_asset_id(name: str, value: Any, place: Any) -> Problem:
    """Something else where the id of an uploaded or generated asset belongs."""
    text = str(value)
    if _LIKE_AN_EXPRESSION.search(text):
        message = f"`{name}` takes an asset id, and this is text ({shown(value)})"
        return Problem(NO_ASSET_ID, message, place, "An expression stands in `${{ }}`: `${{ steps.upload.asset_id }}`.")
    if "/" in text or "." in text:
        message = f"`{name}` takes an asset id, and this is a file or an address ({shown(value)})"
        return Problem(
            NO_ASSET_ID,
            message,
            place,
            "Upload it first: a step that `uses: upload`, then `${{ steps.upload.asset_id }}`.",
        )
    return Problem(
        NO_ASSET_ID,
        f"`{name}` takes an asset id (a UUID); found {shown(value)}",
        place,
        "Pass a step's `asset_id`, or `upload` the file.",
    )


def _wrong_text(name: str, word: str, wanted: Any, value: str, place: Any) -> Problem:
    if word == "minLength" and not value:
        return Problem(WRONG_TEXT, f"`{name}` is empty", place, f"It needs at least {wanted} character(s).")
    if word == "pattern":
        return Problem(WRONG_TEXT, f"`{name}` is {shown(value)}; it must match `{wanted}`", place)
    bound = "at least" if word == "minLength" else "at most"
    return Problem(WRONG_TEXT, f"`{name}` has {len(value)} characters; it takes {bound} {wanted}", place)


def expected(field: Schema) -> str:
    """What a field takes, in a few words: `a whole number, at least 1, at most 4`."""
    choices = field.get("enum")
    if isinstance(choices, list):
        return _listed(choices)
    words = [_types(types_of(field))]
    words += [text.format(field[key]) for key, text in _LIMITS.items() if key in field]
    return ", ".join(words)


def example(name: str, field: Schema) -> str:
    """A value that the field would take."""
    default, choices, samples = default_of(field), field.get("enum"), field.get("examples")
    for value in (
        default,
        *(samples if isinstance(samples, list) else ()),
        *(choices if isinstance(choices, list) else ()),
    ):
        if value is not None:
            return shown(value, quote=False)
    root: Schema = {}
    if takes_lists(field):
        inner = example(name, item_of(field, root))
        return f'["{inner}"]' if inner.startswith("${{") else f"[{inner}]"  # a bare `{` opens a mapping inside brackets
    if is_asset_field(name, field, root):
        return "${{ steps.upload.asset_id }}"
    kinds = types_of(field)
    if "integer" in kinds or "number" in kinds:
        return str(field.get("minimum", 1))
    return "true" if "boolean" in kinds else "…"


def shown(value: Any, *, quote: bool = True) -> str:
    """A value as it would be written, cut short."""
    if isinstance(value, str) and not quote:
        return value
    text = json.dumps(value, ensure_ascii=False, default=lambda v: "…")
    return text if len(text) <= 60 else text[:57] + "…" + text[-1]


def _types(names: tuple[str, ...]) -> str:
    return " or ".join(_TYPE_WORDS.get(name, name) for name in names) or "something else"


def _listed(choices: list[Any]) -> str:
    some = [c if isinstance(c, str) else json.dumps(c) for c in choices[:20]]
    return ", ".join(some) + (", …" if len(choices) > 20 else "")
