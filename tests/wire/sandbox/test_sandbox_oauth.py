"""The sandbox's sign-in, asked by the official SDK's own OAuth client, and by hand where a client would not go."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
from pydantic import AnyUrl

from zenflow.sandbox.clock import ManualClock
from zenflow.sandbox.server import build_app
from zenflow.sandbox.settings import SandboxSettings

pytestmark = pytest.mark.anyio
BASE = "http://sandbox.invalid"
BACK = "http://127.0.0.1:4711/callback"


@asynccontextmanager
async def town(time: ManualClock | None = None, **settings: Any) -> AsyncIterator[tuple[Any, httpx2.ASGITransport]]:
    app = build_app(SandboxSettings(oauth=True, admin=True, **settings), base_url=BASE, clock=time)
    async with app.router.lifespan_context(app):
        yield app, httpx2.ASGITransport(app)


def http(transport: httpx2.ASGITransport, **more: Any) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=BASE, transport=transport, timeout=300, **more)


class Memory:
    def __init__(self) -> None:
        self.tokens: Any = None
        self.client: Any = None

    async def get_tokens(self) -> Any:
        return self.tokens

    async def set_tokens(self, tokens: Any) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> Any:
        return self.client

    async def set_client_info(self, client_info: Any) -> None:
        self.client = client_info


async def test_the_official_client_signs_in_and_asks() -> None:
    async with town() as (_, transport), http(transport) as plain:
        redirects: list[str] = []

        async def show(address: str) -> None:
            redirects.append((await plain.get(address)).headers["location"])

        async def back() -> AuthorizationCodeResult:
            query = {name: values[0] for name, values in parse_qs(urlsplit(redirects[-1]).query).items()}
            return AuthorizationCodeResult(code=query["code"], state=query["state"], iss=query["iss"])

        wanted = OAuthClientMetadata(redirect_uris=[AnyUrl(BACK)], client_name="another client")
        storage = Memory()
        auth = OAuthClientProvider(f"{BASE}/mcp", wanted, storage, show, back)
        async with (
            http(transport, auth=auth) as signed_in,
            Client(streamable_http_client(f"{BASE}/mcp", http_client=signed_in)) as client,
        ):
            me = await client.call_tool("zencreator_get_me", {})
        assert me.structured_content["credits"] == 1000
        assert storage.tokens.refresh_token


class ByHand:
    """One client, step by step."""

    def __init__(self, plain: httpx2.AsyncClient) -> None:
        self.http = plain
        self.verifier = "v" * 64
        self.client_id = ""

    @property
    def challenge(self) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")

    async def register(self, *uris: str) -> httpx2.Response:
        answer = await self.http.post("/oauth/register", json={"redirect_uris": list(uris)})
        self.client_id = answer.json().get("client_id", "")
        return answer

    async def authorize(self, **changed: str) -> dict[str, str]:
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": BACK,
            "state": "s",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            "resource": f"{BASE}/mcp",
            **changed,
        }
        answer = await self.http.get("/oauth/authorize", params=query)
        if answer.status_code != 302:
            return {"refused": answer.text}
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    async def token(self, **form: str) -> httpx2.Response:
        given = {"client_id": self.client_id, "resource": f"{BASE}/mcp", **form}
        return await self.http.post("/oauth/token", data=given)

    async def exchange(self, code: str, **changed: str) -> httpx2.Response:
        form = {"code": code, "redirect_uri": BACK, "code_verifier": self.verifier, **changed}
        return await self.token(grant_type="authorization_code", **form)

    async def may_enter(self, token: str) -> bool:
        headers = {"authorization": f"Bearer {token}"}
        return (await self.http.post("/mcp", json={}, headers=headers)).status_code != 401


@asynccontextmanager
async def by_hand(**settings: Any) -> AsyncIterator[ByHand]:
    async with town(**settings) as (_, transport), http(transport) as plain:
        one = ByHand(plain)
        await one.register(BACK)
        yield one


async def test_names_metadata_and_audience_on_401() -> None:
    async with by_hand() as one:
        refused = await one.http.post("/mcp", json={})
        assert refused.status_code == 401
        url = refused.headers["www-authenticate"].split('resource_metadata="')[1].rstrip('"')
        resource = (await one.http.get(url)).json()
        assert (resource["resource"], resource["authorization_servers"]) == (f"{BASE}/mcp", [BASE])


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"resource": "https://another.invalid/mcp"}, "invalid_target"),
        ({"resource": ""}, "invalid_target"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
async def test_an_authorization_without_pkce_or_audience_is_declined(changed: dict[str, str], error: str) -> None:
    async with by_hand() as one:
        answer = await one.authorize(**changed)
        assert (answer["error"], answer["state"], answer["iss"]) == (error, "s", BASE)


async def test_a_redirect_that_was_not_registered_is_never_followed() -> None:
    async with by_hand() as one:
        assert "refused" in await one.authorize(redirect_uri="https://elsewhere.invalid/callback")
        other_port = "http://127.0.0.1:9999/callback"
        assert "code" in await one.authorize(redirect_uri=other_port)  # a native client's port varies (RFC 8252)
        assert (await one.register("http://elsewhere.invalid/x")).status_code == 400


@pytest.mark.parametrize(
    "changed",
    [{"code_verifier": "w" * 64}, {"redirect_uri": f"{BACK}/x"}, {"client_id": "another"}, {"resource": "urn:x"}],
)
async def test_a_code_is_good_only_for_whom_it_was_made(changed: dict[str, str]) -> None:
    async with by_hand() as one:
        code = (await one.authorize())["code"]
        assert (await one.exchange(code, **changed)).status_code == 400
        assert (await one.exchange(code)).status_code == 200


async def test_a_code_that_comes_twice_ends_the_grant() -> None:
    async with by_hand() as one:
        code = (await one.authorize())["code"]
        token = (await one.exchange(code)).json()["access_token"]
        assert await one.may_enter(token)
        assert (await one.exchange(code)).json()["error"] == "invalid_grant"
        assert not await one.may_enter(token)


async def test_a_token_ends_and_its_refresh_gives_another() -> None:
    time = ManualClock()
    async with by_hand(time=time, token_lifetime_s=30) as one:
        first = (await one.exchange((await one.authorize())["code"])).json()
        assert first["expires_in"] == 30
        time.advance(31)
        assert not await one.may_enter(first["access_token"])
        second = (await one.token(grant_type="refresh_token", refresh_token=first["refresh_token"])).json()
        # its answer may have been lost: until the new token is used, the old refresh token still serves
        again = await one.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
        assert again.status_code == 200
        assert await one.may_enter(second["access_token"])
        gone = await one.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
        assert gone.json()["error"] == "invalid_grant"


async def test_revoking_either_token_ends_the_grant() -> None:
    async with by_hand() as one:
        tokens = (await one.exchange((await one.authorize())["code"])).json()
        await one.http.post("/oauth/revoke", data={"token": tokens["refresh_token"]})
        assert not await one.may_enter(tokens["access_token"])


async def test_grants_survive_a_restart_and_stand_nowhere_in_plain(tmp_path: Path) -> None:
    async with by_hand(state_dir=tmp_path) as one:
        tokens = (await one.exchange((await one.authorize())["code"])).json()
    async with by_hand(state_dir=tmp_path) as one:
        assert await one.may_enter(tokens["access_token"])
    for path in tmp_path.rglob("*"):  # noqa: ASYNC240
        assert path.is_dir() or tokens["access_token"].encode() not in path.read_bytes()
