"""The HTTP transports everything else is built on: the network, or an application in this process.

Knows nothing of MCP, tokens or JSON. Proxies of the environment are honoured for the network, never for this machine's
own addresses: a sandbox on loopback must be reached whatever `HTTPS_PROXY` says.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx2

from zenflow.errors import UsageError

AsgiApp = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]

_POOL = httpx2.Limits(max_connections=100, max_keepalive_connections=40, keepalive_expiry=20.0)
_SINGLE = httpx2.Limits(max_connections=1, max_keepalive_connections=0)


class HttpParts(Protocol):
    """How HTTP is spoken."""

    @property
    def traced(self) -> bool:
        """Whether the transports report how far a request got (httpcore's trace events)."""
        ...

    def pool(self, url: str) -> httpx2.AsyncBaseTransport:
        """A transport that keeps connections open between requests."""
        ...

    def single(self, url: str) -> httpx2.AsyncBaseTransport:
        """A transport with one connection for one request, for the submission (docs/money.md, “The life of a submission”)."""
        ...

    def is_direct(self, url: str) -> bool:
        """Whether a connection for this address leads to its host, and not to a proxy or into this process."""
        ...

    def running(self) -> AbstractAsyncContextManager[None]:
        """What must run while requests are made."""
        ...


@dataclass(frozen=True)
class Network:
    """Real sockets. `proxies` by scheme, `no_proxy(host)`; `verify` is shared, since building it takes 50 ms."""

    proxies: Mapping[str, str] = field(default_factory=dict)
    no_proxy: Callable[[str], bool] = lambda host: False
    traced: bool = True

    def pool(self, url: str) -> httpx2.AsyncBaseTransport:
        return self._transport(url, _POOL)

    def single(self, url: str) -> httpx2.AsyncBaseTransport:
        return self._transport(url, _SINGLE)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        yield

    def is_direct(self, url: str) -> bool:
        return self.proxy_for(url) is None

    def proxy_for(self, url: str) -> str | None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if is_loopback(host) or self.no_proxy(host):
            return None
        return self.proxies.get(parts.scheme) or self.proxies.get("all")

    def _transport(self, url: str, limits: httpx2.Limits) -> httpx2.AsyncBaseTransport:
        proxy = self.proxy_for(url)
        needs_tls = url.startswith("https:") or proxy is not None
        verify = self._tls if needs_tls else False
        try:
            return httpx2.AsyncHTTPTransport(verify=verify, limits=limits, proxy=proxy, retries=0)
        except (ImportError, ValueError) as no:
            kind = urlsplit(proxy or "").scheme or "unknown"
            raise UsageError(
                "ZF713",
                f"the proxy for {urlsplit(url).hostname} is of a kind that cannot be used here: {kind}",
                "use an http or https proxy, or name the host in NO_PROXY",
            ) from no

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx2.create_ssl_context()


def network() -> Network:
    """The network with the proxies of the environment (or of the system, where it has such settings)."""
    return Network(proxies=urllib.request.getproxies(), no_proxy=lambda host: bool(urllib.request.proxy_bypass(host)))


@dataclass(frozen=True)
class InProcess:
    """An ASGI application in this process, its lifespan included. Bodies of answers are held in memory whole."""

    app: AsgiApp
    traced: bool = False

    def pool(self, url: str) -> httpx2.AsyncBaseTransport:
        return self.single(url)

    def single(self, url: str) -> httpx2.AsyncBaseTransport:
        return httpx2.ASGITransport(self.app)

    def is_direct(self, url: str) -> bool:
        return False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        lifespan = _Lifespan(self.app)
        await lifespan.start()
        try:
            yield
        finally:
            await lifespan.stop()


def in_process(app: AsgiApp) -> InProcess:
    return InProcess(app)


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_private(address: str) -> bool:
    """Return whether an IP address is this machine's, this network's or otherwise not one of the public internet."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return not found.is_global or found.is_multicast


def stays_secret(url: str) -> bool:
    """Return whether a request there is encrypted, or stays on this machine (OAuth 2.1, 1.5)."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        return True
    return parts.scheme == "http" and (is_loopback(host) or host.endswith(".invalid"))  # .invalid: in this process


class _Lifespan:
    """The ASGI lifespan protocol: startup, then shutdown, each answered. An application may not know it at all."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._to_app: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._answers: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="in-process lifespan")
        answer = await self._say("lifespan.startup")
        if answer is not None and answer["type"] == "lifespan.startup.failed":
            raise RuntimeError(f"the application in this process did not start: {answer.get('message', '')}")

    async def stop(self) -> None:
        if self._task is None or self._task.done():
            return
        await self._say("lifespan.shutdown")
        await asyncio.wait([self._task], timeout=10.0)

    async def _say(self, word: str) -> MutableMapping[str, Any] | None:
        """The application's answer, or None when it has ended (it speaks no lifespan)."""
        assert self._task is not None
        await self._to_app.put({"type": word})
        answer = asyncio.ensure_future(self._answers.get())
        await asyncio.wait([answer, self._task], return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        answer.cancel()
        return None

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        try:
            await self._app(scope, self._to_app.get, self._answers.put)
        except Exception:  # ASGI: an application that raises here does not support lifespan
            return
