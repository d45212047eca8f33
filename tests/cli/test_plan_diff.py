"""What a change costs: between files, saved plans, runs and two revisions of a git repository, with guards."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Zenflow = Callable[..., Any]

RECIPE = (Path(__file__).parent / "recipes" / "shoot.yaml").read_text("utf-8")
DOWNLOAD = """\
  download: {uses: download, with: {asset_ids: "${{ steps.generate.asset_ids }}"}}
"""
UPSCALE = """\
  upscale:
    foreach: ${{ steps.generate.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}", output_format: png}
"""
LATER = RECIPE.replace("1.0.0", "1.1.0").replace("SEEDREAM_5", "NANO_BANANA").replace(DOWNLOAD, UPSCALE)
SAME_BUT_AT_WORST = "12 credits expected, as before; 12 → 16 at worst."


def git(folder: Path, *words: str) -> None:
    name = ("-c", "user.email=a@example.org", "-c", "user.name=a", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *name, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(zenflow: Zenflow, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two revisions of one recipe; the working tree is as the second."""
    monkeypatch.setenv("ZENFLOW_SPEED", "2000")
    assert zenflow("init").status == 0
    path = here / "recipes" / "shoot.yaml"
    path.write_text(RECIPE)
    git(here, "init", "-q", "-b", "main")
    git(here, "add", "recipes")
    git(here, "commit", "-qm", "first")
    path.write_text(LATER)
    git(here, "commit", "-qam", "second")
    return here


def changes(document: dict[str, Any]) -> dict[str, str]:
    return {step["id"]: step["change"] for step in document["steps"]}


def test_two_revisions_are_compared_step_by_step(zenflow: Zenflow, repository: Path) -> None:
    answer = zenflow("diff", "main~1:recipes/shoot.yaml", "main:./recipes/shoot.yaml", "--json")
    assert answer.status == 0, answer.err
    found = answer.document
    assert changes(found) == {
        "upload": "same",
        "generate": "changed",
        "upscale": "added",
        "download": "removed",
    }
    assert (found["before"]["credits"]["expected"], found["after"]["credits"]["expected"]) == (2, 12)
    assert found["change"]["expected"] == 10 and found["change"]["percent"] == 500


def test_compares_a_revision_without_changing_the_working_tree(zenflow: Zenflow, repository: Path) -> None:
    answer = zenflow("diff", "HEAD~1:recipes/shoot.yaml", "shoot")
    assert answer.status == 0, answer.err
    lines = answer.out.splitlines()
    assert [line.split()[:2] for line in lines if line.strip()[:2] in ("+ ", "- ", "~ ")][2:] == [
        ["~", "generate"],
        ["+", "upscale"],
        ["-", "download"],
    ]
    assert "2 → 8" in answer.out and "+10 credits (+500 %): 2 → 12 expected" in answer.out
    assert max(map(len, lines)) <= 80
    status = subprocess.run(["git", "status", "--short", "recipes"], cwd=repository, capture_output=True, check=True)
    assert status.stdout == b""


def test_a_saved_plan_and_a_run_can_stand_on_either_side(zenflow: Zenflow, repository: Path) -> None:
    recipe = repository / "recipes" / "shoot.yaml"
    assert zenflow("plan", "shoot", "-o", "later.json").status == 0
    recipe.write_text(RECIPE)
    assert zenflow("run", "shoot").status == 0
    found = zenflow("diff", "last", "later.json", "--json").document
    assert (found["before"]["credits"]["worst"], found["after"]["credits"]["expected"]) == (2, 12)
    assert changes(found)["generate"] == "changed"
    same = zenflow("diff", "shoot", "shoot")
    assert same.status == 0 and "No difference: 2 credits expected on both sides." in same.out


def test_where_only_the_worst_case_moves_no_zero_is_said(zenflow: Zenflow, repository: Path) -> None:
    recipe = repository / "recipes" / "shoot.yaml"
    recipe.write_text(LATER.replace("    uses: upscaler\n", "    max: 4\n    uses: upscaler\n"))
    assert zenflow("diff", "HEAD:recipes/shoot.yaml", "shoot").out.splitlines()[-1] == SAME_BUT_AT_WORST


@pytest.mark.slow
def test_guards_refuse_with_status_3_and_say_why(zenflow: Zenflow, repository: Path) -> None:
    pair = ("HEAD~1:recipes/shoot.yaml", "shoot")
    assert zenflow("diff", *pair, "--max-increase", "600%").status == 0
    assert zenflow("diff", *pair, "--max-increase", "10").status == 0
    assert zenflow("diff", *pair, "--budget", "12").status == 0
    percent = zenflow("diff", *pair, "--max-increase", "20%", "--json")
    assert (percent.status, percent.document["error"]["code"]) == (3, "ZF671")
    assert "from 2 to 12 credits, more than 20 % allows" in percent.document["error"]["message"]
    assert zenflow("diff", *pair, "--max-increase", "9").status == 3
    assert zenflow("diff", *pair, "--budget", "11").status == 3
    assert zenflow("diff", "shoot", "HEAD~1:recipes/shoot.yaml", "--max-increase", "0%").status == 0
    assert zenflow("diff", *pair, "--max-increase", "much").status == 2


def test_markdown_is_for_a_pull_request(zenflow: Zenflow, repository: Path) -> None:
    text = zenflow("diff", "HEAD~1:recipes/shoot.yaml", "shoot", "--format", "markdown").out
    assert "**+10 credits (+500 %): 2 → 12 expected" in text
    assert "| \\~ | generate | image\\_editor · SEEDREAM\\_5 → NANO\\_BANANA | 2 | 2 → 8 | +6 |" in text


def test_what_git_does_not_have_is_told_in_its_words(zenflow: Zenflow, repository: Path) -> None:
    unknown = zenflow("diff", "v9:recipes/shoot.yaml", "shoot")
    assert unknown.status == 2 and "unreadable revision: v9:recipes/shoot.yaml: no such revision or path" in unknown.err
    assert zenflow("diff", "HEAD:recipes/absent.yaml", "shoot").status == 2
    assert zenflow("diff", "absent", "shoot").status == 2


def test_calls_two_unrelated_recipes_two(zenflow: Zenflow, repository: Path) -> None:
    (repository / "recipes" / "other.yaml").write_text(LATER.replace("name: shoot", "name: other"))
    answer = zenflow("diff", "shoot", "other")
    assert answer.status == 0
    assert "No difference" in answer.out  # the same steps under another name
    (repository / "recipes" / "other.yaml").write_text(RECIPE.replace("name: shoot", "name: other"))
    text = " ".join(zenflow("diff", "shoot", "other").out.split())
    assert "Two recipes, shoot and other: steps are compared by their names. -10 credits" in text
    assert "Two recipes" not in zenflow("diff", "HEAD~1:recipes/shoot.yaml", "shoot").out


def test_plans_a_revision_with_its_own_subrecipes(zenflow: Zenflow, repository: Path) -> None:
    """`REV:path` takes the whole folder out: a template that changed later is the one of then."""
    recipes = repository / "recipes"
    (recipes / "parts").mkdir()
    inner = RECIPE.replace("name: shoot", "name: part").replace("photos/example.jpg", "../photos/example.jpg")
    outer = "zenflow: 1\nname: outer\nversion: 1.0.0\ninputs: {p: {type: image, default: photos/example.jpg}}\nsteps:\n"
    outer += '  part: {uses: ./parts/part.yaml, with: {photo: "${{ inputs.p }}"}}\n'
    (recipes / "parts" / "part.yaml").write_text(
        inner.replace("{type: image, default: ../photos/example.jpg}", "{type: image}")
    )
    (recipes / "outer.yaml").write_text(outer)
    git(repository, "add", "recipes")
    git(repository, "commit", "-qm", "with a part")
    later = (recipes / "parts" / "part.yaml").read_text().replace("SEEDREAM_5", "NANO_BANANA")
    (recipes / "parts" / "part.yaml").write_text(later)
    found = zenflow("diff", "HEAD:recipes/outer.yaml", "outer", "--json")
    assert found.status == 0, found.err
    assert changes(found.document)["part/generate"] == "changed"
    assert (found.document["before"]["credits"]["expected"], found.document["after"]["credits"]["expected"]) == (2, 8)


def test_groups_similar_changes_on_one_line(zenflow: Zenflow, repository: Path) -> None:
    def many(model: str) -> str:
        steps = "".join(
            f"  make_{n}: {{uses: by_prompt, with: {{positive_prompt: x, model: {model}, ratio: '1:1'}}}}\n"
            f"  save_{n}: {{uses: download, with: {{asset_ids: '${{{{ steps.make_{n}.asset_ids }}}}'}}}}\n"
            for n in range(30)
        )
        return f"zenflow: 1\nname: many\nversion: 1.0.0\nsteps:\n{steps}"

    (repository / "recipes" / "a.yaml").write_text(many("SEEDREAM_5"))
    (repository / "recipes" / "b.yaml").write_text(many("NANO_BANANA"))
    answer = zenflow("diff", "a", "b")
    lines = answer.out.splitlines()
    assert answer.status == 0 and len(lines) < 20 and max(map(len, lines)) <= 80
    [line] = [line for line in lines if line.strip().startswith("~ ") and "make_0" in line]
    assert "make_0 + 29 like it" in line and line.split()[-4:] == ["30", "→", "60", "+30"]
    assert "30 steps stay as they are." in answer.out
    over = " ".join(zenflow("plan", "b", "--budget", "40").out.split())
    assert "instead of NANO_BANANA in `make_0` and 29 more: 1 a call, saves 30, and fits" in over
