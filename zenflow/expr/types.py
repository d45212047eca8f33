"""What is known of a value without running, and what that tells of the values made from it.

Evaluating an expression over `Pending` answers that carry types *is* the type check: there is no second walk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from zenflow.expr.failure import UNKNOWN, WRONG_KIND, Failure, Missing, suggestion
from zenflow.expr.values import ANY, BOOLEAN, INTEGER, NUMBER, STRING, WORDS, Pending, Type

TEXTUAL = frozenset({"string", "image", "video", "audio", "asset"})
NUMERIC = frozenset({"integer", "number"})
MEDIA = frozenset({"image", "video", "audio"})
_NULL = Type("null")
_WORDS = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "image": "an image that is not uploaded yet",
    "video": "a video that is not uploaded yet",
    "audio": "a sound that is not uploaded yet",
    "asset": "an asset id",
    "any": "a value",
}


def type_name(value: Any) -> str:
    """How a message names the kind of a value."""
    return type_words(type_of(value))


def type_words(known: Type) -> str:
    if known.name == "asset" and known.media:
        return f"the asset id of {_article(known.media)}"
    return _WORDS.get(known.name, known.name)


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def type_of(value: Any) -> Type:
    """The type of a value that is there, or what is known of one that is not."""
    kind = type(value)
    if kind is str:
        return STRING
    if kind is bool:
        return BOOLEAN
    if kind is int:
        return INTEGER
    if kind is float:
        return NUMBER
    if value is None:
        return _NULL
    if kind is list:
        return Type("array", items=join(map(type_of, value[:100])), count=len(value))
    if kind is dict:
        return Type("object", fields={key: type_of(item) for key, item in value.items()})
    if kind is Pending:
        known: Type = value.type
        return known
    return ANY


def join(types: Iterable[Type]) -> Type:
    """What holds for a value that has one of these types."""
    found: Type | None = None
    for known in types:
        found = known if found is None else _join_two(found, known)
        if found is ANY:
            return ANY
    return ANY if found is None else found


def _join_two(a: Type, b: Type) -> Type:
    if a is b or (a == b and a.name not in ("array", "object")):
        return a
    if a.name == b.name == "array":
        items, bounds = join((a.items or ANY, b.items or ANY)), (most_of(a), most_of(b))
        most = None if None in bounds else max(bound for bound in bounds if bound is not None)
        return Type("array", items=items, count=a.count if a.count == b.count else None, most=most)
    if a.name == b.name == "object" and a.fields is not None and b.fields is not None:
        merged: dict[str, Type] = dict(a.fields)
        for key, known in b.fields.items():
            merged[key] = _join_two(merged[key], known) if key in merged else known
        return Type("object", fields=merged)
    if a.name == b.name:
        return Type(a.name, media=a.media if a.media == b.media else None)
    if a.name in NUMERIC and b.name in NUMERIC:
        return NUMBER
    return ANY


def most_of(known: Type) -> int | None:
    """How many elements a list can have; None: nobody knows."""
    return known.most if known.count is None else known.count


def element_of(known: Type) -> Type:
    """The type of one element of a list, or of one character of a text."""
    if known.name == "array":
        return known.items or ANY
    return WORDS if known.name in TEXTUAL else ANY


def field_of(known: Type, key: str | int) -> Type:
    """The type under a key, or a failure when that type can have no such key."""
    if known.name == "any":
        return ANY
    if isinstance(key, int) and not isinstance(key, bool):
        if known.name == "array":
            most = known.most if known.count is None else known.count
            if most is not None and not -most <= key < most:
                raise no_element(key, most, f"the list has {'at most ' if known.count is None else ''}{most}")
            return known.items or ANY
        if known.name in TEXTUAL:
            return WORDS
        raise Failure(WRONG_KIND, f"{type_words(known)} has no element {key}")
    if known.name == "object":
        return _field_of_object(known.fields, key)
    if known.name == "array":
        raise Failure(WRONG_KIND, f"a list has no `{key}`", _list_hint(known, str(key)))
    if known.name == "null":
        raise Missing(f"null has no `{key}`", "Give a value for this case: `… | default(…)`.")
    raise Failure(WRONG_KIND, f"{type_words(known)} has no `{key}`")


def no_element(key: int, count: int, why: str) -> Missing:
    """`default()` answers for it."""
    counted = f"They are counted from 0 to {count - 1}; `-1` is the last." if count else ""
    return Missing(f"there is no element {key}: {why}", counted or "Give a value for this case: `… | default(…)`.")


def _field_of_object(fields: Mapping[str, Type] | None, key: str | int) -> Type:
    if fields is None:
        return ANY
    if key in fields:
        return fields[str(key)]
    raise Failure(UNKNOWN, f"there is no `{key}` here", suggestion(str(key), list(fields)))


def _list_hint(known: Type, key: str) -> str:
    if known.items is not None and known.items.fields is not None and key in known.items.fields:
        return f'It is in every element: `… | map(attribute="{key}")`, or `…[0].{key}` for the first.'
    if key in ("length", "size", "count", "len"):
        return "Use the filter: `… | length`."
    return "Take one element: `…[0]`."


def is_text(known: Type) -> bool:
    return known.name in TEXTUAL or known.name == "any"


def is_number(known: Type) -> bool:
    return known.name in NUMERIC or known.name == "any"


def explain_mismatch(known: Type, wanted: Type) -> str | None:
    """Why a value of type `known` cannot stand where `wanted` is asked for; None when it may."""
    if known.name == "any" or wanted.name == "any" or known.name == "null":
        return None
    if wanted.name == "asset":
        return _why_no_asset(known, wanted)
    if wanted.name in MEDIA or wanted.name == "string":
        return None if known.name in TEXTUAL else f"found {type_words(known)}, expected {type_words(wanted)}"
    if wanted.name == "number" and known.name in NUMERIC:
        return None
    if wanted.name == "integer" and known.name == "number":
        return None  # 4/2 is an integer; known only when it is worked out
    if known.name != wanted.name:
        return f"found {type_words(known)}, expected {type_words(wanted)}"
    if wanted.name == "array" and wanted.items is not None and known.items is not None:
        inner = explain_mismatch(known.items, wanted.items)
        return None if inner is None else f"in the list: {inner}"
    return None


def _why_no_asset(known: Type, wanted: Type) -> str | None:
    if known.name in MEDIA:
        return f"found {type_words(known)}, expected an asset id: upload it first"
    if known.name not in TEXTUAL:
        return f"found {type_words(known)}, expected an asset id"
    if known == WORDS:
        return "found text that is never an asset id"
    if wanted.media and known.media and wanted.media != known.media:
        return f"found {type_words(known)}, expected {type_words(wanted)}"
    return None
