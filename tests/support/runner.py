"""What a run makes of a weather: its lives, one after the other or two at once, with the invariants checked after each.

Then the skies clear, and whatever needs no person must end done. The same seed gives the same story, to the last fact.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.support import invariants
from tests.support.build import RUN_ID, Harness
from tests.support.concurrent_resume import Pair, two_at_once
from tests.support.crashing_journal import Death, Stall
from tests.support.maintenance import maintenance_session
from tests.support.provider import Script
from tests.support.scenario import PLENTY, Scenario
from tests.support.service import Fate
from zenflow.engine.maintenance.reconciler import Reconciler
from zenflow.engine.maintenance.session import MaintenanceSession
from zenflow.engine.model.ports import StopSignal
from zenflow.engine.model.report import RunReport
from zenflow.engine.run import Changes
from zenflow.errors import Refused

MOST_LIVES = 8
SENT_TWICE = "ZF637"
CLEAR_LIVES = 6
FACT_SHOWN = 240
LOWEST = Decimal("0.5")  # of the factors that prices move by


def run_scenario(scenario: Scenario) -> RunReport:
    """All the lives of one run, then clear skies; the last report. Raises AssertionError where an invariant is broken."""
    stage, chance, copies = scenario.stage, scenario.chance, scenario.copies
    for life in range(MOST_LIVES):
        report = _one_life(scenario, dies=life < scenario.crashes)
        invariants.check_all(stage, overcharges=scenario.overcharges)
        if copies.may_change and chance.random() < 0.7:
            _change(scenario)
        elif report is not None and report.status == "done":
            return report
        stage.clock.advance(chance.choice((0.0, 1.0, 60.0, 4000.0)))
        if report is not None and chance.random() < 0.5:
            break
    return _under_clear_skies(scenario)


def _change(scenario: Scenario) -> None:
    scenario.copies.change(scenario.stage)
    scenario.log.append(f"{scenario.stage.clock.monotonic_s():.0f} s, the other copy of the journal")


# ---------------------------------------------------------------------------------------------------------------- a life


def _one_life(scenario: Scenario, dies: bool) -> RunReport | None:
    chance = scenario.chance
    if scenario.others_sign_in and scenario.stage.events():
        scenario.others_sign_in = False
        _as_somebody_else(scenario)
    if chance.random() < 0.08:
        return _beside_another(scenario, dies)
    how: dict[str, Any] = {}
    if dies:
        how = _death(scenario)
    elif chance.random() < 0.1:
        return _with_a_failing_journal(scenario)
    elif chance.random() < 0.1:
        how["meanwhile"] = _stops(chance.uniform(0.5, 60.0), chance.choice((None, chance.uniform(0.0, 30.0))))
    report = scenario.stage.run(**how)
    _told(scenario, how, report)
    if not scenario.stage.provider.process.dead:
        scenario.stage.journal = scenario.stage.journal.survives()
    return report


def _death(scenario: Scenario) -> dict[str, Any]:
    chance = scenario.chance
    if chance.random() < 0.75:
        return {"crash": Death(chance.randint(1, 60), chance.random() < 0.5)}
    return {"dies_at_s": scenario.stage.clock.monotonic_s() + chance.uniform(0.1, 150.0)}


def _with_a_failing_journal(scenario: Scenario) -> RunReport | None:
    stage, chance = scenario.stage, scenario.chance
    at, late = chance.randint(1, 40), chance.random() < 0.5
    stage.journal.fail_after(at, late=late)
    report = stage.run()
    stage.provider.process.dead = True  # what the journal did not let it do is counted as by a dead process
    _told(scenario, f"the journal fails after {at} writes", report)
    stage.journal = stage.journal.survives()
    return report


def _beside_another(scenario: Scenario, dies: bool) -> RunReport | None:
    """Two processes on one run: the second is turned away, goes on after the first one's death, or takes it over."""
    stage, chance = scenario.stage, scenario.chance
    crash = Death(chance.randint(1, 60), chance.random() < 0.5) if dies else None
    stall = Stall(chance.randint(1, 30), chance.uniform(5.0, 45.0)) if chance.random() < 0.5 else None
    pair = Pair(chance.uniform(0.0, 40.0), chance.random() < 0.5, crash, stall)
    report = two_at_once(stage, pair)
    _told(scenario, pair, report)
    return report


def _as_somebody_else(scenario: Scenario) -> None:
    """Another account is signed in: it sees none of the run's tasks, and nothing may follow from that."""
    stage, facts = scenario.stage, len(scenario.stage.events())
    whose, stage.service.account_id = stage.service.account_id, "account-2"
    try:
        stage.run()
    except Refused as refused:
        _told(scenario, refused.code, None)
    else:
        raise AssertionError("another account went on with the run")
    finally:
        stage.service.account_id = whose
    assert len(stage.events()) == facts and not stage.provider.submits, "another account left its traces in the run"
    stage.journal = stage.journal.survives()


def _stops(first: float, second: float | None) -> Callable[[Harness, StopSignal], Awaitable[None]]:
    async def meanwhile(stage: Harness, stop: StopSignal) -> None:
        await stage.clock.sleep(first)
        stop.request()
        if second is not None:
            await stage.clock.sleep(second)
            stop.request()

    return meanwhile


# ------------------------------------------------------------------------------------------------------------ clear skies


def _under_clear_skies(scenario: Scenario) -> RunReport:
    """The service is well again, there is money, a day has passed: whatever needs no person must end done."""
    _clear(scenario)
    report = _to_the_end(scenario)
    if scenario.copies.both and scenario.copies.changes:
        _change(scenario)
        report = _to_the_end(scenario)
    return report


def _clear(scenario: Scenario) -> None:
    stage = scenario.stage
    calm = Script()
    stage.script.submit, stage.script.trouble = calm.submit, calm.trouble
    stage.script.always.clear()
    stage.script.listing_faults.stale = None
    stage.script.downloads.clear()
    stage.service.fate = lambda tool, params, number: Fate()
    stage.service.refuses = lambda tool, params: None
    stage.clock.advance(86_400)
    stage.service.settle()
    stage.service.surcharge = Decimal(0)
    stage.service.price_factor = LOWEST if scenario.prices_move else Decimal(1)  # what was set aside is enough again
    stage.store.full = False
    stage.per_day = None
    stage.limits = replace(stage.limits, max_submission=None)
    now_s = stage.clock.monotonic_s()
    for task in stage.service.tasks.values():
        for call in task.calls:
            call.ends_s = min(call.ends_s, now_s)


def _to_the_end(scenario: Scenario) -> RunReport:
    stage = scenario.stage
    for _ in range(CLEAR_LIVES):
        report = stage.finished(changes=Changes(budget=PLENTY))
        _told(scenario, "clear", report)
        stage.journal = stage.journal.survives()
        invariants.check_all(stage, overcharges=scenario.overcharges)
        if report.status == "done":
            break
        _send_again(stage, report)
        stage.clock.advance(86_400)
    return report


def _send_again(stage: Harness, report: RunReport) -> None:
    """What was sent twice without a clear answer waits for a person, who sends it again."""
    if all(code != SENT_TWICE for code, _, _ in report.reasons):
        return
    stage.resubmitted |= {one.number for one in stage.state().submissions.values() if one.needs_lookup}

    async def send(session: MaintenanceSession) -> None:
        for number in sorted(stage.resubmitted):
            if stage.state().submissions[number].needs_lookup:
                await Reconciler(session).resubmit(number, lambda submission, price: None)

    maintenance_session(stage, send)
    stage.journal = stage.journal.survives()


# --------------------------------------------------------------------------------------------------------------- the tale


def _told(scenario: Scenario, how: object, report: RunReport | None) -> None:
    said = "died" if report is None else f"{report.status}: {report.reason}"
    scenario.log.append(f"{scenario.stage.clock.monotonic_s():.0f} s, {how or ''} → {said}")


def describe(scenario: Scenario) -> str:
    """What happened, for whoever looks at a seed that failed."""
    facts = "\n".join(f"  {event}"[:FACT_SHOWN] for event in scenario.stage.journal.events(RUN_ID))
    attempts = "\n".join(f"  {line}" for line in scenario.log)
    return f"seed {scenario.seed}, {scenario.shape.name}, {scenario.stage.limits}\n{attempts}\nfacts:\n{facts}"
