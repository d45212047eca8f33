"""A command loads what it needs: whole processes, asked for what they hold when they are done. No time is measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HEAVY = ("asyncio", "mcp", "pydantic", "httpx2", "starlette", "PIL", "rich", "jinja2", "statistics", "networkx")
OURS = ("zenflow.engine.context", "zenflow.history.state", "zenflow.sandbox.server", "zenflow.app.running.resume")
CODE = (
    "import sys; from zenflow.cli.main import run; status = run(sys.argv[2:]);"
    "print(status, *sorted(m for m in sys.argv[1].split(',') if m in sys.modules))"
)
RECIPE = """\
zenflow: 1
name: one
budget: 10
steps:
  make: {uses: by_prompt, with: {positive_prompt: a lamp, model: QWEN_IMAGE}}
  save: {uses: download, with: {asset_ids: "${{ steps.make.asset_ids }}"}}
"""


def _loaded(*words: str) -> list[str]:
    command = [sys.executable, "-c", CODE, ",".join((*HEAVY, *OURS)), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1].split()


@pytest.mark.parametrize("command", ["validate", "run", "tasks"])
def test_loads_neither_loop_nor_heavy_modules_for_help(here: Path, command: str) -> None:
    assert _loaded(command, "--help") == ["0"]


def test_a_validation_loads_no_engine_and_nothing_of_the_service(here: Path) -> None:
    (here / "one.yaml").write_text(RECIPE)
    assert _loaded("validate", "one.yaml") == ["0", "asyncio"]


def test_loads_no_engine_for_a_plan_without_reuse(here: Path) -> None:
    (here / "one.yaml").write_text(RECIPE)
    assert not {"zenflow.engine.context", "zenflow.app.running.resume"} & set(_loaded("plan", "one.yaml"))


def test_loads_nothing_of_resume_for_a_run_without_choices(here: Path) -> None:
    (here / "one.yaml").write_text(RECIPE)
    (here / "zenflow.toml").write_text("[service]\nspeed = 100000\n")  # the sandbox draws, and waits for nothing
    found = _loaded("run", "one.yaml", "--yes")
    assert found[0] == "0" and "zenflow.engine.context" in found and "zenflow.app.running.resume" not in found


def test_only_a_graph_loads_networkx(here: Path) -> None:
    (here / "one.yaml").write_text(RECIPE)
    assert "networkx" in _loaded("graph", "one.yaml")
    assert "networkx" not in _loaded("plan", "one.yaml")
