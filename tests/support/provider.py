"""A `Provider` that plays a script on a `ScriptedService`: latencies, mishaps on the paid request, troubles on free ones.

`process` is the process that uses it: when that is dead, nothing more is written to the wire, and what was written
arrives all the same, or not, as the script says. It decides nothing about money.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from tests.support import response_faults
from tests.support.listing_faults import ListingFaults
from tests.support.offers import HELPERS, catalog_of
from tests.support.response_faults import ResponseFault
from tests.support.service import MadeTask, Refusal, ScriptedService
from zenflow.catalog.model import Account, Catalog
from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.clock import Clock
from zenflow.providers.base import (
    AssetInfo,
    AssetUrl,
    CallResult,
    CraftedPrompts,
    Description,
    Download,
    ServiceError,
    ServiceTrouble,
    Submission,
    SubmitAnswer,
    Task,
    TaskSummary,
    Transaction,
    UploadedAsset,
    WireFacts,
)

URL_LIVES_S = 300.0  # docs/service.md, “Assets”: minutes
_CHUNK = 16
T = TypeVar("T")


@dataclass(slots=True)
class Process:
    """A process that may die: from then on nothing of it reaches the wire, and nothing ever returns to it."""

    dead: bool = False

    async def go_on(self) -> None:
        if self.dead:
            await asyncio.get_running_loop().create_future()


@dataclass(slots=True)
class Script:
    """What goes wrong. Lists are used up from the front; an empty one means that all is well."""

    submits: list[ResponseFault] = field(default_factory=list)
    submit: Callable[[Submission], ResponseFault] = lambda submission: (
        response_faults.as_it_should
    )  # when `submits` is used up
    troubles: dict[str, list[ServiceTrouble]] = field(default_factory=dict)  # by the method's name
    trouble: Callable[[str], ServiceTrouble | None] = lambda method: None
    always: dict[str, ServiceTrouble] = field(default_factory=dict)
    downloads: list[str] = field(default_factory=list)  # "break", "truncate", "expire", "blank", ""
    latency_s: Callable[[str], float] = lambda method: 0.1
    delivers_after_death_s: Callable[[], float | None] = lambda: 0.0  # what was on the wire; None: never
    helpers: frozenset[str] = HELPERS
    listing_faults: ListingFaults = field(default_factory=ListingFaults)


class ScriptedProvider:
    """A `providers.base.Provider`."""

    server = "scripted"

    def __init__(self, service: ScriptedService, script: Script | None = None, process: Process | None = None) -> None:
        self.service = service
        self.script = script or Script()
        self.process = process or Process()
        self.clock: Clock = service.clock
        self.account_id = service.account_id  # as whom this process signed in
        self.sign_in: int | None = None
        self.submitted: list[Submission] = []  # `submit` calls that were written to the wire
        self.sent_at_s: list[float] = []  # when each of them was
        self.submits = 0  # `submit` calls, those without a connection included
        self._on_wire: list[Submission] = []
        self.asked: dict[str, int] = {}  # free requests, by method

    # ------------------------------------------------------------------------------------------------------------ the wire

    async def _travel(self, method: str) -> None:
        """One free request and its answer; raises what the script has for it."""
        await self.process.go_on()
        self.asked[method] = self.asked.get(method, 0) + 1
        await self.clock.sleep(self.script.latency_s(method))
        await self.process.go_on()
        self.service.settle()
        queue = self.script.troubles.get(method)
        trouble = queue.pop(0) if queue else self.script.always.get(method) or self.script.trouble(method)
        if trouble is not None:
            raise ServiceError(trouble, f"{method}: {trouble}")

    async def there(self, submission: Submission) -> None:
        self.submitted.append(submission)
        self.sent_at_s.append(self.clock.monotonic_s())
        self._on_wire.append(submission)
        await self.clock.sleep(self.script.latency_s("submit"))
        await self.process.go_on()

    def arrive(self, submission: Submission, inputs: slice = response_faults.ALL) -> SubmitAnswer:
        if submission in self._on_wire:
            self._on_wire.remove(submission)
        try:
            asked = submission.tool, submission.inputs[inputs], submission.comment
            return response_faults.accepted(self.service.create(*asked, owner_id=self.account_id))
        except Refusal as refusal:
            return response_faults.refused(refusal)

    async def back(self) -> None:
        await self.clock.sleep(self.script.latency_s("submit"))
        await self.process.go_on()

    def abandon(self) -> None:
        """The process died: what it had written to the wire arrives all the same, soon or later, or it does not."""
        for submission in self._on_wire:
            wait_s = self.script.delivers_after_death_s()
            if wait_s is not None:
                self.service.later(wait_s, lambda one=submission: _deliver(self, one))  # type: ignore[misc]

    def lost(self, detail: str) -> SubmitAnswer:
        return SubmitAnswer(WireFacts("sent", detail=detail, closed_at=self.clock.now()))

    async def submit(self, submission: Submission) -> SubmitAnswer:
        await self.process.go_on()
        if submission.send_by_s is not None and self.clock.monotonic_s() > submission.send_by_s:
            return SubmitAnswer(WireFacts("not_connected", detail="too late to send"))
        self.submits += 1
        queue = self.script.submits
        fault = queue.pop(0) if queue else self.script.submit(submission)
        answer = await fault(self, submission)
        if submission in self._on_wire:
            self._on_wire.remove(submission)
        await self.process.go_on()
        return answer

    # ------------------------------------------------------------------------------------------------ account, catalogue

    async def account(self) -> Account:
        await self._travel("account")
        return Account(self.account_id, self.service.balance)

    async def catalog(self, tools: Iterable[str] | None = None) -> Catalog:
        await self._travel("catalog")
        return catalog_of(self.service.offers, self.script.helpers)

    async def quote(self, price_request: PriceRequest) -> Quote:
        await self._travel("quote")
        try:
            price = self.service.price(price_request.tool, price_request.params)
        except Refusal as refusal:
            return Quote(None, self.clock.now(), refusal.message, refusal.status, price_request.placeholder)
        return Quote(price, self.clock.now(), placeholder=price_request.placeholder)

    async def compare(self, tool: str, params: Mapping[str, Any], resolutions: Sequence[str] = ()) -> Mapping[str, Any]:
        await self._travel("compare")
        return {"tool_name": tool, "count": 0, "prices": []}

    async def model_guide(self, model: str) -> str | None:
        await self._travel("model_guide")
        return None

    # -------------------------------------------------------------------------------------------------- uploads, helpers

    async def upload_file(self, path: Path, media_type: str | None) -> UploadedAsset:
        await self._travel("upload")
        return self._uploaded(await asyncio.to_thread(path.read_bytes), media_type)

    async def upload_url(self, url: str, media_type: str | None) -> UploadedAsset:
        await self._travel("upload")
        return self._uploaded(url.encode(), media_type)

    def _uploaded(self, body: bytes, media_type: str | None) -> UploadedAsset:
        media_type = media_type or "image/png"
        return UploadedAsset(self.service.add_asset(media_type, body), media_type, len(body))

    async def describe(self, asset_id: str, force_refresh: bool) -> Description:
        self._need("describe_asset")
        await self._travel("describe")
        asset = self.service.assets.get(asset_id)
        if asset is None:
            _not_found(f"asset {asset_id}")
        return Description(asset_id, f"it shows {asset.body[:20].decode('latin-1')}", asset.media_type)

    async def craft_prompt(self, arguments: Mapping[str, Any]) -> CraftedPrompts:
        self._need("craft_prompt")
        await self._travel("craft_prompt")
        count = int(arguments.get("count", 1))
        return CraftedPrompts(tuple({"prompt": f"{arguments['brief']}, take {n + 1}"} for n in range(count)))

    def _need(self, helper: str) -> None:
        if helper not in self.script.helpers:
            raise ServiceError("absent", f"this deployment has no {helper}")

    # -------------------------------------------------------------------------------------------------------------- tasks

    async def list_tasks(
        self,
        *,
        query: str | None = None,
        tool: str | None = None,
        status: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[tuple[TaskSummary, ...], int | None]:
        await self._travel("list_tasks")
        listing_faults, now = self.script.listing_faults, self.clock.monotonic_s()
        seen = [t for t in reversed(self.service.tasks.values()) if self.service.seen(t) and t.listed_from_s <= now]
        seen = [t for t in seen if listing_faults.matches(t, query) and tool in (None, t.tool)]
        seen = [t for t in seen if not listing_faults.hides(t.created_s, now)]
        if status is not None:
            seen = [task for task in seen if listing_faults.status(task, self.service) == status]
        page, following = _page(seen, limit, offset)
        return tuple(listing_faults.summary(task, self.service) for task in page), following

    async def get_task(self, task_id: str) -> Task:
        await self._travel("get_task")
        return self.script.listing_faults.task(self._task(task_id), self.service)

    def _task(self, task_id: str) -> MadeTask:
        task = self.service.tasks.get(task_id)
        if task is None or not self.service.seen(task):
            _not_found(f"task {task_id}")
        return task

    async def processing_tools(self) -> Mapping[str, bool]:
        await self._travel("processing_tools")
        return {}

    async def wait_for_task(self, task_id: str, wait_s: int) -> None:
        await self._travel("wait_for_task")
        raise ServiceError("absent", "no blocking looks here")

    async def call_result(self, call_id: str) -> CallResult:
        await self._travel("call_result")
        found = self.service.find_call(call_id)
        if found is None:
            _not_found(f"call {call_id}")
        task, call = found
        if self.clock.monotonic_s() < call.ends_s + call.fate.result_after_s or not self.service.seen(task):
            _not_found(f"call {call_id}")
        output, asset_ids = self.service.output_of(task, call)
        return CallResult(call_id, output, asset_ids)

    async def delete_task(self, task_id: str) -> None:
        await self._travel("delete_task")
        self._task(task_id).deleted = True

    # ------------------------------------------------------------------------------------------------------------- assets

    async def asset(self, asset_id: str) -> AssetInfo:
        await self._travel("asset")
        found = self.service.assets.get(asset_id)
        if found is None:
            _not_found(f"asset {asset_id}")
        return AssetInfo(asset_id, found.media_type)

    async def download_urls(self, asset_ids: Sequence[str]) -> Sequence[AssetUrl]:
        await self._travel("download_urls")
        until = self.clock.monotonic_s() + URL_LIVES_S
        found = []
        for asset_id in asset_ids:
            asset = self.service.assets.get(asset_id)
            url = None if asset is None else f"memory:{asset_id}:{until}"
            found.append(AssetUrl(asset_id, url, asset.media_type if asset else None, None if asset else "not found"))
        return found

    async def preview_urls(self, asset_ids: Sequence[str]) -> Sequence[AssetUrl]:
        return await self.download_urls(asset_ids)

    @asynccontextmanager
    async def download(self, url: str, start: int = 0) -> AsyncIterator[Download]:
        await self._travel("download")
        fault = self.script.downloads.pop(0) if self.script.downloads else ""
        _, asset_id, until = url.split(":")
        if fault == "expire" or self.clock.monotonic_s() > float(until):
            raise ServiceError("forbidden", "the address has expired")
        asset = self.service.assets[asset_id]
        yield Download(_chunks(asset.body, fault), asset.media_type, len(asset.body))

    # ------------------------------------------------------------------------------------------------------- transactions

    async def transactions(self, *, limit: int = 100, offset: int = 0) -> tuple[tuple[Transaction, ...], int | None]:
        await self._travel("transactions")
        listing_faults, now = self.script.listing_faults, self.clock.monotonic_s()
        own = [row for row in self.service.rows if row.owner_id == self.service.account_id]
        own = [row for row in own if not listing_faults.hides(row.at_s, now)]
        page, following = _page(own if self.script.listing_faults.oldest_rows_first else own[::-1], limit, offset)
        return tuple(Transaction(row.transaction_id, row.amount, row.task_id, row.at) for row in page), following


def _deliver(provider: ScriptedProvider, submission: Submission) -> None:
    provider.arrive(submission)


async def _chunks(body: bytes, fault: str) -> AsyncIterator[bytes]:
    whole = body if fault == "" else bytes(len(body)) if fault == "blank" else body[: len(body) // 2]
    for start in range(0, len(whole), _CHUNK):
        yield whole[start : start + _CHUNK]
    if fault == "break":
        raise ServiceError("unreachable", "the connection broke while reading")


def _page(rows: Sequence[T], limit: int, offset: int) -> tuple[tuple[T, ...], int | None]:
    page = tuple(rows[offset : offset + limit])
    following = offset + len(page)
    return page, following if following < len(rows) else None


def _not_found(what: str) -> NoReturn:
    raise ServiceError("not_found", f"there is no {what}", status=404)
