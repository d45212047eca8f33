"""Recipes for the errors, and what must hold after each: the books balance and nothing is charged twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Two calls in two submissions would share one; different tools keep the branches apart.
BRANCHES = """\
zenflow: 1
name: branches
budget: 30
steps:
  hill:
    uses: by_prompt
    with:
      positive_prompt: a red hill
      model: SEEDREAM_5
      ratio: "4:3"
  larger:
    uses: upscaler
    with:
      image_asset_id: ${{ steps.hill.asset_id }}
      output_format: png
  save_hill:
    uses: download
    with:
      asset_ids: ${{ steps.larger.asset_ids }}
  save_small:
    uses: download
    with:
      asset_ids: ${{ steps.hill.asset_ids }}
      name: small
"""

MANY = """\
zenflow: 1
name: many
budget: 30
steps:
  make:
    foreach: [a red hill, a blue hill, a green hill, a grey hill]
    uses: by_prompt
    timeout: 30m
    with:
      positive_prompt: ${{ item }}
      model: SEEDREAM_5
  save:
    uses: download
    with:
      asset_ids: ${{ steps.make.asset_ids }}
"""


@pytest.fixture
def impatient(here: Path) -> str:
    """The same, for which a call is late after a minute of its clock: a second and a half of ours."""
    (here / "impatient.yaml").write_text(MANY.replace("30m", "60s").replace("name: many", "name: impatient"))
    return "impatient.yaml"


@pytest.fixture
def branches(here: Path) -> str:
    (here / "branches.yaml").write_text(BRANCHES)
    return "branches.yaml"


@pytest.fixture
def many(here: Path) -> str:
    (here / "many.yaml").write_text(MANY)
    return "many.yaml"


@pytest.fixture
def balanced() -> Callable[[Any, dict[str, Any]], None]:
    """The run's own books against the sandbox's: the same sum, a debit per task."""

    def check(town: Any, document: dict[str, Any]) -> None:
        state = town.state
        debits = [row for row in state["transactions"] if row["kind"] == "debit" and row["task_id"]]
        refunds = [row for row in state["transactions"] if row["kind"] == "refund"]
        assert len({row["task_id"] for row in debits}) == len(debits)
        net = -sum(row["amount"] for row in debits) - sum(row["amount"] for row in refunds)
        assert document["credits"]["charged"] == net, document["credits"]

    return check
