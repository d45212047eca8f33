"""Signing in: the address for the browser, the way back to this machine, the grant. Knows no terminal and no browser.

The redirect comes to a free port of the loopback address (RFC 8252), or is pasted by a person where there is no screen.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from zenflow.clock import Clock
from zenflow.providers.base import ServiceError
from zenflow.providers.mcp.signin.oauth import Authority, discover, exchange_code, register
from zenflow.providers.mcp.tokens.store import Grant
from zenflow.providers.mcp.wire.http import HttpParts

PATH = "/callback"
PASTED = "http://127.0.0.1:1/callback"  # nothing listens there: the browser shows the address, which a person pastes
PATIENCE_S = 600.0

Show = Callable[[str], Awaitable[None]]
"""Brings an address before a person: opens the browser, or prints it."""

Paste = Callable[[], Awaitable[str]]
"""The redirect's address as a person pastes it."""


@dataclass(frozen=True, slots=True)
class _Way:
    """Where the answer comes back."""

    redirect_uri: str
    answer: Callable[[], Awaitable[str]]  # the query of the redirect


async def sign_in(http: HttpParts, clock: Clock, url: str, show: Show, paste: Paste | None = None) -> Grant:
    """The grant of a person who signs in now. `paste` given: no port is opened. Raises ServiceError."""
    state = secrets.token_urlsafe(24)
    authority = await discover(http, clock, url)
    if paste is not None:
        return await _through(_Way(PASTED, lambda: _pasted(paste)), http, clock, authority, state, show)
    async with _listening(state) as way:
        return await _through(way, http, clock, authority, state, show)


async def _through(way: _Way, http: HttpParts, clock: Clock, authority: Authority, state: str, show: Show) -> Grant:
    client = await register(http, clock, authority, way.redirect_uri)
    verifier = secrets.token_urlsafe(64)
    query = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": way.redirect_uri,
        "state": state,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
        "resource": authority.resource,
        **({"scope": authority.scope} if authority.scope else {}),
    }
    endpoint = authority.metadata.authorization_endpoint
    await show(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}")
    code = _code_in(await way.answer(), state, authority)
    return await exchange_code(
        http,
        clock,
        authority,
        client,
        code=code,
        verifier=verifier,
        redirect_uri=way.redirect_uri,
    )


def _code_in(query: str, state: str, authority: Authority) -> str:
    """The code of a redirect that is an answer to our own question."""
    found = {name: values[0] for name, values in parse_qs(query).items()}
    if not secrets.compare_digest(found.get("state", "").encode(), state.encode()):
        raise ServiceError("sign_in", "the answer belongs to another sign-in", hint="start again: `zenflow login`")
    named, issuer = found.get("iss"), authority.metadata.issuer
    if named != issuer and (named is not None or authority.metadata.sends_issuer):  # RFC 9207, 2.4
        raise ServiceError(
            "sign_in",
            f"the answer comes from {named or 'nobody'}, not from {issuer}",
            hint="start again: `zenflow login`",
        )
    if "code" not in found:
        said = found.get("error_description") or found.get("error") or "it holds no code"
        raise ServiceError("sign_in", f"the sign-in was not given: {said}", hint="start again: `zenflow login`")
    return found["code"]


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


async def _pasted(paste: Paste) -> str:
    text = (await paste()).strip()
    return urlsplit(text).query if "?" in text else text


@asynccontextmanager
async def _listening(state: str) -> AsyncIterator[_Way]:
    """A free port of this machine that takes one redirect, the one with our `state`. Others get a 404."""
    came: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(10.0):
                line = (await reader.readline()).decode("latin-1")
                while (await reader.readline()).strip():
                    pass
            target = line.split(" ")[1] if line.startswith("GET ") and line.count(" ") == 2 else ""
            path, _, query = target.partition("?")
            ours = path == PATH and secrets.compare_digest(_state_in(query).encode(), state.encode())
            writer.write(_page(ours, query))
            await writer.drain()
            if ours and not came.done():
                came.set_result(query)
        except (OSError, TimeoutError, ValueError):
            pass  # a visitor that says nothing useful: the next may be the browser
        finally:
            writer.close()

    async def wait() -> str:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await came
        except TimeoutError as no:
            raise ServiceError(
                "sign_in", "nobody signed in within ten minutes", hint="start again: `zenflow login`"
            ) from no

    server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=16_384)
    try:
        port = server.sockets[0].getsockname()[1]
        yield _Way(f"http://127.0.0.1:{port}{PATH}", wait)
    finally:
        server.close()


def _state_in(query: str) -> str:
    return parse_qs(query).get("state", [""])[0]


def _page(ours: bool, query: str) -> bytes:
    """What the browser shows at the end."""
    if not ours:
        return b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    failed = "error=" in query
    words = "The sign-in was not given." if failed else "Signed in. You can close this page and go back to zenflow."
    body = f"<!doctype html><meta charset=utf-8><title>zenflow</title><p>{html.escape(words)}</p>".encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return head.encode() + body
