"""Serve the sandbox over HTTP, for other programs and for tests of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from zenflow.errors import UsageError
from zenflow.sandbox.settings import SandboxSettings
from zenflow.suggest import did_you_mean

CANNOT_BE = "ZF067"
_SHOWN = "What stands in such a file: docs/sandbox.md, “Faults”."


async def serve_sandbox(settings: SandboxSettings, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until stopped; `on_ready` hears the URL of the MCP endpoint."""
    from zenflow.sandbox.server import serve

    await serve(settings, host=host, port=port, on_ready=on_ready)


def check_faults(file: Path) -> None:
    """Raises UsageError for a file of mishaps that cannot be, or that waits for a tool which does not exist."""
    from zenflow.sandbox.faults import NOT_MCP, PREFIX, rules_in
    from zenflow.sandbox.service.registry import TOOLS

    try:
        rules = rules_in(file)
    except OSError as error:
        raise UsageError(CANNOT_BE, f"{file} cannot be read: {error.strerror or error}.", _SHOWN) from error
    except ValueError as error:
        raise UsageError(CANNOT_BE, f"{file} is no file of mishaps: {error}", _SHOWN) from error
    known = [*(name.removeprefix(PREFIX) for name in TOOLS), *NOT_MCP, "initialize", "ping"]
    for index, rule in enumerate(rules):
        tool = (rule.tool or known[0]).removeprefix(PREFIX)
        if tool not in known and "/" not in tool:
            said = f"{file}: fault {index} waits for `{rule.tool}`, and there is no such tool."
            raise UsageError(CANNOT_BE, said, did_you_mean(tool, known) or _SHOWN)
