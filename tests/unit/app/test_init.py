"""`init`: a workspace that is right, and nothing overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from zenflow.app.authoring.init import init
from zenflow.app.config.settings import load_settings
from zenflow.app.config.workspace import find_workspace
from zenflow.errors import UsageError
from zenflow.problems import Problems
from zenflow.recipe.load import load_recipe


def test_a_new_folder_gets_settings_a_recipe_and_its_photo(tmp_path: Path) -> None:
    made = init(tmp_path / "shoot")
    assert made.made == ("zenflow.toml", ".gitignore", "recipes/first.yaml", "recipes/photos/example.jpg")
    assert made.left == ()
    assert (tmp_path / "shoot/recipes/photos/example.jpg").read_bytes()[:2] == b"\xff\xd8"


def test_the_settings_and_the_recipe_have_no_problems(tmp_path: Path) -> None:
    init(tmp_path)
    found = load_settings(find_workspace(tmp_path), {}, {}, current=tmp_path)
    assert found.server == "sandbox" and found.per_run == 100
    problems = Problems()
    assert load_recipe(tmp_path / "recipes/first.yaml", problems) is not None
    assert list(problems) == []


def test_what_is_there_already_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "zenflow.toml").write_text("# mine\n")
    made = init(tmp_path)
    assert made.left == ("zenflow.toml",)
    assert (tmp_path / "zenflow.toml").read_text() == "# mine\n"


def test_a_file_where_a_folder_must_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "recipes").write_text("")
    with pytest.raises(UsageError, match="is a file, not a folder"):
        init(tmp_path)
