"""The recipe that the commands are shown on: two pictures from two prompts, and what a test lets follow them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from zenflow.app.config.settings import load_settings
from zenflow.app.config.workspace import find_workspace
from zenflow.app.connection import wiring
from zenflow.providers.base import Submission

DRAW = """\
zenflow: 1
name: two
version: 1.0.0
budget: 20
steps:
  draw:
    foreach: [a red apple, a green pear]
    uses: by_prompt
    with: {positive_prompt: "${{ item }}", model: QWEN_IMAGE}
"""
MORE = {
    "enlarge": """\
  enlarge:
    foreach: ${{ steps.draw.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}", output_format: png}
""",
    "save": """\
  save:
    uses: download
    with: {asset_ids: "${{ steps.draw.asset_ids }}"}
""",
    "save enlarged": """\
  save:
    uses: download
    with: {asset_ids: "${{ steps.enlarge.asset_ids }}", name: "large-${{ index }}"}
""",
}


@pytest.fixture
def write_two(here: Path) -> Callable[..., Path]:
    """`write_two("enlarge", "save enlarged")`: `two.yaml` of `draw` and these, in the current folder."""

    def write(*more: str) -> Path:
        path = here / "two.yaml"
        path.write_text(DRAW + "".join(MORE[name] for name in more))
        return path

    return write


@pytest.fixture
def run_two(zenflow: Any, town: Any, write_two: Callable[..., Path]) -> Callable[..., Any]:
    """Write it and run it against the sandbox of the test: what was said, with `--json`. `instead`: words of it changed."""

    def run(*more: str, instead: Mapping[str, str] | None = None) -> Any:
        path = write_two(*more)
        for word, other in (instead or {}).items():
            path.write_text(path.read_text().replace(word, other))
        return zenflow("run", "two.yaml", "--server", town.url, "--yes", "--json")

    return run


@pytest.fixture
def add_a_task(town: Any, here: Path) -> Callable[..., str]:
    """`add_a_task(tool, params, comment)`: somebody else submits, under a comment of their choice; the task's id."""

    async def submit(tool: str, params: Mapping[str, Any], comment: str) -> str:
        settings = load_settings(find_workspace(here), {}, {"service.server": (town.url, "test")}, current=here)
        async with wiring.open_provider(settings, wiring.clock()) as provider:
            return str((await provider.submit(Submission(tool, (params,), comment))).task_id)

    return lambda tool, params, comment: asyncio.run(submit(tool, params, comment))
