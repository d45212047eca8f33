"""Do a recipe: plan it, have it agreed to, begin a run in the journal, execute it, leave the manifest.

Nothing is written to the journal, and nothing uploaded, before the plan was agreed to.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.connection.trust import MARK, run_text
from zenflow.app.connection.wiring import Connection
from zenflow.app.planning.prepare import Loaded, RecipeRequest, make_plan
from zenflow.app.planning.validate import load_or_raise
from zenflow.app.running.manifest import ACCEPTED, leave_accepted, leave_manifest, point_latest
from zenflow.app.running.picks import check_picks, with_candidates
from zenflow.artifacts.base import ArtifactError, ArtifactStore
from zenflow.catalog.gates import Gates
from zenflow.catalog.model import Account, Catalog
from zenflow.engine.files.saver import LAYOUT
from zenflow.engine.model.ports import NewRun, Parts, StopSignal
from zenflow.engine.model.report import Listener, RunReport
from zenflow.engine.reporting.run_report import at_risk
from zenflow.engine.reuse.reuse import decision
from zenflow.engine.run import Changes, begin, execute
from zenflow.errors import UsageError, ZenflowError
from zenflow.host.writing import open_new
from zenflow.ids import new_run_id
from zenflow.journal.base import JournalError, Lease
from zenflow.journal.failures import GOES_ON
from zenflow.plan.model import Plan, Reuse
from zenflow.recipe.inputs.file_digests import OPTION as INPUT_FILES
from zenflow.recipe.inputs.file_digests import digests_of_inputs
from zenflow.recipe.model import Recipe
from zenflow.report.verdict import refusal_of

STOP_LOOK_S = 1.0  # between two looks for a request to stop

Agree = Callable[[Plan], None]
"""Shows the plan and asks; returns when it is agreed to, raises Refused when not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest(RecipeRequest):
    out: Path | None = None  # the folder itself; None: one of its own below the output folder
    strict: bool = False  # refuse a plan that may stop
    picks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)  # for the cost history: client=acme


@dataclass(frozen=True, slots=True)
class RunCallbacks:
    """What a person holds of a run: how it is told, how it is stopped, and where it was told to begin."""

    listener: Listener
    stop: StopSignal
    begun: Callable[[str, Path], None]  # run id and folder, once they are sure


async def run(request: RunRequest, settings: Settings, agree: Agree, callbacks: RunCallbacks) -> RunReport:
    """The report of the run, however it ended. Raises what refused it before it began."""
    loaded = await load_or_raise(request, settings)
    check_picks(loaded.recipe, request.picks)
    async with wiring.connect(settings) as to:
        plan = await make_plan(loaded, request, to)
        refused = refusal_of(plan, strict=request.strict)
        if refused is not None:
            refused.facts = {**refused.facts, "plan": plan}
            raise refused
        agree(plan)
        return await begin_and_execute(plan, loaded, request, to, callbacks)


async def begin_and_execute(
    plan: Plan, loaded: Loaded, request: RunRequest, to: Connection, callbacks: RunCallbacks
) -> RunReport:
    run_id = new_run_id(to.clock.now(), wiring.random_bytes())
    out_dir = out_folder(request, to.settings, run_id)
    store = wiring.open_store(out_dir)
    with _nothing_begun():
        lease = to.journal.take_lease(run_id)
    try:
        parts = parts_for(to, lease, store)
        with _nothing_begun():
            await begin(plan, _new_run(run_id, out_dir, plan, loaded, request, to.settings), parts)
        callbacks.begun(run_id, out_dir)
        assert plan.account is not None  # `make_plan` has asked for it
        return await carry_out(Work(plan.recipe, plan.account, plan.catalog, plan, parts), to.settings, callbacks)
    finally:
        to.journal.release_lease(lease)


@contextmanager
def _nothing_begun() -> Iterator[None]:
    """A journal that fails before the run is in it leaves nothing to resume."""
    try:
        yield
    except JournalError as error:
        error.hint = (error.hint or "").replace(
            GOES_ON, "run the command again: no run has begun, and nothing was paid."
        )
        raise


@dataclass(frozen=True, slots=True)
class Work:
    """A run that is in the journal, and all that is needed to do what is left of it."""

    recipe: Recipe
    account: Account
    catalog: Catalog
    plan: Plan | None  # None: its recipe cannot be planned any more
    parts: Parts
    changes: Changes | None = None  # of a resume


async def carry_out(work: Work, settings: Settings, callbacks: RunCallbacks) -> RunReport:
    """Execute it, and leave its manifest. An error carries the run's id from here on."""
    parts = work.parts
    asked_to_stop = asyncio.create_task(_hear_stop_requests(parts, callbacks.stop), name="stop requests")
    gates = Gates(work.recipe.policy.nsfw, settings.allows_nsfw, work.account)
    try:
        report = await execute(
            parts, work.account, work.catalog, work.plan, callbacks.listener, callbacks.stop, gates, work.changes
        )
        report = _with_accepted(_with_manifest(report, parts.store.folder), parts.store.folder)
        await _leave_views(report, parts, settings)
        return report if callbacks.stop.draining else await with_candidates(report, parts.store.folder, settings)
    except ZenflowError as error:
        error.of_run(parts.lease.run_id, parts.provider.server)
        raise
    finally:
        asked_to_stop.cancel()


async def _leave_views(report: RunReport, parts: Parts, settings: Settings) -> None:
    """Leave `out/latest`, and the HTML report where the settings want it. Neither can fail a run that is paid."""
    folder = parts.store.folder
    if report.files and folder.parent == settings.output_dir:
        point_latest(folder)
    if settings.value("output.report"):
        from zenflow.app.queries.run_views import leave_report  # Pillow and Jinja2: only where it is wanted

        events = parts.journal.events(parts.lease.run_id)
        with suppress(ZenflowError, OSError):
            await asyncio.to_thread(leave_report, events, folder)


def _with_manifest(report: RunReport, folder: Path) -> RunReport:
    """Leave the manifest. A run that is done stays done when it cannot be written: `reasons` says so."""
    try:
        leave_manifest(report, folder)
    except ArtifactError as error:
        told = (error.code, f"manifest.json was not written: {error.message}", error.hint or "")
        return replace(report, reasons=(*report.reasons, told))
    return report


def _with_accepted(report: RunReport, folder: Path) -> RunReport:
    """Where the journal has failed, what it may not know lies beside the output; if that disk is full too, it is only
    said (docs/money.md, “The journal”)."""
    if not report.journal_failed or not at_risk(report.state):
        return report
    try:
        path = leave_accepted(report, folder)
    except ArtifactError as error:
        told = (error.code, f"{ACCEPTED} was not written: {error.message}", error.hint or "")
    else:
        told = ("ZF813", f"The accepted tasks stand in {path}", "Keep it: a resume finds them by their stamp.")
    return replace(report, reasons=(*report.reasons, told))


async def _hear_stop_requests(parts: Parts, stop: StopSignal) -> None:
    """`zenflow stop RUN` from another terminal drains, as the first Ctrl-C does; it never makes a run leave."""
    while not stop.draining:
        await parts.clock.sleep(STOP_LOOK_S)
        if not stop.draining and parts.journal.stop_requested(parts.lease):
            stop.request()


def parts_for(to: Connection, lease: Lease, store: ArtifactStore) -> Parts:
    """The engine's parts."""
    return Parts(
        provider=to.provider,
        journal=to.journal,
        lease=lease,
        store=store,
        clock=to.clock,
        limits=wiring.limits_of(to.settings),
        random_bytes=wiring.random_bytes(),
        per_day=to.settings.per_day,
        shared_limit=wiring.open_pace(to.settings),
    )


def out_folder(request: RunRequest, settings: Settings, run_id: str) -> Path:
    """The folder of the run's files, made and writable before anything is paid."""
    folder = settings.output_dir / run_id if request.out is None else request.current / request.out
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{secrets.token_hex(8)}.zenflow-probe"
        os.close(open_new(probe))
        probe.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            "ZF031", f"Nothing can be written to {folder}: {reason}.", "Name another folder with `--out DIR`."
        ) from error
    return folder


def _new_run(run_id: str, out_dir: Path, plan: Plan, loaded: Loaded, request: RunRequest, settings: Settings) -> NewRun:
    named_paths = tuple(sorted(str(path) for path in loaded.inputs.named_paths))
    text = run_text(
        run_id=run_id,
        server=plan.server,
        account_id="" if plan.account is None else plan.account.account_id,
        out_dir=str(out_dir),
        named_paths=named_paths,
        recipe_folder=str(plan.recipe.path.parent.resolve()),
        recipe_digest=plan.recipe.digest,
    )
    return NewRun(
        run_id=run_id,
        out_dir=out_dir,
        named_paths=named_paths,
        balance=None if plan.account is None else plan.account.credits,
        options={
            "max": dict(request.maxima),
            "picks": {name: list(places) for name, places in request.picks.items()},
            "reuse": _decided(plan.reuse),
            "labels": dict(request.labels),
            LAYOUT: settings.value("output.layout"),
            MARK: settings.trust.mark(text),
            INPUT_FILES: digests_of_inputs(plan.recipe, plan.inputs),
            "changes": {address: dict(values) for address, values in request.reuse.changes.items()},
        },
    )


def _decided(reuse: Reuse | None) -> dict[str, dict[str, str]]:
    """The decisions as the run's options hold them."""
    if reuse is None:
        return {}
    return {kept.address: decision(kept.fingerprint, kept.run_id, kept.instance) for kept in reuse.kept}
