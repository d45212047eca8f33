"""The filters of the language page, exactly those: values in, a value out, or a Failure. No places, no names.

Each row of `FILTERS` says which arguments there are (`?` marks one that may be left out) and what is known of the result
while the value is still waited for. `default` is not here: it decides what is evaluated at all, see `compile`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from urllib.parse import unquote, urlsplit

from zenflow.expr import operators
from zenflow.expr.failure import ARITHMETIC, WRONG_KIND, Failure, Missing
from zenflow.expr.limits import check_count, check_length, check_size
from zenflow.expr.types import NUMERIC, TEXTUAL, element_of, field_of, join, type_of, word_for
from zenflow.expr.values import ANY, INTEGER, NUMBER, SKIPPED, STRING, Pending, Type

_MAX_PAD = 1_000
_MAX_SLUG = 100
_WORD = re.compile(r"[a-z0-9]+")
_NUMBER_TEXT = re.compile(r"[-+]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][-+]?\d{1,3})?")
_INTEGER_TEXT = re.compile(r"[-+]?\d{1,20}")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


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


def _same(of: Type, arguments: Mapping[str, Any]) -> Type:
    return of


def _list_of_same(of: Type, arguments: Mapping[str, Any]) -> Type:
    return Type("array", items=element_of(of))


def _element(of: Type, arguments: Mapping[str, Any]) -> Type:
    return element_of(of)


# --- one function per filter, in the order of the alphabet ---------------------------------------------------------


def _abs(value: Any) -> Any:
    return abs(value)


def _basename(value: str) -> str:
    """The last part of a path or an address, with its ending."""
    if value.startswith("data:"):
        return "data"
    path = unquote(urlsplit(value).path) if _ADDRESS.match(value) else value
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]


def _first(value: Any) -> Any:
    if not value:
        raise Missing("an empty list has no first element", "Give a value for this case: `… | default(…)`.")
    return value[0]


def _float(value: Any) -> Any:
    if type(value) is not str:
        return value
    text = value.strip()
    if _NUMBER_TEXT.fullmatch(text) is None:
        raise Failure(WRONG_KIND, f"{_shown(value)} is no number")
    return operators.normal(float(text))


def _int(value: Any) -> Any:
    if type(value) is str:
        if _INTEGER_TEXT.fullmatch(value.strip()) is None:
            raise Failure(WRONG_KIND, f"{_shown(value)} is no integer", "With a fraction: `… | float | round`.")
        return operators.normal(int(value))
    return operators.normal(int(value))


def _join(value: list[Any], separator: str = "") -> str:
    pieces = [operators.as_text(item) for item in value]
    check_length(sum(map(len, pieces)) + len(separator) * max(len(pieces) - 1, 0))
    return separator.join(pieces)


def _last(value: Any) -> Any:
    if not value:
        raise Missing("an empty list has no last element", "Give a value for this case: `… | default(…)`.")
    return value[-1]


def _length(value: Any) -> int:
    return len(value)


def _list(value: Any) -> list[Any]:
    check_count(len(value))
    return list(value)


def _lower(value: str) -> str:
    return value.lower()


def _map(value: list[Any], attribute: str) -> Any:
    """`attribute` may be dotted: `map(attribute="a.b")`. A skipped element is left out, as everywhere in a list."""
    keys: list[str | int] = [int(part) if part.isdigit() else part for part in attribute.split(".")]
    found = []
    for position, item in enumerate(value):
        for key in keys:
            try:
                item = operators.settled(operators.descend(item, key))
            except Failure as failure:
                failure.message = f"element {position}: {failure.message}"
                raise
        if item is not SKIPPED:
            found.append(item)
    return found


def _map_type(of: Type, arguments: Mapping[str, Any]) -> Type:
    known = element_of(of)
    attribute = arguments.get("attribute")
    if type(attribute) is not str:
        return Type("array", count=of.count)
    for part in attribute.split("."):
        known = field_of(known, int(part) if part.isdigit() else part)
    return Type("array", items=known, count=of.count)


def _max(value: list[Any]) -> Any:
    return max(_alike(value, "max"))


def _min(value: list[Any]) -> Any:
    return min(_alike(value, "min"))


def _alike(value: list[Any], name: str) -> list[Any]:
    if not value:
        raise Missing(f"`{name}` of an empty list", "Give a value for this case: `… | default(…)`.")
    _check_alike(value, name)
    return value


def _check_alike(value: Sequence[Any], name: str) -> None:
    for item in value:
        _check_pair(name, value[0], item)


def _check_pair(name: str, first: Any, item: Any) -> None:
    numbers = type(first) in (int, float) and type(item) in (int, float)
    if not numbers and not (type(first) is str and type(item) is str):
        raise Failure(
            WRONG_KIND, f"`{name}` is for numbers or for texts, not for {word_for(first)} and {word_for(item)}"
        )


def _pad(value: Any, width: int) -> str:
    if not 0 <= width <= _MAX_PAD:
        raise Failure(WRONG_KIND, f"`pad` takes a width from 0 to {_MAX_PAD:,}, not {width}")
    return operators.as_text(value).zfill(width)


def _reject(value: list[Any], test: str | None = None) -> list[Any]:
    return [item for item in value if not _passes(item, test, "reject")]


def _replace(value: str, old: str, new: str, count: int = -1) -> str:
    times = value.count(old) if count < 0 else min(value.count(old), count)
    check_length(len(value) + times * (len(new) - len(old)))
    return value.replace(old, new, count)


def _round(value: int | float, digits: int = 0) -> Any:
    """Half away from zero, as people round; without an argument an integer."""
    if not -300 <= digits <= 300:
        raise Failure(ARITHMETIC, f"`round` takes digits from -300 to 300, not {digits}")
    try:
        rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    except InvalidOperation:
        return operators.normal(value)  # more digits than the number has
    return operators.normal(int(rounded) if digits <= 0 else float(rounded))


def _select(value: list[Any], test: str | None = None) -> list[Any]:
    return [item for item in value if _passes(item, test, "select")]


def _passes(item: Any, test: str | None, name: str) -> bool:
    if test == "defined":
        return item is not None
    if test == "none":
        return item is None
    if test is not None:
        raise Failure(WRONG_KIND, f"`{name}` knows the tests `defined` and `none`, not `{test}`")
    if type(item) is not bool:
        raise Failure(WRONG_KIND, f"`{name}` without a test is for a list of true and false, not of {word_for(item)}")
    return item


def _slug(value: Any) -> str:
    """Lower-case ASCII words joined with `-`: a name that every file system takes. Never empty."""
    plain = unicodedata.normalize("NFKD", operators.as_text(value)).encode("ascii", "ignore").decode().lower()
    words = _WORD.findall(plain)
    return "-".join(words)[:_MAX_SLUG].rstrip("-") or "x"


def _sort(value: list[Any], reverse: bool = False, attribute: str | None = None) -> list[Any]:
    if not value:
        return []
    if attribute is None:
        _check_alike(value, "sort")
        return sorted(value, reverse=reverse)
    keys = _map(value, attribute)
    if len(keys) != len(value):
        raise Failure(WRONG_KIND, "`sort` needs every element, and some will not come")
    _check_alike(keys, "sort")
    order = sorted(range(len(value)), key=keys.__getitem__, reverse=reverse)
    return [value[position] for position in order]


def _split(value: str, separator: str | None = None) -> list[str]:
    if separator == "":
        raise Failure(WRONG_KIND, "`split` needs a separator that is not empty")
    check_count(value.count(separator) + 1 if separator else len(value) // 2)
    return value.split(separator)


def _stem(value: str) -> str:
    """The last part of a path or an address, without its ending."""
    name = _basename(value)
    cut = name.rfind(".")
    return name[:cut] if cut > 0 else name


def _string(value: Any) -> str:
    return operators.as_text(value)


def _sum(value: list[Any]) -> Any:
    total: int | float = 0
    for item in value:
        if type(item) not in (int, float):
            raise Failure(WRONG_KIND, f"`sum` adds numbers, not {word_for(item)}")
        total += item
    return operators.normal(total)


def _title(value: str) -> str:
    return re.sub(r"[^\W_]+('[^\W_]+)?", lambda word: word.group().capitalize(), value)


def _tojson(value: Any) -> str:
    check_size(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_no_json)


def _no_json(value: Any) -> Any:
    raise Failure(WRONG_KIND, f"{word_for(value)} is no JSON")


def _trim(value: str, characters: str | None = None) -> str:
    return value.strip(characters)


def _unique(value: list[Any]) -> list[Any]:
    kept: dict[str, Any] = {}
    for item in value:
        kept.setdefault(json.dumps(item, sort_keys=True, default=_no_json), item)
    return list(kept.values())


def _upper(value: str) -> str:
    return value.upper()


def _shown(text: str) -> str:
    return json.dumps(text if len(text) <= 40 else text[:39] + "…", ensure_ascii=False)


_ANYTHING = frozenset({"null", "boolean", "integer", "number", "array", "object"}) | TEXTUAL

FILTERS: Mapping[str, Filter] = {
    row.name: row
    for row in (
        Filter("abs", _abs, _NUMBER, _same),
        Filter("basename", _basename, _TEXT, _always(STRING)),
        Filter("first", _first, _LIST | _TEXT, _element),
        Filter("float", _float, _NUMBER | _TEXT, _always(NUMBER)),
        Filter("int", _int, _NUMBER | _TEXT, _always(INTEGER)),
        Filter("join", _join, _LIST, _always(STRING), ("separator?",), elementwise=True),
        Filter("last", _last, _LIST | _TEXT, _element),
        Filter("length", _length, _LIST | _TEXT | {"object"}, _always(INTEGER)),
        Filter(
            "list",
            _list,
            _LIST | _TEXT | {"object"},
            lambda of, _: of if of.name == "array" else Type("array", items=STRING if of.name != "any" else ANY),
        ),
        Filter("lower", _lower, _TEXT, _always(STRING)),
        Filter("map", _map, _LIST, _map_type, ("attribute",)),
        Filter("max", _max, _LIST, _element, elementwise=True),
        Filter("min", _min, _LIST, _element, elementwise=True),
        Filter("pad", _pad, _NUMBER | _TEXT, _always(STRING), ("width",)),
        Filter("reject", _reject, _LIST, _list_of_same, ("test?",), elementwise=True),
        Filter("replace", _replace, _TEXT, _always(STRING), ("old", "new", "count?")),
        Filter("round", _round, _NUMBER, lambda _, given: NUMBER if given else INTEGER, ("digits?",)),
        Filter("select", _select, _LIST, _list_of_same, ("test?",), elementwise=True),
        Filter("slug", _slug, _SCALAR, _always(STRING)),
        Filter("sort", _sort, _LIST, _same, ("reverse?", "attribute?"), elementwise=True),
        Filter("split", _split, _TEXT, _always(Type("array", items=STRING)), ("separator?",)),
        Filter("stem", _stem, _TEXT, _always(STRING)),
        Filter("string", _string, _SCALAR, _always(STRING)),
        Filter("sum", _sum, _LIST, lambda of, _: join((INTEGER, element_of(of))), elementwise=True),
        Filter("title", _title, _TEXT, _always(STRING)),
        Filter("tojson", _tojson, _ANYTHING, _always(STRING), elementwise=True),
        Filter("trim", _trim, _TEXT, _always(STRING), ("characters?",)),
        Filter("unique", _unique, _LIST, _list_of_same, elementwise=True),
        Filter("upper", _upper, _TEXT, _always(STRING)),
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
            raise Failure(WRONG_KIND, f"`{row.signature}`: {name} is {words}, not {word_for(given)}")
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
    return Failure(WRONG_KIND, f"`{row.name}` is for {' or '.join(wanted)}, not for {word_for(value)}")


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
