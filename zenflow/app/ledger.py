"""What a run was charged, submission by submission, and on request compared with the account's own transaction list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from zenflow.app import wiring
from zenflow.app.asking import patiently
from zenflow.app.look import Seen, find
from zenflow.app.resume import compare_account, on_server_of
from zenflow.app.settings import Settings
from zenflow.credits import ZERO
from zenflow.engine.replay import look_at
from zenflow.errors import UsageError
from zenflow.history.state import SubmissionState
from zenflow.providers.base import Provider, Transaction
from zenflow.report.ledger import LedgerRow, ledger_rows

PAGES_MOST = 100


@dataclass(frozen=True, slots=True)
class LedgerView:
    """`listed` is the account's side by task id, None when it was not asked for."""

    seen: Seen
    rows: tuple[LedgerRow, ...]
    listed: Mapping[str, Decimal] | None = field(default=None)

    def difference(self, row: LedgerRow) -> Decimal | None:
        """The account's side less ours; None where there is nothing to compare."""
        if self.listed is None or row.task_id is None:
            return None
        return self.listed.get(row.task_id, ZERO) - (row.charged - row.refunded)

    @property
    def agrees(self) -> bool:
        return all(not self.difference(row) for row in self.rows)


async def ledger(word: str | None, settings: Settings, *, check: bool = False) -> LedgerView:
    """The ledger of one run; left out, the last."""
    clock = wiring.clock()
    journal = wiring.open_journal(settings, clock, read_only=True)
    try:
        row = find(journal, word)
        report = look_at(journal.events(row.run_id))
    finally:
        await journal.close()
    rows = ledger_rows(report.state)
    seen = Seen(row, report)
    if not check:
        return LedgerView(seen, rows)
    if report.state.started is None:
        raise UsageError("ZF042", f"Run {row.run_id} never began: there is nothing to compare.")
    async with wiring.open_provider(on_server_of(report.state.started, settings), clock) as provider:
        compare_account(report.state.started, await patiently(provider.account, clock))
        listed = await _listed(provider, list(report.state.submissions.values()))
    return LedgerView(seen, rows, listed)


async def _listed(provider: Provider, submissions: Sequence[SubmissionState]) -> dict[str, Decimal]:
    """What the account's list says of our tasks: debits less credits, by task id."""
    wanted = {submission.task_id for submission in submissions if submission.task_id}
    oldest = min((submission.intended_at for submission in submissions), default="")
    sums: dict[str, Decimal] = {}
    offset: int | None = 0
    for _ in range(PAGES_MOST):
        if offset is None or not wanted:
            break
        page, offset = await provider.transactions(limit=100, offset=offset)
        for transaction in page:
            if transaction.task_id in wanted and transaction.amount is not None:
                sums[transaction.task_id] = sums.get(transaction.task_id, ZERO) - transaction.amount
        if page and _is_older(page[-1], oldest):
            break
    return sums


def _is_older(transaction: Transaction, moment: str) -> bool:
    """A day of slack: the two clocks are not the same."""
    if transaction.created_at is None or not moment:
        return False
    return transaction.created_at.isoformat()[:10] < moment[:10]
