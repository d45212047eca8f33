"""The MCP session: opened once, reopened when it is gone, asked by many at a time without a lock.

A free request whose session has expired is asked once more in a new session (single-flight); nothing else is repeated,
and nothing here knows which tool spends money: `submit` uses `post`, which never repeats.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2

from zenflow.clock import Clock
from zenflow.errors import ZenflowError
from zenflow.providers.base import ServiceError
from zenflow.providers.mcp.session.answers import ToolAnswer, answer_from
from zenflow.providers.mcp.session.connect_errors import checked_url, moved_to
from zenflow.providers.mcp.session.connection import Body, Link
from zenflow.providers.mcp.session.failures import HEADER_MISMATCH, METHOD_NOT_FOUND, exchange_error, no_in
from zenflow.providers.mcp.tokens.source import TokenSource
from zenflow.providers.mcp.wire.exchange import Exchange
from zenflow.providers.mcp.wire.http import HttpParts, is_loopback, is_private
from zenflow.providers.mcp.wire.mirrored_headers import HeaderMap, header_maps_of

DEFAULT_DEADLINE_S = 60.0
_PAGE_LIMIT = 100  # a listing that never ends must not hang us


class Session:
    """One server, one token source. Open with `async with`; it connects with the first request that needs it."""

    def __init__(self, url: str, *, tokens: TokenSource, clock: Clock, http: HttpParts) -> None:
        self.url = checked_url(url)
        self.endpoint = self.url  # where it is really spoken to: the server may have said that it lies beside
        self.clock = clock
        self.http = http
        self._tokens = tokens
        self._inner: httpx2.AsyncBaseTransport | None = None
        self._link: Link | None = None
        self._opening: asyncio.Task[Link] | None = None
        self._header_maps: dict[str, HeaderMap] | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.http.running())
        self._inner = self.http.pool(self.url)
        self._stack.push_async_callback(self._inner.aclose)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        link, self._link = self._link, None
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        try:
            if link is not None:
                await link.close()
        except ZenflowError:
            pass  # without a token the session ends when the server forgets it
        finally:
            await self._stack.aclose()

    async def call(
        self, tool: str, arguments: Mapping[str, Any], *, deadline_s: float = DEFAULT_DEADLINE_S
    ) -> ToolAnswer:
        """One free tool call. Raises `ServiceError` when no tool result came back; a tool's own no is an answer."""
        params = {"name": tool, "arguments": dict(arguments)}
        used = await self._tokens.token()
        answer = tool_answer(await self._request("tools/call", params, deadline_s), tool)
        if says_401(answer) and await self._tokens.refused(used):
            answer = tool_answer(await self._request("tools/call", params, deadline_s), tool)
        return answer

    async def list_tools(self, deadline_s: float = DEFAULT_DEADLINE_S) -> tuple[Mapping[str, Any], ...]:
        """All pages of the MCP listing, as they stand."""
        tools: list[Mapping[str, Any]] = []
        params: dict[str, Any] = {}
        for _ in range(_PAGE_LIMIT):
            what = await self._request("tools/list", params, deadline_s)
            result = result_of(what)
            if result is None:
                raise exchange_error(what, "listing the server's tools")
            tools += [t for t in result.get("tools") or () if isinstance(t, Mapping)]
            cursor = result.get("nextCursor")
            if not cursor or cursor == params.get("cursor"):
                break
            params = {"cursor": cursor}
        self._header_maps = header_maps_of(tuple(tools))
        if self._link is not None:
            self._link.envelope = replace(self._link.envelope, header_maps=self._header_maps)
        return tuple(tools)

    async def link(self) -> Link:
        """The open session, opened where there is none; many callers wait for one opening. Raises `ServiceError`."""
        link = self._link
        if link is not None and not link.retired:
            return link
        if self._opening is None:
            self._opening = asyncio.create_task(self._open(), name="mcp connect")
            self._opening.add_done_callback(self._opened)
        return await asyncio.shield(self._opening)

    async def ready_to_post(self) -> Link:
        """The link with all that a POST of our own needs to look like the SDK's. Raises `ServiceError`."""
        link = await self.link()
        if link.envelope.is_modern and self._header_maps is None:
            try:
                await self.list_tools(deadline_s=10.0)
            except ZenflowError:
                self._header_maps = {}  # then the server sees no mirrored arguments; it may not want any
            link = await self.link()
        return link

    async def post(
        self,
        link: Link,
        tool: str,
        arguments: Mapping[str, Any],
        body: Body | None = None,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        deadline_s: float,
        gate: Callable[[], bool] | None = None,
    ) -> Exchange:
        """Make one `tools/call`, once. `body` may turn the JSON text into a stream of known length."""
        params = {"name": tool, "arguments": dict(arguments)}
        what = await link.post("tools/call", params, body, transport=transport, deadline_s=deadline_s, gate=gate)
        if _has_expired(what, link):
            self._retire(link)
        return what

    @property
    def is_on_a_private_network(self) -> bool:
        """Whether the server is on this machine or network: by its address, or by where the connection led."""
        host = urlsplit(self.url).hostname or ""
        if is_loopback(host) or is_private(host) or host.endswith(".invalid"):
            return True
        peer = self._link.peer if self._link is not None and self.http.is_direct(self.url) else None
        return peer is not None and is_private(peer)

    @property
    def sign_in(self) -> int | None:
        return self._tokens.number

    async def token(self) -> str | None:
        """The token that a request made now would carry."""
        return await self._tokens.token()

    async def refused(self, used: str | None) -> bool:
        """A 401 came for it; True when there is another one now (`TokenSource.refused`)."""
        return await self._tokens.refused(used)

    async def _request(self, method: str, params: Mapping[str, Any], deadline_s: float) -> Exchange:
        """A free request; a second time only where the first provably was not looked at: a refused token that could be
        replaced, an expired session, headers."""
        used = await self._tokens.token()
        link = await self.link()
        what = await link.ask(method, params, deadline_s)
        if what.facts.status == 401 and await self._tokens.refused(used):
            link = await self.link()
            what = await link.ask(method, params, deadline_s)
        if _has_expired(what, link):
            self._retire(link)
            link = await self.link()
            what = await link.ask(method, params, deadline_s)
        elif _error_code(what) == HEADER_MISMATCH and method == "tools/call":
            await self.list_tools(deadline_s)
            link = await self.link()
            what = await link.ask(method, params, deadline_s)
        return what

    async def _open(self) -> Link:
        assert self._inner is not None, "open the session with `async with`"
        used = await self._tokens.token()
        try:
            link = await self._negotiated(self._inner)
        except ServiceError as no:
            if no.status != 401 or not await self._tokens.refused(used):
                raise
            link = await self._negotiated(self._inner)
        link.envelope = replace(link.envelope, header_maps=self._header_maps or {})
        self._link = link
        return link

    async def _negotiated(self, inner: httpx2.AsyncBaseTransport) -> Link:
        link = Link(self.endpoint, inner, self._tokens, self.clock, self.http.traced)
        try:
            await link.open()
            return link
        except ServiceError:
            moved = moved_to(self.endpoint, link.last)
            if moved is None:
                raise
        self.endpoint = moved  # once, and only the negotiation: what costs is never sent after a redirect
        link = Link(moved, inner, self._tokens, self.clock, self.http.traced)
        await link.open()
        return link

    def _opened(self, opening: asyncio.Task[Link]) -> None:
        self._opening = None
        if not opening.cancelled():
            opening.exception()  # whoever waited has it; nobody waiting is no reason for a warning

    def _retire(self, link: Link) -> None:
        link.retired = True
        if self._link is link:
            self._link = None


def result_of(what: Exchange) -> Mapping[str, Any] | None:
    """The JSON-RPC result of an exchange, where one was read with a good status."""
    result = what.message.get("result") if what.ok and what.message is not None else None
    return result if isinstance(result, Mapping) else None


def tool_answer(what: Exchange, tool: str) -> ToolAnswer:
    result = result_of(what)
    if result is None:
        raise exchange_error(what, tool)
    return answer_from(result, what.facts)


def says_401(answer: ToolAnswer) -> bool:
    """A tool's own “re-authorize” (docs/service.md, “Assets”), which is no answer to the question."""
    no = no_in(answer) if answer.is_error else None
    return no is not None and no.status == 401


def _has_expired(what: Exchange, link: Link) -> bool:
    """404 to a request with a session id (specification, “Session Management”); some older servers say 400."""
    if link.envelope.session_id is None or what.facts.reached != "answered":
        return False
    if what.facts.status == 404:
        return _error_code(what) != METHOD_NOT_FOUND
    return what.facts.status == 400 and b"session" in what.body[:500].lower()


def _error_code(what: Exchange) -> int | None:
    error = what.message.get("error") if what.message is not None else None
    return error.get("code") if isinstance(error, Mapping) else None
