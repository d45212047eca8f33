"""Ten calls at once, with and without sign-in: ours must not make them queue; the SDK's own provider does.

    python bench/signin.py           # prints a table
    python bench/signin.py --check   # fails when signed-in calls take twice as long as calls without

Each answer takes 100 ms at the server, so that a queue shows: ten one after the other take a second.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

CALLS, ANSWER_S, ROUNDS = 10, 0.1, 5
Ask = Callable[[], Awaitable[object]]


async def serve(oauth: bool) -> None:
    from zenflow.sandbox.server import serve as serve_sandbox
    from zenflow.sandbox.settings import SandboxSettings

    settings = SandboxSettings(oauth=oauth, admin=True, token_lifetime_s=3600)
    await serve_sandbox(settings, on_ready=lambda url: print(url, flush=True))


async def timed(ask: Ask) -> float:
    """The best of several rounds of ten at once."""
    await ask()
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await asyncio.gather(*(ask() for _ in range(CALLS)))
        best = min(best, time.perf_counter() - began)
    return best


async def without(url: str) -> float:
    from zenflow.providers.mcp.provider import McpProvider

    async with McpProvider(url) as provider:
        return await timed(provider.account)


async def with_ours(url: str) -> float:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from zenflow.clock import SystemClock
    from zenflow.providers.mcp.provider import McpProvider
    from zenflow.providers.mcp.signin import oauth
    from zenflow.providers.mcp.signin.login import sign_in
    from zenflow.providers.mcp.tokens.source import RefreshingToken
    from zenflow.providers.mcp.tokens.store import FileStore
    from zenflow.providers.mcp.wire.http import network

    http, clock = network(), SystemClock()
    grant = await sign_in(http, clock, url, _visit)
    with TemporaryDirectory() as folder:
        tokens = RefreshingToken(
            grant,
            FileStore(Path(folder)),
            clock,
            lambda old: oauth.refresh(http, clock, old),
            lambda why: oauth.ended(url, why),
            oauth.GrantEnded,
        )
        async with McpProvider(url, tokens=tokens) as provider:
            return await timed(provider.account)


async def with_the_sdk(url: str) -> float:
    import httpx2
    from mcp import Client
    from mcp.client.auth import OAuthClientProvider
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
    from pydantic import AnyUrl

    redirects: list[str] = []

    async def show(address: str) -> None:
        async with httpx2.AsyncClient(trust_env=False) as plain:
            redirects.append((await plain.get(address)).headers["location"])

    async def back() -> AuthorizationCodeResult:
        query = {name: values[0] for name, values in parse_qs(urlsplit(redirects[-1]).query).items()}
        return AuthorizationCodeResult(code=query["code"], state=query["state"], iss=query["iss"])

    class Memory:
        tokens: Any = None
        client: Any = None

        async def get_tokens(self) -> Any:
            return self.tokens

        async def set_tokens(self, tokens: Any) -> None:
            self.tokens = tokens

        async def get_client_info(self) -> Any:
            return self.client

        async def set_client_info(self, client_info: Any) -> None:
            self.client = client_info

    wanted = OAuthClientMetadata(redirect_uris=[AnyUrl("http://127.0.0.1:4711/callback")])
    auth = OAuthClientProvider(url, wanted, Memory(), show, back)
    async with (
        httpx2.AsyncClient(auth=auth, timeout=30, trust_env=False) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        return await timed(lambda: client.call_tool("zencreator_get_me", {}))


async def _visit(address: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    asyncio.get_running_loop().run_in_executor(None, lambda: opener.open(address, timeout=10).read())


def measure(name: str, oauth: bool, way: Callable[[str], Awaitable[float]]) -> float:
    words = [sys.executable, __file__, "--serve", "oauth" if oauth else "none"]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        rule = json.dumps([{"kind": "slow", "tool": "get_me", "seconds": ANSWER_S}]).encode()
        faults = urllib.request.Request(url.replace("/mcp", "/admin/faults"), rule)
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(faults, timeout=10).read()

        async def go() -> float:
            return await way(url)

        took = asyncio.run(go())
    finally:
        server.terminate()
        server.wait()
    print(f"{name:28} {took * 1000:6.0f} ms")
    return took


def main() -> int:
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(serve(sys.argv[2] == "oauth"))
        return 0
    print(f"{CALLS} calls at once, {ANSWER_S * 1000:.0f} ms each at the server")
    plain = measure("no sign-in", False, without)
    ours = measure("signed in", True, with_ours)
    measure("signed in by the SDK's own", True, with_the_sdk)
    return 1 if "--check" in sys.argv and ours > plain * 2 else 0


if __name__ == "__main__":
    raise SystemExit(main())
