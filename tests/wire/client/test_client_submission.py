"""`submit` on the wire: one POST, on a connection of its own, whatever happens; and the facts it comes back with."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from zenflow.errors import ZenflowError
from zenflow.providers.base import Submission, SubmitAnswer
from zenflow.providers.mcp.provider import McpProvider

TASK = "0f6b3c1e-7a0f-4f6e-9d7e-3b1a9f1c2d3e"
TOOL = "zencreator_create_task"
SUBMISSION = Submission("by_prompt", ({"positive_prompt": "a cup"},), "zfstamp text")


def _submit(kit: Any, on_create: Any, submission: Submission = SUBMISSION, **script: Any) -> tuple[SubmitAnswer, Any]:
    async def run() -> tuple[SubmitAnswer, Any]:
        async def on_tool(got: Any, writer: Any) -> Any:
            return await on_create(got, writer) if got.tool == TOOL else kit.tool_result({"id": "me"})

        async with (
            kit.serving(kit.McpScript(on_tool, **script)) as server,
            McpProvider(server.url, submit_deadline_s=0.5) as provider,
        ):
            await provider.account()
            return await provider.submit(submission), server

    return asyncio.run(run())


@pytest.mark.parametrize("form", ["json", "sse"])
@pytest.mark.parametrize(("era", "sessions"), [("modern", False), ("legacy", True)])
def test_posts_a_submission_once_on_its_own_connection(kit: Any, era: str, sessions: bool, form: str) -> None:
    async def on_create(got: Any, writer: Any) -> Any:
        return kit.tool_result({"id": TASK, "status": "created", "total": "1"})

    answer, server = _submit(kit, on_create, era=era, sessions=sessions, form=form)
    assert (answer.task_id, answer.task_status, answer.total) == (TASK, "created", 1)
    assert (answer.facts.reached, answer.facts.status) == ("answered", 200)
    assert answer.facts.closed_at is not None
    posts = server.calls(TOOL)
    assert len(posts) == 1
    assert posts[0].peer not in {g.peer for g in server.got if g.tool != TOOL}
    assert posts[0].json["params"]["arguments"] == {
        "tool_name": "by_prompt",
        "inputs": [{"positive_prompt": "a cup"}],
        "comment": "zfstamp text",
        "response_format": "json",
    }


@pytest.mark.parametrize(
    ("what", "reached", "status", "wait_s"),
    [
        ("hang up", "sent", None, None),
        ("hang", "sent", None, None),
        ("cut head", "sent", None, None),
        ("cut body", "sent", 200, None),
        ("cut stream", "sent", 200, None),
        ("401", "answered", 401, None),
        ("429", "answered", 429, 4.0),
        ("500", "answered", 500, None),
        ("504", "answered", 504, None),
        ("307", "answered", 307, None),
        ("html", "answered", 200, None),
        ("garbage", "answered", 200, None),
        ("202", "answered", 202, None),
    ],
)
def test_every_way_to_lose_an_answer_is_told_by_its_facts(
    kit: Any, what: str, reached: str, status: int | None, wait_s: float | None
) -> None:
    async def on_create(got: Any, writer: Any) -> None:
        if what == "hang":
            await asyncio.Event().wait()
        elif what == "cut head":
            writer.write(b"HTTP/1.1 200 OK\r\nconte")
        elif what == "cut body":
            writer.write(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"jsonrpc"')
        elif what == "cut stream":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nid: 9\ndata: \n\n")
        elif what == "html":
            await kit.answer(writer, "<html>hello</html>")
        elif what == "garbage":
            await kit.answer(writer, b"\x00\xff{", headers={"content-type": "application/json"})
        elif what != "hang up":
            headers = {"retry-after": "4"} if what == "429" else {"location": "/mcp2"} if what == "307" else {}
            await kit.answer(writer, "", status=int(what), headers=headers)
        await writer.drain()

    answer, server = _submit(kit, on_create)
    assert (answer.facts.reached, answer.facts.status) == (reached, status)
    assert answer.facts.retry_after_s == wait_s
    assert answer.task_id is None and answer.tool_status is None
    assert not answer.refused_by_protocol and not answer.is_tool_error
    assert answer.facts.closed_at is not None
    assert len(server.calls(TOOL)) == 1
    assert "notifications/cancelled" not in [g.rpc_method for g in server.got]


def test_a_server_that_is_gone_means_not_connected(kit: Any) -> None:
    async def run() -> SubmitAnswer:
        async def on_tool(got: Any, writer: Any) -> Any:
            return kit.tool_result({"id": "me"})

        async with kit.serving(kit.McpScript(on_tool)) as server, McpProvider(server.url) as provider:
            await provider.account()
            link = await provider._session.link()
            link.url = "http://127.0.0.1:1/mcp"  # the session stays, the submission's own connection fails
            return await provider.submit(SUBMISSION)

    answer = asyncio.run(run())
    assert (answer.facts.reached, answer.facts.status) == ("not_connected", None)
    assert answer.message


def test_reports_a_body_not_taken_whole_as_not_fully_sent(kit: Any) -> None:
    async def run() -> SubmitAnswer:
        async def on_tool(got: Any, writer: Any) -> Any:
            return kit.tool_result({"id": "me"})

        async def close_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.transport.abort()

        rude = await asyncio.start_server(close_early, "127.0.0.1", 0)
        port = rude.sockets[0].getsockname()[1]
        big = Submission("by_prompt", ({"positive_prompt": "x" * 30_000_000},), "zfstamp")
        async with kit.serving(kit.McpScript(on_tool)) as server, McpProvider(server.url) as provider:
            await provider.account()
            link = await provider._session.link()
            link.url = f"http://127.0.0.1:{port}/mcp"
            answer = await provider.submit(big)
        rude.close()
        return answer

    assert asyncio.run(run()).facts.reached == "not_fully_sent"


def test_cancelling_the_caller_does_not_cancel_the_request(kit: Any) -> None:
    async def run() -> Any:
        arrived, go_on, answered = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def on_tool(got: Any, writer: Any) -> Any:
            arrived.set()
            await go_on.wait()
            answered.set()
            return kit.tool_result({"id": TASK})

        async with kit.serving(kit.McpScript(on_tool)) as server:
            async with McpProvider(server.url) as provider:
                waiting = asyncio.create_task(provider.submit(SUBMISSION))
                await arrived.wait()
                (on_the_wire,) = provider._submitter._running
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                assert not answered.is_set()
                go_on.set()
            # closing waited for the submission on the wire
            assert answered.is_set()
            assert on_the_wire.result().task_id == TASK
            return server

    server = asyncio.run(run())
    assert len(server.calls(TOOL)) == 1
    assert "notifications/cancelled" not in [g.rpc_method for g in server.got]


class _Clock:
    """A machine that sleeps when told to."""

    def __init__(self) -> None:
        from zenflow.clock import SystemClock

        self._real = SystemClock()
        self.slept_s = 0.0

    def now(self) -> Any:
        return self._real.now()

    def monotonic_s(self) -> float:
        return 1000.0 + self.slept_s

    async def sleep(self, wait_s: float) -> None:
        raise AssertionError("nothing here waits")


def test_does_not_write_a_submission_past_its_time(kit: Any) -> None:
    async def run() -> tuple[SubmitAnswer, Any]:
        async def on_tool(got: Any, writer: Any) -> Any:
            return kit.tool_result({"id": "me"})

        clock = _Clock()
        async with kit.serving(kit.McpScript(on_tool)) as server, McpProvider(server.url, clock=clock) as provider:
            await provider.account()
            before = server.connections
            clock.slept_s = 60.0
            answer = await provider.submit(Submission("by_prompt", ({},), "zf", send_by_s=1030.0))
            assert server.connections <= before + 1
            assert not server.calls(TOOL)
            in_time = await provider.submit(Submission("by_prompt", ({},), "zf", send_by_s=1060.0))
            assert in_time.task_id == "me"
            return answer, server

    answer, server = asyncio.run(run())
    assert answer.facts.reached == "not_connected" and "late" in answer.message
    assert len(server.calls(TOOL)) == 1


def test_a_session_that_expired_is_not_a_reason_to_send_twice(kit: Any) -> None:
    async def run() -> tuple[SubmitAnswer, Any, Any]:
        async def on_tool(got: Any, writer: Any) -> Any:
            return kit.tool_result({"id": TASK})

        script = kit.McpScript(on_tool, era="legacy", sessions=True)
        async with kit.serving(script) as server, McpProvider(server.url) as provider:
            await provider.account()
            script.live.clear()
            answer = await provider.submit(SUBMISSION)
            assert len(server.calls(TOOL)) == 1
            await provider.account()  # the next free question opens a new session
            assert script.initialized == 2
            assert (await provider.submit(SUBMISSION)).task_id == TASK
            return answer, server, script

    answer, server, _ = asyncio.run(run())
    assert (answer.facts.status, answer.task_id, answer.tool_status) == (404, None, None)
    assert len(server.calls(TOOL)) == 2


class _NoToken:
    number = None

    async def token(self) -> str | None:
        from zenflow.providers.base import ServiceError

        raise ServiceError("sign_in", "the grant was revoked")


class _OtherTrouble:
    number = None

    async def token(self) -> str | None:
        raise ZenflowError("ZF799", "the keyring is locked")


@pytest.mark.parametrize(
    ("tokens", "reached", "status"), [(_NoToken(), "answered", 401), (_OtherTrouble(), "not_connected", None)]
)
def test_without_a_token_nothing_is_written_and_nothing_raised(
    kit: Any, tokens: Any, reached: str, status: int | None
) -> None:
    async def run() -> tuple[SubmitAnswer, Any]:
        async def on_tool(got: Any, writer: Any) -> Any:
            return kit.tool_result({"id": TASK})

        async with kit.serving(kit.McpScript(on_tool)) as server, McpProvider(server.url, tokens=tokens) as provider:
            return await provider.submit(SUBMISSION), server

    answer, server = asyncio.run(run())
    assert (answer.facts.reached, answer.facts.status) == (reached, status)
    assert not server.got


def test_the_protocols_own_refusal_counts_over_http_200_only(kit: Any) -> None:
    def answering(status: int) -> Any:
        async def on_create(got: Any, writer: Any) -> None:
            error = {"code": -32602, "message": "Unknown tool: zencreator_create_task"}
            await kit.answer(writer, {"jsonrpc": "2.0", "id": got.json["id"], "error": error}, status=status)

        return on_create

    over_200, _ = _submit(kit, answering(200))
    over_400, _ = _submit(kit, answering(400))
    assert over_200.refused_by_protocol and over_200.facts.status == 200
    assert not over_400.refused_by_protocol and over_400.facts.status == 400


class _Renewed:
    """Another token has taken the place of the first."""

    number = 2
    host = None

    async def token(self) -> str | None:
        return "fresh"


@pytest.mark.parametrize(("checked", "reached"), [(1, "not_connected"), (2, "answered"), (None, "answered")])
def test_writes_nothing_with_a_token_of_an_unknown_account(kit: Any, checked: int | None, reached: str) -> None:
    async def run() -> tuple[SubmitAnswer, int]:
        async def on_tool(got: Any, writer: Any) -> Any:
            return kit.tool_result({"id": TASK})

        async with kit.serving(kit.McpScript(on_tool)) as server:
            async with McpProvider(server.url, tokens=_Renewed()) as provider:  # type: ignore[arg-type]
                answer = await provider.submit(replace(SUBMISSION, sign_in=checked))
            return answer, len(server.calls(TOOL))

    answer, posts = asyncio.run(run())
    assert (answer.facts.reached, posts) == (reached, 0 if reached == "not_connected" else 1)
