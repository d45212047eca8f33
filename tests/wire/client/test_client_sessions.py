"""One session against servers of both eras, and what it takes to break it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from zenflow.providers.base import ServiceError
from zenflow.providers.mcp.provider import McpProvider
from zenflow.providers.mcp.tokens.source import StaticToken

ME = {"id": "me", "credits": "12", "is_trusted": "true"}


async def _me(got: Any, writer: Any) -> dict[str, Any]:
    return {"content": [], "structuredContent": ME, "resultType": "complete"}


@pytest.mark.parametrize("form", ["json", "sse"])
@pytest.mark.parametrize(("era", "sessions"), [("modern", False), ("legacy", False), ("legacy", True)])
def test_every_era_and_form_of_answer_is_understood(kit: Any, era: str, sessions: bool, form: str) -> None:
    async def run() -> None:
        script = kit.McpScript(_me, era=era, form=form, sessions=sessions)
        async with kit.serving(script) as server, McpProvider(server.url, tokens=StaticToken("secret")) as provider:
            account = await provider.account()
            assert (account.account_id, account.credits, account.is_trusted) == ("me", 12, True)
        assert "GET" not in {g.method for g in server.got}  # no connection is spent on a stream nobody reads
        call = server.calls("zencreator_get_me")[0]
        assert call.headers["authorization"] == "Bearer secret"
        assert call.headers.get("mcp-session-id") == ("session-1" if sessions else None)
        assert call.headers["mcp-protocol-version"] == ("2026-07-28" if era == "modern" else "2025-06-18")

    asyncio.run(run())


def test_ten_calls_are_on_the_wire_at_the_same_time(kit: Any) -> None:
    async def run() -> None:
        all_here = asyncio.Barrier(10)

        async def on_tool(got: Any, writer: Any) -> dict[str, Any]:
            await asyncio.wait_for(all_here.wait(), 300)  # nobody is answered before all ten have come
            return kit.tool_result(ME)

        async with kit.serving(kit.McpScript(on_tool)) as server, McpProvider(server.url) as provider:
            accounts = await asyncio.gather(*(provider.account() for _ in range(10)))
            assert [a.account_id for a in accounts] == ["me"] * 10

    asyncio.run(run())


@pytest.mark.parametrize("cut", ["before the head", "in the body", "in the stream", "status 503", "status 302"])
def test_one_broken_exchange_costs_one_call_and_not_the_session(kit: Any, cut: str) -> None:
    async def run() -> None:
        async def on_tool(got: Any, writer: Any) -> dict[str, Any] | None:
            if got.tool != "zencreator_get_task":
                await asyncio.sleep(0)
                return kit.tool_result(ME)
            if cut == "in the body":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{")
            elif cut == "in the stream":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nid: 7\ndata: \n\n")
            elif cut == "status 503":
                await kit.answer(writer, "busy", status=503, headers={"retry-after": "7"})
            elif cut == "status 302":
                await kit.answer(writer, status=302, headers={"location": "/elsewhere"})
            await writer.drain()
            return None

        async with kit.serving(kit.McpScript(on_tool)) as server, McpProvider(server.url) as provider:
            results = await asyncio.gather(
                provider.account(),
                provider.get_task("t"),
                *(provider.account() for _ in range(8)),
                return_exceptions=True,
            )
            broken = [r for r in results if isinstance(r, BaseException)]
            assert len(broken) == 1 and isinstance(broken[0], ServiceError)
            expected = {"status 503": "server", "status 302": "server"}.get(cut, "unreachable")
            assert broken[0].trouble == expected
            assert broken[0].retry_after_s == (7.0 if cut == "status 503" else None)
            assert (await provider.account()).account_id == "me"
            assert len(server.calls("zencreator_get_task")) == 1  # nothing was repeated
            assert sum(g.rpc_method == "server/discover" for g in server.got) == 1

    asyncio.run(run())


def test_reopens_an_expired_session_once_for_all(kit: Any) -> None:
    async def run() -> None:
        script = kit.McpScript(_me, era="legacy", sessions=True)
        async with kit.serving(script) as server, McpProvider(server.url) as provider:
            await provider.account()
            script.live.clear()
            accounts = await asyncio.gather(*(provider.account() for _ in range(5)))
            assert len(accounts) == 5
            assert script.initialized == 2
            assert server.calls("zencreator_get_me")[-1].headers["mcp-session-id"] == "session-2"

    asyncio.run(run())


def test_sends_no_cancel_notice_past_the_deadline(kit: Any) -> None:
    async def run() -> None:
        async def on_tool(got: Any, writer: Any) -> dict[str, Any] | None:
            await asyncio.Event().wait()
            return None

        script = kit.McpScript(on_tool, era="legacy")
        async with kit.serving(script) as server, McpProvider(server.url) as provider:
            for deadline_s in (0.05, 0.5, 5.0, 50.0):  # long enough, on this machine, for the request to get there
                with pytest.raises(ServiceError) as no:
                    await provider._session.call("slow", {}, deadline_s=deadline_s)
                assert no.value.trouble == "unreachable" and no.value.wire is not None
                if no.value.wire.reached == "sent":
                    break
            assert no.value.wire.reached == "sent"
            assert "notifications/cancelled" not in [g.rpc_method for g in server.got]

    asyncio.run(run())


def test_giving_up_a_free_call_writes_nothing_to_the_server(kit: Any) -> None:
    async def run() -> None:
        arrived = asyncio.Event()

        async def on_tool(got: Any, writer: Any) -> dict[str, Any]:
            if got.tool == "zencreator_get_task":
                arrived.set()
                await asyncio.Event().wait()
            return kit.tool_result(ME)

        async with kit.serving(kit.McpScript(on_tool, era="legacy")) as server, McpProvider(server.url) as provider:
            waiting = asyncio.create_task(provider.get_task("t"))
            await arrived.wait()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await provider.account()
            assert "notifications/cancelled" not in [g.rpc_method for g in server.got]

    asyncio.run(run())


def test_sends_mirrored_arguments_in_headers(kit: Any) -> None:
    async def run() -> None:
        async def on_tool(got: Any, writer: Any) -> dict[str, Any] | None:
            if "mcp-param-task" not in got.headers:
                error = {
                    "jsonrpc": "2.0",
                    "id": got.json["id"],
                    "error": {"code": -32020, "message": "header mismatch"},
                }
                await kit.answer(writer, error, status=400)
                return None
            return kit.tool_result({"id": "t", "status": "completed"})

        schema = {"type": "object", "properties": {"task_id": {"type": "string", "x-mcp-header": "Task"}}}
        script = kit.McpScript(on_tool, listed=[{"name": "zencreator_get_task", "inputSchema": schema}])
        async with kit.serving(script) as server, McpProvider(server.url) as provider:
            task = await provider.get_task("t")
            assert task.is_finished
            assert server.calls("zencreator_get_task")[-1].headers["mcp-param-task"] == "t"

    asyncio.run(run())
