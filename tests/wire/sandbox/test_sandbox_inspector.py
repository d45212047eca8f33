"""A client written by others: MCP Inspector's command line, which lists and calls tools and checks what it is told.

Runs where node is there and `ZENFLOW_NODE` names a folder in which `npm install @modelcontextprotocol/inspector` was done.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

INSPECTOR = Path(os.environ.get("ZENFLOW_NODE") or "no folder") / "node_modules" / ".bin" / "mcp-inspector"

pytestmark = pytest.mark.skipif(
    not shutil.which("node") or not INSPECTOR.exists(), reason="needs node and MCP Inspector"
)


def inspect(town: Any, *words: str) -> dict[str, Any]:
    command = [str(INSPECTOR), "--cli", town.url, "--transport", "http", *words]
    said = subprocess.run(command, capture_output=True, text=True, timeout=600)
    found = json.loads(said.stdout)
    assert isinstance(found, dict), said.stderr
    return found


def call(town: Any, tool: str, *arguments: str) -> dict[str, Any]:
    words = [word for argument in arguments for word in ("--tool-arg", argument)]
    return inspect(town, "--method", "tools/call", "--tool-name", f"zencreator_{tool}", *words)


def test_the_inspector_lists_every_tool_with_its_schemas(town: Any) -> None:
    tools = inspect(town, "--method", "tools/list")["tools"]
    assert len(tools) == 28
    assert all(tool["inputSchema"]["type"] == tool["outputSchema"]["type"] == "object" for tool in tools)


def test_the_inspector_calls_a_tool_and_sees_a_refusal(town: Any) -> None:
    params = 'params={"positive_prompt": "a red hill", "model": "SEEDREAM_5"}'
    assert call(town, "estimate_price", "tool_name=by_prompt", params)["structuredContent"]["price"] == 1
    refused = call(town, "get_asset", "asset_id=nothing")
    assert refused["isError"] is True and refused["structuredContent"]["http_status"] == 422
