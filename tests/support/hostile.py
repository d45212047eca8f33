"""Hostile servers without sockets: a function of each request, spoken to through the client's real transport."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from zenflow.providers.mcp.provider import McpProvider
from zenflow.providers.mcp.tokens.source import StaticToken

SERVER = "https://hostile.example/mcp"
DISCOVERED = {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}, "resultType": "complete"}

Answer = httpx2.Response | Mapping[str, Any] | str | bytes
"""A whole HTTP answer, the `result` of a tool, or the body of a JSON-RPC answer as it is."""


@dataclass
class HostileParts:
    """HTTP that `respond` answers. `seen` are the requests as they came."""

    respond: Callable[[httpx2.Request], httpx2.Response]
    seen: list[httpx2.Request] = field(default_factory=list)
    traced: bool = False

    def pool(self, url: str) -> httpx2.AsyncBaseTransport:
        return self.single(url)

    def single(self, url: str) -> httpx2.AsyncBaseTransport:
        return httpx2.MockTransport(self._answer)

    def is_direct(self, url: str) -> bool:
        return True

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        yield

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        self.seen.append(request)
        return self.respond(request)


def hostile_parts(tool: Callable[[str], Answer]) -> HostileParts:
    """An MCP server whose tools answer what `tool(name)` gives; all else is as it should be."""

    def respond(request: httpx2.Request) -> httpx2.Response:
        message = json.loads(request.content or b"{}")
        if message.get("method") == "server/discover":
            return _result(message, DISCOVERED)
        if message.get("method") == "tools/list":
            return _result(message, {"tools": [], "resultType": "complete"})
        answer = tool(message.get("params", {}).get("name", "").removeprefix("zencreator_"))
        if isinstance(answer, httpx2.Response):
            return answer
        if isinstance(answer, str | bytes):
            return httpx2.Response(200, content=answer, headers={"content-type": "application/json"})
        return _result(message, answer)

    return HostileParts(respond)


def structured(content: Any) -> dict[str, Any]:
    """A tool's good answer with this structured content."""
    return {"content": [], "structuredContent": content, "resultType": "complete"}


def hostile(tool: Callable[[str], Answer], token: str | None = None) -> McpProvider:
    return McpProvider(SERVER, http=hostile_parts(tool), tokens=StaticToken(token) if token else None)


def _result(message: Mapping[str, Any], result: Mapping[str, Any]) -> httpx2.Response:
    body = json.dumps({"jsonrpc": "2.0", "id": message.get("id"), "result": result})
    return httpx2.Response(200, content=body.encode(), headers={"content-type": "application/json"})
