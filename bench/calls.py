"""How many MCP calls a generated picture costs: `python bench/calls.py`.

A fan-out of 50 with its download against the embedded sandbox at its usual speed, through the client as it is, counted at
the provider's door. Target: create, watch, results and addresses together ≤ 2 a picture. The baseline is one at a time:
create, get_task until it is over (every 2 s of 40), the result, the address.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from table import Row, show

PICTURES = 50
MOST = 2.0
ONE_AT_A_TIME = 1 + 20 + 1 + 1
COUNTED = {
    "submit": "create",
    "list_tasks": "watch",
    "get_task": "watch",
    "call_result": "results",
    "download_urls": "addresses",
    "transactions": "second witness",
    "quote": "prices",
    "account": "account",
}
RECIPE = """\
zenflow: 1
name: wide
version: 1.0.0
budget: 1000
inputs: {looks: {type: array, items: {type: string}}}
steps:
  make:
    foreach: ${{ inputs.looks }}
    uses: by_prompt
    with: {positive_prompt: "${{ item }}", model: QWEN_IMAGE}
  save: {uses: download, with: {asset_ids: "${{ steps.make.asset_ids }}"}}
"""


def rows() -> Iterator[Row]:
    asked, done = measure()
    if done != PICTURES:
        raise SystemExit(f"{done} of {PICTURES} pictures were saved")
    each = sum(asked[kind] for kind in ("create", "watch", "results", "addresses")) / PICTURES
    detail = ", ".join(f"{kind} {count}" for kind, count in asked.most_common())
    yield Row(f"MCP calls a picture, {PICTURES} wide", each, "", ONE_AT_A_TIME, MOST, detail)


def measure() -> tuple[Counter[str], int]:
    """What was asked, and how many files there are."""
    from zenflow import api
    from zenflow.providers.mcp.provider import McpProvider

    asked: Counter[str] = Counter()
    for method, kind in COUNTED.items():
        setattr(McpProvider, method, _counted(getattr(McpProvider, method), asked, kind))
    for name in [name for name in os.environ if name.startswith("ZENFLOW_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "wide.yaml").write_text(RECIPE)
        looks = [f"look {number}" for number in range(PICTURES)]
        running = api.run("wide.yaml", agree=lambda plan: True, inputs={"looks": looks}, current=folder)
        report = asyncio.run(running)
    return asked, len(report.files)


def _counted(method: Callable[..., Any], asked: Counter[str], kind: str) -> Callable[..., Any]:
    def counted(*words: Any, **named: Any) -> Any:
        asked[kind] += 1
        return method(*words, **named)

    return counted


if __name__ == "__main__":
    show(rows())
