"""`zenflow sheet`: a contact sheet with numbered cells; the axes of a mapping `foreach` are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytestmark = pytest.mark.slow

TABLE = """
zenflow: 1
name: table
budget: 20
steps:
  a:
    foreach: {animal: [cat, dog], light: [dawn, noon, dusk]}
    uses: by_prompt
    with: {positive_prompt: "${{ item.animal }} at ${{ item.light }}", model: SEEDREAM_5}
  s: {uses: download, with: {asset_ids: "${{ steps.a.asset_ids }}", name: "${{ origin.a.index }}"}}
"""


def test_axes_of_a_mapping_are_found(run: Any, zenflow: Any, here: Path) -> None:
    run(TABLE)
    document = zenflow("sheet", "-o", "sheet.png", "--json").document
    assert (document["rows"], document["columns"]) == (["cat", "dog"], ["dawn", "noon", "dusk"])
    assert [one["number"] for one in document["cells"]] == [1, 2, 3, 4, 5, 6]
    with Image.open(here / "sheet.png") as picture:
        assert picture.format == "PNG" and picture.width > picture.height


def test_named_axes_are_swapped(run: Any, zenflow: Any) -> None:
    run(TABLE)
    words = ("--rows", "item.light", "--columns", "item.animal")
    document = zenflow("sheet", "last", "a", *words, "-o", "s.png", "--json").document
    assert (document["rows"], document["columns"]) == (["dawn", "noon", "dusk"], ["cat", "dog"])


def test_unknown_axis_names_the_known_ones(run: Any, zenflow: Any) -> None:
    run(TABLE)
    answer = zenflow("sheet", "--rows", "item.size", "--json")
    assert (answer.status, answer.code) == (2, "ZF046")
    assert "item.animal, item.light" in answer.hint


def test_unknown_step_names_steps_with_pictures(run: Any, zenflow: Any) -> None:
    run(TABLE)
    answer = zenflow("sheet", "last", "b", "--json")
    assert (answer.status, answer.code) == (2, "ZF045")
    assert answer.hint == "Steps with pictures: a."


def test_run_without_pictures_says_what_to_do(run: Any, zenflow: Any) -> None:
    run(TABLE[: TABLE.index("  s:")])
    answer = zenflow("sheet", "--json")
    assert (answer.status, answer.code) == (2, "ZF048")
    assert "zenflow fetch" in answer.hint


def test_previews_are_labelled(run: Any, zenflow: Any) -> None:
    run(TABLE.replace("uses: download", "uses: preview"))
    document = zenflow("sheet", "-o", "s.png", "--json").document
    assert all(one["caption"].startswith("preview · ") for one in document["cells"])
