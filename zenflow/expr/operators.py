"""What `.`, `[ ]`, `+`, `==` and the rest do to JSON's values. No places, no names: values in, a value out, or a Failure."""

from __future__ import annotations

import json
import math
from typing import Any

from zenflow.expr.failure import ARITHMETIC, NOT_IN_TEXT, UNKNOWN, WRONG_KIND, Failure, Missing, suggestion
from zenflow.expr.limits import MAX_INTEGER, check_count, check_length
from zenflow.expr.types import TEXTUAL, element_of, field_of, is_number, join, most_of, no_element, type_name, type_of
from zenflow.expr.values import ANY, INTEGER, NUMBER, SKIPPED, STRING, WORDS, Pending, Skipped, Type, Unknown

_PLAIN = frozenset({str, int, float, bool, type(None), list, dict, Pending, Skipped})
_EXACT_FLOAT = 1 << 53


def settled(value: Any) -> Any:
    """A lookup's plain value; everything else as it is."""
    if type(value) in _PLAIN:
        return value
    try:
        return value.value()
    except Unknown as unknown:
        raise unknown_failure(unknown) from None


def unknown_failure(unknown: Unknown) -> Failure:
    of = f"{unknown.of} has" if unknown.of else "there is"
    hint = suggestion(str(unknown.key), unknown.known)
    if unknown.key in ("outputs", "output", "results") and "steps." in unknown.of and unknown.key not in unknown.known:
        hint = (
            f"Leave it out: results stand right behind the step, {', '.join(f'`.{name}`' for name in unknown.known)}."
        )
    return Failure(UNKNOWN, f"{of} no `{unknown.key}`", hint)


def descend(value: Any, key: str | int) -> Any:
    """`value.key`, or `value[key]` with a known key."""
    kind = type(value)
    if kind is dict:
        if key in value:
            return value[key]
        if type(key) is not str:
            raise Failure(WRONG_KIND, f"the keys of an object are text, not {type_name(key)}")
        raise Missing(f"there is no key `{key}`", suggestion(key, list(value)))
    if kind is list or kind is str:
        return _element(value, key)
    if value is SKIPPED:
        return SKIPPED
    if kind is Pending:
        return Pending(value.on, field_of(value.type, key))
    if value is None:
        raise Missing(f"null has no `{key}`", "Give a value for this case: `… | default(…)`.")
    if kind in _PLAIN:
        raise Failure(WRONG_KIND, f"{type_name(value)} has no `{key}`")
    try:
        return value.get(key)
    except Unknown as unknown:
        raise unknown_failure(unknown) from None


def _element(value: list[Any] | str, key: str | int) -> Any:
    if type(key) is not int:
        if type(key) is str:
            field_of(type_of(value), key)  # raises, with a hint that fits
        raise Failure(WRONG_KIND, f"the place in {type_name(value)} is an integer, not {type_name(key)}")
    try:
        return value[key]
    except IndexError:
        raise no_element(key, len(value), f"there are {len(value)}") from None


def index(value: Any, key: Any) -> Any:
    """`value[key]` with a computed key."""
    if key is SKIPPED:
        return SKIPPED
    if type(key) is Pending:
        return _index_pending(value, key)
    if type(key) is not str and type(key) is not int:
        raise Failure(WRONG_KIND, f"a key is text or an integer, not {type_name(key)}")
    return descend(value, key)


def _index_pending(value: Any, key: Pending) -> Any:
    if value is SKIPPED:
        return SKIPPED
    if value is None:
        raise Missing("null has no elements", "Give a value for this case: `… | default(…)`.")
    if type(value) not in _PLAIN:
        # A lookup over a computed place: whatever one place can say of itself holds for the type of all of them.
        if key.type.name in {"integer", "any"}:
            try:
                return Pending(key.on, type_of(settled(value.get(0))))
            except Unknown:
                return Pending(key.on)
        return Pending(key.on)
    known = type_of(value)
    if known.name == "array":
        if key.type.name not in {"integer", "number", "any"}:
            raise Failure(WRONG_KIND, f"the place in a list is an integer, not {type_name(key)}")
        return Pending(key.on, element_of(known))
    if known.name == "object" and known.fields:
        return Pending(key.on, join(known.fields.values()))
    return Pending(key.on)


def cut(value: Any, start: Any, stop: Any, step: Any) -> Any:
    """`value[start:stop:step]` on lists and text."""
    bounds = (start, stop, step)
    undecided = undecided_of(value, *bounds)
    for bound in bounds:
        if bound is not None and type(bound) is not int and type(bound) not in (Pending, Skipped):
            raise Failure(WRONG_KIND, f"the bounds of a slice are integers, not {type_name(bound)}")
    if step == 0 and type(step) is int:
        raise Failure(ARITHMETIC, "the step of a slice cannot be 0")
    if value is None:
        raise Missing("null has no elements", "Give a value for this case: `… | default(…)`.")
    known = type_of(value)
    if known.name not in TEXTUAL and known.name not in {"array", "any"}:
        raise Failure(WRONG_KIND, f"a slice is for lists and text, not for {type_name(value)}")
    if undecided is not None:
        return retyped(undecided, Type("array", items=known.items) if known.name == "array" else known)
    return value[start:stop:step]


# --- what is not there yet -----------------------------------------------------------------------------------------


def undecided_of(*values: Any) -> Any:
    """SKIPPED when an operand will not come, else the first that is not there yet, else None."""
    pending: Pending | None = None
    for value in values:
        if value is SKIPPED:
            return SKIPPED
        if pending is None and type(value) is Pending:
            pending = value
    return pending


def retyped(undecided: Any, known: Type) -> Any:
    return undecided if undecided is SKIPPED else Pending(undecided.on, known)


# --- numbers -------------------------------------------------------------------------------------------------------


def normal(number: int | float) -> int | float:
    """Rule 2: a number without a fraction is an integer; and every number is one that JSON can say."""
    if isinstance(number, int):
        if -MAX_INTEGER <= number <= MAX_INTEGER:
            return number
        raise Failure(ARITHMETIC, "the result is too large a number")
    if not math.isfinite(number):
        raise Failure(ARITHMETIC, "the result is too large a number")
    return int(number) if number.is_integer() and abs(number) < _EXACT_FLOAT else number


def _numbers(symbol: str, a: Any, b: Any) -> Any:
    for value in (a, b):
        if (
            type(value) not in (int, float)
            and value is not SKIPPED
            and not (type(value) is Pending and is_number(value.type))
        ):
            raise Failure(
                WRONG_KIND, f"`{symbol}` needs numbers, not {type_name(value)}", _arithmetic_hint(symbol, value)
            )
    undecided = undecided_of(a, b)
    return None if undecided is None else retyped(undecided, _number_type(symbol, a, b))


def _number_type(symbol: str, a: Any, b: Any) -> Type:
    whole = all(type_of(value).name == "integer" for value in (a, b))
    return INTEGER if symbol == "//" or (whole and symbol not in {"/", "**"}) else NUMBER


def _arithmetic_hint(symbol: str, value: Any) -> str | None:
    if type_of(value).name in TEXTUAL:
        if symbol == "+":
            return "Text is joined with `~`; text that holds a number becomes one with `| int` or `| float`."
        if symbol == "%":
            return "Text is joined with `~`, or written with its expressions in it: `a ${{ … }} b`."
        return "Text that holds a number becomes one with `| int` or `| float`."
    if value is None:
        return "Give a value for this case: `… | default(0)`."
    return None


def add(a: Any, b: Any) -> Any:
    if _listy(a) and _listy(b) and "array" in (type_of(a).name, type_of(b).name):
        undecided = undecided_of(a, b)
        if undecided is not None:
            items, lengths = join((element_of(type_of(a)), element_of(type_of(b)))), (_length(a), _length(b))
            mosts = most_of(type_of(a)), most_of(type_of(b))
            return retyped(undecided, Type("array", items=items, count=_sum(lengths), most=_sum(mosts)))
        check_count(len(a) + len(b))
        return a + b
    if type_of(a).name == "array" or type_of(b).name == "array":
        other = b if type_of(a).name == "array" else a
        raise Failure(WRONG_KIND, f"`+` joins two lists, and here is {type_name(other)}", "Write `[ … ]` around it.")
    return _numbers("+", a, b) or normal(a + b)


def _sum(numbers: tuple[int | None, ...]) -> int | None:
    return None if None in numbers else sum(number or 0 for number in numbers)


def _length(value: Any) -> int | None:
    """How long a list is, as far as that is known."""
    return len(value) if type(value) is list else type_of(value).count


def _listy(value: Any) -> bool:
    return type_of(value).name in {"array", "any"} and type(value) is not dict


def subtract(a: Any, b: Any) -> Any:
    return _numbers("-", a, b) or normal(a - b)


def multiply(a: Any, b: Any) -> Any:
    return _numbers("*", a, b) or normal(a * b)


def divide(a: Any, b: Any) -> Any:
    undecided = _numbers("/", a, b)
    _not_zero(b)
    if undecided is not None:
        return undecided
    if type(a) is int and type(b) is int and a % b == 0:
        return a // b
    return normal(a / b)


def floor_divide(a: Any, b: Any) -> Any:
    undecided = _numbers("//", a, b)
    _not_zero(b)
    return undecided or normal(a // b)


def remainder(a: Any, b: Any) -> Any:
    undecided = _numbers("%", a, b)
    _not_zero(b)
    return undecided or normal(a % b)


def _not_zero(b: Any) -> None:
    if type(b) in (int, float) and b == 0:
        raise Failure(ARITHMETIC, "division by zero")


def power(a: Any, b: Any) -> Any:
    undecided = _numbers("**", a, b)
    if undecided is not None:
        return undecided
    if a == 0 and b < 0:
        raise Failure(ARITHMETIC, "division by zero")
    if a < 0 and type(b) is float:
        raise Failure(ARITHMETIC, "the root of a negative number is no number")
    if abs(a) > 1 and b > 0 and math.log2(abs(a)) * b > 1_024:
        raise Failure(ARITHMETIC, "the result is too large a number")
    return normal(a**b)


def negate(a: Any) -> Any:
    return subtract(0, a)


def keep_sign(a: Any) -> Any:
    return _numbers("+", a, 0) or normal(a)


# --- text ----------------------------------------------------------------------------------------------------------


def as_text(value: Any) -> str:
    """How a value stands in text (rule 9)."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is int:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        return json.dumps(value)
    if value is None:
        raise Failure(NOT_IN_TEXT, "null cannot stand in text", "Say what to write instead: `… | default('')`.")
    if kind is list:
        raise Failure(
            NOT_IN_TEXT, "a list cannot stand in text", "Join it: `… | join(', ')`; or write it as JSON: `… | tojson`."
        )
    raise Failure(
        NOT_IN_TEXT,
        f"{type_name(value)} cannot stand in text",
        "Name one of its keys, or write it as JSON: `… | tojson`.",
    )


def text_of_pending(value: Pending) -> None:
    """A failure when what is waited for can never stand in text."""
    if value.type.name == "array":
        as_text([])
    if value.type.name == "object":
        as_text({})


def concatenate(values: list[Any]) -> Any:
    undecided = undecided_of(*values)
    if undecided is SKIPPED:
        return SKIPPED
    pieces = []
    for value in values:
        if type(value) is Pending:
            text_of_pending(value)
        else:
            pieces.append(as_text(value))
    if undecided is not None:
        return retyped(undecided, WORDS if _is_more_than_an_id(values) else STRING)
    check_length(sum(map(len, pieces)))
    return "".join(pieces)


def _is_more_than_an_id(values: list[Any]) -> bool:
    """Whether an asset id, or text that is none, is put together with something else."""
    parts = [value for value in values if value != ""]
    ids = [part for part in parts if type(part) is Pending and (part.type.name == "asset" or part.type == WORDS)]
    return bool(ids) and (len(parts) > 1 or ids[0].type == WORDS)


# --- comparison ----------------------------------------------------------------------------------------------------


def equal(a: Any, b: Any) -> bool:
    """JSON's equality: `true` is not 1, at any depth."""
    stack = [(a, b)]
    while stack:
        left, right = stack.pop()
        if left is right:
            continue
        if type(left) is bool or type(right) is bool or left is None or right is None:
            return False
        if type(left) is dict and type(right) is dict:
            if left.keys() != right.keys():
                return False
            stack.extend((left[key], right[key]) for key in left)
        elif type(left) is list and type(right) is list:
            if len(left) != len(right):
                return False
            stack.extend(zip(left, right, strict=True))
        elif left != right:
            return False
    return True


def ordered(symbol: str, a: Any, b: Any) -> bool:
    numbers = type(a) in (int, float) and type(b) in (int, float)
    if not numbers and not (type(a) is str and type(b) is str):
        raise _unlike(symbol, a, b)
    if symbol == "<":
        return bool(a < b)
    if symbol == "<=":
        return bool(a <= b)
    if symbol == ">":
        return bool(a > b)
    return bool(a >= b)


def check_order(symbol: str, a: Any, b: Any) -> None:
    """The same rule where an operand is not there yet."""
    left, right = type_of(a), type_of(b)
    both_numbers, both_text = is_number(left) and is_number(right), _maybe_text(left) and _maybe_text(right)
    if not both_numbers and not both_text:
        raise _unlike(symbol, a, b)


def _maybe_text(known: Type) -> bool:
    return known.name in TEXTUAL or known is ANY or known.name == "any"


def _unlike(symbol: str, a: Any, b: Any) -> Failure:
    hint = (
        "Text that holds a number becomes one with `| int` or `| float`."
        if TEXTUAL & {type_of(a).name, type_of(b).name}
        else None
    )
    return Failure(
        WRONG_KIND, f"`{symbol}` compares two numbers or two texts, not {type_name(a)} and {type_name(b)}", hint
    )


def contains(container: Any, item: Any) -> bool:
    kind = type(container)
    if kind is list:
        return any(equal(item, element) for element in container)
    if kind is dict:
        if type(item) is not str:
            raise Failure(WRONG_KIND, f"`in` an object asks for a key, and a key is text, not {type_name(item)}")
        return item in container
    if kind is str:
        if type(item) is not str:
            raise Failure(
                WRONG_KIND, f"`in` text asks for text, not for {type_name(item)}", "Make it text: `… | string`."
            )
        return item in container
    raise Failure(WRONG_KIND, f"`in` looks into lists, objects and text, not into {type_name(container)}")
