"""Where a token may go and where it may be seen (findings H3, M3, M5, L6, L8 of the attack of November 2026)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.support.hostile import HostileParts, hostile, structured
from zenflow.clock import SystemClock
from zenflow.errors import UsageError, ZenflowError
from zenflow.providers.base import ServiceError, Submission
from zenflow.providers.mcp.provider import McpProvider
from zenflow.providers.mcp.signin import login, oauth
from zenflow.providers.mcp.signin.documents import tokens_in
from zenflow.providers.mcp.tokens.source import StaticToken, checked_token
from zenflow.providers.mcp.tokens.store import Grant
from zenflow.providers.mcp.wire.http import network

ME = structured({"id": "me", "credits": 5})
SERVER = "https://sign.example/mcp"


def _seen_token(token: str) -> str:
    provider = hostile(lambda name: ME, token)

    async def run() -> None:
        async with provider:
            await provider.account()

    asyncio.run(run())
    seen = {request.headers["authorization"] for request in provider._http.seen}  # type: ignore[attr-defined]
    assert len(seen) == 1
    return str(seen.pop())


@pytest.mark.parametrize("token", ["SECRET\n", "SECRET\r\n", " SECRET ", "\tSECRET"])
def test_blanks_around_a_token_are_not_part_of_it(token: str) -> None:
    assert _seen_token(token) == "Bearer SECRET"


@pytest.mark.parametrize(
    "token", ["SEC\nRET", "SEC\rRET", "SEC RET", "SECRET\x00", "SECRET\udcff", "SECRETé", '"SECRET"', "\udcff\udcfe"]
)
def test_a_token_of_other_bytes_is_refused_and_never_shown(token: str) -> None:
    async def run() -> list[ZenflowError]:
        provider = hostile(lambda name: ME, token)
        found: list[ZenflowError] = []
        async with provider:
            with pytest.raises(ZenflowError) as no:
                await provider.account()
            found.append(no.value)
            answer = await provider.submit(Submission("by_prompt", ({},), "zf"))
            assert answer.facts.reached == "not_connected" and "SEC" not in answer.message
        assert provider._http.seen == []  # type: ignore[attr-defined]
        return found

    (no,) = asyncio.run(run())
    cause: BaseException | None = no
    while cause is not None:
        assert "SEC" not in str(cause) + repr(cause)
        cause = cause.__cause__ or cause.__context__
    assert no.code == "ZF714" and no.hint


@pytest.mark.parametrize("url", ["http://plain.example/mcp", "http://192.0.2.1/mcp", "http://10.0.0.8:8000/mcp"])
def test_a_token_is_not_sent_in_the_clear(url: str) -> None:
    async def run(token: str | None) -> tuple[ZenflowError | None, int]:
        parts = HostileParts(lambda request: httpx2.Response(404))
        async with McpProvider(url, http=parts, tokens=StaticToken(token)) as provider:
            try:
                await provider.account()
            except ZenflowError as no:
                return no, len(parts.seen)
        return None, len(parts.seen)

    no, requests = asyncio.run(run("SECRET"))
    assert no is not None and (no.code, requests) == ("ZF715", 0)
    assert "SECRET" not in f"{no.message}{no.hint}"
    no, requests = asyncio.run(run(None))
    assert no is not None and no.code == "ZF702" and requests > 0  # without a token nothing is at stake


@pytest.mark.parametrize(
    ("host", "sent"),
    [
        (None, True),
        ("hostile.example", True),
        ("hostile.example:443", True),
        ("mcp.zncr.pro", False),
        ("example", False),
    ],
)
def test_a_token_goes_to_the_host_that_it_is_for(host: str | None, sent: bool) -> None:
    async def run() -> int:
        provider = hostile(lambda name: ME)
        provider._session._tokens = StaticToken("SECRET", host)
        async with provider:
            if sent:
                await provider.account()
            else:
                with pytest.raises(UsageError) as no:
                    await provider.account()
                assert no.value.code == "ZF716"
        return len(provider._http.seen)  # type: ignore[attr-defined]

    assert (asyncio.run(run()) > 0) is sent


def test_a_checked_token_is_one_of_the_rfc() -> None:
    assert checked_token("abc-._~+/123==\n") == "abc-._~+/123=="
    with pytest.raises(UsageError):
        checked_token("")


# ---------------------------------------------------------------------------------------------------------- sign-in


class _Endless(httpx2.AsyncByteStream):
    """A body without an end; `given` counts what was taken of it."""

    def __init__(self) -> None:
        self.given = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.given += 65_536
            yield b" " * 65_536

    async def aclose(self) -> None:
        return


METADATA = {
    "issuer": "https://sign.example",
    "authorization_endpoint": "https://sign.example/authorize",
    "token_endpoint": "https://sign.example/token",
    "registration_endpoint": "https://sign.example/register",
    "revocation_endpoint": "https://sign.example/revoke",
}
RESOURCE = {"resource": SERVER, "authorization_servers": ["https://sign.example"]}
PLACES = ("/mcp", "oauth-protected-resource", "oauth-authorization-server", "/register", "/token")


def _sign_in_server(
    change: Callable[[str], httpx2.Response | None] = lambda path: None, **metadata: Any
) -> HostileParts:
    def respond(request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        changed = change(path)
        if changed is not None:
            return changed
        if path == "/mcp":
            return httpx2.Response(401)
        if "oauth-protected-resource" in path:
            return httpx2.Response(200, json=RESOURCE)
        if "oauth-authorization-server" in path:
            return httpx2.Response(200, json={**METADATA, **metadata})
        if path == "/register":
            return httpx2.Response(201, json={"client_id": "c"})
        if path == "/token":
            return httpx2.Response(200, json={"access_token": "AT", "token_type": "Bearer", "expires_in": 60})
        return httpx2.Response(404)

    return HostileParts(respond)


async def _sign_in(parts: HostileParts) -> Grant:
    shown: list[str] = []

    async def show(address: str) -> None:
        shown.append(address)

    async def paste() -> str:
        state = parse_qs(urlsplit(shown[-1]).query)["state"][0]
        return f"http://127.0.0.1:1/callback?code=abc&state={state}"

    return await login.sign_in(parts, SystemClock(), SERVER, show, paste)


def test_a_sign_in_with_nothing_wrong_gives_a_grant() -> None:
    grant = asyncio.run(_sign_in(_sign_in_server()))
    assert (grant.access_token, grant.issuer, grant.resource) == ("AT", "https://sign.example", SERVER)


@pytest.mark.parametrize("place", PLACES)
def test_an_endless_answer_ends_after_a_mebibyte(place: str) -> None:
    body = _Endless()

    def change(path: str) -> httpx2.Response | None:
        return httpx2.Response(200, stream=body) if place in path else None

    with pytest.raises(ServiceError):
        asyncio.run(_sign_in(_sign_in_server(change)))
    assert 0 < body.given <= 4 * oauth.ANSWER_LIMIT_BYTES


def test_an_endless_answer_to_a_refresh_ends_too() -> None:
    body = _Endless()
    grant = asyncio.run(_sign_in(_sign_in_server()))
    parts = _sign_in_server(lambda path: httpx2.Response(200, stream=body))
    from dataclasses import replace

    with pytest.raises(ServiceError):
        asyncio.run(oauth.refresh(parts, SystemClock(), replace(grant, refresh_token="RT")))
    assert body.given <= 4 * oauth.ANSWER_LIMIT_BYTES


@pytest.mark.parametrize(
    "name", ["authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint"]
)
def test_every_endpoint_of_a_sign_in_is_secure(name: str) -> None:
    parts = _sign_in_server(**{name: "http://plain.example/x"})
    with pytest.raises(ServiceError) as no:
        asyncio.run(_sign_in(parts))
    assert "not secure" in no.value.message
    assert not any(request.url.host == "plain.example" for request in parts.seen)


@pytest.mark.parametrize(
    "metadata", [{"issuer": "https://other.example"}, {"code_challenge_methods_supported": ["plain"]}]
)
def test_metadata_of_another_or_without_pkce_is_refused(metadata: dict[str, Any]) -> None:
    with pytest.raises(ServiceError):
        asyncio.run(_sign_in(_sign_in_server(**metadata)))


@pytest.mark.parametrize(
    "page", ["javascript:alert(1)", "file:///etc/passwd", "https://[::1", "https://a\nb.example/", 7, None]
)
def test_an_odd_address_to_sign_in_at_is_refused(page: Any) -> None:
    with pytest.raises(ServiceError):
        asyncio.run(_sign_in(_sign_in_server(authorization_endpoint=page)))


@pytest.mark.parametrize("life_s", [10**18, 1e308, "999999999999999999", float("inf"), -5, "soon", [], True])
def test_any_life_of_a_token_is_survived(life_s: Any) -> None:
    def change(path: str) -> httpx2.Response | None:
        body = json.dumps({"access_token": "AT", "token_type": "bearer", "expires_in": life_s})
        return httpx2.Response(200, content=body.encode()) if path == "/token" else None

    grant = asyncio.run(_sign_in(_sign_in_server(change)))
    assert grant.expires_at is None or grant.expires_at > datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("token", ["A\nT", "A T", "", None, 7, "A\x00T"])
def test_a_granted_token_that_no_header_can_carry_is_none(token: Any) -> None:
    assert tokens_in(json.dumps({"access_token": token, "token_type": "Bearer"}).encode()) is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"a":' * 5000, b"\xff\xfe", b'"x"', b'{"access_token": {"a": 1}}']
)
def test_documents_that_are_none_are_read_as_none(body: bytes) -> None:
    assert tokens_in(body) is None


def test_a_server_without_registration_names_the_token() -> None:
    def change(path: str) -> httpx2.Response | None:
        return httpx2.Response(404) if path == "/register" else None

    with pytest.raises(ServiceError) as no:
        asyncio.run(_sign_in(_sign_in_server(change, registration_endpoint=None)))
    assert "no registration endpoint" in no.value.message and "ZENFLOW_TOKEN" in (no.value.hint or "")


def test_a_visitor_with_another_state_does_not_end_the_sign_in() -> None:
    """The first visitor of `/callback?state=anything` reads a 404, and the browser is still waited for."""

    async def visit(port: int, query: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /callback?{query} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        return answer

    async def run() -> tuple[Grant, bytes, bytes]:
        came: list[bytes] = []

        async def show(address: str) -> None:
            query = parse_qs(urlsplit(address).query)
            port = urlsplit(query["redirect_uri"][0]).port
            assert port is not None
            came.append(await visit(port, "state=anything&code=evil"))
            came.append(await visit(port, f"state={query['state'][0]}&code=abc"))

        grant = await login.sign_in(_sign_in_server(), SystemClock(), SERVER, show)
        return grant, came[0], came[1]

    grant, stranger, ours = asyncio.run(run())
    assert grant.access_token == "AT"
    assert stranger.startswith(b"HTTP/1.1 404") and ours.startswith(b"HTTP/1.1 200")


def test_a_name_that_no_machine_has_is_said_in_words() -> None:
    async def run() -> ServiceError:
        with pytest.raises(ServiceError) as no:
            await oauth.discover(network(), SystemClock(), "https://no-such-machine.invalid./mcp")
        return no.value

    assert "[Errno" not in asyncio.run(run()).message
