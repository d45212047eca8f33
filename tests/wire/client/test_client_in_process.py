"""An application in this process: the same client, with what cannot be known of the wire counted as sent."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp.server.mcpserver import MCPServer

from zenflow.providers.base import ServiceError, Submission
from zenflow.providers.mcp.provider import McpProvider
from zenflow.providers.mcp.wire.http import in_process

URL = "http://sandbox.invalid/mcp"


def _sdk_app(**options: Any) -> Any:
    server = MCPServer("other")

    @server.tool(name="zencreator_get_me")
    def get_me(response_format: str = "markdown") -> dict[str, Any]:
        return {"id": "me", "credits": 3}

    @server.tool(name="zencreator_create_task")
    def create_task(
        tool_name: str, inputs: list[dict[str, Any]], comment: str = "", response_format: str = "markdown"
    ) -> dict[str, Any]:
        if tool_name == "broken":
            raise ValueError("it broke after the charge")
        return {"id": "t1", "status": "created", "total": len(inputs)}

    return server.streamable_http_app(host="sandbox.invalid", **options)


@pytest.mark.parametrize("options", [{}, {"json_response": True}, {"stateless_http": True}])
@pytest.mark.parametrize("legacy", [False, True])
def test_servers_of_the_official_sdk_are_understood(options: dict[str, Any], legacy: bool) -> None:
    async def run() -> None:
        app = _only_older(_sdk_app(**options)) if legacy else _sdk_app(**options)
        async with McpProvider(URL, http=in_process(app)) as provider:
            assert (await provider.account()).account_id == "me"
            answer = await provider.submit(Submission("by_prompt", ({}, {}), "zf"))
            assert (answer.task_id, answer.total) == ("t1", 2)
            assert (provider._session._link.envelope.version < "2026") == legacy  # type: ignore[union-attr]
            refused = await provider.submit(Submission("broken", ({},), "zf"))
            assert refused.is_tool_error and refused.tool_status is None and not refused.refused_by_protocol
            with pytest.raises(ServiceError) as no:
                await provider.get_task("t")
            assert no.value.trouble == "absent"

    asyncio.run(run())


def _only_older(app: Any) -> Any:
    """The same server as it was before `server/discover`."""

    async def older(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and (b"mcp-method", b"server/discover") in scope["headers"]:
            await send({"type": "http.response.start", "status": 400, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await app(scope, receive, send)

    return older


def test_counts_a_broken_application_as_sent() -> None:
    inner = _sdk_app(json_response=True)

    async def breaking(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and (b"mcp-name", b"zencreator_create_task") in scope["headers"]:
            raise ConnectionResetError("cut")
        await inner(scope, receive, send)

    async def run() -> None:
        async with McpProvider(URL, http=in_process(breaking)) as provider:
            answer = await provider.submit(Submission("by_prompt", ({},), "zf"))
            assert (answer.facts.reached, answer.facts.status, answer.task_id) == ("sent", None, None)
            assert (await provider.account()).account_id == "me"

    asyncio.run(run())


def test_past_its_time_the_application_is_not_called() -> None:
    calls: list[Any] = []
    inner = _sdk_app(json_response=True)

    async def watching(scope: Any, receive: Any, send: Any) -> None:
        calls.append(scope.get("headers"))
        await inner(scope, receive, send)

    async def run() -> None:
        async with McpProvider(URL, http=in_process(watching)) as provider:
            answer = await provider.submit(
                Submission("by_prompt", ({},), "zf", send_by_s=provider.clock.monotonic_s() - 1)
            )
            assert answer.facts.reached == "not_connected"

    asyncio.run(run())
    assert not any((b"mcp-name", b"zencreator_create_task") in (headers or []) for headers in calls)


def test_the_servers_own_exceptions_do_not_reach_the_caller() -> None:
    @asynccontextmanager
    async def opened() -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan":
                raise RuntimeError
            raise json.JSONDecodeError("a bug of the application", "", 0)

        async with McpProvider(URL, http=in_process(app)) as provider:
            yield provider

    async def run() -> None:
        async with opened() as provider:
            with pytest.raises(ServiceError) as no:
                await provider.account()
            assert no.value.trouble == "unreachable"

    asyncio.run(run())
