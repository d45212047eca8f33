"""A deployment that lacks a tool for which another one serves: asked for one by one, and the run ends the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

PREVIEWS = """\
zenflow: 1
name: seen
budget: 9
steps:
  make:
    foreach: [a red hill, a blue hill]
    uses: by_prompt
    with: {positive_prompt: "${{ item }}", model: SEEDREAM_5}
  look:
    uses: preview
    with: {asset_ids: "${{ steps.make.asset_ids }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.make.asset_ids }}"}
"""


@pytest.fixture
def seen(here: Path) -> str:
    (here / "seen.yaml").write_text(PREVIEWS)
    return "seen.yaml"


@pytest.mark.parametrize(
    ("absent", "instead", "least"),
    [
        ("get_asset_download_urls", "get_asset_download_url", 2),
        ("get_asset_preview_urls", "get_asset_preview_url", 2),
        ("list_tasks", "get_task", 1),  # how often one looks is a matter of time
        ("get_processing_tasks", "list_tasks", 1),
        ("wait_for_task", "get_task", 1),
    ],
)
def test_another_tool_serves_where_one_is_absent(
    zenflow: Any, serving_sandbox: Any, seen: str, absent: str, instead: str, least: int, balanced: Any
) -> None:
    with serving_sandbox(absent=(absent,)) as town:
        said = zenflow("run", seen, "--server", town.url, "--yes", "--json")
        assert (said.status, len(said.document["files"])) == (0, 4), said.err
        assert town.state["requests"][instead] >= least
        assert len(town.debits) == 1
        balanced(town, said.document)


def test_one_by_one_a_missing_asset_fails_alone(zenflow: Any, serving_sandbox: Any, seen: str, here: Path) -> None:
    with serving_sandbox(absent=("get_asset_download_urls",)) as town:
        made = zenflow("run", seen, "--server", town.url, "--yes", "--json").document
        asset_id = made["files"][0]["asset_id"]
        nobody = "11111111-1111-4111-8111-111111111111"
        said = zenflow("assets", "get", asset_id, nobody, "--server", town.url, "--json")
    assert said.status == 1
    assert [row["error"] is None for row in said.document["assets"]] == [True, False]


def test_a_resume_without_a_listing_sends_nothing_and_says_why(zenflow: Any, serving_sandbox: Any, seen: str) -> None:
    """What a journal restored from a backup has forgotten could not be recognised (docs/money.md, “Resume”)."""
    with serving_sandbox(absent=("list_tasks",), credits=5) as town:
        town.fault(kind="tool_error", tool="create_task", status=402)
        assert zenflow("run", seen, "--server", town.url, "--yes", "--json").status == 4
        town.calm()
        posts = town.posts
        said = zenflow("resume", "--server", town.url, "--yes", "--json")
        assert (said.status, said.code, town.posts) == (4, "ZF709", posts)
