"""One seed decides everything: the recipe, the limits, how long things take, what goes wrong, and how often the process dies.

Every fault that docs/promises.md lists is among it. What a run makes of it is `story`'s to tell; what must hold, `invariants`'
and `ending`'s. The same seed gives the same weather, to the last latency.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.support import response_faults
from tests.support.baseline import baseline_cost
from tests.support.build import Harness, recipe_of
from tests.support.copies import Copies
from tests.support.response_faults import ResponseFault
from tests.support.service import NEVER, Fate, MadeTask
from tests.support.shapes import SHAPES, Shape
from zenflow.engine.model.ports import Limits
from zenflow.history import events as e
from zenflow.ids import digest_of
from zenflow.providers.base import ServiceTrouble, Submission

PLENTY = Decimal(100_000)
A_429_THAT_CHARGED = response_faults.over_http(
    429, charged=True
)  # A2 is false: the look and the second witness must see it
ACCIDENTS: tuple[ResponseFault, ...] = (
    response_faults.lost_before_the_charge,
    response_faults.lost_after_the_charge,
    response_faults.no_connection,
    response_faults.answer_without_id,
    response_faults.answer_in_rubbish,
    response_faults.accepted_all_wrong(200),
    response_faults.accepted_all_wrong(500),
    response_faults.over_http(401),
    response_faults.over_http(429, retry_after_s=5.0),
    A_429_THAT_CHARGED,
    response_faults.over_http(502),
    response_faults.over_http(503),
    response_faults.over_http(504, charged=True),
    response_faults.over_http(422, charged=True),
    response_faults.says(402, "out of credits"),
    response_faults.says(429),
    response_faults.says(403, "not for you"),
    response_faults.says(500),
)
NOES: tuple[ResponseFault, ...] = (
    response_faults.in_words("this model is not for your plan"),
    response_faults.in_words("we could not take that", charged=True),
    response_faults.over_http(403),
    response_faults.over_http(413),
    response_faults.over_http(403, charged=True),
)
HONEST = tuple(one for one in ACCIDENTS if one is not A_429_THAT_CHARGED)
TROUBLES: tuple[ServiceTrouble, ...] = ("server", "unreachable", "rate_limited")


@dataclass(slots=True)
class Scenario:
    """What a seed has in store. `person`: something in it may need a person's decision, so that it need not end done."""

    seed: int
    shape: Shape
    stage: Harness
    chance: random.Random
    crashes: int
    person: bool = False
    copies: Copies = field(default_factory=Copies)
    others_sign_in: bool = False  # before one of the lives
    deletes: bool = False
    prices_move: bool = False
    overcharges: bool = False  # a charge may differ from its quote
    log: list[str] = field(default_factory=list)


def scenario_of(seed: int) -> Scenario:
    """Everything that a seed decides."""
    chance = random.Random(seed)
    shape = chance.choices(SHAPES, [shape.often for shape in SHAPES])[0]
    stage = _stage(shape, seed, chance)
    scenario = Scenario(seed, shape, stage, chance, crashes=chance.choice((0, 0, 1, 1, 2, 4)))
    _wire(scenario)
    _parts(scenario)
    _words(scenario)
    _calls(scenario)
    _refusals(scenario)
    _others(scenario)
    _prices(scenario)
    _machine(scenario)
    return scenario


def _stage(shape: Shape, seed: int, chance: random.Random) -> Harness:
    limits = Limits(
        in_flight=chance.choice((2, 5, 50)),
        batch=chance.choice((1, 3, 50)),
        max_submission=chance.choice((None, None, Decimal(4), PLENTY)),
        watch_least_s=chance.choice((2.0, 15.0, 15.0)),
    )
    cost = baseline_cost(shape)
    budget = chance.choice((None, None, 1000, 1000, 1000, cost))
    per_day = chance.choice((None, None, None, None, None, cost, (cost / 2).to_integral_value()))
    return Harness(recipe_of(shape.text, shape.others), budget=budget, seed=seed, limits=limits, per_day=per_day)


def _wire(scenario: Scenario) -> None:
    """Latencies, accidents of the paid request, troubles of the free ones, oddities of the listing."""
    chance, stage = scenario.chance, scenario.stage
    script, listing_faults = stage.script, stage.script.listing_faults
    slowest = chance.choice((0.2, 0.2, 2.0, 15.0))
    often = chance.choice((0.0, 0.0, 0.05, 0.2, 0.5))
    bad = chance.choice((0.0, 0.0, 0.02, 0.15))
    script.latency_s = lambda method: chance.uniform(0.01, slowest)
    script.submit = _accidents(scenario, often, ACCIDENTS)
    script.trouble = lambda method: chance.choice(TROUBLES) if chance.random() < bad else None
    script.delivers_after_death_s = lambda: chance.choice((None, 0.0, chance.uniform(0.0, 100.0)))
    listing_faults.query = chance.choice(("works", "works", "works", "nothing", "ignored"))
    listing_faults.calls = chance.choice(("plain", "plain", "growing", "repeated", "shuffled"))
    listing_faults.is_bound = lambda task: _is_bound(stage, task)
    listing_faults.ends_partial = chance.random() < 0.2
    listing_faults.echoes_inputs = chance.random() < 0.9
    listing_faults.oldest_rows_first = chance.random() < 0.15
    listing_faults.failed_count_as_done = (
        scenario.seed % 3 != 0
    )  # no draw: what a seed of the past was stays what it was
    script.downloads = [
        chance.choice(("", "", "break", "truncate", "expire")) for _ in range(chance.choice((0, 0, 20)))
    ]
    if chance.random() < 0.05:
        script.always["transactions"] = "server"
        script.submit = _accidents(scenario, often, HONEST)
        scenario.person = True


def _parts(scenario: Scenario) -> None:
    """Now and then the service takes only some of the inputs (A6 is false). By a chance of its own: what a seed of the past
    was stays what it was."""
    chance = random.Random(f"parts-{scenario.seed}")
    if chance.random() >= 0.03:
        return
    scenario.person, others = True, scenario.stage.script.submit

    def what(submission: Submission) -> ResponseFault:
        fault = others(submission)
        is_part = len(submission.inputs) > 1 and chance.random() < 0.4
        return response_faults.takes_a_part(chance.randrange(1, len(submission.inputs))) if is_part else fault

    scenario.stage.script.submit = what


def _words(scenario: Scenario) -> None:
    """Now and then a no in words that no table knows, or from the edge; and a stale replica that hides what was made. By a
    chance of its own: what a seed of the past was stays what it was."""
    chance, stage = random.Random(f"words-{scenario.seed}"), scenario.stage
    if chance.random() < 0.03:
        since_s = chance.uniform(0.0, 60.0)
        stage.script.listing_faults.stale = since_s, since_s + chance.uniform(100.0, 900.0)
        scenario.person = True  # nobody can tell what became of a request then
    if chance.random() < 0.05:
        _storm(scenario, chance)
    if chance.random() >= 0.1:
        return
    often, others = chance.choice((0.05, 0.2)), stage.script.submit
    stage.script.submit = lambda one: chance.choice(NOES) if chance.random() < often else others(one)


def _storm(scenario: Scenario, chance: random.Random) -> None:
    """For a while every task, or every result, is said to be missing or another's."""
    method, trouble = chance.choice(("get_task", "get_task", "call_result")), chance.choice(("not_found", "forbidden"))
    since_s, others = chance.uniform(0.0, 100.0), scenario.stage.script.trouble
    until_s = since_s + chance.choice((30.0, 200.0, 2_000.0))

    def troubled(asked: str) -> ServiceTrouble | None:
        is_in = asked == method and since_s <= scenario.stage.clock.monotonic_s() < until_s
        return trouble if is_in else others(asked)  # type: ignore[return-value]

    scenario.stage.script.trouble = troubled


def _accidents(
    scenario: Scenario, often: float, accidents: Sequence[ResponseFault]
) -> Callable[[Submission], ResponseFault]:
    """One accident in so many; and now and then one reset that takes everything on the wire with it."""
    chance = scenario.chance
    resets_at_s = chance.uniform(5.0, 60.0) if often and chance.random() < 0.3 else 0.0
    read = chance.choice((0.0, 0.5, 1.0))

    def what(submission: Submission) -> ResponseFault:
        if scenario.stage.clock.monotonic_s() < resets_at_s:
            return response_faults.one_reset(resets_at_s, lambda: chance.random() < read)
        if chance.random() >= often:
            return response_faults.as_it_should
        if chance.random() < 0.15:
            return response_faults.takes_effect_after(chance.uniform(0.0, 100.0))  # within `lost_answer_wait`: A4 holds
        return chance.choice(accidents)

    return what


def _is_bound(stage: Harness, task: MadeTask) -> bool:
    """Whether the journal has its calls by id: then, and not before, may the service tell them in another order (A5)."""
    bound = {event.submission for event in stage.events() if isinstance(event, e.Bound)}
    return any(
        isinstance(x, e.Accepted) and x.task_id == task.task_id and x.submission in bound for x in stage.events()
    )


def _calls(scenario: Scenario) -> None:
    """How long calls take, which fail, whether they are refunded, how results are named; what the listing hides."""
    chance, service = scenario.chance, scenario.stage.service
    longest = chance.choice((5.0, 30.0, 120.0))
    failing = chance.choice((0.0, 0.0, 0.1, 0.3))
    endless = chance.choice((0.0, 0.0, 0.0, 0.03))
    refund = chance.choice((None, 0.0, 30.0, 3600.0, 100_000.0))
    hidden = chance.choice((0.0, 0.0, 0.2))

    def fate(tool: str, params: Mapping[str, Any], number: int) -> Fate:
        seconds = NEVER if chance.random() < endless else chance.uniform(0.0, longest)
        error = "it went wrong" if chance.random() < failing else None
        gives = "in the output" if chance.random() < 0.05 else "named"
        late_s = chance.choice((0.0, 0.0, 0.0, 0.0, 20.0, 100.0)) if chance.random() < 0.2 else 0.0
        return Fate(seconds, error, refund, gives, late_s)  # type: ignore[arg-type]

    service.fate = fate
    service.lag_s = lambda number: chance.uniform(0.0, 90.0) if chance.random() < hidden else 0.0


def _refusals(scenario: Scenario) -> None:
    """From some moment on the service refuses some inputs, by what they are; whole batches with them (422)."""
    chance, service = scenario.chance, scenario.stage.service
    service.names_violations = chance.random() < 0.5
    service.price_tells = chance.random() < 0.5
    share = chance.choice((0, 0, 0, 0, 1, 3))  # of 16
    since_s = chance.choice((0.0, chance.uniform(0.0, 60.0)))
    salt = chance.random()

    def refuses(tool: str, params: Mapping[str, Any]) -> str | None:
        if service.clock.monotonic_s() < since_s:
            return None
        return "not this one" if int(digest_of([salt, tool, service.shown(params)])[-1], 16) < share else None

    if share:
        service.refuses = refuses


def _others(scenario: Scenario) -> None:
    """What other people do with the same account meanwhile, and who signs in at this machine."""
    chance, service = scenario.chance, scenario.stage.service
    for _ in range(chance.choice((0, 0, 0, 3, 10))):
        service.later(chance.uniform(0.0, 400.0), lambda: _ignore(service.spend_elsewhere()))
    if chance.random() < 0.05:
        scenario.person = True
        service.later(chance.uniform(1.0, 200.0), lambda: _copy(scenario))
    if chance.random() < 0.05:
        scenario.person = scenario.deletes = (
            True  # and no copies: what is not there and not remembered nobody knows (A7)
        )
        service.later(chance.uniform(1.0, 100.0), lambda: _delete(scenario))
    scenario.others_sign_in = chance.random() < 0.05


def _copy(scenario: Scenario) -> None:
    ours = [task for task in scenario.stage.service.tasks.values() if task.posted]
    if ours:
        scenario.stage.service.copy(scenario.chance.choice(ours))


def _delete(scenario: Scenario) -> None:
    ours = [task for task in scenario.stage.service.tasks.values() if task.posted]
    if ours:
        scenario.chance.choice(ours).deleted = True


def _prices(scenario: Scenario) -> None:
    """Prices that move, quotes and charges alike: between plan and call, or between quote and charge; and charges that no
    quote told of."""
    chance, service = scenario.chance, scenario.stage.service
    if chance.random() < 0.15:
        scenario.prices_move = scenario.overcharges = True
        for _ in range(chance.choice((1, 1, 4))):
            factor = chance.choice((Decimal(1), Decimal(2), Decimal("1.5"), Decimal("0.5")))
            service.later(chance.uniform(0.0, 120.0), lambda to=factor: _set_factor(scenario, to))  # type: ignore[misc]
    if chance.random() < 0.07:
        scenario.overcharges = True
        service.later(chance.uniform(0.0, 60.0), lambda: _set_surcharge(scenario, Decimal(1)))
        service.later(chance.uniform(60.0, 600.0), lambda: _set_surcharge(scenario, Decimal(0)))


def _set_factor(scenario: Scenario, factor: Decimal) -> None:
    scenario.stage.service.price_factor = factor


def _set_surcharge(scenario: Scenario, surcharge: Decimal) -> None:
    scenario.stage.service.surcharge = surcharge


def _machine(scenario: Scenario) -> None:
    """Its clock, its disk, and the backup of its journal."""
    chance, stage = scenario.chance, scenario.stage
    if chance.random() < 0.1:
        for _ in range(chance.choice((1, 3))):
            back_s = -chance.choice((5.0, 200.0, 4000.0))
            stage.service.later(chance.uniform(0.0, 300.0), lambda by=back_s: stage.clock.shift_wall(by))  # type: ignore[misc]
    if chance.random() < 0.05:
        stage.service.later(chance.uniform(0.0, 100.0), lambda: _set_full(stage, True))
        stage.service.later(chance.uniform(100.0, 3000.0), lambda: _set_full(stage, False))
    if chance.random() < 0.12 and not scenario.deletes:
        if not stage.script.listing_faults.echoes_inputs:  # an unknown task may then have asked for anything
            scenario.person = True
        else:
            scenario.copies.both = chance.random() < 0.5
        at_s = chance.uniform(0.0, 200.0)
        # Without copies on a stale replica: what neither the journal nor a list knows, nobody knows (A1, A7).
        if stage.script.listing_faults.stale is None:
            stage.service.later(at_s, lambda: scenario.copies.take(stage))


def _set_full(stage: Harness, full: bool) -> None:
    stage.store.full = full


def _ignore(_: object) -> None:
    return
