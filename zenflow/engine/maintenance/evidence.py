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
from zenflow.engine.maintenance.session import MaintenanceSession
from zenflow.engine.payment.pricing import Pricing
from zenflow.engine.reconciliation.abandoned import settle_abandoned
from zenflow.engine.reconciliation.task_lookup import MARGIN, LookupResult, is_conclusive, is_ours
from zenflow.engine.reconciliation.transaction_list import NO_ROWS
from zenflow.engine.reconciliation.unrecognized_tasks import UnrecognizedTask, UnrecognizedTasks
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
class DecisionCase:
    """One submission that is still unknown, with everything that speaks for or against it; or one whose results are not in
    the order of its inputs (`submission.needs_decision`).

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
class UnrecognizedTaskCase:
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

    cases: tuple[DecisionCase, ...]
    unrecognized_cases: tuple[UnrecognizedTaskCase, ...]
    adopted: tuple[tuple[int, str], ...]


async def gather(session: MaintenanceSession) -> Evidence:
    """Look once for everything that is unknown, record the looks, and lay out the rest; what was given up is confirmed or
    released where the account's list says so by now. Raises ServiceError."""
    await session.mark_interrupted_as_unknown()
    lookup_result = await session.lookup.look_up()
    adopted, cases = [], []
    for submission in list(session.state.submissions.values()):
        if submission.needs_decision:
            cases.append(DecisionCase(submission, (), (), False))
        if not submission.needs_lookup:
            continue
        if await session.lookup.resolve(submission, lookup_result):
            adopted.append((submission.number, submission.task_id or ""))
        else:
            cases.append(await _case(session, submission, lookup_result))
    unrecognized_tasks = UnrecognizedTasks(session.context, session.lookup)
    await unrecognized_tasks.find()
    await unrecognized_tasks.measure_cost(session.transactions, Pricing(session.context).prices_of)
    session.context.ledger.unrecognized_cost = unrecognized_tasks.cost
    await settle_abandoned(session.context, session.lookup, session.transactions)
    unrecognized_cases = [
        await _unrecognized_case(session, unrecognized) for unrecognized in unrecognized_tasks.unclaimed()
    ]
    return Evidence(tuple(cases), tuple(unrecognized_cases), tuple(adopted))


async def _case(session: MaintenanceSession, submission: SubmissionState, lookup_result: LookupResult) -> DecisionCase:
    candidates = await _candidates(session, submission, lookup_result)
    rows = await _rows(session, submission)
    return DecisionCase(submission, candidates, rows, is_conclusive(submission))


# ----------------------------------------------------------------------------------------------------------- candidates


async def _candidates(
    session: MaintenanceSession, submission: SubmissionState, lookup_result: LookupResult
) -> tuple[Candidate, ...]:
    """Tasks with its stamp first, then those of its tool and size that nobody here knows and that came about then."""
    intended = from_iso(submission.intended_at)
    listed = {task.task_id: task for task in lookup_result.tasks}
    try:
        listed.update((task.task_id, task) for task in await session.lookup.listing(intended - MARGIN))
    except ServiceError:
        pass  # then the look's own tasks are what there is
    known = {s.task_id for s in session.state.submissions.values()}
    likely = [t for t in listed.values() if t.task_id not in known and _could_be(t, submission, intended)]
    likely.sort(key=lambda task: not task.comment.startswith(submission.stamp))
    return tuple([await _candidate(session, submission, task) for task in likely[:MOST_CANDIDATES]])


def _could_be(task: TaskSummary, submission: SubmissionState, intended: datetime) -> bool:
    if task.comment.startswith(submission.stamp):
        return True
    if task.tool != submission.tool or task.total not in (None, len(submission.calls)):
        return False
    if task.comment.startswith(submission.stamp[:STAMP_RUN_LENGTH]):
        return False  # another submission of this run
    return task.created_at is None or intended - MARGIN <= task.created_at <= intended + CANDIDATE_AFTER


async def _candidate(session: MaintenanceSession, submission: SubmissionState, seen: TaskSummary) -> Candidate:
    service = session.context.service
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


async def _rows(session: MaintenanceSession, submission: SubmissionState) -> tuple[SeenRow, ...] | None:
    if submission.watermark is None:
        return None
    try:
        rows = await session.transactions.rows_since(submission.watermark)
    except ServiceError:
        return None
    return tuple([await _seen_row(session, submission, row, at) for at, row in enumerate(rows)])


async def _seen_row(
    session: MaintenanceSession, submission: SubmissionState, row: Transaction, position: int
) -> SeenRow:
    whose, explained = await _whose(session, submission, row, ask=position < ROWS_EXPLAINED)
    return SeenRow(row.transaction_id, row.amount, row.task_id, row.created_at, whose, explained)


async def _whose(
    session: MaintenanceSession, submission: SubmissionState, row: Transaction, *, ask: bool
) -> tuple[str, bool]:
    if row.amount is not None and row.amount >= 0:
        return "a credit", True
    if row.task_id is None:
        return "names no task", False
    ours = _owner_in(session.state, row.task_id)
    if ours is not None:
        return f"#{ours} of this run", True
    if not ask:
        return "not asked for", False
    service, task_id = session.context.service, row.task_id
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


async def _unrecognized_case(session: MaintenanceSession, unrecognized: UnrecognizedTask) -> UnrecognizedTaskCase:
    tool = session.context.catalog.tools.get(unrecognized.task.tool)
    waiting: list[WaitingCall] = []
    if unrecognized.hides_inputs and tool is not None:
        await session.context.recorder.flush()
        parts = session.context.parts
        waiting = calls_waiting(fold(parts.journal.events(parts.lease.run_id)), tool)
    return UnrecognizedTaskCase(unrecognized.number, unrecognized.task, unrecognized.debit, tuple(waiting))


async def debits_of(session: MaintenanceSession, task_id: str) -> Sequence[Transaction]:
    """The debit rows of one task, down to where the list stood before anything of the run was paid; none where it cannot be
    read. A submission's own mark moves when it is sent again."""
    try:
        rows = await session.transactions.rows_since(session.state.first_watermark or NO_ROWS)
    except ServiceError:
        return ()
    return [row for row in rows if row.task_id == task_id and row.amount is not None and row.amount < 0]
