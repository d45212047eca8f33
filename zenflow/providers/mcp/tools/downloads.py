"""Bytes down: a signed address, streamed, without the token. Knows nothing of files, digests or what comes after.

Signed addresses hold secrets in their query, so errors name host and path only. They expire within minutes
(docs/service.md, “Assets”):
403 and 404 mean “ask for a fresh one”, which is the caller's to do.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx2

from zenflow.clock import Clock
from zenflow.errors import UsageError
from zenflow.providers.base import Download, Reached, ServiceError, ServiceTrouble, WireFacts
from zenflow.providers.mcp.session.session import Session
from zenflow.providers.mcp.session.status_codes import trouble_of_status
from zenflow.providers.mcp.wire.envelope import USER_AGENT
from zenflow.providers.mcp.wire.exchange import peer_of, retry_after_s
from zenflow.providers.mcp.wire.http import is_loopback, is_private

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0  # between two chunks
LEAST_BYTES = 64 * 1024  # in each `RATE_OVER_S` of waiting: a body of one byte a second would last for years
RATE_OVER_S = 60.0
REDIRECT_LIMIT = 3
_CONTENT_RANGE = re.compile(r"bytes\s+(\d+)-\d*/(\d+|\*)", re.I)
_TIMEOUTS = {"connect": CONNECT_TIMEOUT_S, "read": READ_TIMEOUT_S, "write": READ_TIMEOUT_S, "pool": None}


@dataclass(frozen=True, slots=True)
class DownloadPolicy:
    """Which addresses of a service are fetched, and the clock by which a body is too slow.

    `public_only`: the service is not on a private network, so neither is its storage. An address it names there would
    make zenflow a visitor of the user's own network.
    """

    clock: Clock
    public_only: bool
    is_direct: Callable[[str], bool] = lambda url: True  # not by way of a proxy, whose address says nothing

    def check(self, url: str) -> None:
        """Raise `ServiceError` for an address whose host is written as a private one."""
        host = (urlsplit(url).hostname or "").rstrip(".")
        if self.public_only and (is_loopback(host) or is_private(host) or host.endswith((".local", ".internal"))):
            raise _private(url)

    def check_peer(self, url: str, peer: str | None) -> None:
        """Raise `ServiceError` where a name has led to a private address; nothing was written yet."""
        if self.public_only and peer is not None and is_private(peer) and self.is_direct(url):
            raise _private(url)


def policy_of(session: Session) -> DownloadPolicy:
    """Return the policy for a server: one on a private network may name addresses there."""
    return DownloadPolicy(session.clock, not session.is_on_a_private_network, session.http.is_direct)


@asynccontextmanager
async def download(
    transport: httpx2.AsyncBaseTransport, url: str, start: int, policy: DownloadPolicy
) -> AsyncIterator[Download]:
    """Open the address; the body is read while the caller iterates. Raises `ServiceError`."""
    response = await _open(transport, url, start, policy)
    try:
        starts_at, total = _extent(response, start)
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower() or None
        yield Download(_chunks(response, url, policy.clock), media_type, total, starts_at)
    finally:
        # Shielded: an abandoned download must give its connection back even while it is being cancelled.
        await asyncio.shield(response.aclose())


async def _open(transport: httpx2.AsyncBaseTransport, url: str, start: int, policy: DownloadPolicy) -> httpx2.Response:
    target = url
    for _ in range(REDIRECT_LIMIT + 1):
        response = await _get(transport, target, start, policy)
        if response.status_code not in (301, 302, 303, 307, 308):
            break
        await response.aclose()
        location = response.headers.get("location", "")
        try:
            following = urljoin(target, location)
            scheme = urlsplit(following).scheme
        except ValueError:
            raise ServiceError("server", f"{_plain(url)} redirects to an address that is none") from None
        if scheme not in (urlsplit(target).scheme, "https"):
            raise _refused_redirect(url, following)
        target = following
    else:
        raise ServiceError("server", f"{_plain(url)} redirects more than {REDIRECT_LIMIT} times")
    if response.status_code not in (200, 206):
        await response.aclose()
        raise _refusal(url, response, policy.clock.now)
    return response


async def _get(transport: httpx2.AsyncBaseTransport, url: str, start: int, policy: DownloadPolicy) -> httpx2.Response:
    if urlsplit(url).scheme not in ("http", "https"):
        raise UsageError("ZF854", f"cannot download {_plain(url)}: only http and https addresses are read", None)
    policy.check(url)

    async def on_event(name: str, info: Mapping[str, Any]) -> None:
        if name.endswith("connect_tcp.complete"):
            policy.check_peer(url, peer_of(info.get("return_value")))

    # identity: a range counts the bytes on the wire, and pictures do not compress
    headers = {"accept": "*/*", "accept-encoding": "identity", "user-agent": USER_AGENT}
    if start:
        headers["range"] = f"bytes={start}-"
    try:
        extensions = {"timeout": _TIMEOUTS, "trace": on_event}
        request = httpx2.Request("GET", url, headers=headers, extensions=extensions)
    except (httpx2.InvalidURL, ValueError):
        raise ServiceError("server", "the service names an address that is none") from None
    try:
        response = await transport.handle_async_request(request)
    except ServiceError:
        raise
    except Exception as no:
        raise _broken(url, no, "not_connected" if isinstance(no, httpx2.ConnectError) else "sent", None) from no
    response.request = request
    return response


async def _chunks(response: httpx2.Response, url: str, clock: Clock) -> AsyncIterator[bytes]:
    waited_s, came = 0.0, 0
    chunks = response.aiter_bytes()  # as they come: what came before a break is not lost in a buffer
    try:
        while True:
            began_s = clock.monotonic_s()
            chunk = await anext(chunks, None)
            if chunk is None:
                return
            waited_s, came = waited_s + clock.monotonic_s() - began_s, came + len(chunk)
            if waited_s >= RATE_OVER_S:
                if came < LEAST_BYTES:
                    raise httpx2.ReadTimeout(f"only {came} bytes came in {waited_s:.0f} s")
                waited_s, came = 0.0, 0
            yield chunk
    except Exception as no:
        raise _broken(url, no, "sent", response.status_code) from no


def _extent(response: httpx2.Response, start: int) -> tuple[int, int | None]:
    """Where the body begins, and the length of the whole."""
    if response.status_code == 206:
        found = _CONTENT_RANGE.match(response.headers.get("content-range", ""))
        if found is None or int(found.group(1)) != start:
            raise ServiceError("server", "the server answered another range than it was asked for", status=206)
        return start, int(found.group(2)) if found.group(2) != "*" else None
    encoded = response.headers.get("content-encoding", "identity").lower() != "identity"
    length = response.headers.get("content-length", "")
    return 0, int(length) if length.isdigit() and not encoded else None


def _refusal(url: str, response: httpx2.Response, now: Callable[[], datetime]) -> ServiceError:
    status = response.status_code
    trouble: ServiceTrouble = trouble_of_status(status)
    if status in (400, 401):
        trouble = "forbidden"  # storage's ways of saying “expired signature”; it is no sign-in of ours
    if status == 416:
        trouble = "invalid"
    wait_s = retry_after_s(response.headers.get("retry-after"), now())
    facts = WireFacts("answered", status, wait_s)
    return ServiceError(
        trouble,
        f"{_plain(url)} answered HTTP {status}",
        status=status,
        retry_after_s=wait_s,
        facts=facts,
        hint=_EXPIRED,
    )


_EXPIRED = "addresses expire within minutes; a fresh one is free"


def _broken(url: str, no: Exception, reached: Reached, status: int | None) -> ServiceError:
    words = str(no) or type(no).__name__
    return ServiceError(
        "unreachable",
        f"the download from {_plain(url)} broke: {words}",
        facts=WireFacts(reached, status, None, words),
        hint="try again: it goes on where it stopped",
    )


def _refused_redirect(url: str, following: str) -> ServiceError:
    return ServiceError(
        "forbidden",
        f"{_plain(url)} redirects to {_plain(following)}: only https, or the same scheme, is followed",
        status=302,
    )


def _private(url: str) -> ServiceError:
    return ServiceError(
        "forbidden",
        f"{_plain(url)} is on a private network, and the service is not: it is not fetched",
        hint="Tell the service's operator: its download addresses lead to your own network.",
    )


def _plain(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that is none"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
