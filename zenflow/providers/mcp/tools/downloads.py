"""Bytes down: a signed address, streamed, without the token. Knows nothing of files, digests or what comes after.

Signed addresses hold secrets in their query, so errors name host and path only. They expire within minutes
(docs/service.md, “Assets”):
403 and 404 mean “ask for a fresh one”, which is the caller's to do.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx2

from zenflow.errors import UsageError
from zenflow.providers.base import Download, Reached, ServiceError, ServiceTrouble, WireFacts
from zenflow.providers.mcp.session.status_codes import trouble_of_status
from zenflow.providers.mcp.wire.envelope import USER_AGENT
from zenflow.providers.mcp.wire.exchange import retry_after_s

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0  # between two chunks
REDIRECT_LIMIT = 3
_CONTENT_RANGE = re.compile(r"bytes\s+(\d+)-\d*/(\d+|\*)", re.I)
_TIMEOUTS = {"connect": CONNECT_TIMEOUT_S, "read": READ_TIMEOUT_S, "write": READ_TIMEOUT_S, "pool": None}


@asynccontextmanager
async def download(
    transport: httpx2.AsyncBaseTransport, url: str, start: int, now: Callable[[], datetime]
) -> AsyncIterator[Download]:
    """Open the address; the body is read while the caller iterates. Raises `ServiceError`."""
    response = await _open(transport, url, start, now)
    try:
        starts_at, total = _extent(response, start)
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower() or None
        yield Download(_chunks(response, url), media_type, total, starts_at)
    finally:
        # Shielded: an abandoned download must give its connection back even while it is being cancelled.
        await asyncio.shield(response.aclose())


async def _open(
    transport: httpx2.AsyncBaseTransport, url: str, start: int, now: Callable[[], datetime]
) -> httpx2.Response:
    target = url
    for _ in range(REDIRECT_LIMIT + 1):
        response = await _get(transport, target, start)
        if response.status_code not in (301, 302, 303, 307, 308):
            break
        await response.aclose()
        following = urljoin(target, response.headers.get("location", ""))
        if urlsplit(following).scheme not in (urlsplit(target).scheme, "https"):
            raise _refused_redirect(url, following)
        target = following
    else:
        raise ServiceError("server", f"{_plain(url)} redirects more than {REDIRECT_LIMIT} times")
    if response.status_code not in (200, 206):
        await response.aclose()
        raise _refusal(url, response, now)
    return response


async def _get(transport: httpx2.AsyncBaseTransport, url: str, start: int) -> httpx2.Response:
    if urlsplit(url).scheme not in ("http", "https"):
        raise UsageError("ZF854", f"cannot download {_plain(url)}: only http and https addresses are read", None)
    # identity: a range counts the bytes on the wire, and pictures do not compress
    headers = {"accept": "*/*", "accept-encoding": "identity", "user-agent": USER_AGENT}
    if start:
        headers["range"] = f"bytes={start}-"
    request = httpx2.Request("GET", url, headers=headers, extensions={"timeout": _TIMEOUTS})
    try:
        response = await transport.handle_async_request(request)
    except Exception as no:
        raise _broken(url, no, "not_connected" if isinstance(no, httpx2.ConnectError) else "sent", None) from no
    response.request = request
    return response


async def _chunks(response: httpx2.Response, url: str) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_bytes():  # as they come: what came before a break is not lost in a buffer
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


def _plain(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
