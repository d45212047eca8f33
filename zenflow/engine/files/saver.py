"""`download` and `preview`: files on disk as soon as their assets exist, each verified before it gets its name.

A step that saves exactly one step's field follows that step as it goes: one failed picture of 200 does not keep 199 from
being saved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zenflow.artifacts.base import SAME_BEFORE, ArtifactError, ExpectedFile, Insisted, SavedFile
from zenflow.artifacts.media import pixels_of
from zenflow.engine.context import Context
from zenflow.engine.expansion.expander import Expander
from zenflow.engine.expansion.readiness import Decision, Fail, Skip, Wait
from zenflow.engine.expansion.scope import OriginLookup, scope_of
from zenflow.engine.files.resumable_download import open_body
from zenflow.engine.files.run_outputs import saved_results
from zenflow.engine.files.url_batches import Addresses
from zenflow.engine.model.instances import Instance, Status, StepRun, StopReason
from zenflow.engine.tracking.result_order import MediaTraits, OrderGuard, kind_of
from zenflow.expr.evaluate import ExpressionError, evaluate
from zenflow.expr.template import Template
from zenflow.expr.tree import evaluate_tree
from zenflow.expr.values import SKIPPED, Pending
from zenflow.history import events as e
from zenflow.plan.fanout import step_field_of
from zenflow.providers.base import AssetUrl, ServiceError

FILE_TRIES = 5


LAYOUT, FLAT = "layout", "flat"  # of a run's options
PREVIEWS = "previews/"


@dataclass(slots=True, eq=False)
class FileJob:
    """One file of a download: which asset, under which number, made by which instance."""

    instance: Instance
    place: int
    asset_id: str
    source: Instance | None
    number: int  # of the asset among the results of the step that made it, for the default name


@dataclass(slots=True, eq=False)
class Saving:
    """A download that is going on. `closed`: no more files will come."""

    instance: Instance
    files: dict[int, SavedFile] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    open_jobs: int = 0
    closed: bool = False
    failures: list[tuple[str, str, str]] = field(default_factory=list)
    stopped: bool = False


class Saver:
    """Collects files to be saved, asks for their addresses in batches, and streams them to the store."""

    def __init__(self, context: Context, expander: Expander) -> None:
        self.order: OrderGuard | None = None
        self._context = context
        self._expander = expander
        self._savings: dict[Instance, Saving] = {}
        self._addresses = Addresses(context)
        self._jobs: set[asyncio.Task[None]] = set()
        self._at_once = asyncio.Semaphore(context.limits.downloads_at_once)

    @property
    def is_busy(self) -> bool:
        return bool(self._jobs)

    # ------------------------------------------------------------------------------------------------------------- begin

    def begin(self, instance: Instance) -> Decision | None:
        """Start saving for one instance; a Decision when it cannot start yet, or will not."""
        if instance in self._savings:
            return None
        spec = instance.step.spec
        written = spec.with_.get("asset_ids", spec.with_.get("asset_id"))
        stream = self._stream_of(instance, written)
        if stream is not None:
            step, name = stream
            saving = self._open(instance)
            self._follow(saving, step, name)
            return None
        try:
            value = evaluate_tree(written, scope_of(instance, tolerates_missing=True), existing=True)
        except ExpressionError as error:
            return Fail(error.code, error.message, error.hint or "")
        return self._begin_value(instance, value)

    def _begin_value(self, instance: Instance, value: Any) -> Decision | None:
        items = value if isinstance(value, list) else [value]
        for item in items:
            if isinstance(item, Pending):
                return Wait(item)
        found = [item for item in items if item is not SKIPPED and item is not None]
        if items and not found:
            return Skip("there is nothing to save")
        wrong = next((item for item in found if not isinstance(item, str)), None)
        if wrong is not None:
            return Fail("ZF333", f"`asset_ids` must be asset ids, and holds {wrong!r}", "Use `.asset_ids` of a step.")
        saving = self._open(instance)
        for position, asset_id in enumerate(found):
            place = instance.index if instance.step.fans_out and len(found) == 1 else position
            self._add(saving, FileJob(instance, place, asset_id, *self._maker(instance, asset_id, place)))
        self._close(saving)
        return None

    def _maker(self, instance: Instance, asset_id: str, place: int) -> tuple[Instance | None, int]:
        """The instance that made an asset, and the asset's number among the results of its step."""
        made = self._expander.makers.get(asset_id)
        if made is None:
            return instance.source, place
        maker, position = made
        return maker, self._expander.place_of(maker) + position

    def _stream_of(self, instance: Instance, written: Any) -> tuple[StepRun, str] | None:
        plain = step_field_of(written)
        if plain is None or plain[1] is None:
            return None
        step = instance.step.frame.steps.get(plain[0])
        return (step, plain[1]) if step is not None and step.fans_out else None

    def _open(self, instance: Instance) -> Saving:
        saving = self._savings[instance] = Saving(instance)
        instance.status = Status.RUNNING
        return saving

    def _follow(self, saving: Saving, step: StepRun, name: str) -> None:
        """Each instance of the step brings its files when it is done; the step's end closes the list."""
        for other in step.ordered():
            if other.is_over:
                self._take(saving, other, name)
        if step.is_settled:
            self._close(saving)
            return
        step.followers.append(lambda ended: self._take(saving, ended, name))
        step.waiters.append(lambda: self._close(saving))

    def _take(self, saving: Saving, ended: Instance, name: str) -> None:
        if ended.available_results is None:
            return
        value = ended.available_results.get(name)
        first = self._expander.place_of(ended, name)
        for position, asset_id in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(asset_id, str):
                self._add(saving, FileJob(saving.instance, first + position, asset_id, ended, first + position))

    # -------------------------------------------------------------------------------------------------------------- jobs

    def _add(self, saving: Saving, job: FileJob) -> None:
        while job.place in saving.seen:
            job.place += 1
        saving.seen.add(job.place)
        before = self._context.recorder.state.files.get(saving.instance.address, {}).get(job.place)
        saving.open_jobs += 1
        task = asyncio.create_task(self._save(saving, job, before))
        self._jobs.add(task)
        task.add_done_callback(self._job_done)

    def _job_done(self, task: asyncio.Task[None]) -> None:
        self._jobs.discard(task)
        self._context.task_ended(task)

    async def close(self) -> None:
        """Give up what goes on: who leaves, or has no journal any more, settles nothing. A resume fetches it."""
        jobs = set(self._jobs)
        for job in jobs:
            job.cancel()
        if jobs:
            await asyncio.wait(jobs)

    async def _save(self, saving: Saving, job: FileJob, before: e.FileSaved | None) -> None:
        given_up = False
        try:
            kept = await self._kept(job, before)
            saved = kept or await self._fetched(saving, job)
            if saved is not None:
                saving.files[job.place] = saved
                if kept is None:
                    await self._check_order(job, saved)
        except asyncio.CancelledError:
            given_up = True
            raise
        finally:
            saving.open_jobs -= 1
            if not given_up:
                self._finish(saving)

    async def _kept(self, job: FileJob, before: e.FileSaved | None) -> SavedFile | None:
        """The file as an earlier process left it, if it is still whole."""
        if before is None or before.asset_id != job.asset_id:
            return None
        saved = SavedFile(before.path, before.asset_id, before.media_type, before.bytes, before.sha256)
        return saved if await self._context.parts.store.verify(saved) else None

    async def _fetched(self, saving: Saving, job: FileJob) -> SavedFile | None:
        try:
            name = self._name(job)
        except ExpressionError as error:
            saving.failures.append((error.code, error.message, error.hint or ""))
            return None
        return await self._try_to_fetch(saving, job, name)

    async def _try_to_fetch(self, saving: Saving, job: FileJob, name: str) -> SavedFile | None:
        """Ask for an address, stream, verify; a broken body or an expired address is asked for again."""
        problem: tuple[str, str, str] = ("ZF840", "the file could not be fetched", "")
        preview = job.instance.step.spec.uses == "preview"
        insisted = Insisted()
        attempt = -1
        while (attempt := attempt + 1) < FILE_TRIES + min(len(insisted.seen), SAME_BEFORE):
            if attempt:
                await self._context.clock.sleep(min(8.0, 0.25 * 2**attempt))
            try:
                address = await self._addresses.take(job.asset_id, preview)
            except ServiceError as error:
                self._stop_run(saving, error)
                return None
            try:
                async with self._at_once:
                    saved = await self._stream(name, job.asset_id, address, preview, insisted.as_it_is)
            except ArtifactError as error:
                insisted.take(error)
                problem = (error.code, error.message, error.hint or "")
                if not error.retry:
                    break
            except ServiceError as error:  # of the storage: expired, cut, away; a fresh address is asked for
                problem = (error.code, error.message, error.hint or "")
            else:
                self._journal(job, saved)
                if saved.sha256 == insisted.as_it_is:
                    self._note_as_it_is(job, saved, problem[1])
                return saved
            finally:
                self._addresses.put_down()
        saving.failures.append((problem[0], f"asset {job.asset_id}: {problem[1]}", problem[2]))
        return None

    async def _check_order(self, job: FileJob, saved: SavedFile) -> None:
        """A file shows its size and type where the service has told nothing of them (A5)."""
        state = self._context.recorder.state
        maker = None if job.source is None else state.instances.get(job.source.address)
        if self.order is None or maker is None or not maker.submissions:
            return
        number, position = maker.submissions[-1]
        if self.order.tells(state.submissions[number]):
            pixels = await asyncio.to_thread(pixels_of, self._context.parts.store.folder / saved.path)
            ratio = pixels[0] / pixels[1] if pixels is not None and pixels[1] else None
            self.order.check(state.submissions[number], position, MediaTraits(ratio, None, kind_of(saved.media_type)))

    def _stop_run(self, saving: Saving, error: ServiceError) -> None:
        saving.stopped = True
        self._context.stop_run(error.code, error.message, error.hint or "`zenflow resume RUN` fetches what is missing.")

    def _note_as_it_is(self, job: FileJob, saved: SavedFile, problem: str) -> None:
        times = SAME_BEFORE + 1
        text = (
            f"{saved.path}, asset {job.asset_id}: {problem}. It came {times} times just like this, and is kept as it is"
        )
        recorder = self._context.recorder
        recorder.record(e.Noted(recorder.now(), "ZF866", text))

    async def _stream(
        self, name: str, asset_id: str, address: AssetUrl, preview: bool, as_it_is: str | None
    ) -> SavedFile:
        """One body into the store; a connection that breaks goes on where it stopped."""
        provider, store = self._context.parts.provider, self._context.parts.store
        if address.url is None:
            raise ArtifactError("ZF841", address.error or "the service gives no address for it", retry=True)

        async def fresh() -> str | None:
            return (await self._addresses.fresh(asset_id, preview)).url

        async with open_body(provider, address.url, fresh, self._context.clock) as body:
            expected = ExpectedFile(address.media_type or body.media_type, body.total_bytes, as_it_is=as_it_is)
            return await store.save(name, asset_id, body.chunks, expected)

    def _journal(self, job: FileJob, saved: SavedFile) -> None:
        recorder = self._context.recorder
        source = job.source.address if job.source is not None else None
        recorder.record(
            e.FileSaved(
                recorder.now(),
                job.instance.address,
                job.place,
                saved.path,
                saved.asset_id,
                saved.media_type,
                saved.bytes,
                saved.sha256,
                source,
            )
        )

    # ------------------------------------------------------------------------------------------------------------- names

    def _name(self, job: FileJob) -> str:
        """Return the name without its ending, in the layout that the run began with."""
        name = self._name_in_folders(job)
        if self._context.recorder.state.options.get(LAYOUT) != FLAT:
            return name
        kind = PREVIEWS if job.instance.step.spec.uses == "preview" else ""
        return kind + name.removeprefix(kind).replace("/", "-")

    def _name_in_folders(self, job: FileJob) -> str:
        """Return the name as the recipe has it; by default `STEP-INDEX` of the step that made the asset."""
        instance = job.instance
        spec = instance.step.spec
        folder = instance.step.frame.prefix
        if spec.uses == "preview":
            folder = f"{PREVIEWS}{folder}"
        written = spec.with_.get("name")
        if written is None:
            maker = job.source.step.spec.id if job.source is not None else spec.id
            return f"{folder}{maker}-{job.number}"
        if not isinstance(written, Template):
            return folder + str(written)
        scope = scope_of(instance, tolerates_missing=True)
        if not instance.step.fans_out:
            scope["index"] = job.place
            scope["origin"] = OriginLookup(job.source, True)
        value = evaluate(written, scope)
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise ExpressionError("ZF334", "the name of a file must be a text", None, written.place, written.text)
        return folder + str(value)

    # --------------------------------------------------------------------------------------------------------------- end

    def _close(self, saving: Saving) -> None:
        saving.closed = True
        self._finish(saving)

    def _finish(self, saving: Saving) -> None:
        if not saving.closed or saving.open_jobs or saving.instance.is_over:
            return
        context, instance = self._context, saving.instance
        if saving.stopped:
            context.pause(instance, StopReason("ZF703", "files are still to be fetched", "`zenflow resume RUN`."))
        elif saving.failures:
            code, message, hint = saving.failures[0]
            more = f" (and {len(saving.failures) - 1} more files)" if len(saving.failures) > 1 else ""
            context.fail(instance, code, message + more, hint or "`zenflow resume RUN` fetches what is missing, free.")
        else:
            context.produce(instance, self._results(saving))

    def _results(self, saving: Saving) -> Mapping[str, Any]:
        return saved_results(self._context.parts.store.folder, (file for _, file in sorted(saving.files.items())))
