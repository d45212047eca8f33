"""A result that is gone for good: told with its price, made anew on a person's word and no other way."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

RECIPE = """\
zenflow: 1
name: chain
version: 1.0.0
budget: 20
steps:
  draw:
    uses: by_prompt
    with: {positive_prompt: a red apple, model: QWEN_IMAGE}
  choose:
    uses: pick
    with: {asset_ids: "${{ steps.draw.asset_ids }}", question: Is it good?}
  enlarge:
    uses: upscaler
    with: {image_asset_id: "${{ steps.choose.asset_id }}", output_format: png}
  save:
    uses: download
    with: {asset_ids: "${{ steps.enlarge.asset_ids }}"}
"""


@pytest.fixture
def yesterday(zenflow: Any, serving_sandbox: Any, here: Path, tmp_path: Path) -> Any:
    """A run that waited for a choice overnight; meanwhile the service lost the picture."""
    state = tmp_path / "service"
    state.mkdir()
    (here / "chain.yaml").write_text(RECIPE)
    with serving_sandbox(state_dir=state) as town:
        rested = zenflow("run", "chain.yaml", "--server", town.url, "--yes", "--json")
        assert rested.status == 4, rested.err
        _a_day_ago(here / ".zenflow" / "journal.db")
        town.fault(kind="tool_error", tool="get_asset", status=404, every=1)
        yield rested.document["run_id"], town


def _a_day_ago(journal: Path) -> None:
    """The run began yesterday, as far as its journal tells."""
    connection = sqlite3.connect(journal)
    (number, body) = connection.execute("SELECT n, body FROM events ORDER BY n LIMIT 1").fetchone()
    at = body.index('"at":"') + len('"at":"')
    connection.execute("UPDATE events SET body = ? WHERE n = ?", (body[:at] + "2020-01-01" + body[at + 10 :], number))
    connection.commit()
    connection.close()


def test_prices_it_and_makes_it_again_only_by_command(zenflow: Any, yesterday: Any) -> None:
    run_id, town = yesterday
    told = zenflow("resume", run_id, "--pick", "choose=1", "--server", town.url, "--yes", "--json")
    assert (told.status, told.code) == (4, "ZF645")
    assert "it must be made again, 1 credit" in told.message and f"zenflow resume {run_id} --again draw" in told.hint
    assert town.debits == [-1]
    town.calm()
    again = zenflow("resume", run_id, "--again", "draw", "--server", town.url, "--yes", "--json")
    assert again.status == 0, again.out
    assert [call["status"] for call in again.document["steps"]["draw"]["instances"]] == ["done"]
    assert town.debits == [-1, -1, -2] or sorted(town.debits) == [-2, -1, -1]


@pytest.mark.parametrize("word", ["nothing", "enlarge", "choose"])
def test_only_what_was_paid_and_is_done_can_be_made_again(zenflow: Any, yesterday: Any, word: str) -> None:
    run_id, town = yesterday
    refused = zenflow("resume", run_id, "--again", word, "--server", town.url, "--yes", "--json")
    assert (refused.status, refused.code, town.debits) == (2, "ZF655", [-1])
