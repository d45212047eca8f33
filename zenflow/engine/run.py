"""Beginning a run and executing it, new or resumed: the same road, because state is always the fold of the facts.

Recovery is a part of it and no mode of its own: what an earlier process left open is handed back to the normal road, along
the table of docs/money.md (`response_class`). An intent without an answer becomes *unknown*; a task is watched;
files are fetched.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from zenflow import __version__
from zenflow.catalog.gates import Gates
from zenflow.catalog.model import Account, Catalog
from zenflow.clock import as_iso
from zenflow.engine.actions.free_actions import FreeWork
from zenflow.engine.budget.downstream_prices import DownstreamPrices
from zenflow.engine.budget.ledger import FrameBudgets, Ledger, spent_by_frame
from zenflow.engine.context import Context
from zenflow.engine.expansion.bounds import bounds_of, raised
from zenflow.engine.expansion.expander import Expander
from zenflow.engine.expansion.expected_counts import default_counts, expected_count_function
from zenflow.engine.expansion.readiness import TOLERATES_MISSING_INPUTS
from zenflow.engine.expansion.subrecipes import spec_at
from zenflow.engine.files.saver import Saver
from zenflow.engine.io.account_check import compare_account
from zenflow.engine.io.client import ServiceClient
from zenflow.engine.io.rate_limiter import RateLimiter
from zenflow.engine.io.recorder import Recorder
from zenflow.engine.model.instances import Status, StopReason
from zenflow.engine.model.ports import NewRun, Parts, StopSignal
from zenflow.engine.model.ready_queue import ReadyQueue
from zenflow.engine.model.recipe_record import recorded_recipe, stored_recipe
from zenflow.engine.model.report import Listener, RunReport
from zenflow.engine.payment.asset_refresh import OldAssets
from zenflow.engine.payment.submitter import Submitter
from zenflow.engine.reconciliation.abandoned import settle_abandoned
from zenflow.engine.reconciliation.task_lookup import TaskLookup
from zenflow.engine.reconciliation.transactions import TransactionReconciler
from zenflow.engine.reconciliation.unrecognized_tasks import UnrecognizedTasks
from zenflow.engine.reporting.replay import look_at
from zenflow.engine.reporting.run_report import at_risk, report
from zenflow.engine.scheduling.lost_responses import LostResponseResolver
from zenflow.engine.scheduling.scheduler import Scheduler
from zenflow.engine.scheduling.subrecipe_runner import Inner
from zenflow.engine.tracking.poller import Watcher, watchable
from zenflow.errors import Defect
from zenflow.history import events as e
from zenflow.history.fold import fold
from zenflow.history.state import InstanceStatus, Outcome, RunState
from zenflow.ids import new_stamp_run_part
from zenflow.journal.base import JournalError
from zenflow.log_context import RUN
from zenflow.plan.model import Plan, Verdict
from zenflow.plan.output.document import planned_steps
from zenflow.providers.base import ServiceError
from zenflow.recipe.model import Recipe

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a resume changes on purpose; recorded with the run."""

    budget: Decimal | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    again: tuple[str, ...] = ()  # instances whose results are gone and that are paid for anew (`resume --again`)


async def begin(plan: Plan, new: NewRun, parts: Parts) -> None:
    """Journal the start of a run, durable: from here on it can be resumed."""
    recipe = plan.recipe
    account_id = plan.account.account_id if plan.account is not None else ""
    options = {
        "asked": default_counts(plan.catalog, recipe),
        "max": dict(plan.max_overrides),
        "bounds": bounds_of(plan),
        "planned": planned_steps(plan),
        **new.options,
    }
    event = e.RunStarted(
        run_id=new.run_id,
        at=as_iso(parts.clock.now()),
        stamp_run=new_stamp_run_part(parts.random_bytes),
        **recorded_recipe(recipe),
        inputs=dict(plan.inputs),
        server=plan.server,
        account_id=account_id,
        budget=plan.budget,
        planned_low=plan.credits.low,
        planned_expected=plan.credits.expected,
        planned_worst=plan.credits.worst,
        balance_before=new.balance,
        out_dir=str(new.out_dir),
        zenflow_version=__version__,
        named_paths=new.named_paths,
        options=options,
    )
    await parts.journal.append(parts.lease, [event])


async def execute(
    parts: Parts,
    account: Account,
    catalog: Catalog,
    plan: Plan | None,
    listener: Listener,
    stop: StopSignal,
    gates: Gates,
    changes: Changes | None = None,
) -> RunReport:
    """Do what is left of a run until it is done or rests; its report.

    The same call begins and resumes: what is left is what the facts do not hold. `changes` is given for a resume. `plan` is
    None for a resume of what can no longer be planned: what is paid is fetched all the same. The caller has compared server
    and account, and holds the lease. Raises JournalError and Defect, and Refused for another account.
    """
    run_id = parts.lease.run_id
    state = fold(parts.journal.events(run_id))
    if state.started is None:
        raise Defect("ZF901", f"the journal holds no start of run {run_id}")
    compare_account(state.started, account)
    about = RUN.set(run_id)
    engine = _Engine(parts, stored_recipe(state.started), account, catalog, plan, state, listener, stop, gates)
    _log.info(
        "%s %s on %s", "resume" if changes is not None else "begin", state.started.recipe_name, state.started.server
    )
    try:
        if changes is not None:
            engine.resume(changes)
        report = await engine.run()
        _log.info("end: %s", report.status)
        return report
    finally:
        engine.close()
        RUN.reset(about)


class _Engine:
    """Puts the parts of one execution together. No decision is made here."""

    def __init__(
        self,
        parts: Parts,
        recipe: Recipe,
        account: Account,
        catalog: Catalog,
        plan: Plan | None,
        state: RunState,
        listener: Listener,
        stop: StopSignal,
        gates: Gates,
    ) -> None:
        self.state = state
        self.stop = stop
        self.is_resume = False
        self.recipe = recipe
        limiter = RateLimiter(parts.clock, parts.limits.requests_per_second, parts.shared_limit)
        service = ServiceClient(parts.provider, limiter, parts.clock, parts.limits.patience_429_s)
        recorder = Recorder(parts.journal, parts.lease, state, listener, parts.clock)
        asked = expected_count_function(catalog.tools, state.options.get("asked", {}))
        expander = Expander(state, asked)
        fits = plan is None or plan.judgement.verdict is Verdict.FITS
        ledger = Ledger(state, reserves_downstream=not fits, balance=account.credits)
        ledger.frame_spent = spent_by_frame(state)
        ledger.others = parts.journal.committed_elsewhere(account.account_id, parts.lease.run_id)
        self.context = Context(
            parts=parts,
            recorder=recorder,
            expander=expander,
            service=service,
            ledger=ledger,
            frame_budgets=FrameBudgets(),
            planned=plan.steps if plan is not None else {},
            planned_prices=_planned_prices(plan),
            downstream=DownstreamPrices(plan),
            catalog=catalog,
            stop=stop,
            account_id=account.account_id,
            began_s=parts.clock.monotonic_s(),
        )
        self.limiter = limiter
        self.transactions = TransactionReconciler(self.context)
        self.lookup = TaskLookup(self.context, self.transactions)
        queue = ReadyQueue(longest_first=fits)
        self.submitter = Submitter(self.context, queue, gates, lambda: self.transactions.position)
        self.transactions.on_difference = self.submitter.contradicted
        self.watcher = Watcher(self.context, self.lookup)
        self.watcher.order.on_contradiction = self.submitter.pricing.stop
        self.lost_responses = LostResponseResolver(self.context, self.submitter, self.lookup)
        self.saver = Saver(self.context, expander)
        self.saver.order = self.watcher.order
        inner, free = Inner(self.context), FreeWork(self.context)
        self.submitter.old_assets = OldAssets(self.context, free.upload_again, self.submitter.pricing.price_of)
        self.scheduler = Scheduler(
            self.context, self.submitter, self.watcher, self.lost_responses, self.saver, free, inner
        )
        expander.on_frame_settled = self.scheduler.frame_settled
        stop.on_change(self.context.wake.set)
        recorder.on_failure = self.context.wake.set

    # ------------------------------------------------------------------------------------------------------------- resume

    def resume(self, changes: Changes) -> None:
        """Record that the run goes on and what changes; failed instances are taken up again, what was paid stays booked."""
        self.is_resume = True
        context, recorder = self.context, self.context.recorder
        now = recorder.now()
        recorder.record(e.RunResumed(now, f"lease {context.parts.lease.token}"))
        if changes.budget is not None and changes.budget != self.state.budget:
            recorder.record(e.BudgetChanged(now, changes.budget))
        options = self._options(changes)
        if options:
            recorder.record(e.OptionsChanged(now, options))
        again = tuple(
            address for address in self.state.instances if self._is_taken_up_again(address) or address in changes.again
        )
        if again:
            recorder.record(e.Reopened(now, again))

    def _options(self, changes: Changes) -> Mapping[str, Any]:
        maxima, bounds = changes.options.get("max") or {}, self.state.options.get("bounds") or {}
        if not maxima or not bounds:
            return changes.options
        return {**changes.options, "bounds": raised(bounds, self.recipe, self.state.instances, maxima)}

    def _is_taken_up_again(self, address: str) -> bool:
        """What failed is tried again, and so what followed from it may change: skipped readers, and the lists of files,
        whose saved ones are verified and not fetched again."""
        status = self.state.instances[address].status
        if status in (InstanceStatus.FAILED, InstanceStatus.SKIPPED):
            return True
        spec = spec_at(self.recipe, address)
        return status is InstanceStatus.DONE and spec is not None and spec.uses in TOLERATES_MISSING_INPUTS

    def _recover(self) -> None:
        """Hand unfinished submissions back to the normal road. May run twice: it only reads the state."""
        recorder = self.context.recorder
        for submission in list(self.state.submissions.values()):
            if submission.outcome is Outcome.OPEN:
                now = recorder.now()
                text = "the process ended before an answer was read"
                recorder.record(e.OutcomeUnknown(now, submission.number, submission.attempts, text, now))
                self.lookup.lost_now(submission)
            if submission.needs_lookup:
                self.lost_responses.track(submission)
        for submission in watchable(self.state.submissions):
            self.watcher.add(submission)
        self.watcher.order.resume()

    # ---------------------------------------------------------------------------------------------------------------- run

    async def run(self) -> RunReport:
        context, state = self.context, self.state
        started = state.started
        assert started is not None
        await self.transactions.begin()
        await self.watcher.find_lost()
        has_looked_up = (
            not self.is_resume or await self._find_unrecognized_tasks()
        )  # before any instance: it may be made already
        context.expander.open_frame(self.recipe, started.inputs, run={"id": started.run_id, "started_at": started.at})
        if not has_looked_up:
            return await self._end()
        self._recover()
        await self._drive()
        await self.scheduler.leave()
        self._report_unrecognized_tasks()
        if context.defects:
            await context.recorder.flush()
            raise Defect("ZF900", f"zenflow went wrong while running: {context.defects[0]!r}") from context.defects[0]
        if context.recorder.failed is None and not self.stop.leaving:
            await self._settle_transactions()
        return await self._end()

    async def _drive(self) -> None:
        """The scheduler's loop. Who leaves does not wait for a question that the service does not answer; a journal that
        fails ends it, and `_end` says so."""
        left = asyncio.Event()
        self.stop.on_change(lambda: left.set() if self.stop.leaving else None)
        driving = asyncio.ensure_future(self.scheduler.run())
        leaving = asyncio.ensure_future(left.wait())
        await asyncio.wait({driving, leaving}, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if not driving.done():
            driving.cancel()
            await asyncio.wait({driving})
        if driving.cancelled():
            return
        error = driving.exception()
        if error is not None and self.context.recorder.failed is None:
            raise error

    async def _find_unrecognized_tasks(self) -> bool:
        """Every resume begins by listing the tasks with the run's stamp; without that nothing may be sent."""
        unrecognized_tasks = UnrecognizedTasks(self.context, self.lookup)
        try:
            await unrecognized_tasks.find()
            await unrecognized_tasks.measure_cost(self.transactions, self.submitter.pricing.prices_of)
            await settle_abandoned(self.context, self.lookup, self.transactions)
        except ServiceError as error:
            self.context.stop_run(error.code, error.message, error.hint or "`zenflow resume RUN` when it is back.")
            return False
        self.submitter.unrecognized_tasks = unrecognized_tasks
        self.context.ledger.unrecognized_cost = unrecognized_tasks.cost
        self.context.ledger.frame_spent = spent_by_frame(self.state)  # with what the looks have made the run's again
        self.submitter.skip_numbers(unrecognized_tasks.highest_number)
        return True

    def _report_unrecognized_tasks(self) -> None:
        """Tasks of this run that nothing in it asks for: a person must look at them."""
        for unrecognized in (
            self.submitter.unrecognized_tasks.unclaimed() if self.submitter.unrecognized_tasks is not None else ()
        ):
            task = unrecognized.task
            text = f"task {task.task_id} ({task.tool}) carries this run's stamp, and the journal does not know it"
            self.context.stop_run("ZF646", text, "`zenflow reconcile RUN` shows what is known of it.")
            for ready in unrecognized.claimed.values():
                self.context.suspend(ready.instance, Status.UNKNOWN, "an unknown task has asked for the same")

    async def _settle_transactions(self) -> None:
        """The debits and refunds that are there now; what comes later a later command takes in."""
        if any(s.task_id for s in self.state.submissions.values()):
            with suppress(JournalError):  # one that fails just now: `_end` says so
                await self.transactions.settle()

    async def _end(self) -> RunReport:
        context = self.context
        balance = await self._balance()
        found = self._report()
        if context.recorder.failed is None:
            ended = e.RunEnded(context.recorder.now(), found.status, found.reason, balance)
            context.recorder.record(ended)
            await context.recorder.flush()
            found = self._report() if self._is_broken() else found  # at its very last facts
        context.recorder.notify(self.scheduler.progress)
        return replace(found, balance_after=self.state.balance_after, journal_failed=self._is_broken())

    def _is_broken(self) -> bool:
        return self.context.recorder.failed is not None

    def _report(self) -> RunReport:
        """How it stands; a journal that failed comes first."""
        context, failure = self.context, self.context.recorder.failed
        broken = [] if failure is None else [_journal_stop(failure, self.state)]
        return report(
            context.expander.frames,
            self.state,
            stop_reasons=[*broken, *context.stop_reasons],
            interrupted=self.stop.draining,
        )

    async def _balance(self) -> Decimal | None:
        if self.stop.leaving or self.context.blind is not None:
            return None
        try:
            return (await self.context.parts.provider.account()).credits
        except ServiceError:
            return None

    def close(self) -> None:
        self.limiter.close()


def _planned_prices(plan: Plan | None) -> Mapping[str, Decimal]:
    """The prices that the plan showed, by question: with a stand-in or without, more than that is not paid unasked."""
    if plan is None:
        return {}
    return {key: quote.credits for key, quote in plan.prices.quotes.items() if quote.credits is not None}


def _journal_stop(failure: JournalError, state: RunState) -> StopReason:
    """The journal is closed: what was accepted and may not be on disk is said aloud (docs/money.md, “The journal”)."""
    tasks = [one.task_id for one in at_risk(state) if one.task_id is not None]
    said = f" Tasks that were accepted and go on at the service: {', '.join(tasks)}." if tasks else ""
    message = f"{failure.message}.{said}" if said else failure.message
    return StopReason(failure.code, message, failure.hint or "Free some space, then `zenflow resume RUN`.")


__all__ = ["Changes", "begin", "execute", "look_at", "stored_recipe"]
