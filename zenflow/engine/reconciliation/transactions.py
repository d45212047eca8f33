"""The account's transaction list, read down to where we left it: debits confirmed, refunds taken in, strangers explained.

A debit is explained when its task is ours, or when `get_task` on it shows another comment, tool or inputs (docs/money.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal

from zenflow.credits import ZERO
from zenflow.engine.context import Context
from zenflow.engine.io.rate_limiter import Kind
from zenflow.engine.reconciliation.transaction_list import AccountList, Page
from zenflow.history import events as e
from zenflow.history.state import Outcome, SubmissionState
from zenflow.ids import STAMP_RUN_LENGTH
from zenflow.providers.base import ServiceError, Transaction

PAUSE_S = 15.0  # after a reading that confirmed nothing: the list lags, or cannot be read


class TransactionReconciler:
    """`watermark` is the id of the newest row seen; None when the list cannot be read."""

    def __init__(self, context: Context) -> None:
        self.watermark: str | None = None
        self.balance: Decimal | None = None  # where the list stood at the watermark; None: it is not known
        self.on_difference: Callable[[SubmissionState, Decimal], None] = lambda submission, amount: None
        self._context = context
        self._list = AccountList(self._page)
        self._explained: set[str] = set()
        self._closed: set[int] = set()  # submissions of which the list has nothing more to tell
        self._not_before_s = 0.0

    async def begin(self) -> None:
        """Remember where the list and the balance stand before anything is paid. A list that cannot be read is no second
        witness; a balance that moves between two readings of the list is no third one."""
        self.watermark = self.balance = None
        try:
            self.watermark = await self._list.newest()
        except ServiceError:
            return
        with suppress(ServiceError):
            balance = await self._balance_now()
            if await self._list.newest() == self.watermark and self._list.is_ordered:
                self.balance = balance

    @property
    def position(self) -> tuple[str | None, Decimal | None]:
        """Where a new attempt stands: the watermark, and the balance there."""
        return self.watermark, self.balance

    async def confirm(self) -> None:
        """While the run goes: find the debits of what was accepted, so that a charge above its quote shows in time."""
        now_s = self._context.clock.monotonic_s()
        waiting = self._unconfirmed()
        if not waiting or now_s < self._not_before_s:
            return
        await self.settle(patient=False)
        if self._unconfirmed() >= waiting:
            self._not_before_s = now_s + PAUSE_S

    def _unconfirmed(self) -> int:
        """Accepted submissions whose debit was not seen yet, and can be looked for."""
        submissions = self._context.recorder.state.submissions.values()
        accepted = [s for s in submissions if s.outcome is Outcome.ACCEPTED and s.watermark is not None]
        return sum(s.confirmed is None for s in accepted)

    async def settle(self, *, patient: bool = True, from_start: bool = False) -> None:
        """Take in what the list says of our tasks: debits and refunds. `from_start`: as far down as the run goes, for
        what came to tasks that seemed to be over."""
        wanted = self._context.recorder.state.first_watermark if from_start else self._wanted_floor()
        if wanted is None:
            return
        try:
            rows = await self._list.down_to(wanted, patient)
        except ServiceError:
            return
        by_task = {s.task_id: s for s in self._context.recorder.state.submissions.values() if s.task_id is not None}
        rows_of: dict[str, list[Transaction]] = {}
        for row in reversed(rows):
            if row.task_id in by_task and row.amount is not None:
                rows_of.setdefault(row.task_id, []).append(row)
        for task_id, own in rows_of.items():
            if patient or not self._may_be_a_part(by_task[task_id], own):
                self._take_in_all(by_task[task_id], own)
        self._advance(wanted, rows)

    def _advance(self, floor: str, rows: Sequence[Transaction]) -> None:
        """Move the watermark to the newest row that was read, and the balance with it, row by row."""
        if not rows or rows[0].transaction_id == self.watermark:
            return
        ids = [row.transaction_id for row in rows]
        newer = (
            rows[: ids.index(self.watermark)] if self.watermark in ids else rows if floor == self.watermark else None
        )
        self.watermark = rows[0].transaction_id
        self.balance = None if newer is None else _after(self.balance, newer)

    async def missing_from_balance(self, submission: SubmissionState) -> Decimal | None:
        """What the balance is lower than the rows since the submission's watermark explain. None: nothing, or nobody can
        tell. The balance is read first: a row that comes meanwhile then explains too much, never too little."""
        if submission.watermark is None or submission.balance is None:
            return None
        try:
            now = await self._balance_now()
            rows = await self._list.down_to(submission.watermark)
        except ServiceError:
            return None
        explained = _after(submission.balance, rows) if self._list.is_ordered else None
        return explained - now if now is not None and explained is not None and explained > now else None

    async def _balance_now(self) -> Decimal | None:
        service = self._context.service
        account = await service.ask(Kind.LOOK, service.provider.account)
        return account.credits if account.account_id == self._context.account_id else None

    async def all_debits_attributed(self, submission: SubmissionState) -> bool | None:
        """Whether every debit since the submission's watermark is somebody's; None when the list cannot be read."""
        if submission.watermark is None:
            return None
        try:
            rows = await self._list.down_to(submission.watermark)
        except ServiceError:
            return None
        for row in rows:
            if row.amount is not None and row.amount >= 0:
                continue
            if not await self._is_explained(row, submission):
                return False
        return True

    async def debit_of(self, submission: SubmissionState) -> Transaction | None:
        """The one debit that can only be this submission's, where no task says so: nobody else's, of its quote, and nothing
        else that is not known to be charged could have made it. Raises ServiceError."""
        if submission.watermark is None:
            return None
        rows = await self._list.down_to(submission.watermark)
        debits = [row for row in rows if row.amount is not None and row.amount < 0]
        unexplained = [row for row in debits if not await self._is_explained(row, submission)]
        submissions = self._context.recorder.state.submissions.values()
        other_unsettled = [s for s in submissions if s is not submission and s.task_id is None and s.confirmed is None]
        alike = [s for s in other_unsettled if s.quote == submission.quote]
        if len(unexplained) != 1 or unexplained[0].amount != -submission.quote or alike:
            return None
        return unexplained[0]

    async def rows_since(self, floor: str) -> list[Transaction]:
        """Rows newer than a watermark, newest first. Raises ServiceError."""
        return await self._list.down_to(floor)

    async def _is_explained(self, row: Transaction, submission: SubmissionState) -> bool:
        if row.transaction_id in self._explained:
            return True
        submissions = self._context.recorder.state.submissions.values()
        if any(row.transaction_id in s.debits for s in submissions):
            return True
        if row.task_id is None:
            return False
        if any(s.task_id == row.task_id for s in submissions):
            self._explained.add(row.transaction_id)
            return True
        service, task_id = self._context.service, row.task_id
        try:
            task = await service.ask(Kind.LOOK, lambda: service.provider.get_task(task_id))
        except ServiceError:
            return False  # 404 included: a deleted task may have been ours
        if task.comment.startswith(submission.stamp):
            return False
        if not task.comment.startswith(submission.stamp[:STAMP_RUN_LENGTH]):
            self._explained.add(row.transaction_id)  # for all of the run; one with another stamp of ours is that one's
        return True

    def _take_in_all(self, submission: SubmissionState, rows: Sequence[Transaction]) -> None:
        """One task's rows: a service may write one debit for each call."""
        seen = len(submission.debits)
        for row in rows:
            if row.amount is not None:
                self._take_in(submission, row, row.amount)
        if len(submission.debits) > seen and submission.confirmed not in (None, submission.quote):
            self.on_difference(submission, submission.confirmed or ZERO)

    def _take_in(self, submission: SubmissionState, row: Transaction, amount: Decimal) -> None:
        recorder = self._context.recorder
        if amount < 0 and row.transaction_id not in submission.debits:
            recorder.record(e.Confirmed(recorder.now(), submission.number, row.transaction_id, -amount))
        elif amount > 0 and row.transaction_id not in submission.refunds:
            recorder.record(e.Refunded(recorder.now(), submission.number, row.transaction_id, amount))

    def _may_be_a_part(self, submission: SubmissionState, rows: Sequence[Transaction]) -> bool:
        """Less than was quoted, in fewer rows than there are calls: more may come while the run goes. Until its end, when
        what is listed counts, it stays booked at its quote and frees no budget."""
        debits = [-row.amount for row in rows if row.amount is not None and row.amount < 0]
        return bool(debits) and sum(debits, ZERO) < submission.quote and len(debits) < len(submission.calls)

    def _wanted_floor(self) -> str | None:
        """The oldest watermark that still matters: of a charge not confirmed, or of a failed call that may be refunded."""
        state = self._context.recorder.state
        for submission in state.submissions.values():
            if submission.outcome is not Outcome.ACCEPTED or submission.watermark is None:
                continue
            if submission.number not in self._closed and self._may_have_rows_to_come(submission):
                # One that was sent again stands on a newer mark than those after it.
                again = any(one.attempts > 1 for one in state.submissions.values())
                return state.first_watermark if again else submission.watermark
            if submission.is_settled:
                self._closed.add(submission.number)
        return None

    def _may_have_rows_to_come(self, submission: SubmissionState) -> bool:
        if submission.confirmed is None or _is_a_part(submission):
            return True
        return not submission.refunds and any(call.status == "failed" for call in submission.calls)

    async def _page(self, offset: int, limit: int, patient: bool) -> Page:
        service = self._context.service
        ask = service.ask if patient else service.once
        return await ask(Kind.LOOK, lambda: service.provider.transactions(limit=limit, offset=offset))


def _after(balance: Decimal | None, rows: Sequence[Transaction]) -> Decimal | None:
    """The balance after these rows; None where one of them does not tell its amount."""
    amounts = [row.amount for row in rows if row.amount is not None]
    return None if balance is None or len(amounts) < len(rows) else balance + sum(amounts, ZERO)


def _is_a_part(submission: SubmissionState) -> bool:
    seen = submission.confirmed
    return seen is not None and seen < submission.quote and len(submission.debits) < len(submission.calls)
