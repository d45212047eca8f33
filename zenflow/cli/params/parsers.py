"""Words of the command line with a form of their own: `NAME=VALUE`, `STEP=N`, `STEP.2=1,3`, a number of credits."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from zenflow.credits import credits_from
from zenflow.errors import UsageError
from zenflow.ids import is_uuid

_ADDRESS = re.compile(r"[A-Za-z_]\w*(?:\.[0-9]{1,9})*(?:/[A-Za-z_]\w*(?:\.[0-9]{1,9})*)*")


def parse_assignment(word: str) -> tuple[str, str]:
    """`name=value`; the value may be empty and may hold `=`."""
    name, equals, value = word.partition("=")
    if not equals or not name.strip():
        raise UsageError(
            "ZF004", f"`-i {word}` does not name an input.", "Write `-i name=value`, or `-i name=@file` to read a file."
        )
    return name.strip(), value


def parse_parameter(word: str) -> tuple[str, str]:
    """`key=value` of `-p`."""
    name, equals, value = word.partition("=")
    if not equals or not name.strip():
        raise UsageError("ZF009", f"`-p {word}` does not name a parameter.", "Write `-p key=value`.")
    return name.strip(), value


def parse_budget(text: str | None) -> Decimal | None:
    """Credits of `--budget`, zero or more."""
    if text is None:
        return None
    amount = credits_from(text)
    if amount is None or amount < 0:
        raise UsageError("ZF005", f"`--budget {text}` is no number of credits.", "Write `--budget 60`.")
    return amount


def parse_adoption(word: str) -> tuple[int, str, tuple[str, ...]]:
    """`N=TASK` or `N=TASK:STEP.0,STEP.1` of `--adopt`; `#3=…` is as good."""
    number, _, rest = word.partition("=")
    task_id, colon, names = rest.partition(":")
    named = tuple(name.strip() for name in names.split(",")) if colon else ()
    number = number.strip().removeprefix("#")
    if not number.isdecimal() or not is_uuid(task_id) or not all(named):
        raise UsageError(
            "ZF014", f"`--adopt {word}` does not say which task is which submission.", "Write `--adopt 3=TASK`."
        )
    return int(number), task_id.strip(), named


def parse_resubmission(word: str) -> tuple[int, Decimal | None]:
    """`N` or `N=CREDITS` of `--resubmit`; `#3` is as good."""
    number, equals, text = word.partition("=")
    number = number.strip().removeprefix("#")
    most = credits_from(text.strip()) if equals else None
    if not number.isdecimal() or (equals and (most is None or most < 0)):
        said = f"`--resubmit {word}` does not say which submission, or for how much at most."
        raise UsageError("ZF014", said, "Write `--resubmit 3`, or `--resubmit 3=8` where its price has risen.")
    return int(number), most


MOST_INCREASE = Decimal(10) ** 15


def parse_increase(text: str | None) -> tuple[Decimal, bool] | None:
    """`20%` or `5` of `--max-increase`: the number, and whether it is of a hundred."""
    if text is None:
        return None
    amount = credits_from(text.strip().removesuffix("%").strip())
    if amount is None or not 0 <= amount <= MOST_INCREASE:
        said = f"`--max-increase {text}` is neither a percentage nor a number of credits."
        raise UsageError("ZF005", said, "Write `--max-increase 20%`, or `--max-increase 5`.")
    return amount, text.strip().endswith("%")


def parse_maximum(word: str) -> tuple[str, int]:
    """`STEP=N` of `--max`."""
    step, _, number = word.partition("=")
    if not step or not number.isdecimal():
        raise UsageError("ZF006", f"`--max {word}` does not say how many of which step.", "Write `--max upscale=8`.")
    return step, int(number)


def parse_pick(word: str) -> tuple[str, tuple[int, ...]]:
    """`STEP=1,3` or `STEP.2=4` of `--pick`; the places count from 1, as the previews are numbered."""
    step, _, numbers = word.partition("=")
    places = numbers.split(",")
    named = _ADDRESS.fullmatch(step) is not None
    if not named or not all(place.strip().isdecimal() and int(place) > 0 for place in places):
        raise UsageError(
            "ZF007", f"`--pick {word}` does not say which of which step.", "Write `--pick choose=1,3`, counted from 1."
        )
    chosen = tuple(int(place) for place in places)
    twice = next((place for place in chosen if chosen.count(place) > 1), None)
    if twice is not None:
        raise UsageError("ZF007", f"`--pick {word}` names {twice} twice.", "What follows would be paid twice for it.")
    return step, chosen


def parse_label(word: str) -> tuple[str, str]:
    """Parse `KEY=VALUE`. Raises UsageError."""
    key, equals, value = word.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,62}", key) or not value.strip() or len(value) > 200:
        hint = "Write a name, `=` and a value, as in `--label client=acme`."
        raise UsageError("ZF026", f"invalid label `{word}`", hint)
    return key, value.strip()


def parse_day(word: str) -> date:
    """Parse a day written as `2026-11-28`. Raises UsageError."""
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise UsageError("ZF027", f"invalid day `{word}`", "Write it as YYYY-MM-DD, as in `2026-11-28`.") from None
