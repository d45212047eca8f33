"""Short ways to the parts of a test: a recipe from text, a plan at the service's prices, a run and its resumes.

A `Harness` is one service with one journal and one store on a virtual clock; each life of a process on it is an `execute`,
to its end or to its death. It knows the engine's door and nothing behind it.
"""

from __future__ import annotations

import asyncio
import random
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tests.support.clock import VirtualClock, run_virtual
from tests.support.crashing_journal import CrashingJournal, Death
from tests.support.memory_journal import MemoryJournal
from tests.support.memory_store import MemoryStore
from tests.support.provider import Process, Script, ScriptedProvider
from tests.support.service import MadeTask, ScriptedService
from zenflow.catalog.gates import Gates
from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.clock import from_iso
from zenflow.engine.model.ports import Limits, NewRun, Parts, StopSignal
from zenflow.engine.model.report import Listener, RunReport, Silent
from zenflow.engine.run import Changes, begin, execute
from zenflow.history import events as e
from zenflow.history.fold import fold
from zenflow.history.state import RunState
from zenflow.ids import STAMP_LENGTH
from zenflow.journal.base import JournalError
from zenflow.plan.build import PlanRequest, build_plan
from zenflow.plan.model import BudgetLine, Plan
from zenflow.recipe.load import load_recipe_texts
from zenflow.recipe.model import Recipe

RUN_ID = "run-1"
ROOT = "recipe.yaml"
LIMIT_S = 3 * 86_400.0  # of virtual time: a run that is not over by then is stuck


class Stuck(AssertionError):
    """A run that never ends."""


@dataclass(slots=True, eq=False)
class Alive:
    """One process that works on the run. `leased_s`: since when it has the lease."""

    provider: ScriptedProvider
    journal: CrashingJournal
    leased_s: float | None = None
    work: asyncio.Task[RunReport] = field(init=False)

    def report(self) -> RunReport | None:
        """Of work that is over; None when the journal failed before there was a run that could tell it."""
        return None if isinstance(self.work.exception(), JournalError) else self.work.result()


def recipe_of(text: str, others: Mapping[str, str] | None = None) -> Recipe:
    """A recipe from the text of its steps (and whatever else it has); `others` are files beside it."""
    files = {name: whole(inner) for name, inner in (others or {}).items()}
    return _loaded(tuple(sorted({ROOT: whole(text), **files}.items())))


def whole(text: str) -> str:
    """The head that every recipe has, before what is given."""
    return "zenflow: 1\nname: scripted\nversion: 1.0.0\n" + textwrap.dedent(text)


@lru_cache(maxsize=256)
def _loaded(files: tuple[tuple[str, str], ...]) -> Recipe:
    return load_recipe_texts(dict(files), ROOT)


def harness_of(text: str, others: Mapping[str, str] | None = None, **parts: Any) -> Harness:
    """A stage for the recipe of a text; `parts` are the stage's own fields."""
    return Harness(recipe_of(text, others), **parts)


@dataclass(slots=True)
class Harness:
    """One service, one journal, one folder: the world in which a run lives, dies and is resumed."""

    recipe: Recipe
    inputs: Mapping[str, Any] = field(default_factory=dict)
    budget: Decimal | int | None = None
    seed: int = 0
    clock: VirtualClock = field(default_factory=VirtualClock)
    script: Script = field(default_factory=Script)
    limits: Limits = field(default_factory=Limits)
    options: Mapping[str, Any] = field(default_factory=dict)
    maxima: Mapping[str, int] = field(default_factory=dict)
    per_day: Decimal | None = None
    named_paths: tuple[str, ...] = ()
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    other_copies: list[MemoryJournal] = field(default_factory=list)  # of the journal, and worked on too
    store: MemoryStore = field(default_factory=lambda: MemoryStore(Path("out"), reads_media=False))
    service: ScriptedService = field(init=False)
    provider: ScriptedProvider = field(init=False)  # of the process that lives or lived last
    providers: list[ScriptedProvider] = field(default_factory=list)
    plan: Plan | None = None
    listener: Listener = field(default_factory=Silent)
    appends: int = 0  # of the process that lived last
    resubmitted: set[int] = field(default_factory=set)  # by a person's decision
    _meanwhile: asyncio.Task[Any] | None = None

    def __post_init__(self) -> None:
        self.service = ScriptedService(self.clock, seed=self.seed)
        self.provider = ScriptedProvider(self.service, self.script)

    # ------------------------------------------------------------------------------------------------------------ lives

    def run(
        self,
        *,
        changes: Changes | None = None,
        crash: Death | None = None,
        dies_at_s: float | None = None,
        stop: StopSignal | None = None,
        meanwhile: Callable[[Harness, StopSignal], Any] | None = None,
    ) -> RunReport | None:
        """One life: begin the run, or go on with it, with `changes`. None when the process died."""
        life = self._life(changes, crash, dies_at_s, stop or StopSignal(), meanwhile)
        return run_virtual(life, self.clock)

    def finished(self, **how: Any) -> RunReport:
        """A life that ends by itself."""
        report = self.run(**how)
        assert report is not None, "the process died"
        return report

    async def _life(
        self,
        changes: Changes | None,
        crash: Death | None,
        dies_at_s: float | None,
        stop: StopSignal,
        meanwhile: Callable[[Harness, StopSignal], Any] | None,
    ) -> RunReport | None:
        one = self.born(self.journal, changes, crash, stop)
        if meanwhile is not None:
            self._meanwhile = asyncio.create_task(meanwhile(self, stop))
        await self.over(one, dies_at_s)
        self.appends = one.journal.appends
        is_dead = one.provider.process.dead
        await end_all_others(keep=None if is_dead else one.work)
        if is_dead:
            self.journal = self.journal.survives()
            return None
        return one.report()

    def born(
        self,
        journal: MemoryJournal,
        changes: Changes | None,
        crash: Death | None,
        stop: StopSignal,
        take_over: bool = False,
    ) -> Alive:
        """A process that works on the run, from now on."""
        process = Process()
        self.provider = ScriptedProvider(self.service, self.script, process)
        self.providers.append(self.provider)
        one = Alive(self.provider, CrashingJournal(journal, process, crash))
        one.journal.clock = self.clock
        one.work = asyncio.create_task(self._work(one, changes, stop, take_over))
        return one

    async def over(self, one: Alive, dies_at_s: float | None = None) -> None:
        """Return when a process has ended or died; what it had on the wire then is on its own."""
        died = asyncio.create_task(one.journal.died.wait())
        limit_s = LIMIT_S if dies_at_s is None else max(0.0, dies_at_s - self.clock.monotonic_s())
        await asyncio.wait([one.work, died], timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if not one.work.done() and not one.journal.died.is_set():
            if dies_at_s is None:
                raise Stuck(f"not over after {LIMIT_S / 3600:.0f} hours; the last fact: {self.events()[-1:]}")
            one.journal.die()
        if one.provider.process.dead:
            one.provider.abandon()

    async def _work(self, one: Alive, changes: Changes | None, stop: StopSignal, take_over: bool) -> RunReport:
        self.plan = plan = await self._planned(changes)
        journal = one.journal
        begun = bool(journal.events(RUN_ID))
        lease = journal.take_lease(RUN_ID, take_over=take_over or bool(self.other_copies))  # of a copy a person says so
        one.leased_s = self.clock.monotonic_s()
        parts = Parts(
            provider=one.provider,
            journal=journal,
            lease=lease,
            store=self.store,
            clock=self.clock,
            limits=self.limits,
            random_bytes=random.Random(f"run-{self.seed}").randbytes,
            per_day=self.per_day,
        )
        if not begun:
            new = NewRun(
                run_id=RUN_ID,
                out_dir=Path("out"),
                balance=plan.account.credits if plan.account else None,
                named_paths=self.named_paths,
                options=self.options,
            )
            await begin(plan, new, parts)
        account = plan.account
        assert account is not None
        gates = Gates(self.recipe.policy.nsfw, False, account)
        resumed = changes or Changes() if begun else None
        report = await execute(parts, account, plan.catalog, plan, self.listener, stop, gates, resumed)
        journal.release_lease(lease)
        return report

    async def _planned(self, changes: Changes | None) -> Plan:
        state = self.state()
        budget = self.budget if state.started is None else (changes and changes.budget) or state.budget
        asking = ScriptedProvider(self.service, Script(latency_s=lambda method: 0.0))
        account = await asking.account()
        request = PlanRequest(
            recipe=self.recipe,
            inputs=self.all_inputs(),
            server=asking.server,
            catalog=await asking.catalog(),
            account=account,
            bounds=() if budget is None else (BudgetLine(Decimal(budget), "--budget"),),
            max_overrides={**self.maxima, **state.options.get("max", {})},
            balance=account.credits,
        )

        async def ask(price_requests: Sequence[PriceRequest]) -> Mapping[str, Quote]:
            return {price_request.key: await asking.quote(price_request) for price_request in price_requests}

        return await build_plan(request, ask)

    def all_inputs(self) -> dict[str, Any]:
        given = {name: spec.default for name, spec in self.recipe.inputs.items() if not spec.required}
        return {**given, **self.inputs}

    # ------------------------------------------------------------------------------------------------------ what one sees

    def events(self) -> Sequence[e.Event]:
        return self.journal.events(RUN_ID)

    def state(self) -> RunState:
        return fold(self.events())

    def intents(self) -> list[e.Intended]:
        """Every submission that was intended, in order."""
        return [event for event in self.events() if isinstance(event, e.Intended)]

    def histories(self) -> list[Sequence[e.Event]]:
        """The facts of every copy of the journal that was worked on, this one's last."""
        return [journal.events(RUN_ID) for journal in (*self.other_copies, self.journal)]

    def all_intents(self) -> list[tuple[e.Intended, bool]]:
        """Every intent in any copy of the journal, and whether it only takes over a task that exists."""
        found = []
        for facts in self.histories():
            for event, after in zip_longest(facts, facts[1:]):
                if isinstance(event, e.Intended):
                    found.append((event, is_taken_over(event, after)))
        return found

    def moment_of(self, kind: type, instance: str) -> float:
        """Seconds from the start of the run to the first fact of this kind about an instance."""
        state = self.state()
        assert state.started is not None
        began = from_iso(state.started.at)
        for event in self.events():
            calls = event.calls if isinstance(event, e.Intended) else ()
            named = {getattr(event, "instance", ""), *(call.instance for call in calls)}
            if isinstance(event, kind) and instance in named:
                at: str = getattr(event, "at", "")
                return (from_iso(at) - began).total_seconds()
        raise AssertionError(f"no {kind.__name__} of {instance}")

    def charges(self) -> dict[tuple[str, int], int]:
        """How often the service charged each (instance, try): more than once is a duplicate charge."""
        by_stamp: dict[str, list[e.Intended]] = {}
        for intent in sorted(self.all_intents(), key=lambda one: one[1]):  # whoever sent it says what it was for
            by_stamp.setdefault(intent[0].stamp, []).append(intent[0])
        found: dict[tuple[str, int], int] = {}
        for task in self.service.tasks.values():
            intents = by_stamp.get(task.comment[:STAMP_LENGTH], [])
            asked = next((one for one in intents if _asks_for(one, task)), None)
            for call in asked.calls if asked is not None and task.posted else ():
                found[call.instance, call.try_number] = found.get((call.instance, call.try_number), 0) + 1
        return found

    def contents(self) -> dict[str, bytes]:
        """The saved files, by path."""
        return dict(sorted(self.store.files.items()))


def is_taken_over(intent: e.Event, after: e.Event | None) -> bool:
    """Whether an intent was written together with its acceptance: it only takes over a task that exists."""
    if not isinstance(intent, e.Intended) or not isinstance(after, e.Accepted):
        return False
    return after.adopted and (after.submission, after.at) == (intent.submission, intent.at)


def _asks_for(intent: e.Intended, task: MadeTask) -> bool:
    return intent.tool == task.tool and [dict(call.params) for call in intent.calls] == [
        dict(one) for one in task.inputs
    ]


async def end_all_others(keep: asyncio.Task[Any] | None) -> None:
    """Nothing of a life goes on after it."""
    others = asyncio.all_tasks() - {asyncio.current_task(), keep}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
