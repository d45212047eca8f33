"""The filters of the language page, exactly those: values in, a value out, or a Failure. No places, no names.

Each row of `FILTERS` says which arguments there are (`?` marks one that may be left out) and what is known of the result
while the value is still waited for. `default` is not here: it decides what is evaluated at all, see `compile`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from zenflow.expr import filter_functions as functions
from zenflow.expr import operators
from zenflow.expr.failure import WRONG_KIND, Failure, Missing
from zenflow.expr.types import NUMERIC, TEXTUAL, element_of, field_of, join, most_of, type_name, type_of, type_words
from zenflow.expr.values import ANY, INTEGER, NUMBER, SKIPPED, STRING, WORDS, Pending, Type


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter: `arguments` are their names in order, `takes` the JSON types it is for, `gives` the type of the result."""

    name: str
    apply: Callable[..., Any]
    takes: frozenset[str]
    gives: Callable[[Type, Mapping[str, Any]], Type]
    arguments: tuple[str, ...] = ()
    elementwise: bool = False  # looks at every element of a list, so that none may be waited for

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(self.arguments)})" if self.arguments else self.name


_TEXT, _LIST, _NUMBER = TEXTUAL, frozenset({"array"}), NUMERIC
_SCALAR = _TEXT | _NUMBER | {"boolean"}


def _always(known: Type) -> Callable[[Type, Mapping[str, Any]], Type]:
    return lambda of, arguments: known


def _text_from(of: Type, arguments: Mapping[str, Any]) -> Type:
    """An asset id that a filter changes is none any more."""
    return WORDS if of.name == "asset" else STRING


def _same_text(of: Type, arguments: Mapping[str, Any]) -> Type:
    return of if of.name == "asset" else STRING


def _joined(of: Type, arguments: Mapping[str, Any]) -> Type:
    ids = (of.items or ANY).name == "asset"
    return WORDS if ids and most_of(of) != 1 else STRING


def _sum(of: Type, arguments: Mapping[str, Any]) -> Type:
    element = element_of(of)
    if element.name not in (*NUMERIC, "any"):
        raise Failure(WRONG_KIND, f"`sum` adds numbers, not {type_words(element)}")
    return join((INTEGER, element))


def _selected(of: Type, arguments: Mapping[str, Any]) -> Type:
    element = element_of(of)
    if arguments.get("test") is None and element.name not in ("boolean", "any", "null"):
        hint = 'Say what is wanted: `select("defined")`.'
        raise Failure(
            WRONG_KIND, f"without a test this is for a list of true and false, not of {type_words(element)}", hint
        )
    return Type("array", items=element, most=most_of(of))


def _same(of: Type, arguments: Mapping[str, Any]) -> Type:
    return of


def _list_of_same(of: Type, arguments: Mapping[str, Any]) -> Type:
    return Type("array", items=element_of(of))


def _element(of: Type, arguments: Mapping[str, Any]) -> Type:
    return element_of(of)


def _map_type(of: Type, arguments: Mapping[str, Any]) -> Type:
    known = element_of(of)
    attribute = arguments.get("attribute")
    if type(attribute) is not str:
        return Type("array", count=of.count)
    for part in attribute.split("."):
        known = field_of(known, int(part) if part.isdigit() else part)
    return Type("array", items=known, count=of.count)


_ANYTHING = frozenset({"null", "boolean", "integer", "number", "array", "object"}) | TEXTUAL

FILTERS: Mapping[str, Filter] = {
    row.name: row
    for row in (
        Filter("abs", functions.filter_abs, _NUMBER, _same),
        Filter("basename", functions.filter_basename, _TEXT, _text_from),
        Filter("first", functions.filter_first, _LIST | _TEXT, _element),
        Filter("float", functions.filter_float, _NUMBER | _TEXT, _always(NUMBER)),
        Filter("int", functions.filter_int, _NUMBER | _TEXT, _always(INTEGER)),
        Filter("join", functions.filter_join, _LIST, _joined, ("separator?",), elementwise=True),
        Filter("last", functions.filter_last, _LIST | _TEXT, _element),
        Filter("length", functions.filter_length, _LIST | _TEXT | {"object"}, _always(INTEGER)),
        Filter(
            "list",
            functions.filter_list,
            _LIST | _TEXT | {"object"},
            lambda of, _: of if of.name == "array" else Type("array", items=STRING if of.name != "any" else ANY),
        ),
        Filter("lower", functions.filter_lower, _TEXT, _same_text),
        Filter("map", functions.filter_map, _LIST, _map_type, ("attribute",)),
        Filter("max", functions.filter_max, _LIST, _element, elementwise=True),
        Filter("min", functions.filter_min, _LIST, _element, elementwise=True),
        Filter("pad", functions.filter_pad, _NUMBER | _TEXT, _text_from, ("width",)),
        Filter("reject", functions.filter_reject, _LIST, _selected, ("test?",), elementwise=True),
        Filter("replace", functions.filter_replace, _TEXT, _text_from, ("old", "new", "count?")),
        Filter("round", functions.filter_round, _NUMBER, lambda _, given: NUMBER if given else INTEGER, ("digits?",)),
        Filter("select", functions.filter_select, _LIST, _selected, ("test?",), elementwise=True),
        Filter("slug", functions.filter_slug, _SCALAR, _text_from),
        Filter("sort", functions.filter_sort, _LIST, _same, ("reverse?", "attribute?"), elementwise=True),
        Filter("split", functions.filter_split, _TEXT, _always(Type("array", items=STRING)), ("separator?",)),
        Filter("stem", functions.filter_stem, _TEXT, _text_from),
        Filter("string", functions.filter_string, _SCALAR, _same_text),
        Filter("sum", functions.filter_sum, _LIST, _sum, elementwise=True),
        Filter("title", functions.filter_title, _TEXT, _text_from),
        Filter("tojson", functions.filter_tojson, _ANYTHING, _text_from, elementwise=True),
        Filter("trim", functions.filter_trim, _TEXT, _same_text, ("characters?",)),
        Filter("unique", functions.filter_unique, _LIST, _list_of_same, elementwise=True),
        Filter("upper", functions.filter_upper, _TEXT, _text_from),
    )
}
FILTER_NAMES: tuple[str, ...] = tuple(sorted((*FILTERS, "default")))

_ARGUMENT_KINDS: Mapping[str, tuple[type, str]] = {
    "separator": (str, "text"),
    "attribute": (str, "text"),
    "width": (int, "an integer"),
    "test": (str, "text"),
    "old": (str, "text"),
    "new": (str, "text"),
    "count": (int, "an integer"),
    "digits": (int, "an integer"),
    "reverse": (bool, "true or false"),
    "characters": (str, "text"),
}


def apply_filter(row: Filter, value: Any, arguments: Mapping[str, Any]) -> Any:
    """One filter on settled operands, any of which may be waited for or may never come."""
    undecided = operators.undecided_of(value, *arguments.values())
    if undecided is SKIPPED:
        return SKIPPED
    known = type_of(value)
    if known.name not in row.takes and known.name != "any":
        raise _wrong_operand(row, value)
    for name, given in arguments.items():
        wanted, words = _ARGUMENT_KINDS[name]
        if type(given) is not wanted and type(given) is not Pending:
            raise Failure(WRONG_KIND, f"`{row.signature}`: {name} is {words}, not {type_name(given)}")
    if undecided is None and row.elementwise and type(value) in (list, dict):
        undecided = _undecided_inside(value)
    if undecided is not None:
        return operators.retyped(undecided, row.gives(known, arguments))
    if row.elementwise and type(value) is list:
        value = [operators.settled(item) for item in value if item is not SKIPPED]
    return row.apply(value, **arguments)


def _wrong_operand(row: Filter, value: Any) -> Failure:
    if value is None:
        return Missing(f"`{row.name}` of null", "Give a value for this case: `… | default(…)`.")
    wanted = [words for names, words in _OPERANDS if names <= row.takes]
    return Failure(WRONG_KIND, f"`{row.name}` is for {' or '.join(wanted)}, not for {type_name(value)}")


_OPERANDS = (
    (_TEXT, "text"),
    (_NUMBER, "numbers"),
    (frozenset({"boolean"}), "true and false"),
    (_LIST, "lists"),
    (frozenset({"object"}), "objects"),
)


def _undecided_inside(value: Any) -> Any:
    """The first part of a list or object that is not there yet."""
    stack = [value]
    while stack:
        for item in stack.pop():
            kind = type(item)
            if kind is Pending:
                return item
            if kind is list:
                stack.append(item)
            elif kind is dict:
                stack.append(list(item.values()))
    return None
