"""One fact ↔ one line of JSON: `{"v":1,"t":"Accepted","at":…}`.

`v` is the version of the form; its whole part grows when an older reader would misread a line, and only then. Kinds
and fields may be added without that: an unknown kind is read as `Opaque`, an unknown field is dropped, a missing one
takes its default. It knows nothing of where lines are kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from operator import attrgetter
from typing import Any

from zenflow.history import events as e

VERSION = 1


class BadLine(ValueError):
    """A line that holds no fact."""


class NewerLine(ValueError):
    """A line of a version that this one would misread."""


def encode(event: e.Event) -> str:
    """The fact as compact JSON. Raises TypeError or ValueError for a value that JSON does not have."""
    kind = type(event)
    if kind is e.Opaque:
        return _to_json(dict(event.body))  # type: ignore[union-attr]
    head, names, values_of, special = _FORMS[kind]
    body = dict(zip(names, values_of(event), strict=False))
    for name, to_plain in special:
        body[name] = to_plain(body[name])
    return head + _to_json(body)[1:]


def decode(line: str) -> e.Event:
    """The fact of a line. Raises BadLine or NewerLine."""
    try:
        body = json.loads(line)
        version, kind = int(body.pop("v")), body.pop("t")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise BadLine(f"no fact: {line[:80]!r}") from error
    if version > VERSION:
        raise NewerLine(f"version {version} of a fact; this zenflow reads up to {VERSION}")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        return e.Opaque(str(kind), json.loads(line))
    make, known, special = reader
    try:
        if not body.keys() <= known:
            body = {name: value for name, value in body.items() if name in known}
        for name, from_plain in special:
            if name in body:
                body[name] = from_plain(body[name])
        return make(**body)
    except (TypeError, ValueError, KeyError, InvalidOperation) as error:
        raise BadLine(f"{kind} with fields that do not fit: {line[:80]!r}") from error


# ------------------------------------------------------------------------------------------------------ kinds of fields


def _plain(value: Any) -> Any:
    """What `json` cannot write by itself inside parameters and results: other mappings. Amounts there are text."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no value of JSON")


def _json_writer() -> Callable[[Any], str]:
    """ASCII only: a lone surrogate, which JSON of the service may hold, then survives; UTF-8 could not hold it.

    `JSONEncoder.encode` makes its C encoder anew for every value, a quarter of the time of a small fact: here it is
    made once, where this Python has it.
    """
    encoder = json.JSONEncoder(check_circular=False, allow_nan=False, separators=(",", ":"), default=_plain)
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    chunks_of = make(None, _plain, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, False)
    return lambda value: "".join(chunks_of(value, 0))


_to_json = _json_writer()


def _amount(text: Any) -> Decimal:
    amount = Decimal(text)
    if not amount.is_finite():
        raise ValueError(f"no amount: {text!r}")
    return amount


def _maybe(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else convert(value)


def _call_as_plain(call: e.IntendedCall) -> dict[str, Any]:
    return {
        "instance": call.instance,
        "try_number": call.try_number,
        "quote": str(call.quote),
        "params": call.params,
    }


def _call_from_plain(body: Mapping[str, Any]) -> e.IntendedCall:
    return e.IntendedCall(body["instance"], body["try_number"], _amount(body["quote"]), body["params"])


def _amounts_as_plain(amounts: tuple[Decimal, ...]) -> list[str]:
    return [str(amount) for amount in amounts]


def _amounts_from_plain(amounts: list[Any]) -> tuple[Decimal, ...]:
    return tuple(_amount(amount) for amount in amounts)


def _calls_as_plain(calls: tuple[e.IntendedCall, ...]) -> list[dict[str, Any]]:
    return [_call_as_plain(call) for call in calls]


def _calls_from_plain(calls: list[Mapping[str, Any]]) -> tuple[e.IntendedCall, ...]:
    return tuple(_call_from_plain(call) for call in calls)


# By the text of the annotation in events.py: what JSON has no form of, written and read. None: JSON's own form serves.
_Way = Callable[[Any], Any] | None
_BY_ANNOTATION: dict[str, tuple[_Way, _Way]] = {
    "Decimal": (str, _amount),
    "Decimal | None": (_maybe(str), _maybe(_amount)),
    "tuple[str, ...]": (None, tuple),
    "tuple[Decimal, ...]": (_amounts_as_plain, _amounts_from_plain),
    "tuple[IntendedCall, ...]": (_calls_as_plain, _calls_from_plain),
    "Mapping[str, Any]": (None, None),
    "Mapping[str, str]": (None, None),
    "str": (None, None),
    "str | None": (None, None),
    "int": (None, None),
    "int | None": (None, None),
    "bool": (None, None),
    "bool | None": (None, None),
    "Any": (None, None),
}

_Form = tuple[str, tuple[str, ...], Callable[[Any], tuple[Any, ...]], tuple[tuple[str, Callable[[Any], Any]], ...]]
_Reader = tuple[Callable[..., e.Event], frozenset[str], tuple[tuple[str, Callable[[Any], Any]], ...]]

# The tag of an event in the journal. A tag never changes: journals outlive the names of our classes.
TAGS: dict[str, type[Any]] = {
    "RunStarted": e.RunStarted,
    "RunResumed": e.RunResumed,
    "BudgetChanged": e.BudgetChanged,
    "OptionsChanged": e.OptionsChanged,
    "RecipeChanged": e.RecipeChanged,
    "RunEnded": e.RunEnded,
    "Intended": e.Intended,
    "Attempted": e.Attempted,
    "NotSent": e.NotSent,
    "OutcomeUnknown": e.OutcomeUnknown,
    "Looked": e.LookupRecorded,
    "Refused": e.SubmissionRefused,
    "Accepted": e.Accepted,
    "Bound": e.Bound,
    "TookPart": e.TookPart,
    "Contradicted": e.Contradicted,
    "CallFailed": e.CallFailed,
    "WentLate": e.WentLate,
    "Confirmed": e.Confirmed,
    "Refunded": e.Refunded,
    "GaveUp": e.Abandoned,
    "Released": e.Released,
    "Reclaimed": e.Reclaimed,
    "Produced": e.Produced,
    "InstanceSkipped": e.InstanceSkipped,
    "InstanceFailed": e.InstanceFailed,
    "NotRetrievable": e.NotRetrievable,
    "Reopened": e.Reopened,
    "FileSaved": e.FileSaved,
    "Picked": e.Picked,
    "Noted": e.Noted,
    "ResultAwaited": e.ResultAwaited,
}


def _form(tag: str, kind: type[Any]) -> _Form:
    names = tuple(field.name for field in fields(kind))
    ways = ((field.name, _BY_ANNOTATION[str(field.type)][0]) for field in fields(kind))
    special = tuple((name, way) for name, way in ways if way is not None)
    return f'{{"v":{VERSION},"t":"{tag}",', names, attrgetter(*names), special


def _reader(kind: type[Any]) -> _Reader:
    ways = ((field.name, _BY_ANNOTATION[str(field.type)][1]) for field in fields(kind))
    special = tuple((name, way) for name, way in ways if way is not None)
    return kind, frozenset(field.name for field in fields(kind)), special


_FORMS: dict[type[Any], _Form] = {kind: _form(tag, kind) for tag, kind in TAGS.items()}
_READERS: dict[str, _Reader] = {tag: _reader(kind) for tag, kind in TAGS.items()}
