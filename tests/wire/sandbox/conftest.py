"""A sandbox to talk to with the official SDK's own client: in process or over loopback, in both protocol eras."""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from PIL import Image

from zenflow.sandbox.clock import ManualClock
from zenflow.sandbox.server import build_app, serve
from zenflow.sandbox.settings import SandboxSettings


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Visitor:
    """A client, with the plain HTTP beside it."""

    client: Client
    http: httpx2.AsyncClient

    async def ask(self, tool: str, **arguments: Any) -> Any:
        return await self.client.call_tool(f"zencreator_{tool}", arguments)

    async def get(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured answer of a call that must succeed."""
        result = await self.ask(tool, **arguments)
        assert not result.is_error, result.content[0].text
        found: dict[str, Any] = result.structured_content
        return found

    async def refusal(self, tool: str, **arguments: Any) -> tuple[str, dict[str, Any]]:
        """Text and structure of a call that must be refused."""
        result = await self.ask(tool, **arguments)
        assert result.is_error
        return result.content[0].text, result.structured_content

    async def photo(self) -> str:
        uploaded = await self.get("upload_asset", data_base64=photo_base64(), filename="photo.jpg")
        return str(uploaded["asset_id"])

    async def edit(self, count: int = 1, **more: Any) -> dict[str, Any]:
        """Arguments of a submission that is valid."""
        asset_id = await self.photo()
        one = {"prompt": "a hill", "image_assets": [asset_id], "model": "SEEDREAM_5", **more}
        return {"tool_name": "image_editor", "inputs": [one] * count}

    async def state(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get("/admin/state")).json()
        return found

    async def fault(self, **rule: Any) -> None:
        answer = await self.http.post("/admin/faults", json=[rule])
        assert answer.status_code == 200, answer.text

    async def advance(self, seconds: float) -> None:
        assert (await self.http.post("/admin/advance", json={"seconds": seconds})).status_code == 200


def photo_base64() -> str:
    out = io.BytesIO()
    Image.new("RGB", (60, 80), "teal").save(out, "JPEG")
    return base64.b64encode(out.getvalue()).decode()


@contextlib.asynccontextmanager
async def in_process(
    mode: str = "auto", *, time: ManualClock | None = None, token: str | None = None, **settings: Any
) -> AsyncIterator[Visitor]:
    app = build_app(SandboxSettings(admin=True, token=token, **settings), clock=time)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with app.router.lifespan_context(app), _http(headers, httpx2.ASGITransport(app)) as http:
        endpoint = streamable_http_client("http://sandbox.invalid/mcp", http_client=http)
        async with Client(endpoint, mode=mode) as client:
            yield Visitor(client, http)


def _http(headers: dict[str, str], transport: httpx2.AsyncBaseTransport) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url="http://sandbox.invalid", transport=transport, headers=headers, timeout=300)


@contextlib.asynccontextmanager
async def over_loopback(mode: str = "auto", **settings: Any) -> AsyncIterator[Visitor]:
    """The sandbox served by uvicorn in this loop, talked to through a real socket."""
    ready = anyio.Event()
    address: list[str] = []

    def announce(url: str) -> None:
        address.append(url)
        ready.set()

    async with anyio.create_task_group() as group:

        async def run() -> None:
            await serve(SandboxSettings(admin=True, **settings), on_ready=announce)

        group.start_soon(run)
        await ready.wait()
        base = address[0].removesuffix("/mcp")
        async with (
            httpx2.AsyncClient(base_url=base, timeout=300) as http,
            Client(streamable_http_client(address[0], http_client=http), mode=mode) as client,
        ):
            yield Visitor(client, http)
        group.cancel_scope.cancel()


@pytest.fixture(params=["current", "legacy"])
def era(request: pytest.FixtureRequest) -> Iterator[str]:
    yield "auto" if request.param == "current" else "legacy"


@pytest.fixture
def context() -> Any:
    """`async with visit(…) as visitor`: in process."""
    return in_process


@pytest.fixture
def visit_by_socket() -> Any:
    return over_loopback
