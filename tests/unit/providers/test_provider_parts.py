"""The parts below: proxies, applications in this process, what importing a door costs, `Retry-After`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from zenflow.providers.mcp.tokens.source import StaticToken
from zenflow.providers.mcp.wire.exchange import RequestProgress, answer_in, retry_after_s
from zenflow.providers.mcp.wire.http import Network, in_process


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://mcp.zncr.pro/mcp", "http://proxy:1"),
        ("http://mcp.zncr.pro/mcp", "http://all:2"),
        ("https://inside.example/mcp", None),
        ("https://127.0.0.1:8000/mcp", None),
        ("https://localhost/mcp", None),
        ("https://[::1]:8000/mcp", None),
        ("http://127.3.4.5/mcp", None),
    ],
)
def test_proxies_are_for_other_machines(url: str, proxy: str | None) -> None:
    parts = Network(
        proxies={"https": "http://proxy:1", "all": "http://all:2"}, no_proxy=lambda h: h == "inside.example"
    )
    assert parts.proxy_for(url) == proxy


def test_the_doors_cost_neither_the_sdk_nor_the_http_library() -> None:
    code = (
        "import sys, zenflow.providers.base\n"
        "print([m for m in ('mcp', 'httpx2', 'pydantic', 'anyio') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_token_never_shows() -> None:
    assert "secret" not in repr(StaticToken("secret"))


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        (None, None),
        ("7", 7.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("Sat, 21 Nov 2026 10:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 09:00:00 GMT", 0.0),
        ("soon", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, wait_s: float | None) -> None:
    assert retry_after_s(value, datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)) == wait_s


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"jsonrpc":"2.0","id":1,"result":{}}', True),
        ('[{"method":"notifications/x"},{"id":1,"result":{}}]', True),
        ('{"id":1,"error":{"code":-1,"message":"m"}}', True),
        ('{"id":1,"method":"ping"}', False),
        ('{"error":"invalid_token"}', False),
        ('{"hello":1}', False),
        ("<html>", False),
        ("", False),
        ("7", False),
    ],
)
def test_a_json_rpc_answer_is_told_from_other_json(text: str, found: bool) -> None:
    assert (answer_in(text) is not None) is found


def test_what_is_said_to_a_proxy_is_not_said_to_the_service() -> None:
    class Request:
        def __init__(self, method: bytes) -> None:
            self.method = method

    async def run() -> list[str]:
        progress, seen = RequestProgress(traced=True), []
        for method in (b"CONNECT", b"POST"):
            for event in (
                "send_request_headers.started",
                "send_request_headers.complete",
                "send_request_body.complete",
            ):
                await progress.on_event(f"http11.{event}", {"request": Request(method)})
                seen.append(progress.reached)
        return seen

    assert asyncio.run(run()) == ["not_connected"] * 3 + ["not_fully_sent", "not_fully_sent", "sent"]


def test_an_application_in_this_process_is_started_and_stopped() -> None:
    words: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "lifespan"
        for word in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{word}"
            words.append(word)
            await send({"type": f"lifespan.{word}.complete"})

    async def run() -> None:
        async with in_process(app).running():
            assert words == ["startup"]

    asyncio.run(run())
    assert words == ["startup", "shutdown"]


def test_runs_applications_without_lifespan() -> None:
    async def without(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("only http here")

    async def failing(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no disk"})

    async def run(app: Any) -> None:
        async with in_process(app).running():
            pass

    asyncio.run(run(without))
    with pytest.raises(RuntimeError, match="no disk"):
        asyncio.run(run(failing))
