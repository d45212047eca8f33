"""A failed run goes on with a corrected recipe: what is paid is kept wherever its request now stands, the rest is named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.clock import Clock
from zenflow.providers.base import Provider
from zenflow.providers.mcp.provider import McpProvider
from zenflow.providers.mcp.wire.http import in_process
from zenflow.sandbox.server import build_app
from zenflow.sandbox.settings import SandboxSettings

pytestmark = pytest.mark.slow

Zenflow = Callable[..., Any]

SHOOT = (Path(__file__).parent / "recipes" / "shoot.yaml").read_text("utf-8")
LARGER = """\
  upscale:
    foreach: ${{ steps.generate.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}", output_format: png}
  download: {uses: download, with: {asset_ids: "${{ steps.upscale.asset_ids }}"}}
outputs:
  images: ${{ steps.download.files }}
"""
RECIPE = (
    SHOOT.partition("  download:")[0].replace("blue]", "blue, green]").replace("steps:", "budget: 60\nsteps:") + LARGER
)


@pytest.fixture
def recipe(zenflow: Zenflow, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One picture of three fails at first, and is not refunded."""
    assert zenflow("init").status == 0
    path = here / "recipes" / "shoot.yaml"
    path.write_text(RECIPE)
    faults = here / "faults.json"
    faults.write_text(
        '[{"kind": "call_fails", "tool_name": "image_editor", "nth": 1, "calls": [1], "refund": "never"}]'
    )

    @asynccontextmanager
    async def embedded(settings: Settings, clock: Clock) -> AsyncIterator[Provider]:
        state = here / ".world"
        state.mkdir(exist_ok=True)
        first = faults if not (here / "out").exists() or not any((here / "out").iterdir()) else None
        app = build_app(SandboxSettings(speed=2000.0, state_dir=state, faults=first))
        async with McpProvider(wiring.IN_PROCESS_URL, clock=clock, http=in_process(app), server="sandbox") as provider:
            yield provider

    monkeypatch.setattr(wiring, "_embedded", embedded)
    monkeypatch.setenv("ZENFLOW_SPEED", "2000")
    return path


@pytest.fixture
def failed(zenflow: Zenflow, recipe: Path) -> dict[str, Any]:
    answer = zenflow("run", "shoot", "--json")
    assert answer.status == 1, answer.err
    found: dict[str, Any] = answer.document
    assert found["steps"]["generate"]["status"] == "failed"
    assert found["credits"]["charged"] == 7  # three pictures, two of them enlarged
    return found


def test_prices_the_rest_of_a_run_exactly(zenflow: Zenflow, failed: dict[str, Any]) -> None:
    answer = zenflow("resume", "--json")
    assert answer.status == 0, answer.err
    assert "Goes on for at most 3 credits" in answer.err or "Goes on for 3 credits" in answer.err
    assert answer.document["credits"]["charged"] == 10


def test_keeps_every_request_that_a_corrected_recipe_repeats(
    zenflow: Zenflow, recipe: Path, failed: dict[str, Any]
) -> None:
    text = RECIPE.replace("generate", "make").replace("[red, blue, green]", "[green, gold, red]")
    recipe.write_text(text)
    answer = zenflow("resume", "--recipe", str(recipe), "--json")
    assert answer.status == 0, answer.err
    found = answer.document
    assert found["credits"]["charged"] == 10  # one picture and its enlargement are new
    assert [one["status"] for one in found["steps"]["make"]["instances"]] == ["done"] * 3
    before = {one["index"]: one["asset_ids"] for one in failed["steps"]["generate"]["instances"]}
    after = {one["index"]: one["asset_ids"] for one in found["steps"]["make"]["instances"]}
    assert (after[0], after[2]) == (before[2], before[0])
    assert found["orphaned"] == [] and len(found["files"]) == 3


def test_saves_and_prices_what_a_corrected_recipe_drops(
    zenflow: Zenflow, recipe: Path, failed: dict[str, Any], here: Path
) -> None:
    recipe.write_text(RECIPE.replace("[red, blue, green]", "[red]"))
    answer = zenflow("resume", "--recipe", str(recipe), "--json")
    assert answer.status == 0, answer.err
    assert "2 paid results for 3 credits will be saved apart" in " ".join(answer.err.split())
    found = answer.document
    assert found["credits"]["charged"] == 7
    orphans = {one["instance"]: one["credits"] for one in found["orphaned"] if one["status"] == "done"}
    assert orphans == {"generate.2": 1, "upscale.2.0": 2}
    [folder] = (one for one in (here / "out").iterdir() if not one.is_symlink())
    saved = [path for path in (folder / "orphaned").rglob("*") if path.is_file()]
    assert len(saved) >= 1
    shown = zenflow("show").out
    assert "Orphaned by the change of the recipe: " in shown and "upscale.2.0 (2)" in shown
    ledger = zenflow("ledger", "--json")
    assert ledger.status == 0, ledger.err


def test_pays_only_new_steps_when_a_done_run_gets_a_recipe(
    zenflow: Zenflow, recipe: Path, failed: dict[str, Any]
) -> None:
    assert zenflow("resume").status == 0
    recipe.write_text(RECIPE.replace("[red, blue, green]", "[red, blue, green, gold]"))
    answer = zenflow("resume", "last", "--recipe", str(recipe), "--json")
    assert answer.status == 0, answer.err
    assert answer.document["credits"]["charged"] == 13
    again = zenflow("resume", "last", "--recipe", str(recipe), "--json")
    assert again.document["credits"]["charged"] == 13


def test_a_wrong_recipe_changes_nothing(zenflow: Zenflow, recipe: Path, failed: dict[str, Any]) -> None:
    recipe.write_text(RECIPE.replace("SEEDREAM_5", "SEEDREAM_99"))
    answer = zenflow("resume", "--recipe", str(recipe), "--json")
    assert answer.status == 2, answer.err
    recipe.write_text(RECIPE)
    assert zenflow("resume", "--json").document["credits"]["charged"] == 10
