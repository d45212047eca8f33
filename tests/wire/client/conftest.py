"""Servers for the client's tests: small, on loopback, sharing no code with the client. They record what they are sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class Got:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: tuple[str, int]

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body or b"{}")

    @property
    def rpc_method(self) -> str:
        return self.json.get("method", "")

    @property
    def tool(self) -> str:
        return self.json.get("params", {}).get("name", "")


Handler = Callable[[Got, asyncio.StreamWriter], Awaitable[bool | None]]


@dataclass
class PlainServer:
    """HTTP/1.1 by hand. `handle` writes the answer; True keeps the connection, anything else closes it."""

    handle: Handler
    got: list[Got] = field(default_factory=list)
    port: int = 0
    connections: int = 0
    closed_by_client: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    def calls(self, tool: str) -> list[Got]:
        return [g for g in self.got if g.tool == tool]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (got := await self._read(reader, writer)) is not None:
                self.got.append(got)
                if await self.handle(got, writer) is not True:
                    break
            else:
                self.closed_by_client += 1
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client is gone, or the test is over
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Got | None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = await reader.readline()
            if not line:
                return None
            head += line
        first, *lines = head.decode().strip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Got(method, path, headers, body, writer.get_extra_info("peername"))


async def answer(
    writer: asyncio.StreamWriter,
    body: bytes | dict[str, Any] | str = b"",
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> bool:
    """A whole HTTP answer; keeps the connection."""
    if isinstance(body, dict):
        body, kind = json.dumps(body).encode(), "application/json"
    elif isinstance(body, str):
        body, kind = body.encode(), "text/html"
    else:
        kind = "application/octet-stream"
    given = {"content-type": kind, "content-length": str(len(body)), **(headers or {})}
    writer.write(f"HTTP/1.1 {status} Status\r\n".encode())
    writer.write("".join(f"{k}: {v}\r\n" for k, v in given.items()).encode() + b"\r\n" + body)
    await writer.drain()
    return True


def tool_result(structured: dict[str, Any] | None = None, *, text: str = "", is_error: bool = False) -> dict[str, Any]:
    result: dict[str, Any] = {"content": [{"type": "text", "text": text}], "resultType": "complete"}
    if structured is not None:
        result["structuredContent"] = structured
    if is_error:
        result["isError"] = True
    return result


CACHED = {"resultType": "complete", "ttlMs": 0, "cacheScope": "public"}

OnTool = Callable[[Got, asyncio.StreamWriter], Awaitable[dict[str, Any] | None]]


@dataclass
class McpScript:
    """An MCP server by hand: era and form of its answers, session ids, and what a tool does.

    `on_tool` answers a result, or None when it has written (or cut) the answer itself.
    """

    on_tool: OnTool
    era: str = "modern"  # modern | legacy
    form: str = "json"  # json | sse
    sessions: bool = False
    listed: list[dict[str, Any]] = field(default_factory=list)
    live: set[str] = field(default_factory=set)
    initialized: int = 0

    async def __call__(self, got: Got, writer: asyncio.StreamWriter) -> bool | None:
        if got.method != "POST":
            return await answer(writer, status=405)
        message = got.json
        if "id" not in message:
            return await answer(writer, status=202)
        method = message["method"]
        if method == "server/discover":
            if self.era == "legacy":
                return await answer(writer, "Bad Request", status=400)
            return await self._result(
                got,
                writer,
                {
                    "supportedVersions": ["2026-07-28"],
                    "capabilities": {"tools": {}},
                    **CACHED,
                },
            )
        if method == "initialize":
            return await self._initialize(got, writer)
        if self.sessions and got.headers.get("mcp-session-id") not in self.live:
            return await answer(writer, {"detail": "no such session"}, status=404)
        if method == "tools/list":
            return await self._result(got, writer, {"tools": self.listed, **CACHED})
        result = await self.on_tool(got, writer)
        return None if result is None else await self._result(got, writer, result)

    async def _initialize(self, got: Got, writer: asyncio.StreamWriter) -> bool:
        self.initialized += 1
        headers = {}
        if self.sessions:
            session_id = f"session-{self.initialized}"
            self.live.add(session_id)
            headers["mcp-session-id"] = session_id
        result = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "x", "version": "1"}}
        return await self._result(got, writer, result, headers)

    async def _result(
        self, got: Got, writer: asyncio.StreamWriter, result: dict[str, Any], headers: dict[str, str] | None = None
    ) -> bool:
        message = {"jsonrpc": "2.0", "id": got.json["id"], "result": result}
        if self.form == "json":
            return await answer(writer, message, headers=headers)
        note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "hm"}}
        events = f": hello\n\nevent: message\ndata: {json.dumps(note)}\n\nid: 1\nevent: message\ndata: "
        body = (events + json.dumps(message) + "\n\n").encode()
        return await answer(writer, body, headers={"content-type": "text/event-stream", **(headers or {})})


@asynccontextmanager
async def serving(handle: Handler) -> AsyncIterator[PlainServer]:
    server = PlainServer(handle)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


@dataclass(frozen=True)
class Kit:
    """What the tests take from here (test folders are no packages)."""

    serving = staticmethod(serving)
    answer = staticmethod(answer)
    tool_result = staticmethod(tool_result)
    McpScript = McpScript
    Got = Got


@pytest.fixture
def kit() -> Kit:
    return Kit()
