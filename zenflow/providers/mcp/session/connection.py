"""One negotiated connection: how to speak to a server, found out once, and requests made that way.

JSON-RPC over Streamable HTTP without a session object: each request is one POST and its answer, so that many tasks ask
at once and one broken exchange costs one call. The stream of server-initiated messages is not opened, because zenflow
answers none.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from zenflow.clock import Clock
from zenflow.providers.base import ServiceError
from zenflow.providers.mcp.session.connect_errors import connect_error
from zenflow.providers.mcp.tokens.source import TokenSource
from zenflow.providers.mcp.wire.authorization import authorize
from zenflow.providers.mcp.wire.envelope import (
    CLIENT_INFO,
    MODERN_VERSIONS,
    OLDER_VERSIONS,
    SESSION_HEADER,
    Envelope,
    notification,
)
from zenflow.providers.mcp.wire.exchange import Exchange, exchange

UNSUPPORTED_VERSION = -32022
_CONNECTING_DEADLINE_S = 9.0
_CLOSING_DEADLINE_S = 3.0
_NO_VERDICT = (401, 403, 407, 429, 502, 503, 504)  # an outage or a refusal says nothing about the protocol

Body = Callable[[bytes], tuple[AsyncIterator[bytes], int]]
"""Turns the JSON text of a request into a stream of known length."""


class Link:
    """What was negotiated with one endpoint. Many tasks may use it at once; `retired`: open another one."""

    def __init__(
        self, url: str, inner: httpx2.AsyncBaseTransport, tokens: TokenSource, clock: Clock, traced: bool
    ) -> None:
        self.url = url
        self._inner = inner
        self._tokens = tokens
        self._clock = clock
        self._traced = traced
        self._request_ids = itertools.count(1)
        self.retired = False
        self.peer: str | None = None
        """The IP address of the server, or of the proxy before it; None in this process."""
        self.envelope = Envelope("")
        self.last: Exchange | None = None
        """The last exchange of the negotiation, for the words of a failed connect."""

    async def open(self) -> None:
        """Negotiate: the newest protocol first, `initialize` where the server does not know it.

        Raise `ServiceError` in the words of `connect_errors`, and what the token source raises.
        """
        for version in reversed(MODERN_VERSIONS):
            self.envelope = Envelope(version)
            what = await self._negotiate("server/discover", {})
            offered = _versions_in(what)
            known = [known for known in MODERN_VERSIONS if known in offered]
            if what.ok and known:
                self.envelope = Envelope(known[-1])
                return
            if _error_code(what) != UNSUPPORTED_VERSION or not known:
                break
        if not _may_be_older(what):
            raise connect_error(self.url, what, _words_of(what))
        await self._initialize()

    async def _initialize(self) -> None:
        self.envelope = Envelope("")
        asked = {"protocolVersion": OLDER_VERSIONS[-1], "capabilities": {}, "clientInfo": CLIENT_INFO}
        what = await self._negotiate("initialize", asked)
        result = what.message.get("result") if what.ok and what.message is not None else None
        version = result.get("protocolVersion") if isinstance(result, Mapping) else None
        if version not in OLDER_VERSIONS:
            said = _words_of(what) if version is None else f"unsupported protocol version {version!r}"
            raise connect_error(self.url, what, said)
        self.envelope = Envelope(version, what.headers.get(SESSION_HEADER) or None)
        # The answer to a notification says nothing; a server that did not take it says so to the next request.
        await self._send(notification("notifications/initialized"), "notifications/initialized", {})

    async def ask(self, method: str, params: Mapping[str, Any], deadline_s: float) -> Exchange:
        """Make one request, once. Raise what the token source raises, and `ServiceError` for what cannot be written."""
        return await self.post(method, params, deadline_s=deadline_s)

    async def post(
        self,
        method: str,
        params: Mapping[str, Any],
        body: Body | None = None,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        deadline_s: float,
        gate: Callable[[], bool] | None = None,
    ) -> Exchange:
        """Make one request, once, perhaps on a connection of its own and through a gate (`exchange`)."""
        try:
            text = self.envelope.message(method, params, next(self._request_ids))
        except UnicodeEncodeError:
            raise ServiceError("invalid", "invalid text: it holds half a character (a lone surrogate)") from None
        request = _request(self.url, self.envelope.headers(method, params), text, body)
        await authorize(request, self._tokens)
        what = await exchange(
            transport or self._inner,
            request,
            deadline_s=deadline_s,
            traced=self._traced,
            now=self._clock.now,
            gate=gate,
        )
        self.peer = what.peer or self.peer
        return what

    async def close(self) -> None:
        """End the server's session, where there is one and it still lives (2025-11-25, “Session Management”)."""
        if self.retired or self.envelope.session_id is None:
            return
        self.retired = True
        headers = self.envelope.headers("", {})
        request = httpx2.Request("DELETE", self.url, headers=headers)
        await authorize(request, self._tokens)
        await exchange(self._inner, request, deadline_s=_CLOSING_DEADLINE_S, traced=self._traced, now=self._clock.now)

    @property
    def clock_difference_s(self) -> float | None:
        """The server's clock less ours. Whole seconds only: that is what an HTTP date tells (RFC 9110, 5.6.7)."""
        try:
            told = parsedate_to_datetime(self.last.headers.get("date", "")) if self.last is not None else None
            return None if told is None else (told - self._clock.now()).total_seconds()
        except (TypeError, ValueError, OverflowError):
            return None

    async def _negotiate(self, method: str, params: Mapping[str, Any]) -> Exchange:
        self.last = await self.ask(method, params, _CONNECTING_DEADLINE_S)
        return self.last

    async def _send(self, text: bytes, method: str, params: Mapping[str, Any]) -> None:
        request = _request(self.url, self.envelope.headers(method, params), text, None)
        await authorize(request, self._tokens)
        await exchange(
            self._inner, request, deadline_s=_CONNECTING_DEADLINE_S, traced=self._traced, now=self._clock.now
        )


def _request(url: str, headers: Mapping[str, str], text: bytes, body: Body | None) -> httpx2.Request:
    if body is None:
        return httpx2.Request("POST", url, headers=dict(headers), content=text)
    stream, length = body(text)
    return httpx2.Request("POST", url, headers={**headers, "content-length": str(length)}, content=stream)


def _versions_in(what: Exchange) -> tuple[str, ...]:
    """The modern versions that an answer to `server/discover` names, as its result or as the data of its error."""
    message = what.message or {}
    result, error = message.get("result"), message.get("error")
    named: Any = result.get("supportedVersions") if isinstance(result, Mapping) else None
    if isinstance(error, Mapping) and isinstance(error.get("data"), Mapping):
        named = error["data"].get("supported")
    return tuple(one for one in named if isinstance(one, str)) if isinstance(named, list) else ()


def _may_be_older(what: Exchange) -> bool:
    """Whether `initialize` is worth a try after an answer to `server/discover`."""
    if what.message is not None and (what.ok or "error" in what.message):
        return True  # it speaks JSON-RPC, and no version that we know
    status = what.facts.status
    if status is None:
        return what.facts.reached == "sent"  # some old servers hang up on, or never answer, a method they do not know
    return status not in _NO_VERDICT


def _error_code(what: Exchange) -> int | None:
    error = what.message.get("error") if what.message is not None else None
    return error.get("code") if isinstance(error, Mapping) else None


def _words_of(what: Exchange) -> str:
    """Why a negotiation ended, in the server's words where it has some."""
    error = what.message.get("error") if what.message is not None else None
    if isinstance(error, Mapping):
        return str(error.get("message", "")) or f"error {error.get('code')}"
    return what.facts.detail or "its answer names no protocol version"
