"""Two doors to the other service: the official SDK's high-level server, and one written by hand for protocol 2025-06-18.

In front of both stands a guard: bearer token, and faults on the wire, chosen per MCP tool.
"""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, TextContent
from other_service import Dialect, Refusal, Service
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

TOKEN = "other-token"


@dataclass
class Fault:
    """What happens to the next `times` calls of `tool` (`*`: any; `file`: a download) after `skip` good ones.

    kinds: cut_before, cut_after, cut_midway (half an answer), status_before, status_after, garbage_after, empty_after,
    prose_after, rpc_after (an error of the protocol),
    delay_before, delay_after, refuse (a tool result), late (cut now, effect `value` seconds later), hang_after.
    """

    tool: str
    kind: str
    times: int = 1
    skip: int = 0
    value: Any = None

    def strikes(self, tool: str) -> bool:
        if self.tool not in (tool, "*") or (self.tool == "*" and tool in ("file", "-")) or self.times <= 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass
class Town:
    """A service that is being served."""

    service: Service
    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    token: str = TOKEN
    log: list[str] = field(default_factory=list)
    on_request: Callable[[str], None] = lambda tool: None

    def fault(self, tool: str, kind: str, **more: Any) -> None:
        self.faults.append(Fault(tool, kind, **more))


Send = Callable[[dict[str, Any]], Awaitable[None]]


class Guard:
    """ASGI: the token, the faults, the files."""

    def __init__(self, inner: Any, town: Town) -> None:
        self._inner, self._town = inner, town

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        if scope["path"].startswith("/files/"):
            await self._file(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if headers.get(b"authorization") != f"Bearer {self._town.token}".encode():
            more = {"www-authenticate": 'Bearer error="invalid_token"'}
            await Response('{"error":"invalid_token"}', 401, more, "application/json")(scope, receive, send)
            return
        body = await _body(receive)
        tool = _tool_of(body)
        self._town.log.append(tool)
        self._town.on_request(tool)
        fault = next((f for f in self._town.faults if f.strikes(tool)), None)
        await self._with_fault(fault, scope, body, send)

    async def _with_fault(self, fault: Fault | None, scope: dict[str, Any], body: bytes, send: Any) -> None:
        kind, value = (fault.kind, fault.value) if fault else ("", None)
        if kind == "cut_before":
            _cut(send)
        elif kind == "status_before":
            await _page(value or 502, scope, send)
        elif kind == "late":
            _cut(send)
            await asyncio.sleep(value or 1)
            await self._pass(scope, body, _nowhere)
        elif kind == "refuse":
            await self._refuse(value, scope, body, send)
        elif kind == "cut_midway":
            await self._pass(scope, body, _Half(send))
        elif kind.endswith("_after") and kind != "delay_after":
            await self._pass(scope, body, _nowhere)
            await self._ill_answer(kind, value, scope, body, send)
        else:
            if kind == "delay_before":
                await asyncio.sleep(value or 1)
            await self._pass(scope, body, _Late(send, value or 1) if kind == "delay_after" else send)

    async def _ill_answer(self, kind: str, value: Any, scope: dict[str, Any], body: bytes, send: Any) -> None:
        number = json.loads(body).get("id")
        if kind == "cut_after":
            _cut(send)
        elif kind == "hang_after":
            await asyncio.sleep(value or 600)
        elif kind == "status_after":
            await _page(value or 502, scope, send)
        elif kind == "garbage_after":
            await Response(b"\x00\xff<html>gateway", 200, None, "application/json")(scope, _empty, send)
        elif kind == "empty_after":
            result: dict[str, Any] = {"content": []}
            await JSONResponse({"jsonrpc": "2.0", "id": number, "result": result})(scope, _empty, send)
        elif kind == "prose_after":
            result = {"content": [{"type": "text", "text": value or "Done! Your task is on its way."}]}
            await JSONResponse({"jsonrpc": "2.0", "id": number, "result": result})(scope, _empty, send)
        elif kind == "rpc_after":
            error = {"code": -32603, "message": value or "Internal error"}
            await JSONResponse({"jsonrpc": "2.0", "id": number, "error": error})(scope, _empty, send)
        else:
            raise AssertionError(kind)

    async def _refuse(self, value: Any, scope: dict[str, Any], body: bytes, send: Any) -> None:
        result = {"content": [{"type": "text", "text": value}], "isError": True}
        await JSONResponse({"jsonrpc": "2.0", "id": json.loads(body).get("id"), "result": result})(scope, _empty, send)

    async def _pass(self, scope: dict[str, Any], body: bytes, send: Any) -> None:
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if asked:
                await asyncio.sleep(3600)
            asked = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._inner(scope, receive, send)

    async def _file(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        fault = next((f for f in self._town.faults if f.strikes("file")), None)
        status, kind, body = self._town.service.file(scope["path"].rsplit("/", 1)[-1])
        if fault and fault.kind == "cut_before":
            _cut(send)
            return
        if fault and fault.kind == "status_before":
            await _page(fault.value or 502, scope, send)
            return
        if fault and fault.kind == "cut_midway":
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
            )
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            _cut(send)
            return
        if fault and fault.kind == "html":
            await Response("<html>maintenance</html>", 200, None, "text/html")(scope, receive, send)
            return
        how = self._town.service.dialect.bodies
        if how == "chunked":

            async def chunks() -> Any:
                for at in range(0, len(body), 97):
                    yield body[at : at + 97]

            await StreamingResponse(chunks(), status)(scope, receive, send)
            return
        shown = {"typeless": None, "wrong": "application/octet-stream"}.get(how, kind)
        await Response(body, status, None, shown)(scope, receive, send)


class _Half:
    """Lets the head and half of the body through, then cuts."""

    def __init__(self, send: Any) -> None:
        self._send = send

    async def __call__(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body" and len(message.get("body", b"")) > 20:
            cut = message["body"][: len(message["body"]) // 2]
            await self._send({"type": "http.response.body", "body": cut, "more_body": True})
            await asyncio.sleep(0.05)
            _cut(self._send)
            return
        await self._send(message)


class _Late:
    def __init__(self, send: Any, wait_s: float) -> None:
        self._send, self._wait_s = send, wait_s

    async def __call__(self, message: dict[str, Any]) -> None:
        wait_s, self._wait_s = self._wait_s, 0
        await asyncio.sleep(wait_s)
        await self._send(message)


def _cut(send: Any) -> None:
    send.__self__.transport.abort()


async def _nowhere(message: dict[str, Any]) -> None:
    return None


async def _empty() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _page(status: int, scope: dict[str, Any], send: Any) -> None:
    text = f"<html><head><title>{status}</title></head><body>cloudflare</body></html>"
    await Response(text, status, None, "text/html")(scope, _empty, send)


async def _body(receive: Any) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _tool_of(body: bytes) -> str:
    try:
        said = json.loads(body)
    except ValueError:
        return "-"
    if isinstance(said, dict) and said.get("method") == "tools/call":
        return str(said["params"]["name"]).removeprefix("zencreator_")
    return str(said.get("method", "-")) if isinstance(said, dict) else "-"


# ---- answers, in the dialect's form


def told(service: Service, refusal: Refusal) -> dict[str, Any]:
    """A tool result for something refused."""
    text = {402: "HTTP 402 Payment Required: {}", 429: "{}", 404: "Error 404 - {}"}.get(refusal.status, "Error {s}: {}")
    result: dict[str, Any] = {
        "content": [{"type": "text", "text": text.format(refusal.message, s=refusal.status)}],
        "isError": True,
    }
    if service.dialect.errors == "structured":
        facts = {"status_code": refusal.status, "message": refusal.message, **refusal.facts}
        result["structuredContent"] = facts
        result["content"][0]["text"] = refusal.message
    return result


def answered(service: Service, found: Any, name: str) -> dict[str, Any]:
    if service.dialect.answers == "json_text":
        return {"content": [{"type": "text", "text": json.dumps(found)}]}
    text = f"## {name}\n\n" + "\n".join(f"- **{key}**: {str(value)[:80]}" for key, value in found.items())
    return {"content": [{"type": "text", "text": text}], "structuredContent": found}


# ---- the door of the SDK's high-level server


def sdk_app(service: Service) -> Any:
    """Tools as typed functions, errors raised, arguments checked by pydantic: as most servers are written."""
    server = MCPServer("other", log_level="CRITICAL")
    for name in service.tool_names():
        server.add_tool(_as_function(service, name), name=name, description=name)
    return server.streamable_http_app(json_response=False, stateless_http=True)


def _as_function(service: Service, name: str) -> Any:
    import functools
    import inspect

    method = getattr(service, name)
    signature = inspect.signature(method, eval_str=True)

    @functools.wraps(method)
    async def tool(**arguments: Any) -> Any:
        try:
            found = service.call(name, arguments)
        except Refusal as refusal:
            if service.dialect.errors == "text":
                raise ToolError(told(service, refusal)["content"][0]["text"]) from refusal
            said = told(service, refusal)
            return CallToolResult(
                content=[TextContent(type="text", text=said["content"][0]["text"])],
                structured_content=said["structuredContent"],
                is_error=True,
            )
        said = answered(service, found, name)
        return CallToolResult(
            content=[TextContent(type="text", text=said["content"][0]["text"])],
            structured_content=said.get("structuredContent"),
        )

    more = inspect.Parameter("response_format", inspect.Parameter.KEYWORD_ONLY, default="markdown", annotation=str)
    tool.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*signature.parameters.values(), more], return_annotation=CallToolResult
    )
    tool.__annotations__ = {p.name: p.annotation for p in tool.__signature__.parameters.values()}  # type: ignore
    tool.__annotations__["return"] = CallToolResult
    del tool.__wrapped__
    return tool


# ---- the door written by hand


class HandMade:
    """Stateful sessions, answers as server-sent events, protocol 2025-06-18 and nothing newer."""

    version = "2025-06-18"

    def __init__(self, service: Service) -> None:
        self._service, self.sessions, self.forget_after = service, set[str](), 0

    def app(self) -> Starlette:
        return Starlette(
            routes=[Route("/mcp", self._post, methods=["POST"]), Route("/mcp", self._delete, methods=["DELETE"])]
        )

    async def _delete(self, request: Request) -> Response:
        self.sessions.discard(request.headers.get("mcp-session-id", ""))
        return Response(status_code=204)

    async def _post(self, request: Request) -> Response:
        said = await request.json()
        method, number = said.get("method"), said.get("id")
        if method == "initialize":
            session = uuid.uuid4().hex
            self.sessions.add(session)
            result = {
                "protocolVersion": self.version,
                "capabilities": {"tools": {"listChanged": True}, "logging": {}},
                "serverInfo": {"name": "other", "version": "0"},
            }
            return self._events(number, result, {"mcp-session-id": session})
        session = request.headers.get("mcp-session-id", "")
        if not session:
            error = {"code": -32600, "message": "Bad Request: Missing session ID"}
            return JSONResponse({"jsonrpc": "2.0", "id": number, "error": error}, 400)
        if session not in self.sessions:
            error = {"code": -32600, "message": "Session not found"}
            return JSONResponse({"jsonrpc": "2.0", "id": number, "error": error}, 404)
        if number is None:
            return Response(status_code=202)
        if method == "tools/list":
            return self._events(number, {"tools": [self._listed(name) for name in self._service.tool_names()]})
        if method == "ping":
            return self._events(number, {})
        if method != "tools/call":
            return self._events(number, None, error={"code": -32601, "message": "Method not found"})
        name, arguments = said["params"]["name"], said["params"].get("arguments", {})
        if name not in self._service.tool_names():
            return self._events(number, None, error={"code": -32602, "message": f"Unknown tool: {name}"})
        try:
            return self._events(number, answered(self._service, self._service.call(name, arguments), name))
        except Refusal as refusal:
            return self._events(number, told(self._service, refusal))

    def _listed(self, name: str) -> dict[str, Any]:
        return {"name": name, "description": name, "inputSchema": {"type": "object"}, "annotations": {"title": name}}

    def _events(
        self, number: Any, result: Any, headers: dict[str, str] | None = None, error: Any = None
    ) -> StreamingResponse:
        answer = {"jsonrpc": "2.0", "id": number, **({"error": error} if error else {"result": result})}
        note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "working"}}

        async def stream() -> Any:
            yield ": hello\r\n\r\nretry: 3000\r\n\r\n"
            yield f"event: message\r\nid: 1\r\ndata: {json.dumps(note)}\r\n\r\n"
            lines = json.dumps(answer, indent=1).split("\n")
            yield "event: message\r\nid: 2\r\n" + "".join(f"data: {line}\r\n" for line in lines) + "\r\n"

        return StreamingResponse(stream(), 200, headers, "text/event-stream; charset=utf-8")


# ---- serving


@contextmanager
def serving(middleware: str, dialect: Dialect | None = None, **more: Any) -> Iterator[Town]:
    """On a free port of loopback, in a thread."""
    service = Service(dialect or Dialect(), **more)
    town = Town(service)
    app = sdk_app(service) if middleware == "sdk" else HandMade(service).app()
    config = uvicorn.Config(Guard(app, town), port=0, log_level="critical", lifespan="on", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the other server did not start")
        threading.Event().wait(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    service.base = f"http://127.0.0.1:{port}"
    town.url = f"{service.base}/mcp"
    try:
        yield town
    finally:
        server.should_exit = True
        thread.join(5)
