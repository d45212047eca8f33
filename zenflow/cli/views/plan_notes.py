"""What a plan says below its table: why each number is as it is, what is kept of earlier runs, what an edit would orphan.

Knows the plan as a value; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from zenflow.cli.terminal.text_width import wrap
from zenflow.cli.terminal.units import plural, span
from zenflow.credits import ZERO, as_text, in_words
from zenflow.plan.fanout import parse_address
from zenflow.plan.model import Orphan, Plan, Reuse

_NAMES_SHOWN = 3
_ORPHANS_SHOWN = 5
LATELY = timedelta(seconds=60)
"""Prices that are younger need no date."""


def notes(plan: Plan, width: int) -> list[str]:
    """The lines, each with its mark."""
    lines: list[str] = []
    for mark, text in note_texts(plan):
        lines += wrap(text, width, "    ", f"  {mark} ")
    return lines


def duration(plan: Plan) -> str | None:
    """How long a run is expected to take; None where nothing is known."""
    return f"Takes about {span(plan.expected_s)} at the current limits." if plan.expected_s >= 1 else None


def note_texts(plan: Plan) -> Iterator[tuple[str, str]]:
    """Mark and text of each."""
    for why, paths in _unpriced(plan).items():
        yield "?", f"no price for {named(paths)}: {why}"
    if any(step.placeholder and step.unpriced is None for step in plan.steps.values()):
        yield (
            "~",
            "priced with a stand-in for what is not made yet; asked again before anything that leads there is paid",
        )
    for cause, paths in _by_cause(plan).items():
        yield "·", f"{named(paths)}: {cause}"
    if plan.reuse is not None:
        yield from _reuse_notes(plan.reuse)


def _unpriced(plan: Plan) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for step in plan.steps.values():
        if step.unpriced is not None:
            found.setdefault(step.unpriced, []).append(step.path)
    return found


def _by_cause(plan: Plan) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for step in plan.steps.values():
        for cause in (step.skipped, step.uncertain):
            if cause:
                found.setdefault(cause, []).append(step.path)
    return found


def _reuse_notes(reuse: Reuse) -> Iterator[tuple[str, str]]:
    by_run: dict[str, dict[str, int]] = {}
    for kept in reuse.kept:
        paths = by_run.setdefault(kept.run_id, {})
        path = parse_address(kept.address)[0]
        paths[path] = paths.get(path, 0) + 1
    for run_id, paths in by_run.items():
        paid = sum((kept.credits for kept in reuse.kept if kept.run_id == run_id), start=ZERO)
        worth = f", {in_words(paid)} were paid for it" if paid else ""
        counted = [f"{count} of {path}" if count > 1 else path for path, count in paths.items()]
        yield "=", f"kept from run {run_id}: {named(counted)}{worth}"
    if not reuse.kept:
        none_yet = reuse.options.get("source") == "last" and reuse.source_run is None
        why = "there is no run of this recipe here yet" if none_yet else "no request is the same"
        yield "=", f"nothing of an earlier run is kept: {why}"
    if reuse.orphans:
        yield "-", _orphaned(reuse)
    for instance in reuse.gone[:_ORPHANS_SHOWN]:
        yield "!", f"the earlier result of {instance} is gone from the service: it must be made again"


def _orphaned(reuse: Reuse) -> str:
    shown = ", ".join(f"{o.instance} ({as_text(o.credits)})" for o in reuse.orphans[:_ORPHANS_SHOWN])
    more = len(reuse.orphans) - _ORPHANS_SHOWN
    rest = f" and {more} more" if more > 0 else ""
    results = plural(len(reuse.orphans), "paid result")
    return (
        f"orphaned: {results} of run {_runs(reuse.orphans)} for {in_words(reuse.orphaned_credits)} that nothing "
        f"asks for any more: {shown}{rest}"
    )


def _runs(orphans: Sequence[Orphan]) -> str:
    return ", ".join(dict.fromkeys(orphan.run_id for orphan in orphans))


def named(names: Iterable[str]) -> str:
    """The first few, and how many more."""
    listed = list(names)
    shown = ", ".join(listed[:_NAMES_SHOWN])
    return shown if len(listed) <= _NAMES_SHOWN else f"{shown} and {len(listed) - _NAMES_SHOWN} more"


def ages(plan: Plan, now: datetime, *, offline: bool) -> Iterator[str]:
    """How old what the plan stands on is. Where the service was asked, only prices that it told earlier are named."""
    if offline:
        taken = plan.catalog.taken_at
        schemas = "of an unknown age" if taken is None else f"of {taken:%Y-%m-%d}, {_ago(now - taken)} old"
        yield f"Offline, nothing was asked: schemas {schemas}; {_balance_age(plan, now)}."
    told: dict[str, list[str]] = {}
    for step in plan.steps.values():
        if step.priced_at is not None and (offline or now - step.priced_at > LATELY):
            when = f"{step.priced_at:%Y-%m-%d %H:%M} UTC, {_ago(now - step.priced_at)} old"
            told.setdefault(when, []).append(step.path)
    for when, paths in told.items():
        yield f"Prices of {when}: {named(paths)}."


def _balance_age(plan: Plan, now: datetime) -> str:
    if plan.account is None or plan.account.credits is None:
        return "the balance is unknown: no plan here has seen it yet"
    at = plan.balance_at
    return (
        "the balance of an unknown age" if at is None else f"balance of {at:%Y-%m-%d %H:%M} UTC, {_ago(now - at)} old"
    )


def _ago(age: timedelta) -> str:
    return plural(age.days, "day") if age.days else span(age.total_seconds())
