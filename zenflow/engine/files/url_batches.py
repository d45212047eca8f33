"""Addresses of assets: asked for up to 50 at a time, just before they are used (docs/service.md, “Assets”: they
expire within minutes).

Who asks within a moment shares a request, and the next one goes out only when fewer addresses are in hand than bodies can
be read at once: what waits has no address that could expire. Knows nothing of files, names or retries.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from zenflow.engine.context import Context
from zenflow.engine.io.rate_limiter import Kind
from zenflow.providers.base import AssetUrl

URLS_AT_ONCE = 50  # docs/service.md, “Assets”
MOMENT = 0.25  # of a watch round: results come one by one, as the rate lets them

_Place = tuple[str, asyncio.Future[AssetUrl]]


class Addresses:
    """Hands out addresses. Raises ServiceError to each whose request failed."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._wanted: dict[bool, deque[_Place]] = {False: deque(), True: deque()}  # by whether it is of a preview
        self._asking: dict[bool, asyncio.Task[None]] = {}
        self._in_hand = 0
        self._freed = asyncio.Event()

    async def take(self, asset_id: str, preview: bool) -> AssetUrl:
        """An address, in hand until it is put down."""
        place: asyncio.Future[AssetUrl] = asyncio.get_running_loop().create_future()
        self._wanted[preview].append((asset_id, place))
        asking = self._asking.get(preview)
        if asking is None or asking.done():
            self._asking[preview] = asyncio.create_task(self._ask_for_all(preview))
        return await place

    def put_down(self) -> None:
        """An address that was taken is used, or given up."""
        self._in_hand -= 1
        self._freed.set()

    async def fresh(self, asset_id: str, preview: bool) -> AssetUrl:
        """Another address for somebody who has one in hand: it waits for nobody."""
        return (await self._ask([asset_id], preview))[0]

    async def _ask_for_all(self, preview: bool) -> None:
        wanted = self._wanted[preview]
        await self._context.clock.sleep(MOMENT * self._context.limits.watch_least_s)  # let the others join
        while wanted:
            while self._in_hand >= self._context.limits.downloads_at_once:
                self._freed.clear()
                await self._freed.wait()
            part = [wanted.popleft() for _ in range(min(URLS_AT_ONCE, len(wanted)))]
            try:
                addresses = await self._ask([asset_id for asset_id, _ in part], preview)
            except Exception as error:  # whatever it is: who waits must hear of it
                for _, place in part:
                    if not place.done():
                        place.set_exception(error)
                continue
            for (_, place), address in zip(part, addresses, strict=True):
                if not place.done():
                    place.set_result(address)
                    self._in_hand += 1

    async def _ask(self, asset_ids: Sequence[str], preview: bool) -> list[AssetUrl]:
        """One request, and an answer for each asset, in order."""
        service = self._context.service
        ask = service.provider.preview_urls if preview else service.provider.download_urls
        distinct = list(dict.fromkeys(asset_ids))
        answers = {one.asset_id: one for one in await service.ask(Kind.FREE, lambda: ask(distinct))}
        missing = "the service did not answer for this asset"
        return [answers.get(asset_id) or AssetUrl(asset_id, None, None, missing) for asset_id in asset_ids]
