"""Inputs that name assets of the service: one that is not there is found by the plan, before anything is paid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Zenflow = Callable[..., Any]
NOBODY_S = "00000000-0000-4000-8000-00000000dead"

RECIPE = """\
zenflow: 1
name: faces
budget: 9
inputs:
  face: {type: image}
  more: {type: array, items: {type: object, properties: {picture: {type: image}}}, default: []}
steps:
  draw:
    uses: by_prompt
    with: {positive_prompt: a green pear, model: SEEDREAM_5}
  up:
    uses: upload
    with: {source: "${{ inputs.face }}"}
  others:
    foreach: ${{ inputs.more }}
    uses: upload
    with: {source: "${{ item.picture }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.draw.asset_ids }}"}
outputs:
  face: ${{ steps.up.asset_id }}
"""


@pytest.fixture
def recipe(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from PIL import Image

    monkeypatch.setenv("ZENFLOW_SPEED", "2000")
    Image.new("RGB", (64, 64), "teal").save(here / "face.png")
    (here / "faces.yaml").write_text(RECIPE, encoding="utf-8")
    return here / "faces.yaml"


@pytest.mark.parametrize("command", [("plan",), ("run",), ("run", "--dry-run")])
def test_reports_a_missing_asset_before_paying(zenflow: Zenflow, recipe: Path, command: tuple[str, ...]) -> None:
    more = f'more=[{{"picture": "face.png"}}, {{"picture": "{NOBODY_S}"}}]'
    said = zenflow(command[0], str(recipe), *command[1:], "-i", f"face={NOBODY_S[:-4]}beef", "-i", more)
    assert said.status == 2
    assert "input `face`: the service has no asset" in said.err and "ZF525" in said.err
    assert "input `more[1].picture`: the service has no asset" in said.err
    assert zenflow("account", "--json").document["credits"] == 1000
    assert zenflow("tasks", "--json").document["tasks"] == []


def test_an_asset_that_is_there_is_taken_as_it_is(zenflow: Zenflow, recipe: Path) -> None:
    first = zenflow("run", str(recipe), "-i", "face=face.png", "--json").document
    assert first["error"] is None, first
    face = first["outputs"]["face"]
    again = zenflow("run", str(recipe), "-i", f"face={face}", "--json")
    assert again.status == 0 and again.document["outputs"]["face"] == face


def test_what_else_is_wrong_is_told_in_one_go(zenflow: Zenflow, recipe: Path) -> None:
    recipe.write_text(RECIPE.replace("SEEDREAM_5", "SEEDREAM5"), encoding="utf-8")
    said = zenflow("plan", str(recipe), "-i", f"face={NOBODY_S}")
    assert said.status == 2 and "ZF525" in said.err and "Did you mean `SEEDREAM_5`" in said.err


def test_reports_the_kind_of_an_asset_named_by_id(zenflow: Zenflow, recipe: Path) -> None:
    ran = zenflow("run", str(recipe), "-i", "face=face.png", "--json").document
    asset = ran["outputs"]["face"]
    assert zenflow("plan", str(recipe), "-i", f"face={asset}").status == 0
    recipe.write_text(RECIPE.replace("face: {type: image}", "face: {type: audio}"), encoding="utf-8")
    said = zenflow("plan", str(recipe), "-i", f"face={asset}")
    assert said.status == 2 and "ZF515" in said.err
    assert f"asset {asset} is an image (image/png), and a sound is wanted" in " ".join(said.err.split())
