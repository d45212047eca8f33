"""A body that goes on after its connection broke: from where it stopped, with a fresh address, where the server allows.

Whoever reads it sees one stream. Knows addresses and ranges, not files: what came is verified by the store as a whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from zenflow.clock import Clock
from zenflow.providers.base import Download, Provider, ServiceError

RESUMES_MOST = 5  # without a byte in between; one that brings bytes may be followed by as many again
_EXPIRED = ("forbidden", "not_found")  # of a storage: the address ran out (docs/service.md, “Assets”: within minutes)

FreshUrl = Callable[[], Awaitable[str | None]]
"""Another address of the same asset; None when the service gives none."""


@asynccontextmanager
async def open_body(provider: Provider, url: str, fresh: FreshUrl, clock: Clock) -> AsyncIterator[Download]:
    """Open an address for reading. Raises ServiceError, also while its chunks are read, when going on is impossible."""
    async with AsyncExitStack() as connections:
        first = await connections.enter_async_context(provider.download(url))
        reader = _Reader(provider, fresh, clock, first, connections)
        yield Download(reader.chunks(), first.media_type, first.total_bytes)


class _Reader:
    def __init__(
        self, provider: Provider, fresh: FreshUrl, clock: Clock, first: Download, connections: AsyncExitStack
    ) -> None:
        self._provider = provider
        self._fresh = fresh
        self._clock = clock
        self._first = first
        self._connections = connections
        self._got = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        body, tries = self._first, 0
        while True:
            try:
                async for chunk in body.chunks:
                    self._got += len(chunk)
                    tries = 0
                    yield chunk
                return
            except ServiceError as broken:
                body, tries = await self._reopened(broken, tries)

    async def _reopened(self, broken: ServiceError, tries: int) -> tuple[Download, int]:
        """The rest of the body. Raises the first trouble where the server has no ranges or the asset is another."""
        if not broken.may_be_repeated or self._got == 0:
            raise broken  # nothing to go on from: whoever asked begins anew
        while tries < RESUMES_MOST:
            tries += 1
            await self._clock.sleep(min(8.0, 0.25 * 2**tries))
            url = await self._fresh()
            if url is None:
                break
            try:
                rest = await self._connections.enter_async_context(self._provider.download(url, self._got))
            except ServiceError as no:
                if no.may_be_repeated or no.trouble in _EXPIRED:
                    continue
                raise broken from no
            if rest.starts_at != self._got or not self._is_same(rest):
                raise broken  # the whole again, or another file: it must be read from its beginning
            return rest, tries
        raise broken

    def _is_same(self, rest: Download) -> bool:
        """Assets never change (docs/service.md, “Generation”); a length that differs is another asset, or none."""
        known = self._first.total_bytes
        return known is None or rest.total_bytes is None or rest.total_bytes == known
