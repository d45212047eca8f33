"""Go on with a run: the recipe, inputs and schemas stored with it, on the server and account it belongs to.

What the rest is expected to cost is asked and agreed to first; a failed call that will be made again is part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.connection.retry import with_retries
from zenflow.app.connection.trust import MARK, claims_of_run, ensure_trusted, is_own_run, run_text
from zenflow.app.connection.wiring import Connection
from zenflow.app.planning.prepare import catalog_for, check_maxima, plan_for
from zenflow.app.planning.sources import check_recorded
from zenflow.app.queries import runs
from zenflow.app.running.orphans import save_orphans, saved_assets
from zenflow.app.running.picks import check_picks
from zenflow.app.running.remaining_work import correct, load_correction, preview_remaining
from zenflow.app.running.run import RunCallbacks, Work, carry_out, parts_for
from zenflow.catalog.model import Account
from zenflow.engine.actions.free_actions import FILE_CHANGED, FILE_CHANGED_HINT
from zenflow.engine.io.account_check import compare_account
from zenflow.engine.model.recipe_record import stored_recipe
from zenflow.engine.model.report import RunReport
from zenflow.engine.reporting.replay import look_at
from zenflow.engine.run import Changes
from zenflow.errors import InvalidRecipe, Refused, UsageError
from zenflow.history.events import OptionsChanged, RecipeChanged, RunStarted
from zenflow.history.state import InstanceStatus, RunState
from zenflow.journal.base import Journal, Lease, RunRow
from zenflow.journal.lock import take_over_of, this_process
from zenflow.plan.model import BudgetLine, Orphan, Plan, ReuseEstimate
from zenflow.providers.base import ServiceError
from zenflow.recipe.inputs.file_digests import OPTION as INPUT_FILES
from zenflow.recipe.inputs.file_digests import changed_files, digests_of_inputs
from zenflow.recipe.model import Recipe
from zenflow.recipe.origins import origins_of

OTHER_SERVER, BELOW_SPENT = "ZF667", "ZF669"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRequest:
    run: str | None = None  # id, a unique beginning, `last`; None: the last that can go on
    budget: Decimal | None = None
    maxima: Mapping[str, int] = field(default_factory=dict)
    picks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    take_over: bool = False
    again: tuple[str, ...] = ()  # instances whose results are gone, to be made (and paid) anew
    recipe: Path | None = None  # a corrected one, that takes the place of the run's own
    current: Path = Path()


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left to do, for whoever must agree to it. `again`: failed instances that will be made again.

    `plan` holds what is left and nothing else. `orphans`: what a corrected recipe no longer asks for.
    """

    server: str
    report: RunReport
    credits: Decimal | None  # None: not known
    budget: Decimal
    again: tuple[tuple[str, Decimal | None], ...]
    plan: Plan | None = None
    orphans: tuple[Orphan, ...] = ()

    @property
    def most(self) -> Decimal:
        """What the rest may cost at most: its plan's worst case, within what is left of the budget."""
        left = max(Decimal(0), self.budget - self.report.state.totals.committed)
        if self.credits == 0:
            return Decimal(0)
        return left if self.plan is None or self.plan.unpriced else min(self.plan.credits.worst, left)


AgreeToRest = Callable[[Rest], None]


async def resume(request: ResumeRequest, settings: Settings, agree: AgreeToRest, callbacks: RunCallbacks) -> RunReport:
    """The report of the run, however it ended this time. Raises NoSuchRun, RunBusy, Refused."""
    clock = wiring.clock()
    journal = wiring.open_journal(settings, clock)
    try:
        row = resumable(journal, request.run)
        report = look_at(journal.events(row.run_id))
        started = _started(report.state, row.run_id)
        settings = on_server_of(report.state, settings)
        if report.status == "done" and not report.open_calls and request.recipe is None:
            return report
        ensure_trusted(settings, claims_of_run(report.state, settings))
        lease = journal.take_lease(row.run_id, take_over=request.take_over)
        try:
            async with wiring.open_provider(settings, clock) as provider:
                to = Connection(settings, provider, journal, clock)
                return await _go_on(request, started, report, to, lease, agree, callbacks)
        except ServiceError as error:
            error.of_run(row.run_id, started.server)
            raise
        finally:
            journal.release_lease(lease)
    finally:
        await journal.close()


async def resume_with(request: ResumeRequest, to: Connection, agree: AgreeToRest, callbacks: RunCallbacks) -> RunReport:
    """The same over a connection that is open already."""
    row = resumable(to.journal, request.run)
    report = look_at(to.journal.events(row.run_id))
    lease = to.journal.take_lease(row.run_id, take_over=request.take_over)
    try:
        return await _go_on(request, _started(report.state, row.run_id), report, to, lease, agree, callbacks)
    finally:
        to.journal.release_lease(lease)


async def _go_on(
    request: ResumeRequest,
    started: RunStarted,
    report: RunReport,
    to: Connection,
    lease: Lease,
    agree: AgreeToRest,
    callbacks: RunCallbacks,
) -> RunReport:
    account = await with_retries(to.provider.account, to.clock)
    compare_account(started, account)
    budget = _budget(request, report.state)
    events = to.journal.events(started.run_id)
    _check_again(request.again, report.state)
    maxima = {**(report.state.options.get("max") or {}), **request.maxima}
    correction = None
    check_recorded(origins_of(started.recipe_origins).values(), to.settings.workspace.root)
    recipe, inputs = stored_recipe(started), started.inputs
    if request.recipe is not None:
        loaded = load_correction(request.recipe, request.current, started)
        catalog = await catalog_for(loaded.recipe, to)
        correction = correct(loaded, started, events, maxima, catalog, account, to)
        recipe, inputs, reuse_estimates = correction.recipe, correction.inputs, correction.seen.by_path()
    else:
        catalog = await catalog_for(recipe, to)
        reuse_estimates = preview_remaining(
            recipe, started, events, maxima, catalog, to.journal, request.again
        ).by_path()
    if correction is None:
        _check_files(report.state, started.run_id)
    check_maxima(recipe, request.maxima)
    check_picks(recipe, request.picks)
    left = _BudgetLeft(budget, report.state, "--budget" if request.budget is not None else "left of the run's budget")
    plan = await _plan_rest(
        recipe, inputs, maxima, left.line, reuse_estimates, started.run_id, to, account, is_new=correction is not None
    )
    orphans = () if correction is None else correction.orphans
    agree(_rest(started, report, plan, budget, orphans, request.again))
    out_dir = Path(started.out_dir)
    parts = parts_for(to, lease, wiring.open_store(out_dir))
    if correction is not None:
        mark = mark_of(correction.event, started, to.settings)
        files = OptionsChanged(correction.event.at, {INPUT_FILES: digests_of_inputs(recipe, inputs)})
        await to.journal.append(lease, [correction.event, files, *([] if mark is None else [mark])])
    callbacks.begun(started.run_id, out_dir)
    work = Work(recipe, account, catalog, plan, parts, _changes(request))
    found = await carry_out(work, to.settings, callbacks)
    if found.orphans and not callbacks.stop.draining:
        await save_orphans(found, saved_assets(events), out_dir, to)
    return found


def mark_of(changed: RecipeChanged, started: RunStarted, settings: Settings) -> OptionsChanged | None:
    """The operator's mark on the run as the corrected recipe leaves it."""
    text = run_text(
        run_id=started.run_id,
        server=started.server,
        account_id=started.account_id,
        out_dir=started.out_dir,
        named_paths=changed.named_paths,
        recipe_folder=changed.recipe_folder,
        recipe_digest=changed.recipe_digest,
    )
    mark = settings.trust.mark(text)
    return None if mark is None else OptionsChanged(changed.at, {MARK: mark})


@dataclass(frozen=True, slots=True)
class _BudgetLeft:
    budget: Decimal
    state: RunState
    origin: str

    @property
    def line(self) -> BudgetLine:
        return BudgetLine(max(Decimal(0), self.budget - self.state.totals.committed), self.origin)


def resumable(journal: Journal, word: str | None) -> RunRow:
    """The run that is named, else the newest that is not done and that nobody works on."""
    if word is not None:
        return runs.find(journal, word)
    rows: Sequence[RunRow] = journal.runs()
    for row in rows:
        if row.status != "done" and not row.holder_alive:
            return row
    at_work = [row for row in rows if row.status != "done"]
    if at_work:
        said = f"Run {at_work[0].run_id} is being worked on by {at_work[0].holder}; every other run here is done."
        raise UsageError("ZF041", said, _follow_or_take(at_work[0]))
    said = "Every run here is done." if rows else "There is no run here yet."
    raise UsageError("ZF041", said, "`zenflow run RECIPE` begins one; `zenflow runs` lists them.")


def _follow_or_take(row: RunRow) -> str:
    """One of another machine may be gone for good: nobody here can know."""
    follow = f"`zenflow show {row.run_id}` follows it."
    if row.holder is None or row.holder.host == this_process().host:
        return follow
    return f"{follow} If that machine will not go on with it: {take_over_of(row.run_id)}."


def on_server_of(state: RunState, settings: Settings) -> Settings:
    """The settings for the run's own server. Another one, when it was asked for, is refused (docs/money.md, “Resume”)."""
    started = state.started
    assert started is not None
    asked = settings.by_key["service.server"]
    if asked.value == started.server:
        return settings
    if asked.origin in ("--server", "ZENFLOW_SERVER"):
        raise Refused(
            OTHER_SERVER,
            f"Run {started.run_id} belongs to {started.server}; {asked.origin} names {asked.value}.",
            "A run stays with its server: leave the server out, or begin a new run there.",
        )
    return settings.on_server(started.server, f"run {started.run_id}", by_file=not is_own_run(state, settings))


def _started(state: RunState, run_id: str) -> RunStarted:
    if state.started is None:
        raise UsageError("ZF042", f"Run {run_id} never began: its journal holds no start.", "Begin a new one.")
    return state.started


def _budget(request: ResumeRequest, state: RunState) -> Decimal:
    if request.budget is None:
        return state.budget
    if request.budget < state.totals.committed:
        raise Refused(
            BELOW_SPENT,
            f"A budget of {request.budget} is below the {state.totals.committed} that this run has spent or set aside.",
            "Name a higher one, or leave it out.",
        )
    return request.budget


async def _plan_rest(
    recipe: Recipe,
    inputs: Mapping[str, Any],
    maxima: Mapping[str, int],
    line: BudgetLine,
    reuse_estimates: Mapping[str, ReuseEstimate],
    run_id: str,
    to: Connection,
    account: Account,
    *,
    is_new: bool,
) -> Plan | None:
    """What is left, at today's prices; None when it cannot be planned: what is paid is fetched all the same. A corrected recipe
    must be right."""
    try:
        return await plan_for(
            recipe, inputs, (line,), maxima, to, account, run_id=run_id, reuse_estimates=reuse_estimates
        )
    except InvalidRecipe:
        if is_new:
            raise
        return None


def _rest(
    started: RunStarted,
    report: RunReport,
    plan: Plan | None,
    budget: Decimal,
    orphans: tuple[Orphan, ...],
    asked_again: tuple[str, ...],
) -> Rest:
    again = tuple(
        (instance.address, _price_of(plan, step.path))
        for step in report.steps.values()
        for instance in step.instances
        if instance.status == "failed" or instance.address in asked_again
    )
    credits = report.rest_credits if plan is None else plan.credits.expected
    return Rest(started.server, report, credits, budget, again, plan, orphans)


def _price_of(plan: Plan | None, path: str) -> Decimal | None:
    step = plan.steps.get(path) if plan is not None else None
    if step is None:
        return None
    return step.credits_each if step.is_paid else Decimal(0)


def _changes(request: ResumeRequest) -> Changes:
    """What this resume changes deliberately: the engine records it."""
    options: dict[str, Any] = {}
    if request.maxima:
        options["max"] = dict(request.maxima)
    if request.picks:
        options["picks"] = {name: list(places) for name, places in request.picks.items()}
    return Changes(budget=request.budget, options=options, again=request.again)


def _check_files(state: RunState, run_id: str) -> None:
    """Nothing is paid for another picture than the one that was planned. Raises Refused."""
    uploaded = frozenset(mark.removeprefix("sha256:") for mark in state.contents.values())
    changed = changed_files(state.options.get(INPUT_FILES) or {}, uploaded)
    if not changed:
        return
    named = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
    are = "is another file" if len(changed) == 1 else "are other files"
    hint = FILE_CHANGED_HINT.replace("RUN", run_id)
    raise Refused(FILE_CHANGED, f"{named} {are} than when run {run_id} began; nothing was sent", hint)


MADE = (InstanceStatus.DONE, InstanceStatus.LOST)


def _check_again(addresses: tuple[str, ...], state: RunState) -> None:
    """Only what was made and paid for can be made again; all else goes on, or is tried again, by itself."""
    for address in addresses:
        known = state.instances.get(address)
        if known is None or not known.submissions or known.status not in MADE:
            stands = "is not known to this run" if known is None else f"is {known.status.value}"
            raise UsageError(
                "ZF655",
                f"`--again {address}`: {address} {stands}; only a paid call that is done or not retrievable can be made again.",
                "`zenflow show RUN --json` lists the instances with their addresses.",
            )
