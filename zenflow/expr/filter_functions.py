"""What each filter of the language page does: settled values in, a value out, or a Failure. The table is in `filters`."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from urllib.parse import unquote, urlsplit

from zenflow.expr import operators
from zenflow.expr.failure import ARITHMETIC, WRONG_KIND, Failure, Missing
from zenflow.expr.limits import check_count, check_length, check_size
from zenflow.expr.types import type_name
from zenflow.expr.values import SKIPPED, without_skipped
from zenflow.media.data_urls import is_data_url

_MAX_PAD = 1_000
_MAX_SLUG = 100
_DIGEST = 8  # digits
_WORD = re.compile(r"[a-z0-9]+")
_NUMBER_TEXT = re.compile(r"[-+]?([0-9]{1,400}(\.[0-9]{0,400})?|\.[0-9]{1,400})([eE][-+]?[0-9]{1,3})?")
_INTEGER_TEXT = re.compile(r"[-+]?[0-9]{1,20}")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def filter_abs(value: Any) -> Any:
    return abs(value)


def filter_basename(value: str) -> str:
    """The last part of a path or an address, with its ending."""
    if is_data_url(value):
        return "data"
    path = unquote(urlsplit(value).path) if _ADDRESS.match(value) else value
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]


def filter_first(value: Any) -> Any:
    if not value:
        raise Missing("an empty list has no first element", "Give a value for this case: `… | default(…)`.")
    return value[0]


def filter_float(value: Any) -> Any:
    if type(value) is not str:
        return value
    text = value.strip()
    if _NUMBER_TEXT.fullmatch(text) is None:
        raise Failure(WRONG_KIND, f"{_shown(value)} is no number")
    return operators.normal(float(text))


def filter_int(value: Any) -> Any:
    if type(value) is str:
        if _INTEGER_TEXT.fullmatch(value.strip()) is None:
            raise Failure(WRONG_KIND, f"{_shown(value)} is no integer", "With a fraction: `… | float | round`.")
        return operators.normal(int(value))
    return operators.normal(int(value))


def filter_join(value: list[Any], separator: str = "") -> str:
    pieces = [operators.as_text(item) for item in value]
    check_length(sum(map(len, pieces)) + len(separator) * max(len(pieces) - 1, 0))
    return separator.join(pieces)


def filter_last(value: Any) -> Any:
    if not value:
        raise Missing("an empty list has no last element", "Give a value for this case: `… | default(…)`.")
    return value[-1]


def filter_length(value: Any) -> int:
    return len(value)


def filter_list(value: Any) -> list[Any]:
    check_count(len(value))
    return list(value)


def filter_lower(value: str) -> str:
    return value.lower()


def filter_map(value: list[Any], attribute: str) -> Any:
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


def filter_max(value: list[Any]) -> Any:
    return max(_alike(value, "max"))


def filter_min(value: list[Any]) -> Any:
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
            WRONG_KIND, f"`{name}` is for numbers or for texts, not for {type_name(first)} and {type_name(item)}"
        )


def filter_pad(value: Any, width: int) -> str:
    if not 0 <= width <= _MAX_PAD:
        raise Failure(WRONG_KIND, f"`pad` takes a width from 0 to {_MAX_PAD:,}, not {width}")
    return operators.as_text(value).zfill(width)


def filter_reject(value: list[Any], test: str | None = None) -> list[Any]:
    return [item for item in value if not _passes(item, test, "reject")]


def filter_replace(value: str, old: str, new: str, count: int = -1) -> str:
    times = value.count(old) if count < 0 else min(value.count(old), count)
    check_length(len(value) + times * (len(new) - len(old)))
    return value.replace(old, new, count)


def filter_round(value: int | float, digits: int = 0) -> Any:
    """Half away from zero, as people round; without an argument an integer."""
    if not -300 <= digits <= 300:
        raise Failure(ARITHMETIC, f"`round` takes digits from -300 to 300, not {digits}")
    try:
        rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    except InvalidOperation:
        return operators.normal(value)  # more digits than the number has
    return operators.normal(int(rounded) if digits <= 0 else float(rounded))


def filter_select(value: list[Any], test: str | None = None) -> list[Any]:
    return [item for item in value if _passes(item, test, "select")]


def _passes(item: Any, test: str | None, name: str) -> bool:
    if test == "defined":
        return item is not None
    if test in ("none", "null"):
        return item is None
    if test is not None:
        raise Failure(WRONG_KIND, f"`{name}` knows the tests `defined` and `none`, not `{test}`")
    if type(item) is not bool:
        raise Failure(WRONG_KIND, f"`{name}` without a test is for a list of true and false, not of {type_name(item)}")
    return item


_LETTERS = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"})
"""Latin letters that Unicode does not take apart into a plain one and a mark."""


def filter_slug(value: Any) -> str:
    """Lower-case ASCII words joined with `-`: a name that every file system takes. Never empty.

    Where letters have no ASCII form (`日本`, `東京`), a few digits of the text's digest keep different texts apart.
    """
    text = unicodedata.normalize("NFC", operators.as_text(value))
    letters = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))  # casefold: ß is ss
    words = _WORD.findall(letters.encode("ascii", "ignore").decode())
    name = "-".join(words)[:_MAX_SLUG].rstrip("-")
    is_lost = any(character.isalnum() and not character.isascii() for character in letters)
    if not is_lost and (name or not text.strip()):
        return name or "x"
    mark = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    return f"{name[: _MAX_SLUG - _DIGEST - 1].rstrip('-') or 'x'}-{mark}"


def filter_sort(value: list[Any], reverse: bool = False, attribute: str | None = None) -> list[Any]:
    if not value:
        return []
    if attribute is None:
        _check_alike(value, "sort")
        return sorted(value, reverse=reverse)
    keys = filter_map(value, attribute)
    if len(keys) != len(value):
        raise Failure(WRONG_KIND, "`sort` needs every element, and some will not come")
    _check_alike(keys, "sort")
    order = sorted(range(len(value)), key=keys.__getitem__, reverse=reverse)
    return [value[position] for position in order]


def filter_split(value: str, separator: str | None = None) -> list[str]:
    if separator == "":
        raise Failure(WRONG_KIND, "`split` needs a separator that is not empty")
    check_count(value.count(separator) + 1 if separator else len(value) // 2)
    return value.split(separator)


def filter_stem(value: str) -> str:
    """The last part of a path or an address, without its ending."""
    name = filter_basename(value)
    cut = name.rfind(".")
    return name[:cut] if cut > 0 else name


def filter_string(value: Any) -> str:
    return operators.as_text(value)


def filter_sum(value: list[Any]) -> Any:
    total: int | float = 0
    for item in value:
        if type(item) not in (int, float):
            raise Failure(WRONG_KIND, f"`sum` adds numbers, not {type_name(item)}")
        total += item
    return operators.normal(total)


def filter_title(value: str) -> str:
    return re.sub(r"[^\W_]+('[^\W_]+)?", lambda word: word.group().capitalize(), value)


def filter_tojson(value: Any) -> str:
    check_size(value)
    return json.dumps(without_skipped(value), ensure_ascii=False, separators=(",", ":"), default=_no_json)


def _no_json(value: Any) -> Any:
    raise Failure(WRONG_KIND, f"{type_name(value)} is no JSON")


def filter_trim(value: str, characters: str | None = None) -> str:
    return value.strip(characters)


def filter_unique(value: list[Any]) -> list[Any]:
    kept: dict[str, Any] = {}
    for item in value:
        kept.setdefault(json.dumps(item, sort_keys=True, default=_no_json), item)
    return list(kept.values())


def filter_upper(value: str) -> str:
    return value.upper()


def _shown(text: str) -> str:
    return json.dumps(text if len(text) <= 40 else text[:39] + "…", ensure_ascii=False)
