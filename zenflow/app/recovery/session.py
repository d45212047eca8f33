"""A run laid on the table for a person: its journal, its lease, its own server and account, compared before anything.

What `reconcile`, `fetch` and `ledger --check` share. Nothing is executed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.connection.retry import with_retries
from zenflow.app.connection.trust import claims_of_run, ensure_trusted
from zenflow.app.connection.wiring import Connection
from zenflow.app.planning.prepare import catalog_for
from zenflow.app.queries import runs
from zenflow.app.running.resume import on_server_of
from zenflow.app.running.run import parts_for
from zenflow.engine.io.account_check import compare_account
from zenflow.engine.maintenance.session import MaintenanceSession
from zenflow.engine.model.recipe_record import stored_recipe
from zenflow.engine.model.report import RunReport
from zenflow.engine.reporting.replay import look_at
from zenflow.errors import UsageError
from zenflow.history.events import RunStarted
from zenflow.journal.base import Journal, RunRow

Choose = Callable[[Journal, str | None], RunRow]


@dataclass(frozen=True, slots=True)
class OpenSession:
    """The run's report as its journal told it when the desk was opened."""

    session: MaintenanceSession
    row: RunRow
    started: RunStarted
    report: RunReport
    to: Connection

    def report_now(self) -> RunReport:
        """How the run stands with everything that was recorded since."""
        return look_at(self.to.journal.events(self.row.run_id))


@asynccontextmanager
async def open_session(
    word: str | None,
    settings: Settings,
    *,
    take_over: bool = False,
    choose: Choose = runs.find,
    out: Path | None = None,
) -> AsyncIterator[OpenSession]:
    """Raises NoSuchRun, RunBusy, Refused (another server or account), ServiceError."""
    clock = wiring.clock()
    journal = wiring.open_journal(settings, clock)
    try:
        row = choose(journal, word)
        report = look_at(journal.events(row.run_id))
        started = report.state.started
        if started is None:
            raise UsageError("ZF042", f"Run {row.run_id} never began: its journal holds no start.")
        lease = journal.take_lease(row.run_id, take_over=take_over)
        try:
            settings = on_server_of(report.state, settings)
            ensure_trusted(settings, claims_of_run(report.state, settings))
            async with wiring.open_provider(settings, clock) as provider:
                to = Connection(settings, provider, journal, clock)
                account = await with_retries(provider.account, clock)
                compare_account(started, account)
                catalog = await catalog_for(stored_recipe(started), to)
                parts = parts_for(to, lease, wiring.open_store(out or Path(started.out_dir)))
                session = MaintenanceSession(parts, account, catalog)
                try:
                    yield OpenSession(session, row, started, report, to)
                finally:
                    await session.close()
        finally:
            journal.release_lease(lease)
    finally:
        await journal.close()
