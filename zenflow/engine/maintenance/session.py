"""What acts on a run outside of its execution, for a person: the same looks, the same books, under the run's lease.

`reconcile`, `fetch` and the ledger's check work through it. It begins nothing and executes nothing by itself.
"""

from __future__ import annotations

from zenflow.catalog.model import Account, Catalog
from zenflow.engine.budget.downstream_prices import DownstreamPrices
from zenflow.engine.budget.ledger import FrameBudgets, Ledger
from zenflow.engine.context import Context
from zenflow.engine.expansion.expander import Expander
from zenflow.engine.expansion.expected_counts import expected_count_function
from zenflow.engine.io.account_check import compare_account
from zenflow.engine.io.client import ServiceClient
from zenflow.engine.io.rate_limiter import RateLimiter
from zenflow.engine.io.recorder import Recorder
from zenflow.engine.model.ports import Parts, StopSignal
from zenflow.engine.model.report import Listener, Silent
from zenflow.engine.reconciliation.task_lookup import TaskLookup
from zenflow.engine.reconciliation.transactions import TransactionReconciler
from zenflow.errors import Defect
from zenflow.history import events as e
from zenflow.history.fold import fold
from zenflow.history.state import Outcome, RunState

DIED = "the process ended before an answer was read"


class MaintenanceSession:
    """One run on the table. The caller has compared server and account, and holds the lease."""

    def __init__(self, parts: Parts, account: Account, catalog: Catalog, listener: Listener | None = None) -> None:
        run_id = parts.lease.run_id
        self.state: RunState = fold(parts.journal.events(run_id))
        if self.state.started is None:
            raise Defect("ZF901", f"the journal holds no start of run {run_id}")
        compare_account(self.state.started, account)
        self.account = account
        self._limiter = RateLimiter(parts.clock, parts.limits.requests_per_second, parts.shared_limit)
        self.context = Context(
            parts=parts,
            recorder=Recorder(parts.journal, parts.lease, self.state, listener or Silent(), parts.clock),
            expander=Expander(self.state, expected_count_function(catalog.tools, self.state.options.get("asked", {}))),
            service=ServiceClient(parts.provider, self._limiter, parts.clock, parts.limits.patience_429_s),
            ledger=Ledger(self.state, reserves_downstream=False, balance=account.credits),
            frame_budgets=FrameBudgets(),
            planned={},
            planned_prices={},
            downstream=DownstreamPrices(None),
            catalog=catalog,
            stop=StopSignal(),
            account_id=account.account_id,
            began_s=parts.clock.monotonic_s(),
        )
        self.transactions = TransactionReconciler(self.context)
        self.lookup = TaskLookup(self.context, self.transactions)

    async def mark_interrupted_as_unknown(self) -> None:
        """What a dead process left on its way has no answer any more: unknown, from now on."""
        recorder = self.context.recorder
        for submission in list(self.state.submissions.values()):
            if submission.outcome is Outcome.OPEN:
                now = recorder.now()
                await recorder.commit(e.OutcomeUnknown(now, submission.number, submission.attempts, DIED, now))

    def holder_of(self, task_id: str) -> str | None:
        """Which submission a task belongs to already, of this run or of another one of this journal."""
        mine = next((s.number for s in self.state.submissions.values() if s.task_id == task_id), None)
        if mine is not None:
            return f"submission #{mine} of this run"
        journal = self.context.parts.journal
        for row in journal.runs():
            if row.run_id == self.context.parts.lease.run_id:
                continue
            if any(isinstance(x, e.Accepted) and x.task_id == task_id for x in journal.events(row.run_id)):
                return f"a submission of run {row.run_id}"
        return None

    async def close(self) -> None:
        """Return when everything that was recorded is durable. Raises JournalError when it is not."""
        await self.context.recorder.flush()
        self._limiter.close()
        if self.context.recorder.failed is not None:
            raise self.context.recorder.failed
