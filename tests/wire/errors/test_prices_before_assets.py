"""A service that looks assets up before it names a price: nothing is guessed, and nothing that can be priced is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

EDIT = """\
zenflow: 1
name: edit
budget: 30
steps:
  hill:
    uses: by_prompt
    with: {positive_prompt: a red hill, model: SEEDREAM_5}
  snow:
    uses: image_editor
    with:
      prompt: the same hill in snow
      image_assets: ["${{ steps.hill.asset_id }}"]
      model: NANO_BANANA
  larger:
    uses: upscaler
    LIMIT
    with: {image_asset_id: "${{ steps.snow.asset_id }}", output_format: png}
"""


@pytest.fixture
def edit(here: Path) -> Any:
    def write(limit: str = "") -> str:
        text = EDIT.replace("    LIMIT\n", f"    {limit}\n" if limit else "")
        (here / "edit.yaml").write_text(text)
        return "edit.yaml"

    return write


def test_prices_tools_by_comparison_and_names_others(zenflow: Any, serving_sandbox: Any, edit: Any) -> None:
    with serving_sandbox(prices_want_assets=True) as town:
        plan = zenflow("plan", edit(), "--server", town.url, "--json").document
        said = zenflow("run", "edit.yaml", "--server", town.url, "--yes", "--json")
        assert (said.status, said.code, town.posts) == (3, "ZF663", 0)
    steps = {step["id"]: step for step in plan["steps"]}
    assert (steps["snow"]["credits_each"], steps["snow"]["stand_in"]) == (4, True)
    assert steps["larger"]["unpriced"].startswith("the service names no price before the asset exists")
    assert "max_credits" in said.hint


def test_an_asset_of_the_account_stands_in_where_there_is_one(zenflow: Any, serving_sandbox: Any, edit: Any) -> None:
    with serving_sandbox() as usual:
        expected = zenflow("plan", edit(), "--server", usual.url, "--json").document["credits"]
    with serving_sandbox(prices_want_assets=True) as town:
        first = zenflow("run", edit("max_credits: 5"), "--server", town.url, "--yes", "--json")
        assert (first.status, -sum(town.debits)) == (0, expected["expected"])
        plan = zenflow("plan", edit(), "--server", town.url, "--json").document
        assert (plan["credits"], plan["unpriced"]) == (expected, [])
        again = zenflow("run", "edit.yaml", "--server", town.url, "--yes", "--json")
        assert (again.status, again.document["credits"]["charged"]) == (0, expected["expected"])


def test_tells_bad_parameters_from_a_missing_asset(zenflow: Any, serving_sandbox: Any, edit: Any) -> None:
    with serving_sandbox(prices_want_assets=True) as town:
        town.fault(kind="tool_error", tool="estimate_price", status=422, message="params.ratio: 5:4 is not offered")
        said = zenflow("plan", edit("max_credits: 5"), "--server", town.url, "--json")
        assert said.status == 2
        assert [(p["code"], p["line"]) for p in said.document["problems"] if p["severity"] == "error"] == [("ZF428", 6)]
        assert "params.ratio: 5:4 is not offered" in said.document["problems"][0]["message"]
        assert "compare_prices" not in town.state["requests"]


def test_a_value_that_only_the_service_knows_of_costs_nothing(zenflow: Any, serving_sandbox: Any, here: Path) -> None:
    """One of three calls is wrong, and no schema says so: nothing is paid for the others first."""
    (here / "three.yaml").write_text(
        "zenflow: 1\nname: three\nbudget: 30\nsteps:\n  make:\n    foreach: [1, 3, 2]\n    uses: by_prompt\n"
        "    max_credits: 9\n    with:\n      positive_prompt: a hill\n      model: SEEDREAM_5\n"
        "      batch_size: ${{ item }}\n"
        "  save: {uses: download, with: {asset_ids: '${{ steps.make.asset_ids }}'}}\n"
    )
    with serving_sandbox() as town:
        town.fault(
            kind="tool_error",
            tool="estimate_price",
            status=422,
            message="params.batch_size: this model allows at most 2",
            times=1,
        )
        said = zenflow("run", "three.yaml", "--server", town.url, "--yes", "--json")
        assert (said.status, said.code, town.posts) == (2, "ZF428", 0)
        assert said.document["problems"][0]["line"] == 12


@pytest.mark.parametrize("words", ["tool `by_prompt` is for trusted accounts", "model SEEDREAM_5 is blocked"])
def test_a_closed_gate_in_a_price_answer_refuses_the_run(
    zenflow: Any, serving_sandbox: Any, edit: Any, words: str
) -> None:
    with serving_sandbox() as town:
        town.fault(kind="tool_error", tool="estimate_price", tool_name="by_prompt", status=403, message=words)
        said = zenflow("run", edit(), "--server", town.url, "--yes", "--json")
        assert (said.status, said.code, town.posts) == (3, "ZF428", 0)
        assert words in said.message
