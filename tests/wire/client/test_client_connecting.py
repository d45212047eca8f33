"""What is said when there is no server, another server, or one that does not let us in."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpx2
import pytest

from zenflow.errors import UsageError
from zenflow.providers.base import ServiceError, Submission, WireFacts
from zenflow.providers.mcp.provider import McpProvider
from zenflow.providers.mcp.session.connect_errors import moved_to
from zenflow.providers.mcp.tokens.source import StaticToken
from zenflow.providers.mcp.wire.exchange import Exchange


def _connect_error(url: str, token: str | None = None) -> ServiceError:
    async def run() -> ServiceError:
        async with McpProvider(url, tokens=StaticToken(token)) as provider:
            with pytest.raises(ServiceError) as no:
                await provider.account()
            return no.value

    return asyncio.run(run())


def _error_from(kit: Any, handle: Any, path: str = "/mcp", token: str | None = None) -> tuple[ServiceError, Any]:
    async def run() -> tuple[ServiceError, Any]:
        async with kit.serving(handle) as server:
            url = server.url.replace("/mcp", path)
            async with McpProvider(url, tokens=StaticToken(token)) as provider:
                with pytest.raises(ServiceError) as no:
                    await provider.account()
                return no.value, server

    return asyncio.run(run())


def test_nothing_there_names_host_and_port_and_what_to_check() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        no = _connect_error(f"http://127.0.0.1:{port}/mcp")
    assert (no.code, no.trouble) == ("ZF701", "unreachable")
    assert f"127.0.0.1:{port}" in no.message
    assert no.hint is not None and "running" in no.hint
    assert no.wire is not None and no.wire.reached == "not_connected"


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, "<html>Welcome</html>", "text/html"),
        (404, "<html>Not here</html>", "HTTP 404"),
        (405, "", "HTTP 405"),
        (501, "Unsupported method ('POST')", "HTTP 501"),
        (200, {"hello": "world"}, "hello"),
        (200, {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "never heard of it"}}, "never heard"),
    ],
)
def test_something_that_is_no_mcp_server_is_named_as_such(kit: Any, status: int, body: Any, says: str) -> None:
    async def handle(got: Any, writer: Any) -> bool:
        return await kit.answer(writer, body, status=status)

    no, _ = _error_from(kit, handle, path="/web")
    assert (no.code, no.trouble) == ("ZF702", "not_mcp")
    assert says in no.message
    assert no.hint is not None and "/mcp" in no.hint


def test_follows_no_redirect_and_hides_its_query(kit: Any) -> None:
    async def handle(got: Any, writer: Any) -> bool:
        headers = {"location": "https://elsewhere.invalid/mcp?token=secret"}
        return await kit.answer(writer, status=307, headers=headers)

    no, server = _error_from(kit, handle)
    assert no.trouble == "not_mcp"
    assert "https://elsewhere.invalid/mcp" in no.message and "secret" not in f"{no.message} {no.hint}"
    assert {g.path for g in server.got} == {"/mcp"}


@pytest.mark.parametrize("status", [301, 307, 308])
@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_an_endpoint_that_lies_beside_is_spoken_to_where_it_lies(kit: Any, status: int, era: str) -> None:
    async def on_tool(got: Any, writer: Any) -> Any:
        return kit.tool_result({"id": "me", "credits": 5, "task_id": "0f6b3c1e-7a0f-4f6e-9d7e-3b1a9f1c2d3e"})

    script = kit.McpScript(on_tool, era=era, sessions=era == "legacy")
    posts: list[str] = []

    async def handle(got: Any, writer: Any) -> Any:
        if got.path == "/mcp":
            return await kit.answer(writer, status=status, headers={"location": "/mcp/"})
        if got.method == "POST" and got.json.get("params", {}).get("name"):
            posts.append(f"{got.json['params']['name']} {got.path}")
        return await script(got, writer)

    async def run() -> Any:
        async with kit.serving(handle) as server, McpProvider(server.url) as provider:
            account = await provider.account()
            answer = await provider.submit(Submission("by_prompt", ({"positive_prompt": "a"},), "zf"))
            return account, answer

    account, answer = asyncio.run(run())
    assert account.account_id == "me" and answer.task_id is not None
    assert posts == ["zencreator_get_me /mcp/", "zencreator_create_task /mcp/"]


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/mcp/", "http://h/mcp/"),
        ("https://h/mcp", "https://h/mcp"),
        ("http://h:80/x", "http://h:80/x"),
        ("https://other/mcp", None),
        ("http://h:81/mcp", None),
        ("//other/mcp", None),
        ("http://me:pw@h/mcp", None),
        ("/mcp", None),
        ("http://[h/mcp", None),
        ("", None),
    ],
)
def test_only_the_same_origin_or_its_https_is_the_same_server(location: str, expected: str | None) -> None:
    last = Exchange(WireFacts("answered", 307), headers=httpx2.Headers({"location": location}))
    assert moved_to("http://h/mcp", last) == expected


def test_a_refused_token_is_a_sign_in_matter_and_never_shown(kit: Any) -> None:
    async def handle(got: Any, writer: Any) -> bool:
        return await kit.answer(writer, {"error": "invalid_token"}, status=401)

    no, server = _error_from(kit, handle, token="very-secret")
    assert (no.code, no.trouble, no.status) == ("ZF703", "sign_in", 401)
    assert no.hint is not None and "ZENFLOW_TOKEN" in no.hint
    assert "very-secret" not in f"{no.message} {no.hint} {no.wire}"
    assert len(server.got) == 1  # an outage or a refusal is no verdict about the protocol: no second try


def test_a_busy_server_is_not_mistaken_for_an_older_one(kit: Any) -> None:
    async def handle(got: Any, writer: Any) -> bool:
        return await kit.answer(writer, "wait", status=429, headers={"retry-after": "3"})

    no, server = _error_from(kit, handle)
    assert (no.trouble, no.retry_after_s, no.may_be_repeated) == ("rate_limited", 3.0, True)
    assert len(server.got) == 1


def test_plain_http_behind_an_https_address_is_a_tls_matter() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")  # as servers of plain HTTP answer a TLS greeting
        writer.close()

    async def run() -> ServiceError:
        listening = await asyncio.start_server(handle, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        async with McpProvider(f"https://127.0.0.1:{port}/mcp") as provider:
            with pytest.raises(ServiceError) as no:
                await provider.account()
        listening.close()
        return no.value

    no = asyncio.run(run())
    assert no.trouble == "unreachable" and "secure connection" in no.message
    assert no.hint is not None and "http://" in no.hint


@pytest.mark.parametrize("url", ["mcp.zncr.pro/mcp", "ftp://host/mcp", "http://", "http://host:0x/mcp", "http://a b/"])
def test_a_wrong_address_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(UsageError) as no:
        McpProvider(url)
    assert no.value.code == "ZF711" and no.value.hint


def test_refuses_an_address_with_a_password_unrepeated() -> None:
    with pytest.raises(UsageError) as no:
        McpProvider("https://me:hunter2@host/mcp")
    assert "hunter2" not in f"{no.value.message} {no.value.hint}"


def test_reconnects_when_the_server_is_back(kit: Any) -> None:
    async def run() -> None:
        async def on_tool(got: Any, writer: Any) -> Any:
            return kit.tool_result({"id": "me"})

        script, down = kit.McpScript(on_tool), [True]

        async def handle(got: Any, writer: Any) -> Any:
            return await kit.answer(writer, "down", status=503) if down[0] else await script(got, writer)

        async with kit.serving(handle) as server, McpProvider(server.url) as provider:
            with pytest.raises(ServiceError):
                await provider.account()
            down[0] = False
            assert (await provider.account()).account_id == "me"

    asyncio.run(run())


def test_bypasses_the_proxy_for_this_machine(kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # nothing listens there
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    async def run() -> None:
        async def on_tool(got: Any, writer: Any) -> Any:
            return kit.tool_result({"id": "me"})

        async with kit.serving(kit.McpScript(on_tool)) as server, McpProvider(server.url) as provider:
            assert (await provider.account()).account_id == "me"

    asyncio.run(run())
