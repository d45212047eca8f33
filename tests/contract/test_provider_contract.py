"""The MCP provider against the sandbox: both eras of the protocol, in this process and over loopback HTTP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from PIL import Image

from tests.support.contracts.provider import PROVIDER_CHECKS, Check, Subject
from zenflow.clock import SystemClock
from zenflow.providers.mcp.provider import McpProvider
from zenflow.providers.mcp.wire.http import in_process, network
from zenflow.sandbox.server import build_app
from zenflow.sandbox.settings import SandboxSettings

PARAMS = {"positive_prompt": "a cup on a table", "model": "SEEDREAM_5"}


@asynccontextmanager
async def _over_http(settings: SandboxSettings) -> AsyncIterator[McpProvider]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(build_app(settings, base_url=base_url), log_level="error"))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        async with McpProvider(f"{base_url}/mcp", http=network()) as provider:
            yield provider
        server.should_exit = True
        await running


@asynccontextmanager
async def _in_process(settings: SandboxSettings) -> AsyncIterator[McpProvider]:
    app = build_app(settings)
    async with McpProvider("http://sandbox.invalid/mcp", http=in_process(app), server="sandbox") as provider:
        yield provider


@pytest.mark.parametrize("check", PROVIDER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("era", ["current", "older"])
@pytest.mark.parametrize("opened", [_in_process, _over_http], ids=["in process", "over http"])
def test_the_mcp_provider_keeps_the_contract(opened: object, era: str, check: Check, tmp_path: Path) -> None:
    picture = tmp_path / "photo.jpg"
    Image.new("RGB", (64, 48), "teal").save(picture)

    async def run() -> None:
        settings = SandboxSettings(speed=1000, legacy_only=era == "older")
        async with opened(settings) as provider:  # type: ignore[operator]
            await check(Subject(provider, SystemClock(), "by_prompt", PARAMS, picture))

    asyncio.run(run())
