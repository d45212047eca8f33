"""Assets of an earlier day or run, asked for (free) before a paid call reads them: they may be gone by now.

Gone and uploaded once: uploaded again. Gone and saved on disk: the file is uploaded in its place. Gone for good: the call
waits for a person, who is told what must be made again and for how much (docs/money.md, “Resume”).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from zenflow.credits import in_words
from zenflow.engine.context import Context
from zenflow.engine.io.rate_limiter import Kind
from zenflow.engine.model.instances import Instance, StopReason
from zenflow.engine.model.ready_queue import Ready
from zenflow.history import events as e
from zenflow.history.fold import fold
from zenflow.history.state import InstanceState, RunState
from zenflow.ids import is_uuid
from zenflow.providers.base import ServiceError, UploadedAsset
from zenflow.recipe.digests import file_digest

UploadAgain = Callable[[Instance], Awaitable[Mapping[str, Any] | None]]
PriceOf = Callable[[str, Mapping[str, Any]], Awaitable[Decimal | None]]


class OldAssets:
    """Made when a run goes on: what its journal holds by then is old when the run began on an earlier day."""

    def __init__(self, context: Context, upload_again: UploadAgain, price_of: PriceOf) -> None:
        self._context = context
        self._upload_again = upload_again
        self._price_of = price_of
        self._instead: dict[str, str] = {}  # asset → the one to be read: itself, or what took its place
        self._gone: dict[str, StopReason] = {}
        state = context.recorder.state
        began = state.started.at[:10] if state.started is not None else ""
        self._makers = _makers(state.instances.values()) if began and began < f"{context.clock.now():%Y-%m-%d}" else {}
        self._seen = len(state.instances)

    async def readable(self, candidates: Sequence[Ready], again: Callable[[Ready], None]) -> list[Ready]:
        """Those whose assets are there; one that reads what is gone for good waits for a person. What cannot be asked now
        goes back to the queue (`again`)."""
        found: list[Ready] = []
        for place, ready in enumerate(candidates):
            try:
                one = await self.refresh(ready)
            except ServiceError as error:
                for rest in candidates[place:]:
                    again(rest)
                hint = error.hint or "`zenflow resume RUN`"
                self._context.stop_run(error.code, f"assets cannot be asked for: {error.message}", hint)
                break
            if isinstance(one, StopReason):
                self._context.pause(ready.instance, one)
            else:
                found.append(one)
        return found

    async def refresh(self, ready: Ready) -> Ready | StopReason:
        """The call with assets that are there, or why it must wait. Raises ServiceError when that cannot be asked."""
        instead: dict[str, str] = {}
        for asset_id in set(_assets_in(ready.params)):
            address = self._maker_of(asset_id)
            if address is None:
                continue
            if asset_id not in self._instead and asset_id not in self._gone:
                await self._ask(asset_id, address)
            if asset_id in self._gone:
                return self._gone[asset_id]
            instead[asset_id] = self._instead[asset_id]
        changed = any(old != new for old, new in instead.items())
        return replace(ready, params=_replaced(ready.params, instead)) if changed else ready

    def _maker_of(self, asset_id: str) -> str | None:
        """Who made an old asset: in the journal when this process began, or taken from another run since."""
        found = self._makers.get(asset_id)
        if found is not None:
            return found
        instances = self._context.recorder.state.instances
        if len(instances) != self._seen:
            self._seen = len(instances)
            self._makers |= _makers(one for one in instances.values() if one.reused)
        return self._makers.get(asset_id)

    async def _ask(self, asset_id: str, address: str) -> None:
        service = self._context.service
        try:
            await service.ask(Kind.FREE, lambda: service.provider.asset(asset_id))
        except ServiceError as error:
            if error.trouble not in ("not_found", "forbidden"):
                raise
            await self._replace(asset_id, address)
        else:
            self._instead[asset_id] = asset_id

    async def _replace(self, asset_id: str, address: str) -> None:
        instance = self._context.expander.find(address)
        if instance is not None and instance.step.spec.uses == "upload":
            results = await self._upload_again(instance)
            if results is not None:
                self._record_upload(instance, results)
                self._instead[asset_id] = str(results["asset_id"])
                return
        path = await self._on_disk(asset_id, address)
        if path is not None:
            uploaded = await self._upload_file(path)
            self._record_result(address, asset_id, uploaded, instance)
            self._instead[asset_id] = uploaded.asset_id
            return
        self._gone[asset_id] = await self._must_be_made_again(asset_id, address)

    # ---------------------------------------------------------------------------------------------------------- uploading

    def _record_upload(self, instance: Instance, results: Mapping[str, Any]) -> None:
        recorder, before = self._context.recorder, self._context.recorder.state.instances.get(instance.address)
        mark = before.fingerprint if before is not None else ""
        now = recorder.now()
        recorder.record(
            e.Reopened(now, (instance.address,)), e.Produced(now, instance.address, results, fingerprint=mark)
        )
        instance.results = results

    async def _upload_file(self, path: Path) -> UploadedAsset:
        service = self._context.service
        return await service.ask(Kind.FREE, lambda: service.provider.upload_file(path, None))

    def _record_result(self, address: str, old: str, new: UploadedAsset, instance: Instance | None) -> None:
        """The maker's results name the new asset from now on, and so do the files that hold it."""
        recorder = self._context.recorder
        state = recorder.state
        known = state.instances[address]
        results = _replaced(dict(known.results or {}), {old: new.asset_id})
        paid = _last_call(state, known)
        now = recorder.now()
        recorder.record(e.Produced(now, address, results, *paid, known.fingerprint, known.reused))
        for places in list(state.files.values()):
            for file in list(places.values()):
                if file.asset_id == old:
                    recorder.record(replace(file, at=now, asset_id=new.asset_id))
        if instance is not None:
            instance.results = results

    async def _on_disk(self, asset_id: str, address: str) -> Path | None:
        """The file that this run, or the run the result was taken from, has saved of it, if it is still whole."""
        state = self._context.recorder.state
        folder = self._context.parts.store.folder
        for file, place in [*_files_of(state, asset_id, folder), *self._files_of_origin(state, address, asset_id)]:
            path = place / file.path
            if await asyncio.to_thread(_is_whole, path, file):
                return path
        return None

    def _files_of_origin(self, state: RunState, address: str, asset_id: str) -> list[tuple[e.FileSaved, Path]]:
        known = state.instances.get(address)
        run_id = known.reused.get("run_id") if known is not None else None
        if not isinstance(run_id, str):
            return []
        origin = fold(self._context.parts.journal.events(run_id))
        return [] if origin.started is None else list(_files_of(origin, asset_id, Path(origin.started.out_dir)))

    # ---------------------------------------------------------------------------------------------------------- no way out

    async def _must_be_made_again(self, asset_id: str, address: str) -> StopReason:
        state = self._context.recorder.state
        known = state.instances.get(address)
        price: Decimal | None = None
        if known is not None and known.submissions:
            number, position = known.submissions[-1]
            call = state.submissions[number].calls[position].call
            price = await self._price_of(state.submissions[number].tool, call.params) or call.quote
        text = (
            f"what {address} made (asset {asset_id}) is gone at the service and not on disk: it must be made again, "
            f"{in_words(price)}"
        )
        return StopReason("ZF645", text, f"`zenflow resume RUN --again {address}` makes it again, within the budget.")


def _makers(instances: Any) -> dict[str, str]:
    """By asset id the address of the instance whose result it is."""
    found: dict[str, str] = {}
    for instance in instances:
        for asset_id in _assets_in(instance.results or {}):
            found.setdefault(asset_id, instance.address)
    return found


def _assets_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if is_uuid(value):
            yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _assets_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _assets_in(inner)


def _replaced(value: Any, instead: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return instead.get(value, value)
    if isinstance(value, Mapping):
        return {key: _replaced(inner, instead) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(inner, instead) for inner in value]
    return value


def _last_call(state: RunState, known: InstanceState) -> tuple[int | None, int | None, Decimal]:
    if not known.submissions:
        return None, None, Decimal(0)
    number, position = known.submissions[-1]
    return number, position, state.submissions[number].calls[position].call.quote


def _files_of(state: RunState, asset_id: str, folder: Path) -> Iterator[tuple[e.FileSaved, Path]]:
    for places in state.files.values():
        for file in places.values():
            if file.asset_id == asset_id and not file.path.startswith("previews/"):
                yield file, folder


def _is_whole(path: Path, file: e.FileSaved) -> bool:
    try:
        return path.is_file() and path.stat().st_size == file.bytes and file_digest(path) == file.sha256
    except OSError:
        return False
