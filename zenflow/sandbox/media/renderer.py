"""The drawing room: bytes of assets on demand, drawn once, in worker threads, and kept while there is room.

A task of 10,000 calls costs nothing here until somebody fetches a picture.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread

from zenflow.sandbox.assets import Asset

_KEPT_BYTES = 96 * 1024 * 1024
_AT_ONCE = 2

T = TypeVar("T")


class Renderer:
    """Originals, previews and descriptions."""

    def __init__(self, ancestors: Callable[[Asset], list[Asset]], uploaded: Callable[[Asset], bytes]) -> None:
        self._ancestors = ancestors
        self._uploaded = uploaded
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._kept_bytes = 0
        self._at_work: dict[tuple[str, str], anyio.Event] = {}
        self._limiter: anyio.CapacityLimiter | None = None

    async def original(self, asset: Asset) -> bytes:
        if asset.recipe is None:
            return self._uploaded(asset)
        return await self._once(asset, "original", lambda: self._draw(asset))

    async def preview(self, asset: Asset) -> bytes:
        async def make() -> bytes:
            from zenflow.sandbox.media.drawing import preview

            body = await self.original(asset)
            return await self._in_thread(lambda: preview(asset, body))

        return await self._once(asset, "preview", make)

    async def description(self, asset: Asset) -> str:
        """What can be seen, measured; of sound and foreign clips only what is known of the file."""
        from zenflow.sandbox.media.drawing import poster
        from zenflow.sandbox.media.image_description import described

        body = await self.original(asset)

        def look() -> str:
            picture = poster(body)
            if picture is None:
                return f"A {asset.kind} file of {len(body)} bytes ({asset.media_type}), which the sandbox cannot see."
            words = described(picture, asset.media_type)
            return f"The first frame of a video clip. {words}" if asset.kind == "video" else words

        return await self._in_thread(look)

    async def _draw(self, asset: Asset) -> bytes:
        from zenflow.sandbox.media.drawing import drawn

        bodies: dict[str, bytes] = {}
        for ancestor in self._ancestors(asset):
            body = self._kept.get((ancestor.fingerprint + ancestor.media_type, "original"))
            if body is None and ancestor.recipe is None:
                body = self._uploaded(ancestor)
            if body is None:
                body = await self._in_thread(partial(drawn, ancestor, bodies))
            bodies[ancestor.asset_id] = body
        return bodies[asset.asset_id]

    async def _once(self, asset: Asset, rendition: str, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """Two who ask for the same at the same time wait for one drawing."""
        key = (asset.fingerprint + asset.media_type, rendition)
        while key in self._at_work:
            await self._at_work[key].wait()
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        done = self._at_work[key] = anyio.Event()
        try:
            body = await make()
        finally:
            del self._at_work[key]
            done.set()
        self._keep(key, body)
        return body

    def _keep(self, key: tuple[str, str], body: bytes) -> None:
        self._kept[key] = body
        self._kept_bytes += len(body)
        while self._kept_bytes > _KEPT_BYTES and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._kept_bytes -= len(dropped)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(_AT_ONCE)
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)
