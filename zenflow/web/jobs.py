"""Runs that the web view starts or resumes: tasks of this process, under the same rules as the command line.

Nothing is paid without a price that the operator saw. The worst case that was shown travels with the click; where the
worst case is higher by then, the job is refused before anything is sent.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from zenflow.app.config.settings import Settings
from zenflow.app.planning.plan import plan as make_plan
from zenflow.app.recovery.fetch import FetchView, fetch
from zenflow.app.running.redo import RedoRequest, plan_redo, redo
from zenflow.app.running.resume import Rest, ResumeRequest, resume
from zenflow.app.running.run import Agree, RunCallbacks, RunRequest, run
from zenflow.credits import ZERO, as_text
from zenflow.engine.model.ports import StopSignal
from zenflow.engine.model.report import RunReport, Silent
from zenflow.errors import Refused, ZenflowError
from zenflow.plan.model import Plan, Verdict

PRICE_ROSE = "ZF685"
MOST_PLANS = 50
START_WAIT_S = 120.0


@dataclass(slots=True)
class Shown:
    """A plan that was shown: what it would do, and the worst case that a click agrees to."""

    plan_id: str
    launch: Callable[[Agree, RunCallbacks], Awaitable[RunReport]]
    plan: Plan
    worst: Decimal


@dataclass(slots=True)
class Jobs:
    """What runs in this process. `errors` keeps the last failure of each run for its page."""

    settings: Settings
    shown: dict[str, Shown] = field(default_factory=dict)
    rests: dict[str, tuple[ResumeRequest, Rest, Decimal]] = field(default_factory=dict)
    errors: dict[str, ZenflowError] = field(default_factory=dict)
    _tasks: dict[str, tuple[asyncio.Task[RunReport], StopSignal]] = field(default_factory=dict)

    async def plan(self, request: RunRequest) -> Shown:
        """Return the plan of a request, kept under an id for the click. Raises what refuses it."""
        found = await make_plan(request, self.settings)
        return self._keep(found, lambda agree, hands: run(request, self.settings, agree, hands))

    async def plan_redo(self, request: RedoRequest) -> Shown:
        """Return the plan of making one result again, kept for the click. Raises what refuses it."""
        found = await plan_redo(request, self.settings)
        return self._keep(found, lambda agree, hands: redo(request, self.settings, agree, hands))

    def _keep(self, plan: Plan, launch: Callable[[Agree, RunCallbacks], Awaitable[RunReport]]) -> Shown:
        shown = Shown(secrets.token_urlsafe(12), launch, plan, worst_of(plan))
        self.shown[shown.plan_id] = shown
        while len(self.shown) > MOST_PLANS:
            self.shown.pop(next(iter(self.shown)))
        return shown

    async def start(self, plan_id: str, worst: str) -> str:
        """Start the run of a shown plan and return its id. Raises Refused when the worst case is not the one shown."""
        shown = self.shown.pop(plan_id, None)
        if shown is None or as_text(shown.worst) != worst:
            raise Refused(PRICE_ROSE, "this plan is no longer shown", "Make the plan again.")

        def agree(plan: Plan) -> None:
            _refuse_more(worst_of(plan), shown.worst)

        return await self._launch(lambda hands: shown.launch(agree, hands))

    async def price_rest(self, request: ResumeRequest) -> tuple[Rest | None, Decimal]:
        """Return what is left of a run and the most that it may cost; None for a run with nothing left."""
        seen: list[Rest] = []

        def look(rest: Rest) -> None:
            seen.append(rest)
            raise _OnlyLooking()

        try:
            await resume(request, self.settings, look, RunCallbacks(Silent(), StopSignal(), _ignore))
        except _OnlyLooking:
            pass
        if not seen:
            return None, ZERO
        most = most_of(seen[0])
        self.rests[str(request.run)] = (request, seen[0], most)
        return seen[0], most

    async def resume(self, run_id: str, most: str) -> None:
        """Resume a run whose price was shown. Raises Refused when it would cost more than that."""
        request, _, agreed = self.rests.pop(run_id, (None, None, ZERO))
        if request is None or as_text(agreed) != most:
            raise Refused(PRICE_ROSE, "this price is no longer shown", "Look at the price again.")

        def agree(rest: Rest) -> None:
            _refuse_more(most_of(rest), agreed)

        await self._launch(lambda hands: resume(request, self.settings, agree, hands))

    async def pick(self, run_id: str, picks: Mapping[str, tuple[int, ...]], most: str) -> None:
        """Resume a run with choices whose price was shown."""
        request, rest, agreed = self.rests.get(run_id, (None, None, ZERO))
        if request is None or rest is None:
            raise Refused(PRICE_ROSE, "this price is no longer shown", "Look at the choices again.")
        self.rests[run_id] = (replace(request, picks=dict(picks)), rest, agreed)
        await self.resume(run_id, most)

    async def fetch(self, run_id: str) -> FetchView:
        """Save what was paid for and is not on disk. Free."""
        return await fetch(run_id, None, self.settings)

    def is_ours(self, run_id: str) -> bool:
        """Return whether this process works on the run."""
        found = self._tasks.get(run_id)
        return found is not None and not found[0].done()

    def stop(self, run_id: str) -> bool:
        """Drain a run of this process; False for a run of another one."""
        found = self._tasks.get(run_id)
        if found is None or found[0].done():
            return False
        found[1].request()
        return True

    async def close(self) -> None:
        """Drain every run of this process: what is paid is waited for and saved."""
        working = [(task, stop) for task, stop in self._tasks.values() if not task.done()]
        for _, stop in working:
            stop.request()
        if working:
            await asyncio.wait([task for task, _ in working])

    async def _launch(self, work: Callable[[RunCallbacks], Awaitable[RunReport]]) -> str:
        begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        stop = StopSignal()

        def on_begun(run_id: str, folder: Path) -> None:
            if not begun.done():
                begun.set_result(run_id)

        task = asyncio.ensure_future(self._watched(work(RunCallbacks(Silent(), stop, on_begun)), begun))
        waited: set[asyncio.Future[Any]] = {task, begun}
        done, _ = await asyncio.wait(waited, timeout=START_WAIT_S, return_when=asyncio.FIRST_COMPLETED)
        if begun.done():
            run_id = begun.result()
        elif task in done:
            run_id = task.result().run_id  # raises what refused it; a run with nothing left has no beginning
        else:
            task.cancel()
            raise Refused(PRICE_ROSE, "the service did not answer in time", "Try again.")
        self._tasks[run_id] = (task, stop)
        self.errors.pop(run_id, None)
        return run_id

    async def _watched(self, work: Awaitable[RunReport], begun: asyncio.Future[str]) -> RunReport:
        try:
            return await work
        except ZenflowError as error:
            if begun.done():
                self.errors[begun.result()] = error
            raise


def worst_of(plan: Plan) -> Decimal:
    """Return what a plan may cost at most: what the command line asks consent for."""
    return plan.budget if plan.unpriced else min(plan.credits.worst, plan.budget)


def most_of(rest: Rest) -> Decimal:
    """Return what the rest of a run may cost at most."""
    left = max(ZERO, rest.budget - rest.report.state.totals.committed)
    if rest.plan is None:
        return ZERO if rest.credits == ZERO else left
    if rest.plan.judgement.verdict is Verdict.UNPRICED:
        return left
    return min(rest.plan.credits.worst, left)


def _refuse_more(now: Decimal, agreed: Decimal) -> None:
    if now > agreed:
        text = f"the price changed: you saw at most {as_text(agreed)} credits, now it is {as_text(now)}"
        raise Refused(PRICE_ROSE, text, "Look at the new price, then agree again.")


class _OnlyLooking(Exception):
    """Ends a resume that only wanted the price."""


def _ignore(run_id: str, folder: Path) -> None:
    return
