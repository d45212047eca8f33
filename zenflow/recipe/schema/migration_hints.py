"""What people write who know another tool, where the form of a value is wrong, and how that is written here."""

from __future__ import annotations

import json
import re
from typing import Any


def as_elsewhere(value: Any, what: str) -> str | None:
    """`what` is the key as messages name it, `value` what stands there; the hint, where the habit is known."""
    habit = _HABITS.get(what)
    return None if habit is None else habit(value)


def _foreach(value: Any) -> str | None:
    if type(value) is int:
        return f"A list: `[a, b]`; for 0 to {value - 1} write `${{{{ range({value}) }}}}`." if value > 0 else None
    if type(value) is not str:
        return None
    if re.fullmatch(r"[^{}$,]{1,40}(,[^{}$,]{1,40}){1,20}", value):
        return f"Write a list: `[{', '.join(part.strip() for part in value.split(','))}]`."
    match = re.fullmatch(r"(\d{1,6})\.{2,3}(\d{1,6})", value)
    return f"Write `${{{{ range({match[1]}, {int(match[2]) + 1}) }}}}`." if match else None


def _steps(value: Any) -> str | None:
    if type(value) is not list:
        return None
    uses = next((one["uses"] for one in value if isinstance(one, dict) and type(one.get("uses")) is str), "upload")
    return (
        f"Each step has a name: in place of `- uses: {uses}` write `{uses}:`, and below it, indented, `uses: {uses}`."
    )


def _needs(value: Any) -> str | None:
    return "It names steps: `needs: upload`, or `needs: [upload, describe]`."


def _required(value: Any) -> str | None:
    if type(value) is not bool:
        return None
    return (
        "An input without `default` is required; leave this out."
        if value
        else "`default: null` makes an input optional."
    )


def _with(value: Any) -> str | None:
    return "Parameters are a mapping, without dashes: `source: …`." if type(value) is list else None


def _inputs(value: Any) -> str | None:
    return "Each input has its type: `photo: image`." if type(value) is list else None


def _budget(value: Any) -> str | None:
    plain = re.sub(r"(?<=\d)[,_ ](?=\d{3}(?!\d))", "", value) if type(value) is str else ""
    number = re.search(r"\d+(\.\d+)?", plain)
    return f"Credits, and the number alone: `budget: {number[0]}`." if number else None


_TRIES = frozenset({"max", "limit", "times", "tries", "retries", "count", "attempts", "max_attempts", "maxAttempts"})


def _retry(value: Any) -> str | None:
    if type(value) is not dict:
        return None
    tries = next((one for key, one in value.items() if key in _TRIES and type(one) is int and one >= 0), 1)
    return f"The number of further tries, and nothing more: `retry: {tries}`."


def _outputs(value: Any) -> str | None:
    return "Each output has a name: `images: ${{ steps.download.files }}`." if type(value) is list else None


_SPAN = re.compile(r"(\d{1,6})\s*(?:(h)(?:rs?|ours?)?|(m)(?:ins?|inutes?)?|(s)(?:ecs?|econds?)?)(?![a-z])")


def in_one_unit(value: str) -> str | None:
    """`1h30m` is `90m`."""
    said = value.lower()
    parts = list(_SPAN.finditer(said))
    if not parts or re.sub(r"[\s,]", "", _SPAN.sub("", said)):
        return None
    seconds = sum(int(part[1]) * (3600 if part[2] else 60 if part[3] else 1) for part in parts)
    size, unit = next((size, unit) for size, unit in ((3600, "h"), (60, "m"), (1, "s")) if seconds % size == 0)
    return f"One number with one unit: `{seconds // size}{unit}`." if seconds else None


def _recipe(value: Any) -> str | None:
    return "Is this the right file? A recipe begins with `zenflow: 1`, `name: …` and `steps:`."


_HABITS = {
    "the recipe": _recipe,
    "`budget`": _budget,
    "`retry`": _retry,
    "`outputs`": _outputs,
    "`foreach`": _foreach,
    "`steps`": _steps,
    "`needs`": _needs,
    "`required`": _required,
    "`with`": _with,
    "`inputs`": _inputs,
}


def as_a_default(name: str, value: Any) -> str | None:
    """An input that was given a value where its type belongs."""
    kinds = {int: "integer", float: "number", bool: "boolean", list: "array"}
    kind = kinds.get(type(value))
    if type(value) is str:
        ending = value.rpartition(".")[2].lower()
        kind = {"mp4": "video", "mov": "video", "mp3": "audio", "wav": "audio"}.get(ending)
        kind = kind or ("image" if ending in ("jpg", "jpeg", "png", "webp") else "string")
    shown = value if type(value) is str else json.dumps(value)
    return None if kind is None else f"As a default: `{name}: {{type: {kind}, default: {shown}}}`."
