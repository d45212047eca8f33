"""One SDK session from its negotiation to its end, run in a task of its own. Knows nothing of when to open another.

The SDK's session lives in nested task groups that must be entered and left by one task; calls come from many. So a
task holds it, and calls reach it through its dispatcher: raw requests, with no output-schema validation, no input
rounds and no re-listing (docs/architecture.md, “The MCP client”).
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from mcp_types import Implementation
from pydantic import ValidationError

from zenflow.clock import Clock
from zenflow.errors import ZenflowError
from zenflow.providers.base import WireFacts
from zenflow.providers.mcp.session.connect_errors import connect_error
from zenflow.providers.mcp.session.failures import METHOD_NOT_FOUND
from zenflow.providers.mcp.tokens.source import TokenSource
from zenflow.providers.mcp.wire.envelope import CLIENT_INFO, USER_AGENT, Envelope
from zenflow.providers.mcp.wire.exchange import Exchange
from zenflow.providers.mcp.wire.transport import WIRE_TROUBLE, AnsweringTransport

# The SDK logs what it recovers from, with tracebacks; without a handler Python would print them to the terminal.
for _name in ("mcp", "client", "httpx2", "httpcore2"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


class Link:
    """An open session. `ask` may be called by many tasks at once; after `retire` it ends when the last call is back."""

    def __init__(
        self, url: str, inner: httpx2.AsyncBaseTransport, tokens: TokenSource, clock: Clock, traced: bool
    ) -> None:
        self._url = url
        self._transport = AnsweringTransport(inner, tokens, clock, traced=traced)
        self._dispatcher: JSONRPCDispatcher[Any] | None = None
        self._request_ids: Iterator[int] = itertools.count(1000)  # above those the SDK mints for the negotiation
        self._calls = 0
        self._end = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.retired = False
        self.envelope = Envelope("")
        self.clock_difference_s: float | None = None  # the server's clock less ours, where its answers carry a date
        self._clock = clock

    async def open(self) -> None:
        """Negotiate. Raises `ServiceError` in the words of `connecting`."""
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(ready), name="mcp session")
        try:
            await ready
        except asyncio.CancelledError:
            self._task.cancel()
            raise

    @property
    def last(self) -> Exchange | None:
        """The last exchange of the negotiation."""
        return self._transport.last

    def new_request_id(self) -> int:
        return next(self._request_ids)

    async def ask(self, method: str, params: Mapping[str, Any], deadline_s: float) -> Exchange:
        """One request, once. Raises only what the token source raises."""
        assert self._dispatcher is not None
        request_id = self.new_request_id()
        self._transport.log.expect(request_id, deadline_s)
        envelope = self.envelope
        self._calls += 1
        try:
            try:
                await self._dispatcher.send_raw_request(
                    method,
                    envelope.params(method, params),
                    {"request_id": request_id, "headers": envelope.headers(method, params)},
                )
            except MCPError:
                pass  # what became of it stands in the log; the SDK's own words add nothing
        finally:
            what, trouble = self._transport.log.take(request_id)
            self._calls -= 1
            if self.retired and not self._calls:
                self._end.set()
        if trouble is not None:
            raise trouble
        if what is None:  # the session ended before the request was handed to HTTP
            self.retire()
            return Exchange(WireFacts("not_connected", detail="the session has ended"), broke="other")
        return what

    def retire(self) -> None:
        """No new calls; ends when the last one is back."""
        self.retired = True
        if not self._calls:
            self._end.set()

    async def close(self) -> None:
        """End it now."""
        self.retired = True
        self._end.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=5.0)
            self._task.cancel()

    async def _run(self, ready: asyncio.Future[None]) -> None:
        try:
            # Proxies and trust are decided by the transport below; the client adds nothing of the environment.
            async with httpx2.AsyncClient(
                transport=self._transport, timeout=None, headers={"user-agent": USER_AGENT}, trust_env=False
            ) as http:
                await self._hold(http, ready)
        except Exception as no:
            if not ready.done():
                ready.set_exception(connect_error(self._url, self._transport.last, no))
        finally:
            self.retired = True
            if not ready.done():
                ready.cancel()

    async def _hold(self, http: httpx2.AsyncClient, ready: asyncio.Future[None]) -> None:
        async with streamable_http_client(self._url, http_client=http) as (read, write):
            dispatcher: JSONRPCDispatcher[Any] = JSONRPCDispatcher(read, write)
            client_info = Implementation(name=CLIENT_INFO["name"], version=CLIENT_INFO["version"])
            async with ClientSession(dispatcher=dispatcher, client_info=client_info) as session:
                try:
                    await negotiate(session, self._transport)
                except (MCPError, RuntimeError, ValidationError, ZenflowError) as no:
                    said = self._transport.trouble or connect_error(self._url, self._transport.last, no)
                    if not ready.done():
                        ready.set_exception(said)
                    return
                self._dispatcher = dispatcher
                self.clock_difference_s = self._difference()
                self.envelope = Envelope(session.protocol_version or "", self._transport.session_id)
                if not ready.done():
                    ready.set_result(None)
                await self._end.wait()

    def _difference(self) -> float | None:
        """Whole seconds only: that is what an HTTP date tells (RFC 9110, 5.6.7)."""
        last = self._transport.last
        try:
            told = parsedate_to_datetime(last.headers.get("date", "")) if last is not None else None
            return None if told is None else (told - self._clock.now()).total_seconds()
        except (TypeError, ValueError):
            return None


async def negotiate(session: ClientSession, transport: AnsweringTransport) -> None:
    """The newest protocol first, `initialize` where it is not known. An outage is no verdict about the protocol."""
    try:
        await session.discover()
        return
    except MCPError as no:
        if not _may_be_older(no, transport):
            raise
    except (RuntimeError, ValidationError):
        pass  # it answered, and shares no modern version with us
    transport.session_id = None
    await session.initialize()


def _may_be_older(no: MCPError, transport: AnsweringTransport) -> bool:
    if no.code == METHOD_NOT_FOUND or no.code != WIRE_TROUBLE:
        return True
    last = transport.last
    if transport.trouble is not None or last is None:
        return False
    status = last.facts.status
    if status is None:
        return last.facts.reached == "sent"  # some old servers hang up on, or never answer, a method they do not know
    return status not in (401, 403, 407, 429, 502, 503, 504)
