"""What a run that has lived through its weather must look like: done, with the undisturbed run's files and true books."""

from __future__ import annotations

from tests.support import invariants
from tests.support.baseline import baseline
from tests.support.maintenance import maintenance_session
from tests.support.provider import Script
from tests.support.scenario import Scenario
from zenflow.engine.maintenance.session import MaintenanceSession
from zenflow.engine.model.report import RunReport

LAST_REFUND_S = 200_000.0


def check_the_end(scenario: Scenario, report: RunReport) -> None:
    """What a run that is over must look like. Two copies, and prices that moved, may leave something for a person to say."""
    stage = scenario.stage
    may_ask = scenario.person or scenario.copies.changes or scenario.overcharges
    if may_ask and report.status != "done":
        assert report.exit_status in (1, 4), report.reasons
        return
    assert report.status == "done", f"{report.status}: {report.reasons}"
    _files_are_those_of_the_undisturbed_run(scenario)
    totals = stage.state().totals
    assert totals.open == totals.unknown == 0, f"done, and of some requests nobody knows what became: {totals}"
    if not scenario.person:
        _read_the_list_once_more(scenario)
        invariants.the_books_are_what_the_service_says(stage)
        invariants.the_refunds_are_what_the_service_gave(stage)


def _files_are_those_of_the_undisturbed_run(scenario: Scenario) -> None:
    files, _ = baseline(scenario.shape.name)
    saved = scenario.stage.contents()
    if scenario.shape.loses:
        assert saved.items() <= files.items(), sorted(saved.keys() - files.keys())
        return
    other = sorted(name for name in saved.keys() | files.keys() if saved.get(name) != files.get(name))
    assert not other, f"files that are not as in the undisturbed run: {other}"


def _read_the_list_once_more(scenario: Scenario) -> None:
    """A later command reads the account's list: a row that the run's own reading was too early for is there now."""
    stage = scenario.stage
    stage.script.trouble, stage.script.listing_faults.query = Script().trouble, "works"
    stage.clock.advance(LAST_REFUND_S)
    stage.journal = stage.journal.survives()

    async def read(session: MaintenanceSession) -> None:
        await session.transactions.settle(from_start=True)

    maintenance_session(stage, read)
