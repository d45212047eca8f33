"""Faults on request: rules that say which request goes wrong, how, and how often.

This file decides; `service/door.py` cuts connections and changes HTTP answers, `service/faulty_answers.py` changes
tool answers, `submission.FaultEffects` changes what becomes of a task. docs/sandbox.md lists the kinds with an example file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from zenflow.sandbox.identity import share

PREFIX = "zencreator_"
NOT_MCP = ("files", "register", "authorize", "token")  # storage and sign-in: a rule of the wire must name them
_SUBMITS = ("create_task", "run_and_wait")

# Each kind with the requests that it can happen to; none named: any MCP request.
KINDS: Mapping[str, tuple[str, ...]] = {
    # the wire
    "http_status": (),
    "drop": (),
    "truncate_body": (),
    "garbage": (),
    "slow": (),
    "delayed_effect": ("create_task", "delete_task"),
    # the answer of a tool
    "tool_error": (),
    "no_structured": (),
    "unknown_fields": (),
    "wrong_counts": (),
    "bare_id": _SUBMITS,
    "calls_shuffled": ("get_task",),
    "calls_growing": ("get_task",),
    "calls_duplicated": ("get_task",),
    "no_asset_ids": ("get_call_result",),
    "wait_refused": ("run_and_wait", "wait_for_task"),
    "query_ignored": ("list_tasks",),
    "query_empty": ("list_tasks",),
    "listing_lag": ("list_tasks",),
    "ledger_lag": ("list_credit_transactions",),
    # what becomes of a task
    "call_fails": _SUBMITS,
    "partial": _SUBMITS,
    "call_never_ends": _SUBMITS,
    "lost_outputs": _SUBMITS,
    "price_moves": _SUBMITS,
    "hidden_task": _SUBMITS,
    # sign-in
    "sign_in_denied": ("authorize",),
    # downloads
    "download_404": ("files",),
    "download_expired": ("files",),
    "download_truncated": ("files",),
    "download_corrupt": ("files",),
    "download_wrong_type": ("files",),
    "download_slow": ("files",),
}


_NUMBERS = ("nth", "every", "probability", "times", "status", "retry_after_s", "seconds", "by", "calls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of a faults file."""

    kind: str
    tool: str | None = None  # an MCP tool, a protocol method such as tools/list, files, register, token
    tool_name: str | None = None  # the generation tool of a submission
    when: Literal["before", "after"] = "before"  # the request takes effect: not at all, or before it goes wrong
    nth: tuple[int, ...] = ()  # of the matching requests, counted from 1
    every: int | None = None
    probability: float | None = None
    times: int | None = None  # how often at most
    status: int = 503
    retry_after_s: float | None = None
    seconds: float = 5.0
    by: int = 1  # credits
    calls: tuple[int, ...] = ()  # places in inputs, from 0
    refund: Literal["now", "later", "never"] = "now"
    message: str = "a mishap on request"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            near = get_close_matches(self.kind, KINDS, 1)
            raise ValueError(f"unknown kind of fault {self.kind!r}" + (f", did you mean {near[0]!r}?" if near else ""))
        for name in _NUMBERS:
            given = getattr(self, name)
            wrong = [one for one in (given if isinstance(given, tuple) else (given,)) if not _is_number(one)]
            if given is not None and wrong:
                raise ValueError(f"{self.kind}: {name} is a number, not {wrong[0]!r}")
        if self.when not in ("before", "after"):
            raise ValueError(f"{self.kind}: when is before or after, not {self.when!r}")
        if self.refund not in ("now", "later", "never"):
            raise ValueError(f"{self.kind}: refund is now, later or never, not {self.refund!r}")
        if not 100 <= self.status <= 599:
            raise ValueError(f"{self.kind}: {self.status} is not an HTTP status")
        if self.every is not None and self.every < 1:
            raise ValueError(f"{self.kind}: every is a number from 1")

    def matches(self, request: str, arguments: Mapping[str, Any]) -> bool:
        if self.tool is not None and self.tool.removeprefix(PREFIX) != request:
            return False
        able = KINDS[self.kind]
        if (able and request not in able) or (not able and self.tool is None and request in NOT_MCP):
            return False
        return self.tool_name is None or arguments.get("tool_name") == self.tool_name

    def happens(self, seen: int, chance: float) -> bool:
        """To the `seen`-th matching request."""
        if self.nth:
            return seen in self.nth
        if self.every is not None:
            return seen % self.every == 0
        return self.probability is None or chance < self.probability


@dataclass(frozen=True, slots=True)
class TriggeredFaults:
    """The mishaps of one request."""

    rules: tuple[Rule, ...] = ()

    def first(self, *kinds: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.kind in kinds), None)


NOTHING = TriggeredFaults()


class Faults:
    """The rules with their counters. Counters start anew with the process."""

    def __init__(self, rules: Iterable[Rule] = (), seed: int = 0) -> None:
        self._seed = seed
        self._rules: list[Rule] = []
        self._seen: list[int] = []
        self._happened: list[int] = []
        self.add(rules)

    def add(self, rules: Iterable[Rule]) -> None:
        for rule in rules:
            self._rules.append(rule)
            self._seen.append(0)
            self._happened.append(0)

    def clear(self) -> None:
        self._rules.clear()
        self._seen.clear()
        self._happened.clear()

    def draw(self, request: str, arguments: Mapping[str, Any]) -> TriggeredFaults:
        """What goes wrong with this request; counts it for every rule that matches."""
        if not self._rules:
            return NOTHING
        triggered = []
        for index, rule in enumerate(self._rules):
            if not rule.matches(request, arguments):
                continue
            self._seen[index] += 1
            if rule.times is not None and self._happened[index] >= rule.times:
                continue
            if rule.happens(self._seen[index], share(self._seed, "mishap", index, self._seen[index])):
                self._happened[index] += 1
                triggered.append(rule)
        return TriggeredFaults(tuple(triggered))

    def report(self) -> list[dict[str, Any]]:
        """How often each rule was asked and has happened."""
        return [
            {"kind": rule.kind, "tool": rule.tool, "seen": seen, "happened": happened}
            for rule, seen, happened in zip(self._rules, self._seen, self._happened, strict=True)
        ]


_FIELDS = {entry.name for entry in fields(Rule)}
_TUPLES = ("nth", "calls")


def rules_from(document: object) -> list[Rule]:
    """A list of rules, or a mapping with `faults`; raises ValueError that names the line."""
    listed = document.get("faults") if isinstance(document, Mapping) else document
    if not isinstance(listed, list):
        raise ValueError("expected a list of faults, or a mapping with the key faults")
    return [_rule(index, entry) for index, entry in enumerate(listed)]


def rules_in(path: Path) -> list[Rule]:
    """The rules of a YAML or JSON file; raises OSError, and ValueError that says what is wrong."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return rules_from(json.loads(text))
    import yaml  # lazy: only who asks for faults pays for it

    try:
        return rules_from(yaml.safe_load(text))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except yaml.YAMLError as error:
        raise ValueError(f"it is not YAML: {' '.join(str(error).split())}") from error


def _rule(index: int, entry: object) -> Rule:
    if not isinstance(entry, Mapping):
        raise ValueError(f"fault {index}: expected a mapping")
    unknown = [name for name in entry if name not in _FIELDS]
    if unknown:
        near = get_close_matches(str(unknown[0]), _FIELDS, 1)
        raise ValueError(
            f"fault {index}: unknown key {unknown[0]!r}" + (f", did you mean {near[0]!r}?" if near else "")
        )
    if "kind" not in entry:
        raise ValueError(f"fault {index}: its kind is missing")
    values = dict(entry)
    for name in _TUPLES:
        if name in values:
            given = values[name]
            values[name] = tuple(given) if isinstance(given, list) else (given,)
    try:
        return Rule(**values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"fault {index}: {error}") from error


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
