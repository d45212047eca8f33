"""Memory while large files go up and down: the resident size must not grow with the file.

    python bench/transfers.py            # prints a table
    python bench/transfers.py --check    # fails when a transfer costs more than LIMIT_MB

The server is a process of its own, so that what is measured is the client alone. Uploads are sent up to 50 MB here,
above what zenflow allows over this road (18 MB, docs/service.md, “Assets”), to show that the limit is the service's
and not memory's.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_MB = 24
UPLOADS_MB, DOWNLOADS_MB = (5, 18, 50), (50, 300, 1000)
ASSET = "00000000-0000-4000-8000-000000000001"


async def serve() -> None:
    """MCP by hand, as much as an upload needs; `/file?mb=N` gives N megabytes."""
    block = os.urandom(1 << 16)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                target, length = line.decode().split(" ")[1], 0
                while (header := await reader.readline()).strip():
                    if header.lower().startswith(b"content-length:"):
                        length = int(header.split(b":")[1])
                if target.startswith("/file"):
                    await give(writer, int(target.partition("mb=")[2]) * 1_000_000)
                else:
                    await reply(writer, await take(reader, length))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        writer.close()

    async def take(reader: asyncio.StreamReader, length: int) -> bytes:
        """The beginning of a body; the rest is read and dropped."""
        head = b""
        while length:
            piece = await reader.read(min(length, 1 << 16))
            head = (head + piece)[:2000]
            length -= len(piece)
        return head

    async def reply(writer: asyncio.StreamWriter, head: bytes) -> None:
        method = (
            head.partition(b'"method":"')[2].partition(b'"')[0] or head.partition(b'"method": "')[2].partition(b'"')[0]
        )
        number = head.partition(b'"id":')[2].split(b",")[0].strip(b" }") or b"0"
        more: dict[str, object] = {"resultType": "complete", "ttlMs": 0, "cacheScope": "public"}
        if method == b"server/discover":
            result = {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}, **more}
        elif method == b"tools/list":
            result = {"tools": [], **more}
        else:
            result = {"content": [], "structuredContent": {"asset_id": ASSET, "media_type": "video/mp4"}, **more}
        body = b'{"jsonrpc":"2.0","id":' + number + b',"result":' + json.dumps(result).encode() + b"}"
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
        writer.write(f"content-length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()

    async def give(writer: asyncio.StreamWriter, length: int) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n".encode())
        while length:
            writer.write(block[: min(length, len(block))])
            length -= min(length, len(block))
            await writer.drain()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def measured(port: int, kind: str, megabytes: int) -> tuple[float, float]:
    """One transfer in this process: megabytes of growth of its largest resident size, and seconds."""
    import resource

    from zenflow.artifacts.disk import DiskStore
    from zenflow.media import local_files
    from zenflow.providers.mcp.provider import McpProvider

    local_files.FILE_LIMIT_BYTES = 60_000_000
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clip.mp4"
        with file.open("wb") as out:
            for _ in range(megabytes if kind == "up" else 1):
                out.write(os.urandom(1_000_000))
        async with McpProvider(f"http://127.0.0.1:{port}/mcp") as provider:
            await transfer(provider, DiskStore(Path(folder) / "warm"), kind, file, port, 1)  # libraries and pools
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            began = time.perf_counter()
            await transfer(provider, DiskStore(Path(folder) / "out"), kind, file, port, megabytes)
            took = time.perf_counter() - began
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, took


async def transfer(provider, store, kind: str, file: Path, port: int, megabytes: int) -> None:  # type: ignore[no-untyped-def]
    from zenflow.artifacts.base import ExpectedFile

    if kind == "up":
        small = file if megabytes > 1 else _first_megabyte(file)
        await provider.upload_file(small, "video/mp4")
        return
    async with provider.download(f"http://127.0.0.1:{port}/file?mb={megabytes}") as body:
        await store.save("clip", ASSET, body.chunks, ExpectedFile(None, body.total_bytes))


def _first_megabyte(file: Path) -> Path:
    small = file.with_name("small.mp4")
    with file.open("rb") as whole:
        small.write_bytes(whole.read(1_000_000))
    return small


def main() -> int:
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(serve())
        return 0
    if sys.argv[1:2] == ["--one"]:
        port, kind, megabytes = int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
        print(json.dumps(asyncio.run(measured(port, kind, megabytes))))
        return 0
    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    worst = 0.0
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        print(f"{'':4} {'MB':>6} {'RSS + MB':>9} {'MB/s':>7}")
        for kind, sizes in (("up", UPLOADS_MB), ("down", DOWNLOADS_MB)):
            for megabytes in sizes:
                words = [sys.executable, __file__, "--one", port, kind, str(megabytes)]
                grown, took = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
                worst = max(worst, grown)
                print(f"{kind:4} {megabytes:6} {grown:9.1f} {megabytes / took:7.0f}")
    finally:
        server.terminate()
        server.wait()
    return 1 if "--check" in sys.argv and worst > LIMIT_MB else 0


if __name__ == "__main__":
    raise SystemExit(main())
