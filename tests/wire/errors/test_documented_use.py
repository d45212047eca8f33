"""Which of the service's tools a run uses, and which not (docs/service.md, “Generation”: polling guidance, blocking waits)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ONE = """\
zenflow: 1
name: one
budget: 30
steps:
  make:
    uses: {tool}
    with:
      {prompt}: a red hill
{more}  save:
    uses: download
    with:
      asset_ids: ${{{{ steps.make.asset_ids }}}}
"""


@pytest.fixture
def picture(here: Path) -> str:
    text = ONE.format(tool="by_prompt", prompt="positive_prompt", more="      model: SEEDREAM_5\n")
    (here / "one.yaml").write_text(text)
    return "one.yaml"


@pytest.fixture
def clip(here: Path) -> str:
    more = "      model: wan@2.6-flash\n      duration: 5\n      resolution: 480p\n"
    (here / "clip.yaml").write_text(ONE.format(tool="text_to_video", prompt="prompt", more=more))
    return "clip.yaml"


def test_a_run_uses_no_tool_that_submits_but_create_task(zenflow: Any, town: Any, branches: str) -> None:
    said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
    assert said.status == 0, said.err
    asked = town.state["requests"]
    assert asked["create_task"] == 2
    assert not {"run_and_wait", "use_template", "delete_task"} & set(asked)


def test_a_single_quick_task_is_waited_for(zenflow: Any, serving_sandbox: Any, picture: str) -> None:
    with serving_sandbox(speed=40) as town:
        said = zenflow("run", picture, "--server", town.url, "--yes", "--json")
        assert said.status == 0, said.err
        asked = town.state["requests"]
    assert asked["wait_for_task"] >= 1
    assert asked["list_tasks"] < 6  # a picture of a second, rounds of 50 ms: polling alone would ask twenty times


def test_a_refused_wait_falls_back_to_polling(zenflow: Any, serving_sandbox: Any, picture: str) -> None:
    with serving_sandbox(speed=60) as town:
        town.fault(kind="wait_refused")
        said = zenflow("run", picture, "--server", town.url, "--yes", "--json")
        assert said.status == 0, said.err
        asked = town.state["requests"]
    assert asked["wait_for_task"] == 1
    assert asked["list_tasks"] >= 1


def test_slow_tools_alone_are_watched_with_the_cheap_question(zenflow: Any, serving_sandbox: Any, clip: str) -> None:
    with serving_sandbox(speed=60) as town:
        said = zenflow("run", clip, "--server", town.url, "--yes", "--json")
        assert said.status == 0, said.err
        asked = town.state["requests"]
    assert "wait_for_task" not in asked
    assert asked["get_processing_tasks"] >= asked["get_task"] >= 1


def test_another_client_that_keeps_a_tool_at_work_hides_nothing(
    zenflow: Any, serving_sandbox: Any, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zenflow.providers.mcp.provider import McpProvider

    async def always(self: Any) -> dict[str, bool]:
        return {"text_to_video": True}

    monkeypatch.setattr(McpProvider, "processing_tools", always)
    with serving_sandbox(speed=200) as town:
        assert zenflow("run", clip, "--server", town.url, "--yes", "--json").status == 0
