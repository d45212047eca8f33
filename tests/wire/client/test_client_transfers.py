"""Bytes up and down over loopback: streamed, bounded, without the token where it does not belong."""

from __future__ import annotations

import asyncio
import base64
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from zenflow.artifacts.base import ExpectedFile
from zenflow.artifacts.disk import DiskStore
from zenflow.errors import UsageError
from zenflow.providers.base import ServiceError
from zenflow.providers.mcp.provider import McpProvider
from zenflow.providers.mcp.tokens.source import StaticToken

BODY = bytes(range(256)) * 4000
PIECE = bytes(1 << 16)


def _file_server(kit: Any, requests: list[Any]) -> Any:
    async def handle(got: Any, writer: Any) -> Any:
        requests.append(got)
        path, _, query = got.path.partition("?")
        if path == "/moved":
            return await kit.answer(writer, status=302, headers={"location": f"/file?{query}"})
        if path == "/loop":
            return await kit.answer(writer, status=302, headers={"location": "/loop"})
        if path == "/away":
            return await kit.answer(writer, status=302, headers={"location": "ftp://127.0.0.1:1/file"})
        if path == "/safer":
            return await kit.answer(writer, status=302, headers={"location": "https://127.0.0.1:1/file"})
        if path == "/expired":
            return await kit.answer(writer, "Request has expired", status=403)
        if path == "/busy":
            return await kit.answer(writer, "", status=503, headers={"retry-after": "2"})
        if path == "/cut":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 1000\r\n\r\n" + BODY[:500])
            await writer.drain()
            return None
        start = int(got.headers.get("range", "bytes=0-")[6:-1])
        headers = {"content-type": "image/png; charset=binary"}
        if start and path == "/file":
            headers["content-range"] = f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"
            return await kit.answer(writer, BODY[start:], status=206, headers=headers)
        return await kit.answer(writer, BODY, headers=headers)

    return handle


def _download(kit: Any, path: str, start: int = 0) -> tuple[bytes, Any, list[Any]]:
    requests: list[Any] = []

    async def run() -> tuple[bytes, Any]:
        async with (
            kit.serving(_file_server(kit, requests)) as server,
            McpProvider(server.url, tokens=StaticToken("secret")) as provider,
            provider.download(server.url.replace("/mcp", f"{path}?signature=hush"), start) as down,
        ):
            return b"".join([chunk async for chunk in down.chunks]), down

    body, down = asyncio.run(run())
    return body, down, requests


def test_downloads_without_a_token_and_as_plain_bytes(kit: Any) -> None:
    body, down, requests = _download(kit, "/file")
    assert body == BODY
    assert (down.media_type, down.total_bytes, down.starts_at) == ("image/png", len(BODY), 0)
    assert "authorization" not in requests[0].headers
    assert requests[0].headers["accept-encoding"] == "identity"
    assert "range" not in requests[0].headers


def test_a_download_goes_on_where_it_stopped(kit: Any) -> None:
    body, down, requests = _download(kit, "/file", start=1000)
    assert body == BODY[1000:]
    assert (down.total_bytes, down.starts_at) == (len(BODY), 1000)
    assert requests[0].headers["range"] == "bytes=1000-"


def test_a_server_without_ranges_begins_again_and_says_so(kit: Any) -> None:
    body, down, _ = _download(kit, "/whole", start=1000)
    assert (body, down.starts_at, down.total_bytes) == (BODY, 0, len(BODY))


def test_a_redirect_of_storage_is_followed(kit: Any) -> None:
    body, _, requests = _download(kit, "/moved")
    assert body == BODY and len(requests) == 2


@pytest.mark.parametrize(
    ("path", "trouble", "status", "wait_s"),
    [
        ("/expired", "forbidden", 403, None),
        ("/busy", "server", 503, 2.0),
        ("/loop", "server", None, None),
        ("/away", "forbidden", 302, None),
        ("/safer", "unreachable", None, None),  # followed: nobody is there
        ("/cut", "unreachable", None, None),
    ],
)
def test_what_goes_wrong_is_named_without_the_signature(
    kit: Any, path: str, trouble: str, status: int | None, wait_s: float | None
) -> None:
    with pytest.raises(ServiceError) as no:
        _download(kit, path)
    assert (no.value.trouble, no.value.status, no.value.retry_after_s) == (trouble, status, wait_s)
    assert "hush" not in f"{no.value.message} {no.value.hint} {no.value.wire}"


def _upload(kit: Any, path: Path, media_type: str | None = None, on_upload: Any = None) -> tuple[Any, Any]:
    async def run() -> tuple[Any, Any]:
        async def on_tool(got: Any, writer: Any) -> Any:
            if got.tool != "zencreator_upload_asset":
                return kit.tool_result({"id": "me"})
            if on_upload is not None:
                return await on_upload(got, writer)
            return kit.tool_result({"asset_id": "a1", "media_type": "image/png", "size_bytes": "17"})

        async with (
            kit.serving(kit.McpScript(on_tool, era="legacy", sessions=True)) as server,
            McpProvider(server.url, tokens=StaticToken("secret")) as provider,
        ):
            await provider.account()
            return await provider.upload_file(path, media_type), server

    return asyncio.run(run())


def test_a_file_arrives_as_it_is(kit: Any, tmp_path: Path) -> None:
    picture = tmp_path / "my phöto.PNG"
    picture.write_bytes(BODY[:500_001])
    asset, server = _upload(kit, picture)
    assert (asset.asset_id, asset.media_type, asset.size_bytes) == ("a1", "image/png", 17)
    (post,) = server.calls("zencreator_upload_asset")
    arguments = post.json["params"]["arguments"]
    assert base64.b64decode(arguments["data_base64"], validate=True) == BODY[:500_001]
    assert (arguments["filename"], arguments["media_type"]) == ("my phöto.PNG", "image/png")
    assert post.headers["authorization"] == "Bearer secret"
    assert post.headers["mcp-session-id"] == "session-1"


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """The request's body is drawn piece by piece; measured without a server that would hold it in this process."""
    from zenflow.providers.mcp.tools.uploads import _STAND_IN, _body

    picture = tmp_path / "big.png"
    picture.write_bytes(b"\0" * 17_900_000)

    async def drain() -> int:
        with picture.open("rb") as file:
            stream, length = _body(file, 17_900_000)(f'{{"data":"{_STAND_IN}"}}'.encode())
            tracemalloc.start()
            sent = 0
            async for piece in stream:
                sent += len(piece)
            assert sent == length
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return peak

    assert asyncio.run(drain()) < 2_000_000


def test_memory_does_not_grow_with_what_is_downloaded_and_kept(kit: Any, tmp_path: Path) -> None:
    """24 MB of a sound, streamed, verified and written; the allocations of the whole way, the server's too."""
    wav = _wav_head(24_000_000)

    async def endless(got: Any, writer: Any) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: audio/wav\r\ncontent-length: {24_000_000}\r\n\r\n"
        writer.write(head.encode() + wav)
        for _ in range((24_000_000 - len(wav)) // len(PIECE)):
            writer.write(PIECE)
            await writer.drain()
        writer.write(PIECE[: (24_000_000 - len(wav)) % len(PIECE)])
        await writer.drain()

    async def keep() -> tuple[int, int]:
        store = DiskStore(tmp_path / "out")
        async with kit.serving(endless) as server, McpProvider(server.url) as provider:
            async with provider.download(server.url.replace("/mcp", "/small")):
                pass  # what is loaded at first use
            tracemalloc.start()
            async with provider.download(server.url.replace("/mcp", "/large")) as down:
                expected = ExpectedFile(down.media_type, down.total_bytes)
                saved = await store.save("sound", "a1", down.chunks, expected)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return saved.bytes, peak

    kept, peak = asyncio.run(keep())
    assert kept == 24_000_000
    assert peak < 5_000_000, f"{peak / 1e6:.1f} MB"


def _wav_head(total: int) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", total - 8, b"WAVE") + form + struct.pack("<4sI", b"data", total - 44)


def test_the_server_refusing_the_size_names_the_ways_out(kit: Any, tmp_path: Path) -> None:
    async def too_large(got: Any, writer: Any) -> None:
        await kit.answer(writer, "", status=413)

    picture = tmp_path / "p.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ServiceError) as no:
        _upload(kit, picture, on_upload=too_large)
    assert (no.value.trouble, no.value.status) == ("invalid", 413)
    assert no.value.hint is not None and "address" in no.value.hint


def test_an_upload_into_an_expired_session_is_sent_again(kit: Any, tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")

    async def run() -> Any:
        async def on_tool(got: Any, writer: Any) -> Any:
            return kit.tool_result({"asset_id": "a1"})

        script = kit.McpScript(on_tool, era="legacy", sessions=True)
        async with kit.serving(script) as server, McpProvider(server.url) as provider:
            await provider.connect()
            script.live.clear()
            asset = await provider.upload_file(picture, None)
            return asset, server

    asset, server = asyncio.run(run())
    assert asset.asset_id == "a1"
    assert len(server.calls("zencreator_upload_asset")) == 2


@pytest.mark.parametrize(
    ("name", "size", "media_type", "code"),
    [
        ("big.png", 18_000_001, None, "ZF850"),
        ("notes.txt", 10, None, "ZF851"),
        ("picture.png", 10, "image/gif", "ZF851"),
        ("empty.png", 0, None, "ZF852"),
        ("missing.png", None, None, "ZF852"),
        ("folder.png", -1, None, "ZF852"),
    ],
)
def test_refuses_an_unacceptable_file_before_sending(
    tmp_path: Path, name: str, size: int | None, media_type: str | None, code: str
) -> None:
    path = tmp_path / name
    if size == -1:
        path.mkdir()
    elif size is not None:
        with path.open("wb") as file:
            file.truncate(size)

    async def run() -> None:
        async with McpProvider("http://127.0.0.1:1/mcp") as provider:
            await provider.upload_file(path, media_type)

    with pytest.raises(UsageError) as no:
        asyncio.run(run())
    assert no.value.code == code and no.value.hint


def test_only_addresses_that_the_service_fetches_are_passed_on() -> None:
    async def run(url: str) -> None:
        async with McpProvider("http://127.0.0.1:1/mcp") as provider:
            await provider.upload_url(url, None)

    for url, code in [("file:///etc/passwd", "ZF853"), ("data:image/png;base64," + "A" * 25_000_000, "ZF850")]:
        with pytest.raises(UsageError) as no:
            asyncio.run(run(url))
        assert no.value.code == code
