"""A client written by others in another language: the official TypeScript SDK.

Runs where node is there and `ZENFLOW_NODE` names a folder in which `npm install @modelcontextprotocol/sdk` was done.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

FOLDER = os.environ.get("ZENFLOW_NODE", "")
HAS_SDK = bool(FOLDER) and (Path(FOLDER) / "node_modules" / "@modelcontextprotocol" / "sdk").is_dir()


@pytest.mark.skipif(not shutil.which("node") or not HAS_SDK, reason="needs node and the TypeScript SDK")
def test_the_typescript_client_works_with_the_sandbox(town: Any) -> None:
    script = Path(__file__).with_name("typescript_client.mjs")
    said = subprocess.run(["node", str(script), FOLDER, town.url], capture_output=True, text=True, timeout=600)
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout) == {
        "tools": 28,
        "credits": 1000,
        "price": 1,
        "status": "completed",
        "media_type": "image/png",
        "refused": True,
    }
