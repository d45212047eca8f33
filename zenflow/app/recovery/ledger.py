"""What runs were charged, call by call and by recipe revision; on request compared with the account's transaction list.

The comparison takes in what the list says meanwhile (debits, refunds that came later): facts of the run, under its lease.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.queries import runs
from zenflow.app.queries.runs import SeenRun
from zenflow.app.recovery.session import open_session
from zenflow.credits import ZERO
from zenflow.engine.maintenance.audit import BookCheck, TransactionCheck, check_transactions
from zenflow.engine.reconciliation.abandoned import settle_abandoned
from zenflow.engine.reporting.replay import look_at
from zenflow.history.state import SubmissionState
from zenflow.report.ledger import CallRow, LedgerRow, call_rows, ledger_rows


@dataclass(frozen=True, slots=True)
class LedgerView:
    """`check` is the account's side, None when it was not asked for. `news`: refunds and debits just taken in."""

    seen: SeenRun
    rows: tuple[LedgerRow, ...]
    calls: tuple[CallRow, ...]
    check: BookCheck | None = None
    news: int = 0

    def compared(self, row: LedgerRow) -> TransactionCheck | None:
        if self.check is None:
            return None
        return next((one for one in self.check.compared if one.submission == row.submission), None)

    def difference(self, row: LedgerRow) -> Decimal | None:
        """The account's side less ours; None where there is nothing to compare."""
        one = self.compared(row)
        if one is None or row.task_id is None:
            return None
        return (one.listed or ZERO) - (row.charged - row.refunded)

    @property
    def agrees(self) -> bool:
        return self.check is None or self.check.agrees


@dataclass(frozen=True, slots=True)
class RecipeRevision:
    """All runs of one revision of one recipe: the digest counts, the version is what its author says."""

    name: str
    version: str
    digest: str
    runs: tuple[LedgerView, ...]

    @property
    def spent(self) -> Decimal:
        return sum((view.seen.report.state.totals.spent for view in self.runs), ZERO)

    @property
    def calls(self) -> int:
        return sum(len(view.calls) for view in self.runs)


async def ledger(word: str | None, settings: Settings, *, check: bool = False) -> LedgerView:
    """The ledger of one run; left out, the last. Raises NoSuchRun; with `check` RunBusy, Refused, ServiceError."""
    if check:
        return await _checked(word, settings)
    journal = wiring.open_journal(settings, wiring.clock(), read_only=True)
    try:
        row = runs.find(journal, word)
        return _view(SeenRun(row, look_at(journal.events(row.run_id))))
    finally:
        await journal.close()


async def by_revision(settings: Settings, server: str | None = None) -> Sequence[RecipeRevision]:
    """Every run of the workspace, by recipe revision, the revision used last first. Asks no service."""
    journal = wiring.open_journal(settings, wiring.clock(), read_only=True)
    try:
        views = [
            _view(SeenRun(row, look_at(journal.events(row.run_id))))
            for row in journal.runs()
            if server in (None, row.server)
        ]
    finally:
        await journal.close()
    groups: dict[tuple[str, str, str], list[LedgerView]] = {}
    for view in views:
        started = view.seen.report.state.started
        if started is not None:
            key = (started.recipe_name, started.recipe_version, started.recipe_digest)
            groups.setdefault(key, []).append(view)
    return tuple(RecipeRevision(*key, tuple(runs)) for key, runs in groups.items())


async def _checked(word: str | None, settings: Settings) -> LedgerView:
    async with open_session(word, settings) as opened:
        session = opened.session
        before = _rows_known(opened.report.state.submissions.values())
        await session.transactions.settle(from_start=True)
        await settle_abandoned(session.context, session.lookup, session.transactions)
        found = await check_transactions(session)
        await session.context.recorder.flush()
        report = opened.report_now()
        news = _rows_known(report.state.submissions.values()) - before
        return _view(SeenRun(opened.row, report), found, news)


def _view(seen: SeenRun, check: BookCheck | None = None, news: int = 0) -> LedgerView:
    state = seen.report.state
    return LedgerView(seen, ledger_rows(state), call_rows(state), check, news)


def _rows_known(submissions: Iterable[SubmissionState]) -> int:
    return sum(len(one.debits) + len(one.refunds) for one in submissions)
