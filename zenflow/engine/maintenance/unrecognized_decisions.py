"""A person's decision on a task that carries the run's stamp and that the journal does not know (`unrecognized_tasks`).

Where the service tells what it was asked, nothing but booking it is left: a resume would have recognised it. Where it does
not, a person may say for which waiting calls it was made; all that can be compared must agree, and what cannot is named,
asked about and recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from zenflow.catalog.price_requests import price_request_for
from zenflow.credits import ZERO, in_words
from zenflow.engine.context import Context
from zenflow.engine.io.rate_limiter import Kind
from zenflow.engine.maintenance.evidence import UnrecognizedTaskCase, debits_of
from zenflow.engine.maintenance.pending_calls import WaitingCall
from zenflow.engine.maintenance.session import MaintenanceSession
from zenflow.engine.payment.pricing import Pricing
from zenflow.engine.reconciliation.unrecognized_tasks import shares
from zenflow.errors import Refused, UsageError
from zenflow.history import events as e
from zenflow.ids import STAMP_LENGTH
from zenflow.providers.base import ServiceError

Act = Literal["adopt", "resubmit", "give up"]
UNPRICED = "without a price: nobody can say what it has cost, and it counts when its debit is seen"
STRAY = "~"  # opens the address of a call that no step of the run asks for: `~3.0`

Confirm = Callable[[str], None]
"""Says what is missing before a person's word is taken for it, and asks; raises Refused when it is not agreed to."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What was done. `settled`: the submission's outcome is known now."""

    number: int
    act: Act
    said: str
    task_id: str | None
    settled: bool


async def assign_unrecognized(
    session: MaintenanceSession, unrecognized: UnrecognizedTaskCase, named: Sequence[str], confirm: Confirm
) -> Decided:
    """Take it for calls that wait: those that are named, or all of its tool where there are just as many. One whose inputs
    are told is booked. Raises UsageError, Refused, ServiceError."""
    _check_owner(session, unrecognized)
    if unrecognized.task.inputs:
        if named:
            said = f"Task {unrecognized.task.task_id} tells its inputs: what it was made for needs no naming."
            raise UsageError("ZF653", said, f"`--adopt {unrecognized.number}={unrecognized.task.task_id}` books it.")
        return await write_off_unrecognized(session, unrecognized, "adopt")
    chosen = _chosen(unrecognized, named)
    calls = ", ".join(call.instance for call in chosen)
    missing = _missing(session, unrecognized)
    confirm(
        f"Task {unrecognized.task.task_id} is to be taken for {calls}. What agrees: the run's stamp, its tool, its "
        f"{len(chosen)} calls. What cannot be compared: {missing}."
    )
    quotes = await _quotes(session, unrecognized, [call.params for call in chosen])
    intended = [
        e.IntendedCall(call.instance, call.try_number, quote or ZERO, call.params)
        for call, quote in zip(chosen, quotes, strict=True)
    ]
    note = f"task {unrecognized.task.task_id} was taken for {calls} by a person's word; not compared: {missing}"
    await _commit(session, unrecognized, intended, e.Noted(session.context.recorder.now(), "ZF648", note))
    said = f"task {unrecognized.task.task_id} is taken for {calls} by your word; not compared: {missing}"
    return Decided(unrecognized.number, "adopt", said, unrecognized.task.task_id, True)


async def write_off_unrecognized(session: MaintenanceSession, unrecognized: UnrecognizedTaskCase, act: Act) -> Decided:
    """Its results are the run's, under no step; a step that asks for the same asks, and pays, again."""
    _check_owner(session, unrecognized)
    asked: list[Mapping[str, Any] | None] = [*unrecognized.task.inputs] or [None] * (unrecognized.size or 1)
    quotes = await _quotes(session, unrecognized, asked)
    calls = [
        e.IntendedCall(f"{STRAY}{unrecognized.number}.{position}", 1, quote or ZERO, params or {})
        for position, (params, quote) in enumerate(zip(asked, quotes, strict=True))
    ]
    await _commit(session, unrecognized, calls)
    known = [quote for quote in quotes if quote is not None]
    with_what = f"with {in_words(sum(known, ZERO))}" if len(known) == len(quotes) else UNPRICED
    said = f"task {unrecognized.task.task_id} is booked {with_what}; no step of the run asks for it"
    return Decided(unrecognized.number, act, said, unrecognized.task.task_id, True)


async def price_now(context: Context, tool_name: str, params: object) -> Decimal | None:
    """What a call costs by a fresh quote; None where no price can be had."""
    tool = context.catalog.tools.get(tool_name)
    if tool is None or not isinstance(params, dict):
        return None
    question = price_request_for(tool, params)
    service = context.service
    try:
        return (await service.ask(Kind.PRICE, lambda: service.provider.quote(question))).credits
    except ServiceError:
        return None


# ------------------------------------------------------------------------------------------------------------- the checks


def _check_owner(session: MaintenanceSession, unrecognized: UnrecognizedTaskCase) -> None:
    """Another's task, or one that is booked already, is not taken on anybody's word."""
    task, account_id = unrecognized.task, session.account.account_id
    against = ""
    if task.owner_id is not None and task.owner_id != account_id:
        against = f"it belongs to account {task.owner_id}, and the run to {account_id}"
    holder = session.holder_of(task.task_id)
    if holder is not None:
        against = f"it is already {holder}"
    if against:
        hint = f"`zenflow tasks {task.task_id}` shows it. Nothing was recorded."
        raise Refused("ZF647", f"Task {task.task_id} is not the run's: {against}.", hint)


def _chosen(unrecognized: UnrecognizedTaskCase, named: Sequence[str]) -> list[WaitingCall]:
    """The calls that it is taken for. Raises Refused where that would be a guess."""
    waiting = {call.instance: call for call in unrecognized.waiting}
    task_id, tool = unrecognized.task.task_id, unrecognized.task.tool
    unknown = [name for name in named if name not in waiting]
    if unknown or len(set(named)) < len(named):
        there = ", ".join(waiting) or "none"
        what = f"`{', '.join(unknown)}` is no call of {tool} that waits" if unknown else "A call is named twice"
        raise UsageError("ZF653", f"{what}. Waiting: {there}.")
    if unrecognized.size is None:
        said = f"The service tells neither what task {task_id} was asked nor how many calls it has."
        raise Refused("ZF648", said, _out(unrecognized))
    chosen = [waiting[name] for name in named] or list(waiting.values())
    if len(chosen) != unrecognized.size:
        raise Refused(
            "ZF648",
            f"The service does not tell what task {task_id} was asked. It has {unrecognized.size} calls, and "
            + (f"{len(chosen)} are named." if named else f"{len(chosen)} calls of {tool} wait: {_some(waiting)}."),
            "Name them in the order of its calls: "
            f"`zenflow reconcile RUN --adopt {unrecognized.number}={task_id}:STEP.0,STEP.1`. " + _out(unrecognized)
            if waiting
            else f"`zenflow resume RUN` first, so that what it may be of is known. {_out(unrecognized)}",
        )
    if not named and len({call.step for call in chosen}) > 1:
        raise Refused(
            "ZF648",
            f"The service does not tell what task {task_id} was asked, and calls of several steps wait: {_some(waiting)}.",
            f"Name them in the order of its calls: `zenflow reconcile RUN --adopt {unrecognized.number}={task_id}:"
            f"{','.join(waiting)}`.",
        )
    return chosen


def _out(unrecognized: UnrecognizedTaskCase) -> str:
    return f"`zenflow reconcile RUN --write-off {unrecognized.number}` books it under no step, and its calls are made anew."


def _some(names: Sequence[str] | dict[str, WaitingCall]) -> str:
    shown = list(names)[:8]
    return ", ".join(shown) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _missing(session: MaintenanceSession, unrecognized: UnrecognizedTaskCase) -> str:
    """What of the evidence the service does not give."""
    missing = ["its inputs, which the service does not tell"]
    if unrecognized.task.owner_id is None:
        missing.append("its owner, which the service does not tell")
    if unrecognized.debit is None:
        missing.append("its debit, which was not seen")
    return "; ".join(missing)


# -------------------------------------------------------------------------------------------------------------- the facts


async def _commit(
    session: MaintenanceSession, unrecognized: UnrecognizedTaskCase, calls: Sequence[e.IntendedCall], *more: e.Event
) -> None:
    task, recorder = unrecognized.task, session.context.recorder
    now, account_id = recorder.now(), session.account.account_id
    mark = session.state.first_watermark
    intended = e.Intended(
        now, unrecognized.number, task.comment[:STAMP_LENGTH], task.tool, task.comment, tuple(calls), mark, account_id
    )
    accepted = e.Accepted(now, unrecognized.number, task.task_id, unrecognized.size, adopted=True)
    await recorder.commit(intended, accepted, *more)
    for row in await debits_of(session, task.task_id):
        amount = -(row.amount or ZERO)
        await recorder.commit(e.Confirmed(recorder.now(), unrecognized.number, row.transaction_id, amount))


async def _quotes(
    session: MaintenanceSession, unrecognized: UnrecognizedTaskCase, asked: Sequence[Mapping[str, Any] | None]
) -> list[Decimal | None]:
    """What each call weighs: its part of the debit that was seen, else today's price, else that of the dearest call that it
    may be. What has no price is never zero: None, where nobody can say."""
    if unrecognized.debit is not None:
        return [*shares(unrecognized.debit, len(asked))]
    prices = [await price_now(session.context, unrecognized.task.tool, params) for params in asked]
    if None not in prices:
        return prices
    dearest = await _dearest(session, unrecognized)
    return [dearest if price is None else price for price in prices]


async def _dearest(session: MaintenanceSession, unrecognized: UnrecognizedTaskCase) -> Decimal | None:
    """Of the calls that it may have been made for, else of those that the run has sent to its tool."""
    tool = unrecognized.task.tool
    prices = await Pricing(session.context).prices_of(tool, [call.params for call in unrecognized.waiting])
    sent = [call.call.quote for one in session.state.submissions.values() if one.tool == tool for call in one.calls]
    return max([price for price in prices if price is not None] or sent, default=None)
