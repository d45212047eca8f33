"""`zenflow repo check`: version numbers against what changed, tests, the cost guard, and how CI calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.repos.conftest import RECIPE
from tests.support.git_repository import GitRepository
from zenflow.recipe.changes import changes_between, level_of
from zenflow.recipe.load import load_recipe_texts
from zenflow.recipe.model import Recipe
from zenflow.repos.versions import least_version, parse_version

Zenflow = Callable[..., Any]
ROOT = Path(__file__).parents[2]


def changed(*pairs: tuple[str, str]) -> Recipe:
    text = RECIPE
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return load_recipe_texts({"r.yaml": text}, "r.yaml")


WORDS = "words: {type: string, default: a red chair}"
ANY = "files: ${{ steps.save.files }}"


@pytest.mark.parametrize(
    ("pairs", "level"),
    [
        ([], None),
        ([("One clip from words", "Other words")], None),
        ([(WORDS, f"{WORDS}\n  more: {{type: integer, default: 1}}")], "minor"),
        ([(WORDS, f"{WORDS}\n  more: {{type: integer}}")], "major"),
        ([(WORDS, "words: {type: string}")], "major"),
        ([(WORDS, "words: {type: string, default: a, maxLength: 9}")], "major"),
        ([(WORDS, "words: {type: string, default: a, enum: [a, b]}")], "major"),
        ([(WORDS, "words: {type: string, default: another chair}")], "patch"),
        ([(ANY, f"{ANY}\n  clip: ${{{{ steps.draw.asset_id }}}}")], "minor"),
        ([("  files: $", "  clips: $")], "major"),
        ([("resolution: 480p", "resolution: 720p")], "patch"),
        ([("budget: 20", "budget: 20\npolicy: {nsfw: allow}")], "major"),
    ],
)
def test_a_change_has_its_level(pairs: list[tuple[str, str]], level: str | None) -> None:
    assert level_of(changes_between(changed(), changed(*pairs))) == level


def test_a_wider_input_is_a_minor_change() -> None:
    narrow = changed((WORDS, "words: {type: string, default: a, maxLength: 9, enum: [a, b]}"))
    wide = changed((WORDS, "words: {type: string, default: a, maxLength: 12, enum: [a, b, c]}"))
    assert level_of(changes_between(narrow, wide)) == "minor"
    assert level_of(changes_between(wide, narrow)) == "major"


@pytest.mark.parametrize(
    ("before", "level", "least"),
    [
        ("1.2.3", "major", (2, 0, 0)),
        ("1.2.3", "minor", (1, 3, 0)),
        ("1.2.3", "patch", (1, 2, 4)),
        ("1.2.3", None, (1, 2, 3)),
        ("0.2.3", "major", (0, 3, 0)),
        ("0.2.3", "minor", (0, 2, 4)),
    ],
)
def test_the_least_version_follows_the_level(before: str, level: Any, least: tuple[int, int, int]) -> None:
    found = parse_version(before)
    assert found is not None
    assert least_version(found, level) == least


@pytest.fixture
def author(studio: GitRepository, monkeypatch: pytest.MonkeyPatch, here: Path) -> GitRepository:
    monkeypatch.chdir(studio.folder)
    return studio


def test_a_version_number_that_is_too_small(author: GitRepository, zenflow: Zenflow) -> None:
    assert zenflow("repo", "check").status == 0
    text = RECIPE.replace("  files: $", "  clips: $").replace("version: 1.0.0", "version: 1.1.0")
    author.write("recipes/poster.yaml", text)
    answer = zenflow("repo", "check")
    assert answer.status == 1
    assert (
        "recipes/poster.yaml:3:10: error: the version number 1.1.0 is too small: a major change since v1.0.0"
        in answer.out
    )
    assert "→ Write `version: 2.0.0`." in answer.out
    github = zenflow("repo", "check", "--format", "github").out
    assert github.startswith("::error file=recipes/poster.yaml,line=3,endLine=3,col=10,")
    author.write("recipes/poster.yaml", text.replace("1.1.0", "2.0.0"))
    assert zenflow("repo", "check").status == 0


def test_a_worst_case_that_rose_is_a_major_change(author: GitRepository, zenflow: Zenflow) -> None:
    more = RECIPE.replace(
        "  save:", "  more:\n    uses: text_to_video\n    with: {prompt: x, resolution: 480p}\n  save:"
    )
    author.write("recipes/poster.yaml", more.replace("1.0.0", "1.1.0"))
    document = zenflow("repo", "check", "--json").document
    (found,) = [one for one in document["problems"] if one["code"] == "ZF556"]
    assert "worst case" in found["message"]
    assert document["versions"][0]["level"] == "major"


def test_the_cost_guard(author: GitRepository, zenflow: Zenflow) -> None:
    more = RECIPE.replace(
        "  save:", "  more:\n    uses: text_to_video\n    with: {prompt: x, resolution: 480p}\n  save:"
    )
    author.write("recipes/poster.yaml", more.replace("1.0.0", "2.0.0"))
    assert zenflow("repo", "check").status == 0
    guarded = zenflow("repo", "check", "--max-increase", "20%", "--json")
    assert (guarded.status, guarded.code) == (1, "ZF558")
    assert zenflow("repo", "check", "--max-increase", "200%").status == 0


def test_a_recipe_without_a_version_number(author: GitRepository, zenflow: Zenflow) -> None:
    author.write("recipes/poster.yaml", RECIPE.replace("version: 1.0.0", "version: spring"))
    answer = zenflow("repo", "check", "--json")
    assert (answer.status, answer.code) == (1, "ZF557")


def test_its_tests_are_run(author: GitRepository, zenflow: Zenflow) -> None:
    case = "zenflow-test: 1\ncases:\n  a case:\n    plan_only: true\n    expect: {status: refused}\n"
    author.write("recipes/poster.test.yaml", case)
    assert zenflow("repo", "check").status == 1
    assert zenflow("repo", "check", "--no-tests").status == 0


def test_a_recipe_that_is_gone_is_a_warning(author: GitRepository, zenflow: Zenflow) -> None:
    author.write("recipes/other.yaml", RECIPE.replace("name: poster", "name: other"))
    (author.folder / "recipes/poster.yaml").unlink()
    answer = zenflow("repo", "check", "--json")
    assert answer.status == 0
    assert [one["code"] for one in answer.document["problems"]] == ["ZF561"]


def test_a_folder_without_git_is_said(here: Path, zenflow: Zenflow) -> None:
    (here / "r.yaml").write_text(RECIPE)
    answer = zenflow("repo", "check", "--json")
    assert (answer.status, answer.code) == (2, "ZF065")


# --- as CI calls it -------------------------------------------------------------------------------------------------


def test_the_hooks_of_pre_commit_are_commands(author: GitRepository, zenflow: Zenflow) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == ["zenflow-repo-check", "zenflow-validate"]
    for hook in hooks:
        program, *words = hook["entry"].split()
        assert program == "zenflow"
        assert zenflow(*words).status == 0
        assert not hook["pass_filenames"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a shell script")
@pytest.mark.parametrize(("guard", "status"), [("", 0), ("20%", 1)])
def test_the_script_of_the_action(author: GitRepository, tmp_path: Path, guard: str, status: int) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    assert action["runs"]["using"] == "composite"
    more = RECIPE.replace(
        "  save:", "  more:\n    uses: text_to_video\n    with: {prompt: x, resolution: 480p}\n  save:"
    )
    author.write("recipes/poster.yaml", more.replace("1.0.0", "2.0.0"))
    step = action["runs"]["steps"][-1]
    assert step["shell"] == "bash"
    assert "${{" not in step["run"]  # nothing of an input reaches the shell as text
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/zenflow"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m zenflow "$@"\n')
    program.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "RECIPES": ".",
        "MAX_INCREASE": guard,
        "TESTS": "false",
    }
    done = subprocess.run(["bash", "-e", "-c", step["run"]], cwd=author.folder, env=environment, check=False)
    assert done.returncode == status
