"""The settings that there are: name, kind, default, the name in the environment. One line each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from zenflow.credits import credits_from
from zenflow.suggest import did_you_mean

Kind = Literal["server", "path", "credits", "count", "number", "seconds", "nsfw", "layout", "flag"]
TEXT_KINDS = frozenset({"server", "path", "nsfw", "layout"})  # in `zenflow.toml` they are text in quotes

LIVE_URL = "https://mcp.zncr.pro/mcp"  # docs/service.md, “Sources”
SANDBOX, ZENCREATOR = "sandbox", "zencreator"


@dataclass(frozen=True, slots=True)
class Key:
    """`in_file` false: it cannot stand in `zenflow.toml`."""

    name: str
    kind: Kind
    default: Any
    variable: str
    meaning: str
    in_file: bool = True

    @property
    def example(self) -> str:
        return _EXAMPLES[self.kind]


_EXAMPLES: Mapping[Kind, str] = {
    "server": "`sandbox`, `zencreator`, or `https://host/mcp`",
    "path": "`out`",
    "credits": "`500`",
    "count": "`50`",
    "number": "`10`",
    "seconds": "`120`",
    "nsfw": "`deny` or `allow`",
    "layout": "`folders` or `flat`",
    "flag": "`true` or `false`",
}

KEYS: tuple[Key, ...] = (
    Key("service.server", "server", SANDBOX, "ZENFLOW_SERVER", "sandbox, zencreator, or a URL"),
    Key("service.speed", "number", 20, "ZENFLOW_SPEED", "the embedded sandbox works this many times faster"),
    Key("service.price_cache", "seconds", 0, "ZENFLOW_PRICE_CACHE", "a price of a plan is not asked again for so long"),
    Key("budget.per_run", "credits", None, "ZENFLOW_BUDGET_PER_RUN", "no run may spend more"),
    Key("budget.per_day", "credits", None, "ZENFLOW_BUDGET_PER_DAY", "all runs of a UTC day together"),
    Key("policy.nsfw", "nsfw", "deny", "ZENFLOW_POLICY_NSFW", "this workspace's consent to adult content"),
    Key("limits.in_flight", "count", 50, "ZENFLOW_IN_FLIGHT", "calls running at once"),
    Key("limits.requests_per_second", "number", 10, "ZENFLOW_REQUESTS_PER_SECOND", "requests to the service"),
    Key("limits.batch", "count", 50, "ZENFLOW_BATCH", "calls in one submission, at most 50"),
    Key(
        "limits.max_submission",
        "credits",
        None,
        "ZENFLOW_MAX_SUBMISSION",
        "credits in one, else a quarter of the budget",
    ),
    Key("limits.lost_answer_wait", "seconds", 120, "ZENFLOW_LOST_ANSWER_WAIT", "before a lost request is sent again"),
    Key("output.dir", "path", "out", "ZENFLOW_OUTPUT_DIR", "a run writes to a folder in it"),
    Key(
        "output.layout", "layout", "folders", "ZENFLOW_OUTPUT_LAYOUT", "folders in file names kept, or one flat folder"
    ),
    Key("output.report", "flag", False, "ZENFLOW_OUTPUT_REPORT", "write report.html at the end of each run"),
    Key("state.dir", "path", None, "ZENFLOW_STATE", "where the journal lies", in_file=False),
)

_ADDRESS = re.compile(r"(localhost|\[::1\]|[\w-]+(\.[\w-]+)+)(:\d+)?(/\S*)?")
BATCH_MOST = 50  # docs/service.md, “Generation”, create_task: 1..50 inputs


def read_value(key: Key, found: Any) -> tuple[Any, str | None]:
    """The value, or what was expected instead. `found` is text from outside or a value of TOML."""
    return _READERS[key.kind](key, found)


def _server(key: Key, found: Any) -> tuple[Any, str | None]:
    if not isinstance(found, str):
        return None, "text"
    text = found.strip()
    if text in (SANDBOX, ZENCREATOR):
        return text, None
    if text.rstrip("/") == LIVE_URL:
        return ZENCREATOR, None
    if text.startswith(("http://", "https://")) and len(text.split("://", 1)[1]) > 0:
        return text, None
    return None, "`sandbox`, `zencreator`, or an http(s) URL"


def meant(key: Key, text: str) -> str | None:
    """What somebody may have meant who wrote `text`: an address without its scheme, a server's name with a slip."""
    if key.kind != "server":
        return None
    if _ADDRESS.fullmatch(text.strip()):
        scheme = "http" if text.strip().startswith(("127.", "localhost", "[::1]")) else "https"
        path = "" if "/" in text else "/mcp"
        return f"Did you mean `{scheme}://{text.strip()}{path}`?"
    return did_you_mean(text.strip(), (SANDBOX, ZENCREATOR))


def _path(key: Key, found: Any) -> tuple[Any, str | None]:
    return (found, None) if isinstance(found, str) and found.strip() else (None, "a folder")


def _credit_amount(key: Key, found: Any) -> tuple[Any, str | None]:
    amount = credits_from(found)
    return (amount, None) if amount is not None and amount >= 0 else (None, "a number of credits, zero or more")


def _count(key: Key, found: Any) -> tuple[Any, str | None]:
    most = BATCH_MOST if key.name == "limits.batch" else 10_000
    number = credits_from(found)
    if number is not None and number == number.to_integral_value() and 1 <= number <= most:
        return int(number), None
    return None, f"a whole number from 1 to {most}"


def _number(key: Key, found: Any) -> tuple[Any, str | None]:
    number = credits_from(found)
    return (_plain(number), None) if number is not None and number > 0 else (None, "a number above zero")


def _seconds(key: Key, found: Any) -> tuple[Any, str | None]:
    number = credits_from(found)
    return (_plain(number), None) if number is not None and number >= 0 else (None, "a number of seconds")


def _nsfw(key: Key, found: Any) -> tuple[Any, str | None]:
    return (found, None) if found in ("deny", "allow") else (None, '"deny" or "allow"')


def _layout(key: Key, found: Any) -> tuple[Any, str | None]:
    return (found, None) if found in ("folders", "flat") else (None, '"folders" or "flat"')


def _flag(key: Key, found: Any) -> tuple[Any, str | None]:
    known = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}
    is_known = isinstance(found, bool | str) and found in known
    return (known[found], None) if is_known else (None, "true or false")


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


_READERS = {
    "server": _server,
    "path": _path,
    "credits": _credit_amount,
    "count": _count,
    "number": _number,
    "seconds": _seconds,
    "nsfw": _nsfw,
    "layout": _layout,
    "flag": _flag,
}
