"""What a repository, its address or its lock may be: every one ends with a clear error, and nothing of it is read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.repos.conftest import RECIPE
from tests.support.git_repository import GitRepository, git

Zenflow = Callable[..., Any]


def refused(answer: Any, code: str, *words: str) -> None:
    """The error has that code, names what is wrong, says what to do, and left nothing behind."""
    assert answer.status in (2, 3), answer
    assert answer.code == code, answer.document
    for word in words:
        assert word in answer.message + answer.hint, answer.document
    assert answer.hint not in ("", "None")


def add(zenflow: Zenflow, studio: GitRepository, rev: str = "v1.0.0") -> Any:
    return zenflow("repo", "add", "studio", str(studio.bare), "--rev", rev, "--json")


# --- addresses and revisions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["-oProxyCommand=touch pwned", "--upload-pack=touch pwned", "-x.git"],
)
def test_a_url_that_begins_with_a_dash(here: Path, zenflow: Zenflow, url: str) -> None:
    refused(zenflow("repo", "add", "--json", "--", "studio", url), "ZF559")
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("ext::sh -c touch% pwned", "ext::"),
        ("ext::sh", "program"),
        ("fd::17/x", "program"),
        ("http://git.example.com/x.git", "not safe"),
        ("git://git.example.com/x.git", "not safe"),
        ("file:///etc", "not allowed"),
        ("https://user:secret@git.example.com/x.git", "password"),
        ("ssh://-oProxyCommand=x/y", "invalid"),
    ],
)
def test_an_address_that_is_not_safe(here: Path, zenflow: Zenflow, url: str, word: str) -> None:
    answer = zenflow("repo", "add", "studio", url, "--json")
    refused(answer, "ZF559", word)
    assert "secret" not in answer.out
    assert not list(here.iterdir())


@pytest.mark.parametrize("rev", ["-x", "--upload-pack=x", "a..b", "HEAD~1", "x:y", "v1 x", "@{-1}", "a.lock"])
def test_a_revision_that_is_not_one(here: Path, studio: GitRepository, zenflow: Zenflow, rev: str) -> None:
    refused(zenflow("repo", "add", "studio", str(studio.bare), f"--rev={rev}", "--json"), "ZF559", "rev")
    (here / "zenflow.toml").write_text(f'[repos.studio]\nurl = "{studio.bare}"\nrev = "{rev}"\n')
    refused(zenflow("repo", "lock", "--json"), "ZF559", "rev")
    assert not (here / "zenflow.lock").exists()


def test_a_password_in_an_address_is_not_repeated(here: Path, zenflow: Zenflow) -> None:
    answer = zenflow("plan", "https://me:hunter2@git.example.com/x.git@v1:poster")
    assert answer.status == 2
    assert "hunter2" not in answer.out + answer.err


def test_no_git_on_the_machine(
    here: Path, studio: GitRepository, zenflow: Zenflow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from zenflow.host.programs import find_program

    monkeypatch.setenv("PATH", str(tmp_path))
    find_program.cache_clear()
    try:
        refused(add(zenflow, studio), "ZF064", "git")
    finally:
        monkeypatch.undo()
        find_program.cache_clear()


def test_a_host_that_cannot_be_reached(here: Path, zenflow: Zenflow) -> None:
    answer = zenflow("repo", "add", "studio", "http://127.0.0.1:9/studio.git", "--rev", "v1", "--json")
    refused(answer, "ZF545", "127.0.0.1:9", "network")
    assert not (here / "zenflow.toml").exists()


def test_a_revision_that_does_not_exist(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    studio.release("v1.4.0")
    studio.release("v1.10.0")
    refused(add(zenflow, studio, "v1.41.0"), "ZF544", "v1.41.0", "v1.4.0", "v1.10.0")
    refused(add(zenflow, studio, "0" * 40), "ZF544", "0" * 12)


# --- tags and commits -----------------------------------------------------------------------------------------------


def test_a_tag_that_moved(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    assert add(zenflow, studio).status == 0
    before, now = studio.commit("v1.0.0"), studio.release("v1.0.0", recipes__poster_yaml=RECIPE + "# moved\n")
    for _ in range(2):  # it is not forgotten
        refused(zenflow("repo", "update", "--json"), "ZF546", before[:12], now[:12])
    assert zenflow("plan", "studio:poster").status == 0
    assert before in (here / "zenflow.lock").read_text()
    assert zenflow("repo", "update", "--yes", "--accept-moved-tag").status == 0
    assert now in (here / "zenflow.lock").read_text()


def test_a_branch_is_allowed_with_a_warning(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    answer = add(zenflow, studio, "main")
    assert answer.status == 0
    assert "branch" in answer.document["warnings"][0]


def test_a_commit_that_vanished_is_run_from_the_cache(
    here: Path, studio: GitRepository, zenflow: Zenflow, cache: Path
) -> None:
    gone = studio.commit("HEAD")
    assert add(zenflow, studio, gone).status == 0
    studio.git("checkout", "--quiet", "--orphan", "other")
    studio.git("branch", "-D", "main")
    studio.release("v1.0.0", recipes__poster_yaml=RECIPE + "# other\n")
    git(studio.bare, "reflog", "expire", "--expire=now", "--all")
    git(studio.bare, "gc", "--quiet", "--prune=now")
    assert zenflow("plan", "studio:poster").status == 0
    assert zenflow("repo", "lock").status == 0
    shutil.rmtree(cache)
    refused(zenflow("plan", "studio:poster", "--json"), "ZF544", gone[:12])


# --- what is in a repository ----------------------------------------------------------------------------------------


def test_a_link_that_leads_out(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    for target in ("/etc/passwd", "../../secret.yaml", "~/x", "recipes/../../x"):
        (studio.folder / "link.yaml").unlink(missing_ok=True)
        os.symlink(target, studio.folder / "link.yaml")
        studio.release("v2.0.0")
        refused(zenflow("plan", f"{studio.bare}@{studio.commit('v2.0.0')}:poster", "--json"), "ZF548", "link.yaml")


def test_a_link_inside_is_left_out(here: Path, studio: GitRepository, zenflow: Zenflow, cache: Path) -> None:
    os.symlink("poster.yaml", studio.folder / "recipes/other.yaml")
    studio.release("v2.0.0")
    assert add(zenflow, studio, "v2.0.0").status == 0
    assert zenflow("plan", "studio:poster").status == 0
    refused(zenflow("plan", "studio:other", "--json"), "ZF011", "other")


@pytest.mark.parametrize("name", ["..", "a\\b.yaml", "a:b.yaml", ".git", ".GIT", "a\nb.yaml"])
def test_a_name_that_leads_elsewhere(here: Path, studio: GitRepository, zenflow: Zenflow, name: str) -> None:
    blob = studio.blob(RECIPE.encode())
    studio.git("config", "transfer.fsckObjects", "false")
    studio.tag_tree("v2.0.0", [("100644", name, blob)])
    answer = add(zenflow, studio, "v2.0.0")
    assert (answer.status, answer.code in ("ZF548", "ZF545")) == (2, True), answer.document
    assert not (here / "zenflow.toml").exists()


def test_names_that_differ_in_case_only(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    blob = studio.blob(RECIPE.encode())
    studio.tag_tree("v2.0.0", [("100644", "Poster.yaml", blob), ("100644", "poster.yaml", blob)])
    refused(add(zenflow, studio, "v2.0.0"), "ZF548", "Poster.yaml", "poster.yaml", "one name")


def test_a_submodule(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    studio.tag_tree("v2.0.0", [("160000", "inner", studio.commit("HEAD"))])
    refused(add(zenflow, studio, "v2.0.0"), "ZF548", "submodule", "[repos]")


def test_a_file_that_is_too_large(here: Path, studio: GitRepository, zenflow: Zenflow, cache: Path) -> None:
    studio.release(
        "v2.0.0", **{"huge.png": b"\0" * (65 << 20)}
    )  # the bound is on the size that git tells, before it is read
    refused(add(zenflow, studio, "v2.0.0"), "ZF548", "huge.png", "64 MiB")
    assert not list(cache.glob("trees/*/*"))


def test_hooks_filters_and_settings_run_nothing(
    here: Path, studio: GitRepository, zenflow: Zenflow, tmp_path: Path
) -> None:
    pwned = tmp_path / "pwned"
    for name in ("post-checkout", "post-merge", "reference-transaction", "pre-upload-pack", "fsmonitor-watchman"):
        hook = studio.bare / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {pwned}\n")
        hook.chmod(0o755)
    for key in ("core.fsmonitor", "core.sshCommand", "uploadpack.packObjectsHook", "filter.lfs.smudge", "core.pager"):
        git(studio.bare, "config", key, f"touch {pwned};")
    studio.release("v2.0.0", **{".gitattributes": "*.yaml filter=lfs diff=lfs\n", ".lfsconfig": "[lfs]\n"})
    git(studio.bare, "config", "credential.helper", f"!touch {pwned}")
    pwned.unlink(missing_ok=True)
    assert add(zenflow, studio, "v2.0.0").status == 0
    assert zenflow("plan", "studio:poster").status == 0
    assert zenflow("repo", "update", "--check").status == 0
    assert not pwned.exists()


def test_git_gets_no_token(
    here: Path, studio: GitRepository, zenflow: Zenflow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from zenflow.host.programs import find_program

    real, seen, folder = find_program("git"), tmp_path / "environment", tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\nenv >> {seen}\nexec {real} "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("ZENFLOW_TOKEN", "very-secret-token")
    find_program.cache_clear()
    try:
        assert add(zenflow, studio).status == 0
    finally:
        find_program.cache_clear()
    assert "GIT_ALLOW_PROTOCOL=file" in seen.read_text()
    assert "very-secret-token" not in seen.read_text()


# --- what a repository says -----------------------------------------------------------------------------------------


def test_settings_of_a_repository_are_not_read(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    evil = '[service]\nserver = "http://127.0.0.1:9/mcp"\n[output]\ndir = "/tmp/evil"\n[policy]\nnsfw = "allow"\n'
    studio.release("v2.0.0", zenflow_toml=evil + '[limits]\nlost_answer_wait = 0\n[repo]\nname = "x"\n')
    assert add(zenflow, studio, "v2.0.0").status == 0
    plan = zenflow("plan", "studio:poster", "--json").document
    assert plan["server"] == "sandbox"
    assert zenflow("config", "--json").out.count("evil") == 0


def test_a_private_file_as_default(here: Path, studio: GitRepository, zenflow: Zenflow, tmp_path: Path) -> None:
    private = tmp_path / "home" / "private.png"
    private.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
    for written in (str(private), "~/private.png", "../../../../home/private.png", "..\\..\\private.png"):
        text = RECIPE.replace("inputs:\n", f"inputs:\n  photo: {{type: image, default: '{written}'}}\n")
        commit = studio.release("v2.0.0", recipes__poster_yaml=text)
        answer = zenflow("plan", f"{studio.bare}@{commit}:poster", "--json")
        assert (answer.status, answer.code) == (2, "ZF232"), answer.document


def test_a_policy_is_narrowed_and_never_widened(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    call = 'uses: by_prompt\n    with: {positive_prompt: "${{ inputs.words }}", model: SDXL_NSFW, batch_size: 1}'
    step = RECIPE[RECIPE.index("uses: text_to_video") : RECIPE.index("  save:")].rstrip()
    text = RECIPE.replace(step, call)
    studio.release("v2.0.0", recipes__poster_yaml=text + "policy: {nsfw: allow}\n")
    assert add(zenflow, studio, "v2.0.0").status == 0
    alone = zenflow("plan", "studio:poster", "--json")
    assert alone.status == 3, alone.document
    assert "nsfw" in alone.out
    (here / "recipes").mkdir()
    (here / "recipes/outer.yaml").write_text("zenflow: 1\nname: outer\nsteps:\n  a: {uses: 'studio:poster'}\n")
    assert zenflow("plan", "outer", "--json").status in (2, 3)


def test_a_newer_zenflow_is_asked_for(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    studio.release("v2.0.0", zenflow_toml='[repo]\nrequires = ">=99"\n')
    refused(add(zenflow, studio, "v2.0.0"), "ZF555", ">=99")


def test_problems_have_the_place_in_the_repository(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    studio.release("v2.0.0", recipes__poster_yaml=RECIPE.replace("    uses: download", "    usess: download"))
    assert add(zenflow, studio, "v2.0.0").status == 0
    answer = zenflow("validate", "studio:poster")
    assert answer.status == 2
    assert "studio@v2.0.0:recipes/poster.yaml:16:5: error: " in answer.out
    assert "16 |     usess: download" in answer.out
