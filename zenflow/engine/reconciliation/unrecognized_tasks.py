"""Tasks that carry our stamp and that the journal does not know: it may have been restored from a backup, or copied.

Every resume begins by listing the run's tasks (docs/money.md, “Resume”). An unknown one is adopted by matching its inputs to
requests by digest, as these become ready; what could repeat it is not sent. A match with nothing is reported, status 4.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from zenflow.clock import as_iso
from zenflow.credits import ZERO
from zenflow.engine.context import Context
from zenflow.engine.io.rate_limiter import Kind
from zenflow.engine.model.ready_queue import Ready
from zenflow.engine.reconciliation.call_binding import is_part
from zenflow.engine.reconciliation.task_lookup import LookupResult, TaskLookup, is_ours
from zenflow.engine.reconciliation.transaction_list import NO_ROWS
from zenflow.engine.reconciliation.transactions import TransactionReconciler
from zenflow.history import events as e
from zenflow.history.state import Outcome, RunState, SubmissionState
from zenflow.ids import STAMP_LENGTH, digest_of, stamp_for
from zenflow.providers.base import ServiceError, Task, Transaction

NUMBERS_TRIED = 10_000
_GRAIN = Decimal("0.000001")

PricesOf = Callable[[str, Sequence[Mapping[str, Any]]], Awaitable[list[Decimal | None]]]
"""Today's price of each call of one tool."""


@dataclass(slots=True, eq=False)
class UnrecognizedTask:
    """One unknown task: which of its inputs have found their instance so far."""

    task: Task
    number: int  # of the submission that it was, read from its stamp
    claimed: dict[int, Ready] = field(default_factory=dict)
    debit: Decimal | None = None  # what its rows in the account's list say; None: none was seen
    price: Decimal | None = None  # of its inputs today; None: it cannot be asked for

    @property
    def cost(self) -> Decimal | None:
        """What it counts against the budget until it is recognised or decided on; None: nobody knows."""
        return self.price if self.debit is None else self.debit

    @property
    def is_fully_matched(self) -> bool:
        return not self.hides_inputs and len(self.claimed) == len(self.task.inputs)

    @property
    def hides_inputs(self) -> bool:
        """A deployment that does not echo inputs: it may have asked for any call of its tool."""
        return not self.task.inputs


class UnrecognizedTasks:
    """Holds back what an unknown task has already asked for, and hands such tasks over once they are recognised."""

    def __init__(self, context: Context, lookup: TaskLookup) -> None:
        self._context = context
        self._lookup = lookup
        self._open: dict[str, list[tuple[UnrecognizedTask, int]]] = {}
        self._all: list[UnrecognizedTask] = []

    async def find(self) -> None:
        """List the run's tasks. Raises ServiceError: without this look nothing may be sent."""
        lookup_result = await self._lookup.look_up()
        state = self._context.recorder.state
        known_tasks = self._known()
        by_stamp = {s.stamp: s for s in state.submissions.values()}
        service = self._context.service
        found = []
        for summary in lookup_result.tasks:
            if summary.task_id in known_tasks:
                continue
            stamp = summary.comment[:STAMP_LENGTH]
            task = await service.ask(Kind.LOOK, lambda one=summary.task_id: service.provider.get_task(one))  # type: ignore[misc]
            same_stamp = by_stamp.get(stamp)
            if same_stamp is not None and is_ours(same_stamp, task):
                await self._came_late(same_stamp, summary.task_id, lookup_result)
                continue
            if same_stamp is not None and same_stamp.needs_lookup and is_part(same_stamp, task):
                continue  # evidence in the case of that one: it stays unknown, and all of it set aside, until it is decided
            found.append(UnrecognizedTask(task, _number_of(stamp, state)))
        taken = set(state.submissions)
        keeping = {one.number for one in found} - taken
        for unrecognized in sorted(found, key=_age):
            if unrecognized.number in taken:  # another copy of the journal has used it for something else
                unrecognized.number = max(taken | keeping) + 1
            taken.add(unrecognized.number)
            self._take(unrecognized)

    async def _came_late(self, submission: SubmissionState, task_id: str, lookup_result: LookupResult) -> None:
        """A task for what was thought to be over: given up or refused, and made all the same; or made twice."""
        if submission.task_id is not None:
            self._lookup.report_second(submission, task_id)
        elif submission.outcome in (Outcome.ABANDONED, Outcome.RELEASED, Outcome.REFUSED, Outcome.NOT_CHARGED):
            await self._lookup.resolve(submission, lookup_result)

    async def measure_cost(self, transactions: TransactionReconciler, prices_of: PricesOf) -> None:
        """What each has cost, as far as that is known: it is paid by this run, whatever the journal has forgotten."""
        if not self._all:
            return
        rows = await self._rows(transactions)
        for unrecognized in self._all:
            task = unrecognized.task
            debits = [-row.amount for row in rows if row.task_id == task.task_id and row.amount is not None]
            debits = [amount for amount in debits if amount > 0]
            unrecognized.debit = sum(debits, ZERO) if debits else None
            if not debits and task.inputs:
                unrecognized.price = await _price(task, prices_of)

    async def _rows(self, transactions: TransactionReconciler) -> Sequence[Transaction]:
        try:
            return await transactions.rows_since(self._watermark())
        except ServiceError:
            return ()

    def cost(self) -> Decimal | None:
        """Of all that nothing was recognised as; None where one of them has no price that is known."""
        costs = [unrecognized.cost for unrecognized in self.unclaimed()] if self._all else []
        known = [cost for cost in costs if cost is not None]
        return sum(known, ZERO) if len(known) == len(costs) else None

    def _take(self, unrecognized: UnrecognizedTask) -> None:
        self._all.append(unrecognized)
        for position, params in enumerate(unrecognized.task.inputs):
            key = digest_of([unrecognized.task.tool, params])
            self._open.setdefault(key, []).append((unrecognized, position))

    @property
    def highest_number(self) -> int:
        """New submissions count on from here: a stamp is never used twice."""
        return max((unrecognized.number for unrecognized in self._all), default=0)

    def claim(self, ready: Ready) -> UnrecognizedTask | None:
        """The unknown task that has already asked for this call, or may have, if there is one."""
        if not self._all:
            return None
        known = self._known()
        places = self._open.get(digest_of([ready.tool, ready.params]), [])
        while places:
            unrecognized, position = places.pop(0)
            if unrecognized.task.task_id not in known:
                unrecognized.claimed[position] = ready
                return unrecognized
        for unrecognized in self._all:
            if (
                unrecognized.hides_inputs
                and unrecognized.task.tool == ready.tool
                and unrecognized.task.task_id not in known
            ):
                unrecognized.claimed[len(unrecognized.claimed)] = ready
                return unrecognized
        return None

    async def adopt(
        self, unrecognized: UnrecognizedTask, quotes: Sequence[Decimal], account_id: str
    ) -> SubmissionState:
        """All inputs have found their instances: it becomes a submission of this journal, intended and accepted, at what it
        was charged where that is known."""
        if unrecognized.debit is not None:
            quotes = shares(unrecognized.debit, len(unrecognized.claimed))
        recorder = self._context.recorder
        now = recorder.now()
        calls = tuple(
            e.IntendedCall(ready.instance.address, ready.try_number, quote, ready.params)
            for (_, ready), quote in zip(sorted(unrecognized.claimed.items()), quotes, strict=True)
        )
        task = unrecognized.task
        stamp = task.comment[:STAMP_LENGTH]
        intended = e.Intended(
            now, unrecognized.number, stamp, task.tool, task.comment, calls, self._watermark(), account_id
        )
        accepted = e.Accepted(now, unrecognized.number, task.task_id, task.total, adopted=True)
        await recorder.commit(intended, accepted)
        self._all.remove(unrecognized)
        return recorder.state.submissions[unrecognized.number]

    def _watermark(self) -> str:
        """Its debit is somewhere after the oldest row that the run remembers: its charge is what that row says."""
        mark = self._context.recorder.state.first_watermark
        return NO_ROWS if mark is None else mark

    def of_tool(self, tool: str) -> UnrecognizedTask | None:
        """One that nothing has been recognised as yet: any call of its tool may be the one that it has asked for, under
        other asset ids (an upload that the journal has forgotten is made anew)."""
        return next((one for one in self.unclaimed() if one.task.tool == tool), None) if self._all else None

    def unclaimed(self) -> Iterable[UnrecognizedTask]:
        """Those that nothing matched: a person must look at them."""
        known = self._known()
        return tuple(unrecognized for unrecognized in self._all if unrecognized.task.task_id not in known)

    def _known(self) -> set[str]:
        """Tasks that belong to a submission by now: a look may have recognised one meanwhile."""
        return {s.task_id for s in self._context.recorder.state.submissions.values() if s.task_id is not None}


async def _price(task: Task, prices_of: PricesOf) -> Decimal | None:
    """What it would cost today; None where not all of it has a price that can be asked for."""
    try:
        prices = await prices_of(task.tool, task.inputs)
    except ServiceError:
        return None
    known = [price for price in prices if price is not None]
    return sum(known, ZERO) if len(known) == len(prices) else None


def shares(amount: Decimal, count: int) -> list[Decimal]:
    """An amount in so many parts, as equal as they can be written."""
    each = (amount / count).quantize(_GRAIN)
    return [*([each] * (count - 1)), amount - each * (count - 1)]


def _age(unrecognized: UnrecognizedTask) -> tuple[int, str, str]:
    """Of two that asked for the same the first try goes first; of two with one stamp the older one (docs/money.md,
    “The stamp”)."""
    made = unrecognized.task.created_at
    return unrecognized.number, as_iso(made) if made is not None else "", unrecognized.task.task_id


def _number_of(stamp: str, state: RunState) -> int:
    """Stamps are derived from the submission's number: the number is found again by trying."""
    assert state.started is not None
    for number in range(1, NUMBERS_TRIED):
        if stamp_for(state.started.stamp_run, number) == stamp:
            return number
    return max(state.submissions, default=0) + NUMBERS_TRIED
