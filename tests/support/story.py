"""What a run makes of a weather: its lives, one after the other or two at once, with the invariants checked after each.

Then the skies clear, and whatever needs no person must end done. The same seed gives the same story, to the last fact.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.support import invariants
from tests.support.build import RUN_ID, Stage
from tests.support.desk import at_desk
from tests.support.mortal import Death, Nap
from tests.support.provider import Script
from tests.support.rivals import Pair, two_at_once
from tests.support.service import Fate
from tests.support.weather import PLENTY, Weather
from zenflow.engine.maintenance.reconciler import Reconciler
from zenflow.engine.maintenance.session import Desk
from zenflow.engine.model.ports import StopSignal
from zenflow.engine.model.report import RunReport
from zenflow.engine.run import Changes
from zenflow.errors import Refused

MOST_LIVES = 8
SENT_TWICE = "ZF637"
CLEAR_LIVES = 6
FACT_SHOWN = 240
LOWEST = Decimal("0.5")  # of the factors that prices move by


def live_through(weather: Weather) -> RunReport:
    """All the lives of one run, then clear skies; the last report. Raises AssertionError where an invariant is broken."""
    stage, chance, copies = weather.stage, weather.chance, weather.copies
    for life in range(MOST_LIVES):
        report = _one_life(weather, dies=life < weather.deaths)
        invariants.check_all(stage, overcharges=weather.overcharges)
        if copies.may_change and chance.random() < 0.7:
            _change(weather)
        elif report is not None and report.status == "done":
            return report
        stage.clock.advance(chance.choice((0.0, 1.0, 60.0, 4000.0)))
        if report is not None and chance.random() < 0.5:
            break
    return _under_clear_skies(weather)


def _change(weather: Weather) -> None:
    weather.copies.change(weather.stage)
    weather.log.append(f"{weather.stage.clock.monotonic_s():.0f} s, the other copy of the journal")


# ---------------------------------------------------------------------------------------------------------------- a life


def _one_life(weather: Weather, dies: bool) -> RunReport | None:
    chance = weather.chance
    if weather.others_sign_in and weather.stage.events():
        weather.others_sign_in = False
        _as_somebody_else(weather)
    if chance.random() < 0.08:
        return _beside_another(weather, dies)
    how: dict[str, Any] = {}
    if dies:
        how = _death(weather)
    elif chance.random() < 0.1:
        return _with_a_failing_journal(weather)
    elif chance.random() < 0.1:
        how["meanwhile"] = _stops(chance.uniform(0.5, 60.0), chance.choice((None, chance.uniform(0.0, 30.0))))
    report = weather.stage.run(**how)
    _told(weather, how, report)
    if not weather.stage.provider.process.dead:
        weather.stage.journal = weather.stage.journal.survives()
    return report


def _death(weather: Weather) -> dict[str, Any]:
    chance = weather.chance
    if chance.random() < 0.75:
        return {"death": Death(chance.randint(1, 60), chance.random() < 0.5)}
    return {"dies_at_s": weather.stage.clock.monotonic_s() + chance.uniform(0.1, 150.0)}


def _with_a_failing_journal(weather: Weather) -> RunReport | None:
    stage, chance = weather.stage, weather.chance
    at, late = chance.randint(1, 40), chance.random() < 0.5
    stage.journal.fail_after(at, late=late)
    report = stage.run()
    stage.provider.process.dead = True  # what the journal did not let it do is counted as by a dead process
    _told(weather, f"the journal fails after {at} writes", report)
    stage.journal = stage.journal.survives()
    return report


def _beside_another(weather: Weather, dies: bool) -> RunReport | None:
    """Two processes on one run: the second is turned away, goes on after the first one's death, or takes it over."""
    stage, chance = weather.stage, weather.chance
    death = Death(chance.randint(1, 60), chance.random() < 0.5) if dies else None
    nap = Nap(chance.randint(1, 30), chance.uniform(5.0, 45.0)) if chance.random() < 0.5 else None
    pair = Pair(chance.uniform(0.0, 40.0), chance.random() < 0.5, death, nap)
    report = two_at_once(stage, pair)
    _told(weather, pair, report)
    return report


def _as_somebody_else(weather: Weather) -> None:
    """Another account is signed in: it sees none of the run's tasks, and nothing may follow from that."""
    stage, facts = weather.stage, len(weather.stage.events())
    whose, stage.service.account_id = stage.service.account_id, "account-2"
    try:
        stage.run()
    except Refused as refused:
        _told(weather, refused.code, None)
    else:
        raise AssertionError("another account went on with the run")
    finally:
        stage.service.account_id = whose
    assert len(stage.events()) == facts and not stage.provider.submits, "another account left its traces in the run"
    stage.journal = stage.journal.survives()


def _stops(first: float, second: float | None) -> Callable[[Stage, StopSignal], Awaitable[None]]:
    async def meanwhile(stage: Stage, stop: StopSignal) -> None:
        await stage.clock.sleep(first)
        stop.request()
        if second is not None:
            await stage.clock.sleep(second)
            stop.request()

    return meanwhile


# ------------------------------------------------------------------------------------------------------------ clear skies


def _under_clear_skies(weather: Weather) -> RunReport:
    """The service is well again, there is money, a day has passed: whatever needs no person must end done."""
    _clear(weather)
    report = _to_the_end(weather)
    if weather.copies.both and weather.copies.changes:
        _change(weather)
        report = _to_the_end(weather)
    return report


def _clear(weather: Weather) -> None:
    stage = weather.stage
    calm = Script()
    stage.script.submit, stage.script.trouble = calm.submit, calm.trouble
    stage.script.always.clear()
    stage.script.showing.stale = None
    stage.script.downloads.clear()
    stage.service.fate = lambda tool, params, number: Fate()
    stage.service.refuses = lambda tool, params: None
    stage.clock.advance(86_400)
    stage.service.settle()
    stage.service.surcharge = Decimal(0)
    stage.service.price_factor = LOWEST if weather.prices_move else Decimal(1)  # what was set aside is enough again
    stage.store.full = False
    stage.per_day = None
    stage.limits = replace(stage.limits, max_submission=None)
    now_s = stage.clock.monotonic_s()
    for task in stage.service.tasks.values():
        for call in task.calls:
            call.ends_s = min(call.ends_s, now_s)


def _to_the_end(weather: Weather) -> RunReport:
    stage = weather.stage
    for _ in range(CLEAR_LIVES):
        report = stage.finished(changes=Changes(budget=PLENTY))
        _told(weather, "clear", report)
        stage.journal = stage.journal.survives()
        invariants.check_all(stage, overcharges=weather.overcharges)
        if report.status == "done":
            break
        _send_again(stage, report)
        stage.clock.advance(86_400)
    return report


def _send_again(stage: Stage, report: RunReport) -> None:
    """What was sent twice without a clear answer waits for a person, who sends it again."""
    if all(code != SENT_TWICE for code, _, _ in report.reasons):
        return
    stage.resubmitted |= {one.number for one in stage.state().submissions.values() if one.needs_look}

    async def send(desk: Desk) -> None:
        for number in sorted(stage.resubmitted):
            if stage.state().submissions[number].needs_look:
                await Reconciler(desk).resubmit(number, lambda submission, price: None)

    at_desk(stage, send)
    stage.journal = stage.journal.survives()


# --------------------------------------------------------------------------------------------------------------- the tale


def _told(weather: Weather, how: object, report: RunReport | None) -> None:
    said = "died" if report is None else f"{report.status}: {report.reason}"
    weather.log.append(f"{weather.stage.clock.monotonic_s():.0f} s, {how or ''} → {said}")


def story_of(weather: Weather) -> str:
    """What happened, for whoever looks at a seed that failed."""
    facts = "\n".join(f"  {event}"[:FACT_SHOWN] for event in weather.stage.journal.events(RUN_ID))
    lives = "\n".join(f"  {line}" for line in weather.log)
    return f"seed {weather.seed}, {weather.shape.name}, {weather.stage.limits}\n{lives}\nfacts:\n{facts}"
