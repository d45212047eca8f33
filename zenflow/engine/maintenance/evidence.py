"""What is known of a submission whose outcome needs a person: its looks, the debits since, the tasks that could be it.

Gathered by asking only; nothing is decided here. What a look finds beyond doubt is adopted by the table of
docs/money.md before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from zenflow.clock import from_iso
from zenflow.engine.io.rate_limiter import Kind
from zenflow.engine.maintenance.pending_calls import WaitingCall, calls_waiting
from zenflow.engine.maintenance.session import Desk
from zenflow.engine.payment.pricing import Pricing
from zenflow.engine.reconciliation.abandoned import settle_given_up
from zenflow.engine.reconciliation.task_lookup import MARGIN, Sight, is_conclusive, is_ours
from zenflow.engine.reconciliation.transaction_list import NO_ROWS
from zenflow.engine.reconciliation.unrecognized_tasks import Stranger, Strangers
from zenflow.history.fold import fold
from zenflow.history.state import RunState, SubmissionState
from zenflow.ids import STAMP_RUN_LENGTH
from zenflow.providers.base import ServiceError, Task, TaskSummary, Transaction

MOST_CANDIDATES = 10
CANDIDATE_AFTER = timedelta(hours=24)  # a task made later than this after the intent is no candidate
ROWS_EXPLAINED = 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """A task that could be the submission. `same_inputs` None: it could not be asked, or does not tell its inputs."""

    task_id: str
    tool: str
    total: int | None
    created_at: datetime | None
    comment: str
    stamped: bool
    same_inputs: bool | None


@dataclass(frozen=True, slots=True)
class SeenRow:
    """A row of the transaction list since the watermark. `whose`: ours, another's, or nobody's that is known."""

    transaction_id: str
    amount: Decimal | None
    task_id: str | None
    at: datetime | None
    whose: str
    explained: bool


@dataclass(frozen=True, slots=True)
class Case:
    """One submission that is still unknown, with everything that speaks for or against it; or one whose results are not in
    the order of its inputs (`submission.in_doubt`).

    `rows` None: the transaction list cannot be read. `conclusive`: by the table nothing was charged; a resume sends it again.
    """

    submission: SubmissionState
    candidates: tuple[Candidate, ...]
    rows: tuple[SeenRow, ...] | None
    conclusive: bool

    @property
    def number(self) -> int:
        return self.submission.number


@dataclass(frozen=True, slots=True)
class StrayCase:
    """A task with this run's stamp that the journal does not know. `debit` is what its rows say it was charged; `waiting`,
    where the service does not tell its inputs, the calls of its tool that it may have been made for."""

    number: int
    task: Task
    debit: Decimal | None
    waiting: tuple[WaitingCall, ...] = ()

    @property
    def size(self) -> int | None:
        """How many calls it has, as far as the service tells."""
        return self.task.total or len(self.task.calls) or None


@dataclass(frozen=True, slots=True)
class Evidence:
    """`adopted`: what the looks of this gathering have found and, by the table, adopted."""

    cases: tuple[Case, ...]
    strays: tuple[StrayCase, ...]
    adopted: tuple[tuple[int, str], ...]


async def gather(desk: Desk) -> Evidence:
    """Look once for everything that is unknown, record the looks, and lay out the rest; what was given up is confirmed or
    released where the account's list says so by now. Raises ServiceError."""
    await desk.own_up()
    sight = await desk.looker.look()
    adopted, cases = [], []
    for submission in list(desk.state.submissions.values()):
        if submission.in_doubt:
            cases.append(Case(submission, (), (), False))
        if not submission.needs_look:
            continue
        if await desk.looker.resolve(submission, sight):
            adopted.append((submission.number, submission.task_id or ""))
        else:
            cases.append(await _case(desk, submission, sight))
    strangers = Strangers(desk.context, desk.looker)
    await strangers.find()
    await strangers.weigh(desk.books, Pricing(desk.context).prices_of)
    desk.context.ledger.strangers = strangers.weight
    await settle_given_up(desk.context, desk.looker, desk.books)
    strays = [await _stray(desk, stranger) for stranger in strangers.unrecognised()]
    return Evidence(tuple(cases), tuple(strays), tuple(adopted))


async def _case(desk: Desk, submission: SubmissionState, sight: Sight) -> Case:
    candidates = await _candidates(desk, submission, sight)
    rows = await _rows(desk, submission)
    return Case(submission, candidates, rows, is_conclusive(submission))


# ----------------------------------------------------------------------------------------------------------- candidates


async def _candidates(desk: Desk, submission: SubmissionState, sight: Sight) -> tuple[Candidate, ...]:
    """Tasks with its stamp first, then those of its tool and size that nobody here knows and that came about then."""
    intended = from_iso(submission.intended_at)
    listed = {task.task_id: task for task in sight.tasks}
    try:
        listed.update((task.task_id, task) for task in await desk.looker.listing(intended - MARGIN))
    except ServiceError:
        pass  # then the look's own tasks are what there is
    known = {s.task_id for s in desk.state.submissions.values()}
    likely = [t for t in listed.values() if t.task_id not in known and _could_be(t, submission, intended)]
    likely.sort(key=lambda task: not task.comment.startswith(submission.stamp))
    return tuple([await _candidate(desk, submission, task) for task in likely[:MOST_CANDIDATES]])


def _could_be(task: TaskSummary, submission: SubmissionState, intended: datetime) -> bool:
    if task.comment.startswith(submission.stamp):
        return True
    if task.tool != submission.tool or task.total not in (None, len(submission.calls)):
        return False
    if task.comment.startswith(submission.stamp[:STAMP_RUN_LENGTH]):
        return False  # another submission of this run
    return task.created_at is None or intended - MARGIN <= task.created_at <= intended + CANDIDATE_AFTER


async def _candidate(desk: Desk, submission: SubmissionState, seen: TaskSummary) -> Candidate:
    service = desk.context.service
    same: bool | None = None
    try:
        task = await service.ask(Kind.LOOK, lambda: service.provider.get_task(seen.task_id))
    except ServiceError:
        pass
    else:
        same = same_inputs(submission, task) if task.inputs else None
    stamped = seen.comment.startswith(submission.stamp)
    return Candidate(seen.task_id, seen.tool, seen.total, seen.created_at, seen.comment, stamped, same)


def same_inputs(submission: SubmissionState, task: Task) -> bool:
    """Whether a task asks for just what the submission asks for, whatever its comment says."""
    return is_ours(submission, _with_stamp(task, submission.stamp))


def _with_stamp(task: Task, stamp: str) -> Task:
    fields = {name: getattr(task, name) for name in Task.__dataclass_fields__}
    return Task(**{**fields, "comment": stamp})


# ----------------------------------------------------------------------------------------------------------------- rows


async def _rows(desk: Desk, submission: SubmissionState) -> tuple[SeenRow, ...] | None:
    if submission.watermark is None:
        return None
    try:
        rows = await desk.books.rows_since(submission.watermark)
    except ServiceError:
        return None
    return tuple([await _seen_row(desk, submission, row, at) for at, row in enumerate(rows)])


async def _seen_row(desk: Desk, submission: SubmissionState, row: Transaction, position: int) -> SeenRow:
    whose, explained = await _whose(desk, submission, row, ask=position < ROWS_EXPLAINED)
    return SeenRow(row.transaction_id, row.amount, row.task_id, row.created_at, whose, explained)


async def _whose(desk: Desk, submission: SubmissionState, row: Transaction, *, ask: bool) -> tuple[str, bool]:
    if row.amount is not None and row.amount >= 0:
        return "a credit", True
    if row.task_id is None:
        return "names no task", False
    ours = _owner_in(desk.state, row.task_id)
    if ours is not None:
        return f"#{ours} of this run", True
    if not ask:
        return "not asked for", False
    service, task_id = desk.context.service, row.task_id
    try:
        task = await service.ask(Kind.LOOK, lambda: service.provider.get_task(task_id))
    except ServiceError as error:
        return ("its task is gone" if error.trouble == "not_found" else "its task cannot be asked for"), False
    if task.comment.startswith(submission.stamp):
        return "carries the stamp of this submission", False
    return f"another's: {task.tool}, {task.comment[:40] or 'no comment'}", True


def _owner_in(state: RunState, task_id: str) -> int | None:
    return next((s.number for s in state.submissions.values() if s.task_id == task_id), None)


# --------------------------------------------------------------------------------------------------------------- strays


async def _stray(desk: Desk, stranger: Stranger) -> StrayCase:
    tool = desk.context.catalog.tools.get(stranger.task.tool)
    waiting: list[WaitingCall] = []
    if stranger.is_blind and tool is not None:
        await desk.context.recorder.flush()
        parts = desk.context.parts
        waiting = calls_waiting(fold(parts.journal.events(parts.lease.run_id)), tool)
    return StrayCase(stranger.number, stranger.task, stranger.debit, tuple(waiting))


async def debits_of(desk: Desk, task_id: str) -> Sequence[Transaction]:
    """The debit rows of one task, down to where the list stood before anything of the run was paid; none where it cannot be
    read. A submission's own mark moves when it is sent again."""
    try:
        rows = await desk.books.rows_since(desk.state.first_watermark or NO_ROWS)
    except ServiceError:
        return ()
    return [row for row in rows if row.task_id == task_id and row.amount is not None and row.amount < 0]
