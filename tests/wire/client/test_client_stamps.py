"""Our own POSTs look to a server as the SDK's do: compared with real traffic of the SDK's client, in both eras."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from zenflow.providers.base import Submission
from zenflow.providers.mcp.provider import McpProvider

OF_THE_LIBRARY = {"host", "connection", "content-length", "accept-encoding", "user-agent", "authorization", "mcp-name"}


@pytest.mark.parametrize(("era", "sessions"), [("modern", False), ("legacy", True)])
def test_a_submission_and_a_free_call_carry_what_the_sdk_stamps(kit: Any, era: str, sessions: bool) -> None:
    async def run() -> tuple[Any, Any, Any]:
        async def on_tool(got: Any, writer: Any) -> Any:
            return kit.tool_result({"id": "x"})

        schema = {"type": "object", "properties": {"tool_name": {"type": "string", "x-mcp-header": "Tool"}}}
        listed = [{"name": "zencreator_create_task", "inputSchema": schema}]
        async with kit.serving(kit.McpScript(on_tool, era=era, sessions=sessions, listed=listed)) as server:
            async with McpProvider(server.url) as provider:
                await provider.account()
                await provider.submit(Submission("by_prompt", ({},), "zf"))
            ours_free, ours_paid = server.calls("zencreator_get_me")[0], server.calls("zencreator_create_task")[0]
            server.got.clear()
            arguments = ours_paid.json["params"]["arguments"]
            async with (
                httpx2.AsyncClient() as http,
                Client(streamable_http_client(server.url, http_client=http)) as client,
            ):
                await client.list_tools()
                await client.call_tool("zencreator_create_task", arguments)
            return ours_free, ours_paid, server.calls("zencreator_create_task")[0]

    free, paid, theirs = asyncio.run(run())

    def headers(got: Any, more: tuple[str, ...] = ()) -> dict[str, str]:
        return {k: v for k, v in got.headers.items() if k not in OF_THE_LIBRARY and k not in more}

    sid = ("mcp-session-id",)
    assert headers(paid, sid) == headers(theirs, sid)
    assert ("mcp-session-id" in paid.headers) == ("mcp-session-id" in theirs.headers) == sessions
    assert paid.headers.get("mcp-name") == theirs.headers.get("mcp-name")
    assert headers(free, sid) == headers(theirs, (*sid, "mcp-param-tool"))
    assert paid.json.keys() == theirs.json.keys()
    assert paid.json["params"].keys() == theirs.json["params"].keys()
    assert paid.json["params"]["arguments"] == theirs.json["params"]["arguments"]
    ours_meta, theirs_meta = (m.json["params"].get("_meta", {}) for m in (paid, theirs))
    assert ours_meta.keys() == theirs_meta.keys()
    assert bool(ours_meta) == (era == "modern")
