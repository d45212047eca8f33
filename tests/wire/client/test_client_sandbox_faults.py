"""The client against the sandbox's faults over loopback HTTP: what is told of a paid request, what a free one costs."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from zenflow.providers.base import ServiceError, Submission, SubmitAnswer
from zenflow.providers.mcp.provider import McpProvider
from zenflow.providers.mcp.tokens.source import StaticToken
from zenflow.sandbox.server import build_app
from zenflow.sandbox.settings import SandboxSettings

SUBMISSION = Submission("by_prompt", ({"positive_prompt": "a cup", "model": "SEEDREAM_5"},), "zffault one")


@asynccontextmanager
async def _sandbox(tmp_path: Path, *faults: dict[str, Any], **settings: Any) -> AsyncIterator[McpProvider]:
    rules = tmp_path / "faults.json"
    rules.write_text(json.dumps(list(faults)))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = build_app(SandboxSettings(speed=1000, faults=rules, **settings), base_url=base_url)
        server = uvicorn.Server(uvicorn.Config(app, http="h11", log_level="error"))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        async with McpProvider(f"{base_url}/mcp", tokens=StaticToken(settings.get("token"))) as provider:
            yield provider
        server.should_exit = True
        await running


@pytest.mark.parametrize("legacy_only", [False, True])
@pytest.mark.parametrize(
    ("fault", "reached", "status", "made"),
    [
        ({"kind": "drop", "when": "before"}, "sent", None, 0),
        ({"kind": "drop", "when": "after"}, "sent", None, 1),
        ({"kind": "http_status", "status": 504, "when": "after"}, "answered", 504, 1),
        ({"kind": "http_status", "status": 429, "retry_after_s": 3}, "answered", 429, 0),
        ({"kind": "truncate_body", "when": "after"}, "sent", 200, 1),
        ({"kind": "garbage", "when": "after"}, "answered", 200, 1),
    ],
    ids=lambda value: value["kind"] + value.get("when", "") if isinstance(value, dict) else None,
)
def test_reports_a_lost_answer_by_facts_and_finds_the_task(
    tmp_path: Path, fault: dict[str, Any], reached: str, status: int | None, made: int, legacy_only: bool
) -> None:
    async def run() -> tuple[SubmitAnswer, int]:
        fault_once = {"tool": "create_task", "times": 1, **fault}
        async with _sandbox(tmp_path, fault_once, legacy_only=legacy_only) as provider:
            answer = await provider.submit(SUBMISSION)
            tasks, _ = await provider.list_tasks(query="zffault")
            assert (await provider.submit(SUBMISSION)).task_id is not None
            return answer, len(tasks)

    answer, found = asyncio.run(run())
    assert (answer.facts.reached, answer.facts.status, answer.task_id) == (reached, status, None)
    assert found == made
    assert answer.facts.retry_after_s == fault.get("retry_after_s")


@pytest.mark.parametrize("kind", ["no_structured", "unknown_fields", "wrong_counts", "bare_id"])
def test_an_id_is_read_from_an_answer_of_a_wrong_shape(tmp_path: Path, kind: str) -> None:
    async def run() -> tuple[SubmitAnswer, str]:
        async with _sandbox(tmp_path, {"kind": kind, "tool": "create_task"}) as provider:
            answer = await provider.submit(SUBMISSION)
            return answer, (await provider.list_tasks(query="zffault"))[0][0].task_id

    answer, task_id = asyncio.run(run())
    assert answer.task_id == task_id


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        ({"kind": "drop"}, "unreachable"),
        ({"kind": "truncate_body"}, "unreachable"),
        ({"kind": "garbage"}, "server"),
        ({"kind": "http_status", "status": 503}, "server"),
        ({"kind": "http_status", "status": 429, "retry_after_s": 2}, "rate_limited"),
        ({"kind": "tool_error", "status": 429}, "rate_limited"),
        ({"kind": "tool_error", "status": 500}, "server"),
    ],
)
def test_a_fault_in_a_free_question_costs_that_question_only(
    tmp_path: Path, fault: dict[str, Any], trouble: str
) -> None:
    async def run() -> None:
        async with _sandbox(tmp_path, {"tool": "get_me", "nth": 2, **fault}) as provider:
            await provider.account()
            with pytest.raises(ServiceError) as no:
                await provider.account()
            assert no.value.trouble == trouble and no.value.may_be_repeated
            assert no.value.retry_after_s == fault.get("retry_after_s")
            assert (await provider.account()).account_id

    asyncio.run(run())


def test_no_credits_is_the_documented_signal(tmp_path: Path) -> None:
    async def run() -> SubmitAnswer:
        async with _sandbox(tmp_path, credits=0) as provider:
            return await provider.submit(SUBMISSION)

    answer = asyncio.run(run())
    assert (answer.tool_status, answer.task_id, answer.is_tool_error) == (402, None, True)
    assert answer.payload["purchase_url"].startswith("https://app.zencreator.pro")


def test_a_deployment_without_the_prompt_helpers_says_absent(tmp_path: Path) -> None:
    async def run() -> None:
        async with _sandbox(tmp_path, helpers=False) as provider:
            catalog = await provider.catalog([])
            assert not catalog.has_craft_prompt and not catalog.has_describe
            with pytest.raises(ServiceError) as no:
                await provider.craft_prompt({"brief": "x", "tool_name": "by_prompt", "model": "SEEDREAM_5"})
            assert no.value.trouble == "absent"

    asyncio.run(run())


def test_a_token_is_needed_where_one_is_asked_for(tmp_path: Path) -> None:
    async def run() -> None:
        async with _sandbox(tmp_path, token="right") as provider:
            assert (await provider.account()).account_id
            async with McpProvider(provider._session.url, tokens=StaticToken("wrong")) as stranger:
                with pytest.raises(ServiceError) as no:
                    await stranger.account()
                assert no.value.code == "ZF703"
                answer = await stranger.submit(SUBMISSION)
                assert (answer.facts.status, answer.task_id) == (401, None)

    asyncio.run(run())
