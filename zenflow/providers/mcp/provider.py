"""`McpProvider`: the ZenCreator MCP service as a `Provider`: a table of contents, the work is beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from zenflow.catalog.model import Account, Catalog
from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.clock import Clock, SystemClock
from zenflow.providers.base import (
    AssetInfo,
    AssetUrl,
    CallResult,
    CraftedPrompts,
    Description,
    Download,
    ServerFacts,
    ServiceTemplate,
    Submission,
    SubmitAnswer,
    Task,
    TaskSummary,
    Transaction,
    UploadedAsset,
)
from zenflow.providers.mcp.session.call import ask, reading
from zenflow.providers.mcp.session.session import Session
from zenflow.providers.mcp.tokens.source import NO_TOKEN, TokenSource
from zenflow.providers.mcp.tools import assets as files
from zenflow.providers.mcp.tools import catalog as catalog_
from zenflow.providers.mcp.tools import downloads, quotes, uploads
from zenflow.providers.mcp.tools import tasks as jobs
from zenflow.providers.mcp.tools import templates as templates_
from zenflow.providers.mcp.tools import transactions as transactions_
from zenflow.providers.mcp.tools.placeholders import Placeholders, wants_real_assets
from zenflow.providers.mcp.tools.submit import DEADLINE_S, PaidCaller
from zenflow.providers.mcp.wire.http import HttpParts, network


class McpProvider:
    """One service, one account. Open with `async with`; the first question connects."""

    def __init__(
        self,
        url: str,
        *,
        tokens: TokenSource | None = None,
        clock: Clock | None = None,
        http: HttpParts | None = None,
        server: str | None = None,
        submit_deadline_s: float = DEADLINE_S,
    ) -> None:
        self.clock = clock or SystemClock()
        self._http = http or network()
        self._session = Session(url, tokens=tokens or NO_TOKEN, clock=self.clock, http=self._http)
        self._submitter = PaidCaller(self._session, submit_deadline_s)
        self._placeholders = Placeholders(self._session)
        self._downloads: dict[str, Any] = {}
        self._heard: dict[str, Any] = {}  # of a catalogue whose reading broke off
        self._stack = AsyncExitStack()
        self.server = server or self._session.url

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._session)
        self._stack.push_async_callback(self._close_downloads)
        self._stack.push_async_callback(self._submitter.close)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    @property
    def sign_in(self) -> int | None:
        return self._session.sign_in

    async def connect(self) -> None:
        """Speak to the server now. Raises `ServiceError` in words that say what is there instead."""
        await self._session.link()

    async def about(self) -> ServerFacts:
        link = await self._session.link()
        return ServerFacts(link.envelope.version, link.clock_difference_s)

    async def account(self) -> Account:
        with reading("get_me"):
            return await catalog_.account(self._session)

    async def catalog(self, tools: Iterable[str] | None = None) -> Catalog:
        with reading("the tools"):
            return await catalog_.catalog(self._session, self.server, self.clock, tools, self._heard)

    async def model_guide(self, model: str) -> str | None:
        with reading("model_guide"):
            return await catalog_.model_guide(self._session, model)

    async def quote(self, price_request: PriceRequest) -> Quote:
        answer = await self._quoted(price_request)
        if not wants_real_assets(price_request, answer):
            return answer
        with reading("estimate_price"):
            return await self._placeholders.price(price_request, answer, self._quoted, self.compare)

    async def _quoted(self, price_request: PriceRequest) -> Quote:
        with reading("estimate_price"):
            return await quotes.quote(self._session, self.clock, price_request)

    async def compare(self, tool: str, params: Mapping[str, Any], resolutions: Sequence[str] = ()) -> Mapping[str, Any]:
        with reading("compare_prices"):
            return await quotes.compare(self._session, tool, params, resolutions)

    async def upload_file(self, path: Path, media_type: str | None) -> UploadedAsset:
        with reading("upload_asset"):
            return await uploads.upload_file(self._session, path, media_type)

    async def upload_url(self, url: str, media_type: str | None) -> UploadedAsset:
        with reading("upload_asset"):
            return await uploads.upload_url(self._session, url, media_type)

    async def describe(self, asset_id: str, force_refresh: bool) -> Description:
        with reading("describe"):
            return await files.describe(self._session, asset_id, force_refresh)

    async def craft_prompt(self, arguments: Mapping[str, Any]) -> CraftedPrompts:
        with reading("craft_prompt"):
            return await files.craft_prompt(self._session, arguments)

    async def submit(self, submission: Submission) -> SubmitAnswer:
        return await self._submitter.submit(submission)

    async def list_tasks(
        self,
        *,
        query: str | None = None,
        tool: str | None = None,
        status: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[tuple[TaskSummary, ...], int | None]:
        with reading("list_tasks"):
            return await jobs.list_tasks(
                self._session, query=query, tool=tool, status=status, limit=limit, offset=offset
            )

    async def get_task(self, task_id: str) -> Task:
        with reading("get_task"):
            return await jobs.get_task(self._session, task_id)

    async def processing_tools(self) -> Mapping[str, bool]:
        with reading("processing_tools"):
            return await jobs.processing_tools(self._session)

    async def wait_for_task(self, task_id: str, wait_s: int) -> None:
        with reading("wait_for_task"):
            await jobs.wait_for_task(self._session, task_id, wait_s)

    async def call_result(self, call_id: str) -> CallResult:
        with reading("call_result"):
            return await jobs.call_result(self._session, call_id)

    async def asset(self, asset_id: str) -> AssetInfo:
        with reading("asset"):
            return await files.asset(self._session, asset_id)

    async def download_urls(self, asset_ids: Sequence[str]) -> Sequence[AssetUrl]:
        with reading("download_urls"):
            return await files.download_urls(self._session, self._session.url, asset_ids)

    async def preview_urls(self, asset_ids: Sequence[str]) -> Sequence[AssetUrl]:
        with reading("preview_urls"):
            return await files.preview_urls(self._session, self._session.url, asset_ids)

    def download(self, url: str, start: int = 0) -> AbstractAsyncContextManager[Download]:
        return downloads.download(self._download_pool(url), url, start, downloads.policy_of(self._session))

    async def transactions(self, *, limit: int = 100, offset: int = 0) -> tuple[tuple[Transaction, ...], int | None]:
        with reading("list_credit_transactions"):
            return await transactions_.transactions(self._session, limit=limit, offset=offset)

    async def delete_task(self, task_id: str) -> None:
        with reading("delete_task"):
            await jobs.delete_task(self._session, task_id)

    async def templates(
        self,
        *,
        query: str | None = None,
        tool: str | None = None,
        tags: Sequence[str] = (),
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[tuple[ServiceTemplate, ...], int | None]:
        with reading("templates"):
            return await templates_.templates(
                self._session, query=query, tool=tool, tags=tags, limit=limit, offset=offset
            )

    async def template(self, template_id: str) -> ServiceTemplate:
        with reading("template"):
            return await templates_.template(self._session, template_id)

    async def ask(self, tool: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Any other free tool of the service, without its prefix: its structured content."""
        return await ask(self._session, tool, arguments)

    def _download_pool(self, url: str) -> Any:
        """Storage is another host, perhaps behind another proxy: one pool per origin."""
        with reading("a download address"):
            parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._downloads:
            self._downloads[origin] = self._http.pool(url)
        return self._downloads[origin]

    async def _close_downloads(self) -> None:
        pools, self._downloads = list(self._downloads.values()), {}
        for pool in pools:
            await pool.aclose()
