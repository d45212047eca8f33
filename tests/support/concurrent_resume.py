"""Two processes on one run at once: the second is turned away, or takes the run over; and what must hold of that pair.

Knows the stage and the lease's answer; whether money was lost is for `invariants` to say.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.support.build import Alive, Harness, end_all_others
from tests.support.clock import run_virtual
from tests.support.crashing_journal import Death, Stall
from zenflow.engine.model.ports import StopSignal
from zenflow.engine.model.report import RunReport
from zenflow.engine.run import Changes
from zenflow.journal.base import RunBusy

TRIES = 4
PATIENCE_S = 20.0
ELSEWHERE = "another machine"


@dataclass(frozen=True, slots=True)
class Pair:
    """`first_dies`, `first_naps`: where. `takes_over`: the second is on another machine, and a person said `--take-over`."""

    after_s: float
    takes_over: bool = False
    first_dies: Death | None = None
    first_naps: Stall | None = None


def two_at_once(stage: Harness, pair: Pair, changes: Changes | None = None) -> RunReport | None:
    """Both lives, to the end of both. The report of the one that went on with the run, None when neither could tell."""
    return run_virtual(_both(stage, pair, changes), stage.clock)


async def _both(stage: Harness, pair: Pair, changes: Changes | None) -> RunReport | None:
    first = stage.born(stage.journal, changes, pair.first_dies, StopSignal())
    first.journal.stall = pair.first_naps
    rival = asyncio.create_task(_rival(stage, pair, changes))
    await stage.over(first)
    second = await rival
    is_dead = first.provider.process.dead
    await end_all_others(keep=None if is_dead else first.work)
    report = None if is_dead else first.report()
    if second is not None:
        _only_one_has_sent(first, second)
        report = second.report()
    first.journal.die()
    stage.journal = stage.journal.survives()
    return report


async def _rival(stage: Harness, pair: Pair, changes: Changes | None) -> Alive | None:
    """The second process, as often as an impatient person starts it. None when the run was never given to it."""
    await stage.clock.sleep(pair.after_s)
    for _ in range(TRIES):
        beside = stage.journal.beside(ELSEWHERE if pair.takes_over else None)
        second = stage.born(beside, changes, None, StopSignal(), take_over=pair.takes_over)
        await asyncio.wait([second.work], timeout=None)
        beside.die()
        if not isinstance(second.work.exception(), RunBusy):
            return second
        assert not second.provider.submits and not second.provider.asked, "turned away, and it asked the service"
        await stage.clock.sleep(PATIENCE_S)
    return None


def _only_one_has_sent(first: Alive, second: Alive) -> None:
    """From the moment when the second had the lease, nothing that the first one did reached the wire."""
    since_s = second.leased_s
    late = [at_s for at_s in first.provider.sent_at_s if since_s is not None and at_s > since_s]
    assert not late, f"{len(late)} requests by a process whose lease was gone"
