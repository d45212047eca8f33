"""`validate`, `plan` and `run` tell the same, in one report: text, structure, references, parameters, inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Zenflow = Callable[..., Any]

BAD = """\
zenflow: 1
name: bad
inputs: {photo: image, n: integer}
steps:
  up:
    uses: upload
    wiht: {}
  edit:
    uses: image_editor
    with:
      prompt: ${{ steps.zz.asset_id }}
      image_assets: ["${{ steps.up.asset_id }}"]
      model: SEEDREAM_55
      number_of_images: ${{ inputs.n }}
  enlarge:
    foreach: ${{ inputs.n }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}", output_format: gif}
"""
IN_THE_RECIPE = [("ZF201", 7), ("ZF310", 11), ("ZF420", 13), ("ZF329", 16), ("ZF404", 18)]


def told(rows: list[dict[str, Any]]) -> list[tuple[str, int | None]]:
    return [(row["code"], row["line"]) for row in rows if row["severity"] == "error"]


@pytest.mark.parametrize("command", [("validate",), ("plan",), ("plan", "--offline"), ("run", "--yes")], ids=" ".join)
def test_everything_that_is_wrong_is_in_one_report(zenflow: Zenflow, here: Path, command: tuple[str, ...]) -> None:
    (here / "bad.yaml").write_text(BAD)
    name, *more = command
    rows = told(zenflow(name, "bad.yaml", *more, "-i", "phto=x", "--json").document["problems"])
    assert rows == [*IN_THE_RECIPE, ("ZF501", None), ("ZF502", None), ("ZF502", None)]


def test_without_inputs_validate_has_nothing_to_say_of_them(zenflow: Zenflow, here: Path) -> None:
    (here / "bad.yaml").write_text(BAD)
    assert told(zenflow("validate", "bad.yaml", "--json").document["problems"]) == IN_THE_RECIPE


def test_a_list_that_is_not_given_yet_is_no_mistake(zenflow: Zenflow, here: Path) -> None:
    text = "zenflow: 1\nname: t\ninputs: {photos: {type: array, items: {type: image}}}\n"
    text += 'steps:\n  up: {foreach: "${{ inputs.photos }}", uses: upload, with: {source: "${{ item }}"}}\n'
    (here / "t.yaml").write_text(text)
    assert zenflow("validate", "t.yaml").status == 0
    assert zenflow("plan", "t.yaml").status == 2
