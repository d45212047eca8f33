"""One seed decides everything: the recipe, the limits, how long things take, what goes wrong, and how often the process dies.

`live_through` leads a run through all of it, with the invariants checked after each life, then lets the skies clear and
resumes until it is done. The same seed gives the same story, to the last fact.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from zenflow.engine.door import Limits, StopSignal
from zenflow.engine.result import RunReport
from zenflow.engine.run import Changes
from zenflow.providers.base import ServiceTrouble, Submission
from zenflow.testing import invariants, mishaps
from zenflow.testing.build import RUN_ID, Stage, recipe_of
from zenflow.testing.mishaps import Mishap
from zenflow.testing.mortal import Death
from zenflow.testing.provider import Script
from zenflow.testing.service import NEVER, Fate
from zenflow.testing.shapes import SHAPES, Shape

MOST_LIVES = 8
CLEAR_LIVES = 6
FACT_SHOWN = 240
PLENTY = Decimal(100_000)
A_429_THAT_CHARGED = mishaps.over_http(429, charged=True)  # A2 is false: the look and the second witness must see it
ACCIDENTS: tuple[Mishap, ...] = (
    mishaps.lost_before_the_charge,
    mishaps.lost_after_the_charge,
    mishaps.no_connection,
    mishaps.answer_without_id,
    mishaps.answer_in_rubbish,
    mishaps.over_http(401),
    mishaps.over_http(429, retry_after_s=5.0),
    A_429_THAT_CHARGED,
    mishaps.over_http(502),
    mishaps.over_http(503),
    mishaps.over_http(504, charged=True),
    mishaps.over_http(422, charged=True),
    mishaps.says(402, "out of credits"),
    mishaps.says(429),
    mishaps.says(403, "not for you"),
    mishaps.says(500),
)
HONEST = tuple(one for one in ACCIDENTS if one is not A_429_THAT_CHARGED)
TROUBLES: tuple[ServiceTrouble, ...] = ("server", "unreachable", "rate_limited")


@dataclass(slots=True)
class Weather:
    """What a seed has in store. `person`: something in it may need a person's decision, so that it need not end done."""

    seed: int
    shape: Shape
    stage: Stage
    chance: random.Random
    deaths: int
    person: bool = False
    restored: bool = False
    log: list[str] = field(default_factory=list)


def weather_of(seed: int) -> Weather:
    """Everything that a seed decides."""
    chance = random.Random(seed)
    shape = chance.choice(SHAPES)
    stage = _stage(shape, seed, chance)
    weather = Weather(seed, shape, stage, chance, deaths=chance.choice((0, 0, 1, 1, 2, 4)))
    _wire(weather)
    _calls(weather)
    _others(weather)
    return weather


def _stage(shape: Shape, seed: int, chance: random.Random) -> Stage:
    limits = Limits(
        in_flight=chance.choice((2, 5, 50)),
        batch=chance.choice((1, 3, 50)),
        max_submission=chance.choice((None, None, Decimal(4), PLENTY)),
    )
    budget = chance.choice((None, None, 1000, 1000, 1000, undisturbed_cost(shape)))
    return Stage(recipe_of(shape.text, shape.others), budget=budget, seed=seed, limits=limits)


def _wire(weather: Weather) -> None:
    """Latencies, accidents of the paid request, troubles of the free ones, oddities of the listing."""
    chance, script = weather.chance, weather.stage.script
    slowest = chance.choice((0.2, 0.2, 2.0, 15.0))
    often = chance.choice((0.0, 0.0, 0.05, 0.2, 0.5))
    bad = chance.choice((0.0, 0.0, 0.02, 0.15))
    script.latency_s = lambda method: chance.uniform(0.01, slowest)
    script.submit = lambda submission: _accident(chance, often, submission)
    script.trouble = lambda method: chance.choice(TROUBLES) if chance.random() < bad else None
    script.delivers_after_death_s = lambda: chance.choice((None, 0.0, chance.uniform(0.0, 100.0)))
    script.showing.query = chance.choice(("works", "works", "works", "nothing", "ignored"))
    script.showing.calls = chance.choice(("plain", "plain", "growing", "repeated"))  # never shuffled: A5 holds
    script.showing.ends_partial = chance.random() < 0.2
    script.showing.echoes_inputs = chance.random() < 0.9
    script.downloads = [
        chance.choice(("", "", "break", "truncate", "expire")) for _ in range(chance.choice((0, 0, 20)))
    ]
    if chance.random() < 0.05:
        script.always["transactions"] = "server"
        script.submit = lambda submission: _accident(chance, often, submission, HONEST)
        weather.person = True


def _accident(
    chance: random.Random, often: float, submission: Submission, accidents: Sequence[Mishap] = ACCIDENTS
) -> Mishap:
    if chance.random() >= often:
        return mishaps.as_it_should
    if chance.random() < 0.15:
        return mishaps.takes_effect_after(chance.uniform(0.0, 100.0))  # within `lost_answer_wait`: A4 holds
    return chance.choice(accidents)


def _calls(weather: Weather) -> None:
    """How long calls take, which fail, whether they are refunded, how results are named; what the listing hides."""
    chance, service = weather.chance, weather.stage.service
    longest = chance.choice((5.0, 30.0, 120.0))
    failing = chance.choice((0.0, 0.0, 0.1, 0.3))
    endless = chance.choice((0.0, 0.0, 0.0, 0.03))
    refund = chance.choice((None, 0.0, 30.0, 3600.0))
    hidden = chance.choice((0.0, 0.0, 0.2))

    def fate(tool: str, params: Mapping[str, Any], number: int) -> Fate:
        seconds = NEVER if chance.random() < endless else chance.uniform(0.0, longest)
        error = "it went wrong" if chance.random() < failing else None
        gives = "in the output" if chance.random() < 0.05 else "named"
        late_s = chance.choice((0.0, 0.0, 0.0, 0.0, 20.0, 100.0)) if chance.random() < 0.2 else 0.0
        return Fate(seconds, error, refund, gives, late_s)  # type: ignore[arg-type]

    service.fate = fate
    service.lag_s = lambda number: chance.uniform(0.0, 90.0) if chance.random() < hidden else 0.0


def _others(weather: Weather) -> None:
    """What other people do with the same account meanwhile."""
    chance, service = weather.chance, weather.stage.service
    for _ in range(chance.choice((0, 0, 0, 3, 10))):
        service.later(chance.uniform(0.0, 400.0), lambda: _ignore(service.spend_elsewhere()))
    if chance.random() < 0.05:
        weather.person = True
        service.later(chance.uniform(1.0, 200.0), lambda: _copy(weather))
    if chance.random() < 0.05:
        weather.person = True
        service.later(chance.uniform(1.0, 100.0), lambda: _delete(weather))


def _copy(weather: Weather) -> None:
    ours = [task for task in weather.stage.service.tasks.values() if task.posted]
    if ours:
        weather.stage.service.copy(weather.chance.choice(ours))


def _delete(weather: Weather) -> None:
    ours = [task for task in weather.stage.service.tasks.values() if task.posted]
    if ours:
        weather.chance.choice(ours).deleted = True


def _ignore(_: object) -> None:
    return


# ------------------------------------------------------------------------------------------------------------ the story


def live_through(weather: Weather) -> RunReport:
    """All the lives of one run, then clear skies; the last report. Raises AssertionError where an invariant is broken."""
    stage, chance = weather.stage, weather.chance
    for life in range(MOST_LIVES):
        report = _one_life(weather, dies=life < weather.deaths)
        invariants.check_all(stage)
        if report is not None and report.status == "done":
            return report
        stage.clock.advance(chance.choice((0.0, 1.0, 60.0, 4000.0)))
        if report is not None and chance.random() < 0.5:
            break
    return _under_clear_skies(weather)


def _one_life(weather: Weather, dies: bool) -> RunReport | None:
    stage, chance = weather.stage, weather.chance
    how: dict[str, Any] = {}
    if dies:
        if chance.random() < 0.75:
            how["death"] = Death(chance.randint(1, 60), chance.random() < 0.5)
        else:
            how["dies_at_s"] = stage.clock.monotonic_s() + chance.uniform(0.1, 150.0)
    elif chance.random() < 0.1:
        how["fails"] = chance.randint(1, 40)
    elif chance.random() < 0.1:
        how["meanwhile"] = _stops(chance)
    breaks = "fails" in how
    if breaks:
        stage.journal.fail_after(how.pop("fails"), late=chance.random() < 0.5)
    report = stage.run(**how)
    stage.provider.process.dead |= breaks  # what a failed journal did not let it do is counted as by a dead process
    said = "died" if report is None else f"{report.status}: {report.reason}"
    weather.log.append(f"{stage.clock.monotonic_s():.0f} s, {how or ''} → {said}")
    if not stage.provider.process.dead or breaks:
        stage.journal = stage.journal.survives()
    return report


def _stops(chance: random.Random) -> Any:
    first, second = chance.uniform(0.5, 60.0), chance.choice((None, chance.uniform(0.0, 30.0)))

    async def meanwhile(stage: Stage, stop: StopSignal) -> None:
        await stage.clock.sleep(first)
        stop.request()
        if second is not None:
            await stage.clock.sleep(second)
            stop.request()

    return meanwhile


def _under_clear_skies(weather: Weather) -> RunReport:
    """The service is well again, there is money, a day has passed: whatever needs no person must end done."""
    stage = weather.stage
    stage.script.submit = Script().submit
    stage.script.trouble = Script().trouble
    stage.script.always.clear()
    stage.script.downloads.clear()
    stage.service.fate = lambda tool, params, number: Fate()
    stage.clock.advance(86_400)
    _end_what_never_ends(stage)
    for _ in range(CLEAR_LIVES):
        stage.limits = replace(stage.limits, max_submission=None)
        report = stage.finished(changes=Changes(budget=PLENTY))
        weather.log.append(f"{stage.clock.monotonic_s():.0f} s, clear → {report.status}: {report.reason}")
        invariants.check_all(stage)
        if report.status == "done":
            break
        stage.clock.advance(86_400)
    return report


def _end_what_never_ends(stage: Stage) -> None:
    now_s = stage.clock.monotonic_s()
    for task in stage.service.tasks.values():
        for call in task.calls:
            call.ends_s = min(call.ends_s, now_s)


# -------------------------------------------------------------------------------------------------- compared with nothing


@lru_cache(maxsize=32)
def undisturbed(name: str) -> tuple[dict[str, bytes], Decimal]:
    """The files and the cost of a shape when nothing goes wrong."""
    shape = next(shape for shape in SHAPES if shape.name == name)
    stage = Stage(recipe_of(shape.text, shape.others), budget=1000)
    assert stage.finished().status == "done"
    return stage.contents(), stage.state().books.spent


def undisturbed_cost(shape: Shape) -> Decimal:
    return undisturbed(shape.name)[1]


def check_the_end(weather: Weather, report: RunReport) -> None:
    """What a run that is over must look like."""
    stage, (files, _) = weather.stage, undisturbed(weather.shape.name)
    if weather.person and report.status != "done":
        assert report.exit_status in (1, 4), report.reasons
        return
    assert report.status == "done", f"{report.status}: {report.reasons}"
    saved = stage.contents()
    if weather.shape.loses:
        assert saved.items() <= files.items(), sorted(saved.keys() - files.keys())
    else:
        other = sorted(name for name in saved.keys() | files.keys() if saved.get(name) != files.get(name))
        assert not other, f"files that are not as in the undisturbed run: {other}"
    if not weather.person:
        invariants.the_books_are_what_the_service_says(stage)


def story_of(weather: Weather) -> str:
    """What happened, for whoever looks at a seed that failed."""
    facts = "\n".join(f"  {event}"[:FACT_SHOWN] for event in weather.stage.journal.events(RUN_ID))
    lives = "\n".join(f"  {line}" for line in weather.log)
    return f"seed {weather.seed}, {weather.shape.name}, {weather.stage.limits}\n{lives}\nfacts:\n{facts}"
