"""A service that costs nothing: every call is finished the moment it is made. What is left is zenflow's own work.

A `providers.base.Provider` for benchmarks; it counts what it is asked. It knows no time and no failures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from table import ROOT  # noqa: F401 - puts the checkout on the path

from tests.support.offers import catalog_of
from zenflow.catalog.model import Account, Catalog
from zenflow.catalog.prices import PriceRequest, Quote
from zenflow.providers.base import (
    AssetInfo,
    AssetUrl,
    Call,
    CallResult,
    CraftedPrompts,
    Description,
    Download,
    Submission,
    SubmitAnswer,
    Task,
    TaskSummary,
    Transaction,
    UploadedAsset,
    WireFacts,
)

ACCOUNT = Account("account-1", Decimal(10**9))
MOMENT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
PRICE = Decimal(2)


class InstantProvider:
    """Answers at once, from nothing but what it was asked."""

    server = "instant"
    sign_in = None

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self._tasks: list[Task] = []
        self._by_id: dict[str, Task] = {}
        self._rows: list[Transaction] = []

    async def account(self) -> Account:
        return ACCOUNT

    async def catalog(self, tools: Iterable[str] | None = None) -> Catalog:
        return catalog_of()

    async def quote(self, price_request: PriceRequest) -> Quote:
        self.asked["quote"] += 1
        return Quote(PRICE, MOMENT)

    async def compare(self, tool: str, params: Mapping[str, Any], resolutions: Sequence[str] = ()) -> Mapping[str, Any]:
        return {}

    async def model_guide(self, model: str) -> str | None:
        return None

    async def upload_file(self, path: Path, media_type: str | None) -> UploadedAsset:
        raise NotImplementedError

    async def upload_url(self, url: str, media_type: str | None) -> UploadedAsset:
        raise NotImplementedError

    async def describe(self, asset_id: str, force_refresh: bool) -> Description:
        return Description(asset_id, "a description", "image/png")

    async def craft_prompt(self, arguments: Mapping[str, Any]) -> CraftedPrompts:
        return CraftedPrompts(({"prompt": arguments["brief"]},))

    async def submit(self, submission: Submission) -> SubmitAnswer:
        self.asked["create"] += 1
        number, total = len(self._tasks), len(submission.inputs)
        task_id = _uuid(1, number)
        calls = tuple(Call(_uuid(2, number * 50 + place), "completed") for place in range(total))
        task = Task(
            task_id, submission.tool, "completed", total, total, submission.comment, MOMENT, MOMENT,
            submission.inputs, calls, ACCOUNT.account_id,
        )  # fmt: skip
        self._tasks.append(task)
        self._by_id[task_id] = task
        self._rows.append(Transaction(_uuid(4, number), -PRICE * total, task_id, MOMENT))
        return SubmitAnswer(WireFacts("answered", 200), task_id, "created", total)

    async def list_tasks(
        self,
        *,
        query: str | None = None,
        tool: str | None = None,
        status: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[tuple[TaskSummary, ...], int | None]:
        self.asked["list"] += 1
        end = len(self._tasks) - offset
        page = tuple(reversed(self._tasks[max(0, end - limit) : end]))
        return page, offset + limit if end > limit else None

    async def get_task(self, task_id: str) -> Task:
        self.asked["task"] += 1
        return self._by_id[task_id]

    async def processing_tools(self) -> Mapping[str, bool]:
        return {}

    async def wait_for_task(self, task_id: str, wait_s: int) -> None:
        return

    async def call_result(self, call_id: str) -> CallResult:
        self.asked["result"] += 1
        asset_id = "3" + call_id[1:]
        return CallResult(call_id, {"image_assets": [asset_id]}, (asset_id,))

    async def asset(self, asset_id: str) -> AssetInfo:
        return AssetInfo(asset_id, "image/png")

    async def download_urls(self, asset_ids: Sequence[str]) -> Sequence[AssetUrl]:
        raise NotImplementedError

    async def preview_urls(self, asset_ids: Sequence[str]) -> Sequence[AssetUrl]:
        raise NotImplementedError

    def download(self, url: str, start: int = 0) -> AbstractAsyncContextManager[Download]:
        raise NotImplementedError

    async def transactions(self, *, limit: int = 100, offset: int = 0) -> tuple[tuple[Transaction, ...], int | None]:
        end = len(self._rows) - offset
        page = tuple(reversed(self._rows[max(0, end - limit) : end]))
        return page, offset + limit if end > limit else None


def _uuid(kind: int, number: int) -> str:
    return f"{kind}{number:07x}-0000-4000-8000-000000000000"


async def prices(price_requests: Sequence[PriceRequest]) -> Mapping[str, Quote]:
    """`Ask` of the plan, at once."""
    return {price_request.key: Quote(PRICE, MOMENT) for price_request in price_requests}
