"""The books held against the account's transaction list, row by row: what matches, what is missing, what differs.

Each of our submissions should have debits of its quote and no more (promise 6): one row, or one for each call. Reads
only; what is new in the list was taken in by the bookkeeper before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from zenflow.clock import from_iso
from zenflow.credits import ZERO, as_text, in_words
from zenflow.engine.io.rate_limiter import Kind
from zenflow.engine.maintenance.session import MaintenanceSession
from zenflow.engine.reconciliation.task_lookup import MARGIN
from zenflow.history.state import Outcome, SubmissionState
from zenflow.ids import STAMP_RUN_LENGTH
from zenflow.providers.base import ServiceError, Transaction

PAGE, MOST_PAGES = 100, 100
STRANGERS_ASKED = 100

Found = Literal["matched", "no row", "another amount", "charged twice", "charged all the same", "not known yet"]


@dataclass(frozen=True, slots=True)
class TransactionCheck:
    """One of our submissions beside its rows. `listed` is what the rows say in all: debits less refunds."""

    submission: int
    task_id: str | None
    quote: Decimal
    listed: Decimal | None
    found: Found
    rows: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        return self.found in ("matched", "not known yet")


@dataclass(frozen=True, slots=True)
class Unowned:
    """A debit that none of our submissions accounts for. `ours`: it carries this run's stamp."""

    transaction_id: str
    amount: Decimal
    task_id: str | None
    said: str
    ours: bool


@dataclass(frozen=True, slots=True)
class BookCheck:
    """`others`: debits that are another client's, how many and how much. `complete`: the list was read to the run's start."""

    compared: tuple[TransactionCheck, ...]
    unowned: tuple[Unowned, ...]
    others: tuple[int, Decimal]
    complete: bool

    @property
    def agrees(self) -> bool:
        return self.complete and all(one.agrees for one in self.compared) and not any(r.ours for r in self.unowned)


async def check_transactions(session: MaintenanceSession) -> BookCheck:
    """Compare everything. Raises ServiceError when the list cannot be read."""
    rows, complete = await _rows_of_the_run(session)
    by_task: dict[str, list[Transaction]] = {}
    for row in rows:
        if row.task_id is not None and row.amount is not None:
            by_task.setdefault(row.task_id, []).append(row)
    submissions = session.state.submissions
    nameless = {
        number: [row for row in rows if row.transaction_id in one.debits] for number, one in submissions.items()
    }
    compared = tuple(_compare(one, by_task, nameless) for _, one in sorted(submissions.items()))
    known = {one.task_id for one in submissions.values() if one.task_id is not None}
    ours = {row_id for one in submissions.values() for row_id in one.debits}
    debits = [row for row in rows if row.amount is not None and row.amount < 0]
    unrecognized_tasks = [row for row in debits if row.task_id not in known and row.transaction_id not in ours]
    unowned, others = await _unrecognized_debits(session, unrecognized_tasks)
    return BookCheck(compared, unowned, others, complete)


async def _rows_of_the_run(session: MaintenanceSession) -> tuple[Sequence[Transaction], bool]:
    """Down to the oldest watermark; where that is not known, down to the day before the first intent."""
    submissions = [one for _, one in sorted(session.state.submissions.items())]
    if not submissions:
        return (), True
    floor = session.state.first_watermark
    if floor is not None:
        try:
            return await session.transactions.rows_since(floor), True
        except ServiceError:
            pass  # the row we had seen is no longer there: by time, then
    oldest = min(from_iso(one.intended_at) for one in submissions) - MARGIN
    service = session.context.service
    found: list[Transaction] = []
    offset: int | None = 0
    for _ in range(MOST_PAGES):
        page, offset = await service.ask(
            Kind.LOOK,
            lambda at=offset: service.provider.transactions(limit=PAGE, offset=at or 0),  # type: ignore[misc]
        )
        found += page
        last = page[-1].created_at if page else None
        if offset is None or not page or (last is not None and last < oldest):
            return found, True
    return found, False


def _compare(
    one: SubmissionState, by_task: Mapping[str, Sequence[Transaction]], nameless: Mapping[int, Sequence[Transaction]]
) -> TransactionCheck:
    rows = by_task.get(one.task_id or "", ()) if one.task_id is not None else nameless.get(one.number, ())
    debits = [-row.amount for row in rows if row.amount is not None and row.amount < 0]
    listed = sum((-row.amount for row in rows if row.amount is not None), ZERO) if rows else None
    ids = tuple(row.transaction_id for row in rows)
    return TransactionCheck(one.number, one.task_id, one.quote, listed, _found(one, debits), ids)


def _found(one: SubmissionState, debits: Sequence[Decimal]) -> Found:
    if one.outcome is Outcome.ABANDONED and not debits:
        return "not known yet"
    if one.outcome in (Outcome.ACCEPTED, Outcome.ABANDONED):
        if not debits:
            return "no row"
        listed = sum(debits, ZERO)
        if listed == one.quote:
            return "matched"  # in one row, or one for each call
        twice = listed > one.quote and len(debits) > 1 and (max(debits) >= one.quote or len(debits) > len(one.calls))
        return "charged twice" if twice else "another amount"
    if one.outcome in (Outcome.REFUSED, Outcome.NOT_CHARGED, Outcome.RELEASED):
        return "charged all the same" if debits or one.debits else "matched"
    return "not known yet"


async def _unrecognized_debits(
    session: MaintenanceSession, rows: Sequence[Transaction]
) -> tuple[tuple[Unowned, ...], tuple[int, Decimal]]:
    """Debits of tasks that are not ours: another client's, unless our stamp or nobody's name is on them."""
    assert session.state.started is not None
    stamp = session.state.started.stamp_run[:STAMP_RUN_LENGTH]
    unowned, count, total = [], 0, ZERO
    for place, row in enumerate(rows):
        amount = -(row.amount or ZERO)
        said, ours = await _said_of(session, row, stamp, ask=place < STRANGERS_ASKED)
        if said:
            unowned.append(Unowned(row.transaction_id, amount, row.task_id, said, ours))
        else:
            count, total = count + 1, total + amount
    return tuple(unowned), (count, total)


async def _said_of(session: MaintenanceSession, row: Transaction, stamp: str, *, ask: bool) -> tuple[str, bool]:
    """Why a debit is worth a person's eyes; nothing for one that is another client's."""
    if row.task_id is None:
        return "names no task", False
    if not ask:
        return "", False
    service, task_id = session.context.service, row.task_id
    try:
        task = await service.ask(Kind.LOOK, lambda: service.provider.get_task(task_id))
    except ServiceError as error:
        return f"its task cannot be asked for: {error.message}", False
    if not task.comment.startswith(stamp):
        return "", False
    return f"carries this run's stamp, and the journal does not know it ({task.tool})", True


def sentence(one: TransactionCheck) -> str:
    """What differs, in words."""
    if one.found == "no row":
        return f"no debit of task {one.task_id} is listed, and {in_words(one.quote)} are booked"
    if one.found == "another amount":
        return f"task {one.task_id} was quoted at {as_text(one.quote)}, and the list shows {as_text(one.listed)}"
    if one.found == "charged twice":
        return f"task {one.task_id} has {len(one.rows)} rows, {in_words(one.listed)} in all"
    if one.found == "charged all the same":
        return f"it was refused or never sent, and the list shows {in_words(one.listed)} for it"
    return one.found
