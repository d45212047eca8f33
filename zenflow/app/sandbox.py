"""Serve the sandbox over HTTP, for other programs and for tests of them."""

from __future__ import annotations

from collections.abc import Callable

from zenflow.sandbox.settings import SandboxSettings


async def serve_sandbox(settings: SandboxSettings, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until stopped; `on_ready` hears the URL of the MCP endpoint."""
    from zenflow.sandbox.server import serve

    await serve(settings, host=host, port=port, on_ready=on_ready)
