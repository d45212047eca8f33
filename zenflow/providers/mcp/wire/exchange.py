"""One HTTP request, at most once, and what became of it: how far it got, its status, the JSON-RPC answer in it.

Everything that can go wrong comes back as facts, nothing is raised but cancellation and a gate's refusal. Follows no
redirect, repeats nothing. Knows JSON-RPC's envelope and the two forms an answer can have (JSON, an event stream), and
nothing of tools. An answer is read whole; what a server streams before it (progress, log lines) is passed over.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import httpx2

from zenflow.providers.base import Reached, WireFacts
from zenflow.providers.mcp.wire.json_text import read_json

_log = logging.getLogger(__name__)

ANSWER_LIMIT_BYTES = 64 * 1024 * 1024
CONNECT_TIMEOUT_S = 10.0

Break = Literal["", "refused", "name", "tls", "timeout", "cut", "gate", "proxy", "too_large", "other"]
"""What broke, for the words of an error; decisions are made from `WireFacts` alone."""


class Closed(Exception):
    """A gate said no directly before the first byte was written."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What became of one request. `message` is the JSON-RPC answer where one could be read."""

    facts: WireFacts
    message: Mapping[str, Any] | None = None
    headers: httpx2.Headers = field(default_factory=httpx2.Headers)
    body: bytes = b""
    broke: Break = ""
    peer: str | None = None
    """The address of the other end, where this request opened a connection."""

    @property
    def ok(self) -> bool:
        status = self.facts.status
        return self.facts.reached == "answered" and status is not None and 200 <= status < 300


class RequestProgress:
    """Follows one request by httpcore's trace events. Without events it must count as sent from its beginning."""

    def __init__(self, traced: bool, gate: Callable[[], bool] | None = None) -> None:
        self.reached: Reached = "not_connected" if traced else "sent"
        self.peer: str | None = None
        self._gate = gate
        self._tunnel = False

    async def on_event(self, name: str, info: Mapping[str, Any]) -> None:
        event = name.partition(".")[2]
        if event == "connect_tcp.complete":
            self.peer = peer_of(info.get("return_value"))
        elif event == "send_request_headers.started":
            # A CONNECT to a proxy shows the same events; the proxy is not the service.
            self._tunnel = getattr(info.get("request"), "method", b"") == b"CONNECT"
            if self._tunnel:
                return
            if self._gate is not None and not self._gate():
                raise Closed
            self.reached = "not_fully_sent"
        elif event == "send_request_body.complete" and not self._tunnel:
            self.reached = "sent"


async def exchange(
    transport: httpx2.AsyncBaseTransport,
    request: httpx2.Request,
    *,
    deadline_s: float,
    traced: bool,
    now: Callable[[], datetime],
    gate: Callable[[], bool] | None = None,
    limit_bytes: int = ANSWER_LIMIT_BYTES,
) -> Exchange:
    """Send `request` once and read its answer, within `deadline_s` and up to `limit_bytes`.

    `gate` is asked directly before the first byte.
    """
    began_s = time.monotonic()
    done = await _exchanged(
        transport, request, deadline_s=deadline_s, traced=traced, now=now, gate=gate, limit_bytes=limit_bytes
    )
    if _log.isEnabledFor(logging.DEBUG):
        _log_exchange(request, done, time.monotonic() - began_s)
    return done


def _log_exchange(request: httpx2.Request, done: Exchange, took_s: float) -> None:
    """Log where a request went and how far it got; never a header, a query or a body."""
    asked = " ".join(filter(None, (request.headers.get("mcp-method"), request.headers.get("mcp-name"))))
    address = (
        f"{request.url.scheme}://{request.url.netloc.decode('ascii', 'replace').rpartition('@')[2]}{request.url.path}"
    )
    answer = f"{done.facts.reached} {done.facts.status or ''} {done.facts.detail}".split()
    _log.debug(
        "%s %s %s: %s, %d bytes, %d ms",
        request.method,
        address,
        asked,
        " ".join(answer),
        len(done.body),
        round(took_s * 1000),
    )


async def _exchanged(
    transport: httpx2.AsyncBaseTransport,
    request: httpx2.Request,
    *,
    deadline_s: float,
    traced: bool,
    now: Callable[[], datetime],
    gate: Callable[[], bool] | None,
    limit_bytes: int,
) -> Exchange:
    progress = RequestProgress(traced, gate)
    request.extensions = {**request.extensions, "trace": progress.on_event, "timeout": _timeouts(deadline_s)}
    reading = _Reading(now, limit_bytes)
    if gate is not None and not traced and not gate():
        return Exchange(WireFacts("not_connected", detail="too late to send"), broke="gate")
    try:
        async with asyncio.timeout(deadline_s):
            response = await transport.handle_async_request(request)
            response.request = request
            try:
                await reading.read(response)
            finally:
                await response.aclose()
    except Closed:
        return Exchange(WireFacts("not_connected", detail="too late to send"), broke="gate")
    except (TimeoutError, httpx2.TimeoutException) as no:
        return reading.broken(progress, "timeout", f"no answer in {deadline_s:g} s" if _is_ours(no) else _words(no))
    except Exception as no:  # whatever a transport or an application in this process raises is a fact about the wire
        return reading.broken(progress, _kind(no), _words(no))
    return replace(reading.done(), peer=progress.peer)


def peer_of(stream: Any) -> str | None:
    """Return the IP address that a new connection leads to (httpcore's network stream)."""
    address = stream.get_extra_info("server_addr") if stream is not None else None
    return str(address[0]) if isinstance(address, tuple) and address else None


class _Reading:
    """The answer as far as it was read."""

    def __init__(self, now: Callable[[], datetime], limit_bytes: int) -> None:
        self._now = now
        self._limit_bytes = limit_bytes
        self._status: int | None = None
        self._headers = httpx2.Headers()
        self._body = bytearray()
        self._message: Mapping[str, Any] | None = None
        self._too_large = False

    async def read(self, response: httpx2.Response) -> None:
        self._status, self._headers = int(response.status_code), response.headers
        if _media_type(response.headers) == "text/event-stream" and response.status_code < 300:
            await self._read_events(response)
        else:
            await self._read_body(response)

    async def _read_events(self, response: httpx2.Response) -> None:
        async for event in httpx2.EventSource(response, max_event_size=self._limit_bytes):
            message = answer_in(event.data)
            if message is not None:
                self._message, self._body = message, bytearray(event.data.encode())
                return  # the server may keep the stream open; it has nothing more for us
        raise httpx2.RemoteProtocolError("the event stream ended without an answer")

    async def _read_body(self, response: httpx2.Response) -> None:
        async for chunk in response.aiter_bytes():
            self._body += chunk
            if len(self._body) > self._limit_bytes:
                self._too_large = True
                raise httpx2.RemoteProtocolError(f"the answer is larger than {self._limit_bytes} bytes")
        self._message = answer_in(bytes(self._body))

    def done(self) -> Exchange:
        return Exchange(self._facts("answered", ""), self._message, self._headers, bytes(self._body))

    def broken(self, progress: RequestProgress, kind: Break, detail: str) -> Exchange:
        if self._too_large:
            kind = "too_large"
        if self._status is not None and not 200 <= self._status < 300:
            return self.done()  # the status says it all, whatever happened to the body
        reached: Reached = progress.reached if self._status is None else "sent"
        return Exchange(self._facts(reached, detail), None, self._headers, bytes(self._body), kind)

    def _facts(self, reached: Reached, detail: str) -> WireFacts:
        wait_s = retry_after_s(self._headers.get("retry-after"), self._now())
        return WireFacts(reached, self._status, wait_s, detail)


def answer_in(text: str | bytes) -> Mapping[str, Any] | None:
    """The JSON-RPC response in a text: an object with `result` or `error` (or the first such in a batch)."""
    if not text:
        return None
    try:
        value = read_json(text)
    except ValueError:
        return None
    candidates = value if isinstance(value, list) else [value]
    for candidate in candidates:
        if (
            isinstance(candidate, dict)
            and "method" not in candidate
            and ("result" in candidate or _is_error(candidate))
        ):
            return candidate
    return None


def _is_error(message: Mapping[str, Any]) -> bool:
    error = message.get("error")
    return isinstance(error, Mapping) and isinstance(error.get("code"), int)


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """`Retry-After` in seconds: a number, or an HTTP date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (TypeError, ValueError, OverflowError):  # a year that no date can have, or no zone beside our own
        return None


def _timeouts(deadline_s: float) -> dict[str, float]:
    return {"connect": min(CONNECT_TIMEOUT_S, deadline_s), "read": deadline_s, "write": deadline_s, "pool": deadline_s}


def _media_type(headers: httpx2.Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _is_ours(no: Exception) -> bool:
    return not isinstance(no, httpx2.HTTPError)


def _words(no: BaseException) -> str:
    if isinstance(no, httpx2.LocalProtocolError):
        return "the request cannot be written"  # the library quotes the header, which may hold a secret
    text = str(no).strip()
    return f"{type(no).__name__}: {text}" if text else type(no).__name__


def _kind(no: Exception) -> Break:
    """What broke, from the exception and its causes."""
    causes: list[BaseException] = []
    cause: BaseException | None = no
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    if any(isinstance(c, ssl.SSLError) for c in causes):
        return "tls"
    if any(type(c).__name__ == "gaierror" for c in causes):
        return "name"
    if isinstance(no, httpx2.ProxyError):
        return "proxy"
    if isinstance(no, httpx2.ConnectError):
        return "refused"
    return "cut" if isinstance(no, httpx2.TransportError) else "other"
