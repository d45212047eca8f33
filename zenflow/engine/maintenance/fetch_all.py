"""Everything that a run has paid for, on disk: what its downloads name under their names, the rest below `paid/`.

Free, and the run goes on from where it was: results that have come meanwhile are facts and are recorded as such, nothing is
begun, and no step becomes done or failed by it. A file that is there and whole is never fetched a second time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from zenflow.artifacts.base import SavedFile
from zenflow.engine.expansion.readiness import TOLERATES_MISSING_INPUTS
from zenflow.engine.expansion.subrecipes import spec_at
from zenflow.engine.files.saver import FileJob, Saver, Saving
from zenflow.engine.maintenance.session import MaintenanceSession
from zenflow.engine.model.instances import Frame, Instance, Status, StepRun
from zenflow.engine.model.recipe_record import stored_recipe
from zenflow.engine.reporting.replay import expanded
from zenflow.engine.tracking.poller import Watcher, watchable
from zenflow.errors import Stopped
from zenflow.history import events as e
from zenflow.history.fold import fold
from zenflow.history.state import RunState
from zenflow.plan.fanout import fanout_of, parse_address
from zenflow.recipe.model import StepSpec

PAID = "paid"


class FetchedFiles(Protocol):
    """What lies in a folder that is not the run's own: remembered there, since the journal holds the run's own only."""

    def find(self, asset_id: str) -> SavedFile | None: ...

    def put(self, saved: SavedFile) -> None: ...


@dataclass(frozen=True, slots=True)
class TextResult:
    """A paid result that is no asset: its output, and the name that it goes by."""

    name: str
    instance: str
    output: Any


@dataclass(slots=True)
class Collected:
    """`failures` by asset: what could not be fetched, and why."""

    new: list[SavedFile] = field(default_factory=list)
    kept: list[SavedFile] = field(default_factory=list)
    texts: list[TextResult] = field(default_factory=list)
    failures: list[tuple[str, str, str]] = field(default_factory=list)  # asset id, code, why


async def take_in(session: MaintenanceSession) -> None:
    """Learn what became of paid calls since: results, failures, debits and refunds. Raises ServiceError."""
    await session.mark_interrupted_as_unknown()
    watcher = Watcher(session.context, session.lookup)
    await watcher.find_lost()
    for submission in watchable(session.state.submissions):
        watcher.add(submission)
    await watcher.round()
    await session.transactions.settle(from_start=True)
    blind = session.context.blind
    if blind is not None:
        raise Stopped(blind.code, blind.message, blind.hint)


async def collect(session: MaintenanceSession, fetched_files: FetchedFiles | None = None) -> Collected:
    """Fetch every paid file that is not there. `fetched_files`: of a folder that is not the run's own."""
    await session.context.recorder.flush()
    state = _without_downloads(session)
    expander = expanded(state)
    saver = _Collector(session, expander, fetched_files)
    for instance in list(_downloads(expander.frames)):
        saver.begin(instance)
    await saver.finish()
    named = {file.asset_id for file in (*saver.collected.new, *saver.collected.kept)}
    named |= {asset_id for asset_id, _, _ in saver.collected.failures}
    for job in _unnamed(session.state, named, saver.collected):
        saver.begin_paid(*job)
    await saver.finish()
    return saver.collected


def _without_downloads(session: MaintenanceSession) -> RunState:
    """The run's facts as if no file had been asked for yet: then every download can be begun."""
    state = fold(session.context.parts.journal.events(session.context.parts.lease.run_id))
    assert state.started is not None
    recipe = stored_recipe(state.started)
    for address in list(state.instances):
        spec = spec_at(recipe, address)
        if spec is not None and spec.uses in TOLERATES_MISSING_INPUTS:
            del state.instances[address]
    return state


def _downloads(frames: list[Frame]) -> Iterator[Instance]:
    for frame in frames:
        for step in frame.steps.values():
            if step.spec.uses in TOLERATES_MISSING_INPUTS and step.spec.uses != "preview":
                yield from (one for one in step.ordered() if one.status is not Status.SKIPPED)


_Paid = tuple[str, str, int, str]  # address of its maker, asset id, place among its assets, name


def _unnamed(state: RunState, named: set[str], collected: Collected) -> Iterator[_Paid]:
    """Assets of paid results that no download has named, each once; texts go to `collected`."""
    for address, instance in state.instances.items():
        if not instance.submissions or instance.results is None:
            continue
        asset_ids = [one for one in instance.results.get("asset_ids") or () if isinstance(one, str)]
        name = f"{PAID}/{_file_name(address)}"
        if not asset_ids:
            collected.texts.append(TextResult(name, address, instance.results.get("output")))
        for place, asset_id in enumerate(asset_ids):
            if asset_id not in named:
                named.add(asset_id)
                yield address, asset_id, place, name if len(asset_ids) == 1 else f"{name}-{place}"


def _file_name(address: str) -> str:
    """`outer.2/upscale.3.1` → `outer-2/upscale-3-1`."""
    return address.replace("~", "unasked-").replace(".", "-")


class _Collector(Saver):
    """Saves as a run does, and leaves its steps alone."""

    def __init__(self, session: MaintenanceSession, expander: Any, fetched_files: FetchedFiles | None) -> None:
        super().__init__(session.context, expander)
        self.collected = Collected()
        self._fetched_files = fetched_files
        self._names: dict[Instance, str] = {}
        self._session = session

    async def finish(self) -> None:
        """Return when every file is there, or is known not to come. Raises what went wrong with us."""
        while self._jobs:
            await asyncio.wait(set(self._jobs))
            await asyncio.sleep(0)
        if self._session.context.defects:
            raise self._session.context.defects[0]

    def begin_paid(self, address: str, asset_id: str, place: int, name: str) -> None:
        """One asset that no download names."""
        instance = _placeholder(address)
        self._names[instance] = name
        saving = self._open(instance)
        job = FileJob(instance, place, asset_id, None, place)
        self._add(saving, job)
        self._close(saving)

    def _name(self, job: FileJob) -> str:
        return self._names.get(job.instance) or super()._name(job)

    async def _kept(self, job: FileJob, before: e.FileSaved | None) -> SavedFile | None:
        if self._fetched_files is None:
            kept = await super()._kept(job, before)
        else:
            found = self._fetched_files.find(job.asset_id)
            kept = found if found is not None and await self._session.context.parts.store.verify(found) else None
        if kept is not None:
            self.collected.kept.append(kept)
        return kept

    def _journal(self, job: FileJob, saved: SavedFile) -> None:
        self.collected.new.append(saved)
        if self._fetched_files is None:
            super()._journal(job, saved)
        else:
            self._fetched_files.put(saved)

    def _finish(self, saving: Saving) -> None:
        """No step is settled by this; what failed is told by asset."""
        stop_reasons = self._session.context.stop_reasons
        failures, saving.failures = saving.failures, []
        for code, message, _ in failures:
            asset_id = message.removeprefix("asset ").partition(":")[0]
            self.collected.failures.append((asset_id, code, message))
        if saving.stopped and stop_reasons:
            saving.stopped = False
            self.collected.failures.append(("", stop_reasons[-1].code, stop_reasons[-1].message))


def _placeholder(address: str) -> Instance:
    """An instance to hang files on that no step of the recipe saves: it goes by the address of the call that made them."""
    path, key = parse_address(address)
    spec = StepSpec(
        id=path,
        uses="download",
        kind="action",
        with_={},
        foreach=None,
        max=None,
        if_=None,
        needs=(),
        retry=0,
        timeout_s=None,
        on_error="fail",
        reuse=None,
        max_credits=None,
        places=None,  # type: ignore[arg-type]
    )
    step = StepRun(None, spec, path, path, fanout_of(spec))  # type: ignore[arg-type]
    return Instance(step, key, 0)


def still_running(state: RunState) -> Mapping[str, int]:
    """Paid calls that are not over, by task."""
    found: dict[str, int] = {}
    for submission in watchable(state.submissions):
        waiting = sum(call.status == "waiting" for call in submission.calls)
        if waiting:
            found[submission.task_id or ""] = waiting
    return found
