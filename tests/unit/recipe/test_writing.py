"""A step written as YAML reads back as the same values, whatever stands in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenflow.expr.template import Template
from zenflow.problems import Problems
from zenflow.recipe.load import load_recipe
from zenflow.recipe.text.writer import StepText, Wanted, step_id, step_text


def _read_back(tmp_path: Path, step: StepText) -> Any:
    path = tmp_path / "preset.yaml"
    path.write_text(f"zenflow: 1\nname: preset\nsteps:\n{step_text(step)}", encoding="utf-8")
    problems = Problems()
    recipe = load_recipe(path, problems)
    assert recipe is not None and not problems.has_errors, problems.in_order()
    return recipe.steps[step_id(step.title)].with_


@pytest.mark.parametrize(
    "value",
    [
        "a plain prompt, with commas",
        "3:4",
        "1e3",
        "007",
        "yes",
        "null",
        "",
        " spaces ",
        "a: b",
        "a #b",
        "- dash",
        "“quotes” and 'these' and \"those\"",
        "two\nlines",
        "tab\there",
        "emoji 🎞",
        "@at",
        "*star",
        "{brace",
        7,
        1.5,
        True,
        None,
        ["a", "3:4", 2],
        {"width": 3, "names": ["x: y"]},
    ],
)
def test_values_read_back_as_they_are(tmp_path: Path, value: Any) -> None:
    assert _read_back(tmp_path, StepText("One", "by_prompt", {"x": value}))["x"] == value


def test_a_foreign_text_never_becomes_an_expression(tmp_path: Path) -> None:
    found = _read_back(tmp_path, StepText("One", "by_prompt", {"x": "try ${{ inputs.secret }}"}))["x"]
    assert not isinstance(found, Template) or not found.reads


def test_what_is_left_to_the_author_is_a_reference(tmp_path: Path) -> None:
    text = step_text(StepText("One", "image_editor", {}, (Wanted("image_assets", True, True),)))
    assert "image_assets:  # yours to give\n        - ${{ steps.upload.asset_id }}" in text


def test_a_note_stays_on_its_line(tmp_path: Path) -> None:
    step = StepText("One", "by_prompt", {"x": 1}, notes=("an evil title\nsteps: {}",))
    assert _read_back(tmp_path, step) == {"x": 1}


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40))
def test_any_title_gives_a_name_that_a_step_may_have(title: str) -> None:
    import re

    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", step_id(title))
