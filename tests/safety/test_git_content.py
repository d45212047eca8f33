"""A revision of a stranger's repository is read as objects: nothing is unpacked, nothing of its configuration runs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.safety import hostile_git as hostile
from tests.safety.hostile_git import FILE, FOLDER, LINK, RECIPE, git
from zenflow.errors import UsageError
from zenflow.host import git_objects
from zenflow.host.git_objects import blobs_of, object_id_of, read_blob, write_blobs
from zenflow.host.programs import find_program

Zenflow = Callable[..., Any]


@pytest.fixture
def repository(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZENFLOW_SPEED", "2000")
    git(here, "init", "-q", "-b", "main")
    (here / "r.yaml").write_text(RECIPE)
    git(here, "add", "r.yaml")
    git(here, "commit", "-qm", "first")
    return here


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_a_tree_that_leads_out_writes_nothing(
    zenflow: Zenflow, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    hostile.tag(repository, hostile.escaping_tree(repository, "TARGET"), "v1")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(repository), str(clone))
    monkeypatch.chdir(clone)
    before = files_below(tmp_path)
    answer = zenflow("diff", "v1:r.yaml", "r.yaml")
    assert answer.status == 0 and "No difference" in answer.out, answer.err
    new = files_below(tmp_path) - before
    assert not [name for name in new if "pwned" in name] and files_below(temporary) == set()


def test_links_and_submodules_of_a_folder_are_left_out(zenflow: Zenflow, repository: Path) -> None:
    for name, target in (("absolute", "/etc/passwd"), ("outward", "../../x"), ("there", "r.yaml")):
        os.symlink(target, repository / name)
    git(repository, "add", "absolute", "outward", "there")
    git(repository, "commit", "-qm", "links")
    answer = zenflow("diff", "HEAD:r.yaml", "r.yaml")
    assert answer.status == 0, answer.err
    assert [one.path for one in blobs_of(object_id_of("HEAD^{tree}", repository), repository)] == ["r.yaml"]
    linked = zenflow("diff", "HEAD:there", "r.yaml")
    assert linked.status == 2 and "is not a regular file" in linked.err


def test_names_that_lead_elsewhere_are_left_out(repository: Path) -> None:
    one = hostile.blob(repository, b"x")
    inner = hostile.tree(repository, (FILE, "config", one))
    names = ["..", ".", ".git", ".GIT", "a\\b", "C:x", "ok", "ok"]
    root = hostile.tree(repository, *((FOLDER, name, inner) for name in names), (LINK, "to", one), (FILE, "f:g", one))
    assert [found.path for found in blobs_of(root, repository)] == ["ok/config"]


def test_nothing_of_the_repository_s_configuration_runs(zenflow: Zenflow, repository: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    run = f"touch {marker}; cat"
    script = repository / ".git" / "run.sh"
    script.write_text(f"#!/bin/sh\n{run}\n")
    script.chmod(0o755)
    (repository / ".git" / "info").mkdir(exist_ok=True)
    (repository / ".git" / "info" / "attributes").write_text("* filter=evil diff=evil\n")
    hooks = repository / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(script.read_text())
        (hooks / name).chmod(0o755)
    settings = {
        "filter.evil.smudge": run,
        "filter.evil.clean": run,
        "filter.evil.process": str(script),
        "filter.evil.required": "true",
        "diff.evil.textconv": str(script),
        "core.fsmonitor": str(script),
        "core.pager": str(script),
        "pager.ls-tree": str(script),
        "alias.ls-tree": f"!{run}",
        "alias.cat-file": f"!{run}",
        "remote.origin.url": f"ext::sh {script}",
        "remote.origin.promisor": "true",
        "extensions.partialClone": "origin",
    }
    for name, value in settings.items():
        git(repository, "config", name, value)
    assert zenflow("diff", "HEAD:r.yaml", "r.yaml").status == 0
    missing = hostile.tree(repository, (FILE, "gone.yaml", "1" * 40), (FILE, "r.yaml", "2" * 40))
    with pytest.raises(UsageError):
        list(git_objects.read_blobs([git_objects.Blob("r.yaml", "2" * 40, 3)], repository))
    assert blobs_of(missing, repository) == []
    assert not marker.exists()


def test_a_large_file_is_refused_before_it_is_read(repository: Path, tmp_path: Path) -> None:
    zeros = hostile.blob(repository, bytes(3_000_000))
    root = hostile.tree(repository, (FILE, "r.yaml", hostile.blob(repository, RECIPE.encode())), (FILE, "z", zeros))
    recipe, large = blobs_of(root, repository)
    assert read_blob(recipe, repository) == RECIPE.encode()
    with pytest.raises(UsageError, match="larger than"):
        read_blob(large, repository)
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(UsageError, match="larger than"):
        write_blobs([recipe, large], repository, target, most_file=1_000_000)


def test_a_tree_without_end_is_refused(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten folders that each hold the next one ten times: 10^10 files in eleven objects."""
    inner = hostile.tree(repository, (FILE, "f", hostile.blob(repository, b"x")))
    for _ in range(10):
        inner = hostile.tree(repository, *((FOLDER, str(number), inner) for number in range(10)))
    monkeypatch.setattr(git_objects, "MOST_ENTRIES", 500)
    with pytest.raises(UsageError, match="more than 500 entries"):
        blobs_of(inner, repository)


@pytest.mark.parametrize("word", ["--all", "-h", "--upload-pack=x", ":/x", "..", "a\nb", "HEAD:../../etc"])
def test_a_word_becomes_no_option_and_no_path(repository: Path, word: str) -> None:
    try:
        object_id_of(f"{word}:", repository)
    except UsageError as error:
        assert error.exit_status == 2


def test_a_program_of_the_current_folder_is_not_run(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("git", "ps"):
        (here / name).write_text("#!/bin/sh\n")
        (here / name).chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([".", "", os.environ["PATH"]]))
    find_program.cache_clear()
    found = find_program("git")
    find_program.cache_clear()
    assert found is not None and Path(found).is_absolute() and Path(found).parent != here


def test_git_is_started_without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    from zenflow.host.git import git_environment

    monkeypatch.setenv("ZENFLOW_TOKEN", "secret")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    found = git_environment()
    assert "secret" not in found.values() and "GIT_DIR" not in found
