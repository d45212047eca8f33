"""The whole story over HTTP: a studio publishes, a workspace adds, runs, updates, verifies, copies and prunes."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.repos.conftest import RECIPE
from tests.support.git_repository import GitRepository, git

Zenflow = Callable[..., Any]
LOOK = RECIPE.replace("name: poster", "name: look").replace("One clip from words", "A picture to be used as a step")
OUTER = """\
zenflow: 1
name: window
steps:
  look:
    uses: studio:looks/look
    with: {words: a green chair}
outputs:
  files: ${{ steps.look.files }}
"""
TEST = """\
zenflow-test: 1
cases:
  as it stands:
    plan_only: true
    expect: {status: done}
"""


@pytest.fixture
def workspace(here: Path, studio: GitRepository, served: str, zenflow: Zenflow) -> Path:
    studio.release("v1.0.0", looks__look_yaml=LOOK, **{"recipes__poster.test_yaml": TEST})
    answer = zenflow("repo", "add", "studio", f"{served}/studio.git", "--rev", "v1.0.0")
    assert answer.status == 0, answer.err
    return here


@pytest.mark.slow
def test_a_recipe_is_run_at_its_locked_commit(workspace: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    commit = studio.commit("v1.0.0")
    document = zenflow("run", "studio:poster", "--json").document
    assert document["status"] == "done"
    (origin,) = document["recipe"]["repositories"]
    assert (origin["name"], origin["rev"], origin["commit"]) == ("studio", "v1.0.0", commit)
    assert set(origin["files"]) == {"recipes/poster.yaml"}
    manifest = json.loads(next(workspace.glob("out/*/manifest.json")).read_text())
    assert manifest["repositories"] == document["recipe"]["repositories"]
    assert f"from studio@v1.0.0 · commit {commit[:12]}" in zenflow("show").out
    ledger = zenflow("ledger", "--json").document
    assert ledger["recipe"]["repositories"] == manifest["repositories"]
    (group,) = zenflow("ledger", "--by", "recipe", "--json").document["servers"][0]["groups"]
    assert group["key"].startswith(f"studio@v1.0.0 {commit[:12]} · poster")
    assert zenflow("why", "draw").status == 0
    assert zenflow("list", "--json").document["recipes"][0]["last_price"] is not None


def test_every_reading_command_takes_the_three_forms(workspace: Path, served: str, zenflow: Zenflow) -> None:
    for word in ("studio:poster", "studio@v1.0.0:poster", f"{served}/studio.git@v1.0.0:recipes/poster.yaml"):
        assert zenflow("validate", word).status == 0
        assert zenflow("plan", word, "--json").document["recipe"]["repositories"][0]["rev"] == "v1.0.0"
        assert zenflow("graph", word).status == 0
    assert zenflow("diff", "studio:poster", "studio@v1.0.0:looks/look").status == 0
    assert zenflow("test", "studio:poster").status == 0
    assert zenflow("test", "studio:").status == 0


def test_a_recipe_uses_one_of_a_repository(workspace: Path, zenflow: Zenflow) -> None:
    (workspace / "recipes").mkdir()
    (workspace / "recipes/window.yaml").write_text(OUTER)
    plan = zenflow("plan", "window", "--json").document
    assert plan["recipe"]["repositories"][0]["used_as"] == "studio"
    assert [step["id"] for step in plan["steps"]] == ["look", "look/draw", "look/save"]


@pytest.mark.slow
def test_a_run_with_a_repository_is_resumed_and_told(workspace: Path, zenflow: Zenflow) -> None:
    (workspace / "recipes").mkdir()
    (workspace / "recipes/window.yaml").write_text(OUTER)
    assert zenflow("run", "window", "--json").document["status"] == "done"
    (workspace / "recipes/window.yaml").unlink()
    assert zenflow("resume", "last").status == 0
    shown = zenflow("show", "last", "--json").document
    assert shown["recipe"]["repositories"][0]["used_as"] == "studio"
    (studio,) = shown["view"]["repositories"]
    assert (studio["name"], studio["rev"], len(studio["commit"])) == ("studio", "v1.0.0", 40)
    page = Path(zenflow("report", "--json").document["file"]).read_text()
    assert studio["commit"] in page and "at v1.0.0" in page


def test_an_update_is_priced_and_asked_about(workspace: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    assert zenflow("repo", "update", "--check").status == 0
    better = RECIPE.replace(
        "  save:", "  more:\n    uses: text_to_video\n    with: {prompt: again, resolution: 480p}\n  save:"
    )
    studio.release(
        "v1.1.0", recipes__poster_yaml=better.replace("words: {", "size: {type: integer, default: 1}\n  words: {")
    )
    checked = zenflow("repo", "update", "--check", "--json")
    assert checked.status == 10
    (found,) = checked.document["repositories"]
    assert (found["before"]["rev"], found["after"]["rev"], found["newer_tags"]) == ("v1.0.0", "v1.1.0", ["v1.1.0"])
    poster = next(one for one in found["recipes"] if one["recipe"] == "studio:poster")
    assert {(one["what"], one["mark"], one["name"]) for one in poster["changes"]} >= {
        ("input", "+", "size"),
        ("step", "+", "more"),
    }
    assert poster["credits"]["after"]["expected"] > poster["credits"]["before"]["expected"]
    assert "v1.0.0" in (workspace / "zenflow.lock").read_text()

    asked = zenflow("repo", "update")
    assert (asked.status, "[ZF666]" in asked.err) == (3, True)
    assert 'rev = "v1.0.0"' in (workspace / "zenflow.toml").read_text()
    markdown = zenflow("repo", "update", "--check", "--format", "markdown").out
    assert "### studio v1.0.0 → v1.1.0" in markdown and "| credits |" in markdown

    taken = zenflow("repo", "update", "--yes")
    assert taken.status == 0
    assert "  ~ " not in taken.err
    assert 'rev = "v1.1.0"' in (workspace / "zenflow.toml").read_text()
    assert zenflow("plan", "studio:poster", "--json").document["recipe"]["repositories"][0]["rev"] == "v1.1.0"
    assert zenflow("repo", "update", "--check").status == 0


@pytest.mark.slow
def test_an_update_names_paid_results_that_are_lost(workspace: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    assert zenflow("run", "studio:poster", "-i", "words=a boat", "--json").document["status"] == "done"
    run_id = zenflow("show", "--json").document["run_id"]
    studio.release(
        "v1.0.1", recipes__poster_yaml=RECIPE.replace("${{ inputs.words }}", "${{ inputs.words }}, at night")
    )
    (poster,) = zenflow("repo", "update", "--check", "--json").document["repositories"][0]["recipes"]
    assert poster["inputs_of_run"] == run_id
    assert [(one["run"], one["instance"]) for one in poster["lost"]] == [(run_id, "draw")]
    shown = zenflow("repo", "update", "--check").out
    assert "1 paid result could not be reused afterwards" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_copy_works_without_cache_and_network(
    workspace: Path, studio: GitRepository, cache: Path, zenflow: Zenflow
) -> None:
    assert zenflow("repo", "vendor", "studio").status == 0
    shutil.rmtree(cache)
    shutil.rmtree(studio.bare)
    assert zenflow("plan", "studio:poster").status == 0
    assert zenflow("repo", "verify").status == 0
    recipe = workspace / "vendor/studio/recipes/poster.yaml"
    recipe.write_text(recipe.read_text() + "# mine\n")
    assert zenflow("plan", "studio:poster", "--json").code == "ZF547"
    verified = zenflow("repo", "verify", "--json")
    assert verified.status == 1
    assert [one["path"] for one in verified.document["differing"]] == ["recipes/poster.yaml"]


def test_the_cache_is_pruned_of_what_nobody_uses(
    workspace: Path, studio: GitRepository, cache: Path, zenflow: Zenflow
) -> None:
    studio.release("v1.1.0", recipes__poster_yaml=RECIPE + "# newer\n")
    assert zenflow("plan", "studio@v1.1.0:poster").status == 0
    assert len(list(cache.glob("trees/*/*"))) == 2
    assert zenflow("repo", "prune", "--json").document["commits"] == 1
    assert len(list(cache.glob("trees/*/*"))) == 1
    assert zenflow("plan", "studio:poster").status == 0


def test_repositories_are_listed_with_newer_tags(workspace: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    studio.release("v1.1.0", recipes__poster_yaml=RECIPE + "# newer\n")
    zenflow("repo", "update", "--check")
    (row,) = zenflow("repo", "list", "--json").document["repositories"]
    assert (row["rev"], row["newer"], row["recipes"]) == ("v1.0.0", ["v1.1.0"], 1)
    names = [one["recipe"] for one in zenflow("list", "--json").document["recipes"]]
    assert names == ["studio:poster"]


def test_a_plan_in_a_file_runs_with_the_same_content_only(
    workspace: Path, studio: GitRepository, cache: Path, zenflow: Zenflow
) -> None:
    assert zenflow("plan", "studio:poster", "-o", "plan.json").status == 0
    studio.release("v1.1.0", recipes__poster_yaml=RECIPE.replace("budget: 20", "budget: 19"))
    assert zenflow("repo", "update", "--yes").status == 0
    document = json.loads((workspace / "plan.json").read_text())
    assert document["recipe"]["repositories"][""]["rev"] == "v1.0.0"
    old = next(one for one in cache.glob("trees/*/*/files/recipes/poster.yaml") if "budget: 20" in one.read_text())
    text = old.read_text()
    old.write_text(text.replace("red chair", "red table"))
    spoilt = zenflow("run", "--plan", "plan.json", "--json")
    assert (spoilt.status, spoilt.code) == (2, "ZF547")
    old.write_text(text)
    ran = zenflow("run", "--plan", "plan.json", "--json").document
    assert (ran["status"], ran["recipe"]["repositories"][0]["rev"]) == ("done", "v1.0.0")


def test_the_first_fetch_is_shallow(workspace: Path, studio: GitRepository, cache: Path) -> None:
    (bare,) = cache.glob("repos/*/git")
    assert git(bare, "rev-list", "--count", "--all").strip() == "1"
    assert int(studio.git("rev-list", "--count", "HEAD")) > 1


def test_a_fresh_clone_of_a_workspace_fetches_what_is_locked(workspace: Path, cache: Path, zenflow: Zenflow) -> None:
    shutil.rmtree(cache)
    assert zenflow("validate", "studio:poster").status == 0
    assert zenflow("repo", "verify").status == 0


def test_a_local_path_is_a_transport_too(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    assert zenflow("repo", "add", "studio", str(studio.bare)).status == 0
    assert zenflow("plan", "studio:poster").status == 0


def test_git_daemon_is_a_transport_too(here: Path, studio: GitRepository, zenflow: Zenflow, tmp_path: Path) -> None:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = tmp_path / "served"
    words = ["git", "-c", "safe.directory=*", "daemon", "--listen=127.0.0.1", f"--port={port}", "--export-all"]
    daemon = subprocess.Popen([*words, "--reuseaddr", f"--base-path={base}", str(base)], stderr=subprocess.DEVNULL)
    try:
        url = f"git://127.0.0.1:{port}/studio.git"
        added = zenflow("repo", "add", "studio", url)
        for _ in range(20):  # until it listens
            if added.status == 0:
                break
            added = zenflow("repo", "add", "studio", url)
        assert added.status == 0, added.err
        assert zenflow("plan", "studio:poster").status == 0
    finally:
        daemon.terminate()
        daemon.wait()
