import json
from dataclasses import fields
from decimal import Decimal
from types import MappingProxyType
from typing import get_args

import pytest

from zenflow.history import codec
from zenflow.history import events as e

TAGS = (
    "RunStarted RunResumed BudgetChanged OptionsChanged RecipeChanged RunEnded Intended Attempted NotSent "
    "OutcomeUnknown Looked Refused Accepted Bound TookPart Contradicted CallFailed WentLate Confirmed Refunded "
    "GaveUp Released Reclaimed Produced InstanceSkipped InstanceFailed NotRetrievable Reopened FileSaved Picked "
    "Noted ResultAwaited"
)

_VALUES = {
    "Decimal": Decimal("0.10"),
    "Decimal | None": Decimal("1E+2"),
    "tuple[str, ...]": ("a", "b"),
    "tuple[Decimal, ...]": (Decimal("0.10"), Decimal("3")),
    "tuple[IntendedCall, ...]": (e.IntendedCall("generate.1", 2, Decimal("4"), {"prompt": "ü 🦊", "n": 1.5}),),
    "Mapping[str, Any]": {"a": [1, None, {"b": True}], "lone": "\ud800", "nul": "\x00"},
    "Mapping[str, str]": {"recipe.yaml": "steps:\n"},
    "str": "ein Wort",
    "str | None": None,
    "int": 3,
    "int | None": 4,
    "bool": True,
    "bool | None": None,
    "Any": ["what", "ever"],
}


def an_event(kind: type) -> e.Event:
    return kind(**{field.name: _VALUES[str(field.type)] for field in fields(kind)})


@pytest.mark.parametrize(("tag", "kind"), codec.TAGS.items(), ids=codec.TAGS)
def test_decodes_every_event_kind_exactly(tag: str, kind: type) -> None:
    event = an_event(kind)
    line = codec.encode(event)
    assert codec.decode(line) == event
    assert line.isascii() and "\n" not in line
    assert json.loads(line)["v"] == 1
    assert json.loads(line)["t"] == tag


def test_each_event_class_has_one_tag() -> None:
    assert set(codec.TAGS.values()) == set(get_args(e.Event)) - {e.Opaque}
    assert len(set(codec.TAGS.values())) == len(codec.TAGS)


def test_no_tag_changes() -> None:
    """A journal keeps its tags for ever; a new event adds one at the end of this list."""
    assert " ".join(codec.TAGS) == TAGS


def test_keeps_an_unknown_event_kind_as_it_was() -> None:
    line = '{"v":1,"t":"Rebated","at":"2027-01-01T00:00:00Z","amount":"3","why":{"x":[1]}}'
    event = codec.decode(line)
    assert isinstance(event, e.Opaque) and event.kind == "Rebated"
    assert codec.encode(event) == line


def test_an_unknown_field_of_a_later_minor_version_is_dropped() -> None:
    line = codec.encode(e.Abandoned("2026-11-21T08:00:00Z", 3))
    later = line.replace('"v":1', '"v":1.2').replace("}", ',"by":"someone"}')
    assert codec.decode(later) == e.Abandoned("2026-11-21T08:00:00Z", 3)


def test_defaults_a_field_that_an_older_version_lacks() -> None:
    body = json.loads(codec.encode(e.Accepted("2026-11-21T08:00:00Z", 3, "t1", 2, True)))
    del body["adopted"]
    assert codec.decode(json.dumps(body)) == e.Accepted("2026-11-21T08:00:00Z", 3, "t1", 2, False)


def test_a_later_major_version_is_refused_whatever_it_says() -> None:
    with pytest.raises(codec.NewerLine, match="version 2"):
        codec.decode('{"v":2,"t":"GaveUp","at":"2026-11-21T08:00:00Z","submission":3}')


@pytest.mark.parametrize(
    "line",
    [
        "",
        "null",
        "[1]",
        "{}",
        '{"v":1}',
        '{"v":"x","t":"GaveUp"}',
        '{"v":1,"t":"GaveUp","at":"2026-11-21T08:00:00Z"}',
        '{"v":1,"t":"Confirmed","at":"x","submission":1,"transaction_id":"t","amount":"four"}',
        '{"v":1,"t":"Confirmed","at":"x","submission":1,"transaction_id":"t","amount":"NaN"}',
        '{"v":1,"t":"Intended","at":"x","submission":1,"stamp":"s","tool":"t","comment":"","calls":[{}],"watermark":null}',
        '{"v":1,"t":"Reopened","at":"x","instances":["a"',
        '{"v":1,"t":"Reopened","at":"x","instances":7}',
        "[" * 100000,
    ],
)
def test_a_line_that_holds_no_fact_is_told_from_an_unknown_one(line: str) -> None:
    with pytest.raises(codec.BadLine):
        codec.decode(line)


def test_what_json_does_not_have_is_refused_when_written() -> None:
    for value in (float("nan"), {1, 2}, b"bytes", object()):
        with pytest.raises((TypeError, ValueError)):
            codec.encode(e.Produced("2026-11-21T08:00:00Z", "generate", {"x": value}))


def test_writes_mappings_and_amounts_in_results_as_json() -> None:
    event = e.Produced(
        "2026-11-21T08:00:00Z", "generate", MappingProxyType({"x": MappingProxyType({"y": Decimal("1.5")})})
    )
    back = codec.decode(codec.encode(event))
    assert isinstance(back, e.Produced) and back.results == {"x": {"y": "1.5"}}
