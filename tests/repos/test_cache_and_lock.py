"""The cache and the lock: damaged, cut off, merged, killed, shared by several processes, on a full disk."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.repos.conftest import RECIPE
from tests.repos.test_bad_repositories import add, refused
from tests.support.git_repository import GitRepository, git
from zenflow.errors import UsageError
from zenflow.repos import cache as cache_module
from zenflow.repos.lockfile import Lock, Locked, lock_text, parse_lock

Zenflow = Callable[..., Any]
COMMITS = ["1" * 40, "2" * 40, "3" * 40]


def locked(commit: str, **files: str) -> Locked:
    url = "https://git.example.com/x.git"
    return Locked(
        url=url, rev="v1.0.0", commit=commit, locked="2026-11-28", files=files or {"recipes/a.yaml": "a" * 64}
    )


LOCK = Lock(
    {"studio": locked(COMMITS[0]), "base": locked(COMMITS[1], **{'odd "name" \\ é.yaml': "b" * 64})},
    {"sandbox": {"upscaler": "c" * 64}, "https://x.example/mcp": {"image_editor": "d" * 64}},
)


def test_a_lock_is_read_as_it_was_written() -> None:
    assert parse_lock(lock_text(LOCK).encode(), "zenflow.lock") == LOCK


def test_a_lock_is_toml() -> None:
    tables = tomllib.loads(lock_text(LOCK))
    assert tables["repos"]["studio"]["commit"] == COMMITS[0]
    assert tables["repos"]["base"]["files"] == {'odd "name" \\ é.yaml': "b" * 64}
    assert tables["tools"]["sandbox"] == {"upscaler": "c" * 64}


def test_the_order_of_a_lock_does_not_depend_on_its_making() -> None:
    turned = Lock(dict(reversed(LOCK.repos.items())), dict(reversed(LOCK.tools.items())))
    assert lock_text(turned) == lock_text(LOCK)


def test_a_lock_that_is_cut_off_anywhere_is_an_error() -> None:
    text = lock_text(Lock({"studio": locked(COMMITS[0]), "zebra": locked(COMMITS[1])})).encode()
    assert [end for end in range(len(text)) if _is_read(text[:end])] == []
    assert _is_read(text)


def _is_read(data: bytes) -> bool:
    try:
        parse_lock(data, "L")
    except UsageError as error:
        assert error.code == "ZF543"
        assert "L:" in error.message
        return False
    return True


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("<<<<<<< HEAD", "conflict marker"),
        ("=======", "conflict marker"),
        (">>>>>>> theirs", "conflict marker"),
        ('commit = "abc"', "full commit id"),
        ('colour = "red"', "unknown key"),
        ('url = "x"', "written twice"),
        ("what", "unexpected"),
        ('[repos."studio"]', "in line"),
    ],
)
def test_a_damaged_line_is_named(line: str, says: str) -> None:
    lines = lock_text(Lock({"studio": locked(COMMITS[0])})).splitlines()
    at = next(number for number, text in enumerate(lines) if text.startswith("commit"))
    after = at + (1 if line.startswith("commit") else 0)
    kept = [*lines[:at], line, *lines[after:]]
    with pytest.raises(UsageError) as caught:
        parse_lock(("\n".join(kept) + "\n").encode(), "zenflow.lock")
    assert caught.value.code == "ZF543"
    assert f"zenflow.lock:{at + 1}:" in caught.value.message
    assert says in caught.value.message


def test_updates_of_two_people_merge(tmp_path: Path) -> None:
    mine = Lock({**LOCK.repos, "studio": locked(COMMITS[2])}, LOCK.tools)
    yours = Lock({**LOCK.repos, "base": locked(COMMITS[2])}, LOCK.tools)
    for name, one in (("base", LOCK), ("mine", mine), ("yours", yours)):
        (tmp_path / name).write_text(lock_text(one))
    merged = git(tmp_path, "merge-file", "-p", "mine", "base", "yours")
    both = Lock({"studio": locked(COMMITS[2]), "base": locked(COMMITS[2])}, LOCK.tools)
    assert parse_lock(merged.encode(), "zenflow.lock") == both


def test_a_conflicted_lock_stops_every_run(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    assert add(zenflow, studio).status == 0
    text = (here / "zenflow.lock").read_text()
    (here / "zenflow.lock").write_text(text.replace("commit =", "<<<<<<< HEAD\ncommit ="))
    refused(zenflow("plan", "studio:poster", "--json"), "ZF543", "zenflow.lock:7", "git")


def test_a_repository_without_a_lock_is_not_locked_silently(
    here: Path, studio: GitRepository, zenflow: Zenflow
) -> None:
    (here / "zenflow.toml").write_text(f'[repos.studio]\nurl = "{studio.bare}"\nrev = "v1.0.0"\n')
    refused(zenflow("plan", "studio:poster", "--json"), "ZF541", "zenflow repo lock")
    assert not (here / "zenflow.lock").exists()


def test_a_lock_that_disagrees_names_both_values(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    assert add(zenflow, studio).status == 0
    toml = here / "zenflow.toml"
    toml.write_text(toml.read_text().replace("v1.0.0", "v1.1.0"))
    refused(zenflow("plan", "studio:poster", "--json"), "ZF542", "v1.0.0", "v1.1.0")


def test_locking_again_changes_no_byte(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    assert add(zenflow, studio).status == 0
    before = (here / "zenflow.lock").read_bytes()
    assert zenflow("repo", "lock").status == 0
    assert (here / "zenflow.lock").read_bytes() == before


def test_a_flipped_bit_in_the_cache(here: Path, studio: GitRepository, zenflow: Zenflow, cache: Path) -> None:
    assert add(zenflow, studio).status == 0
    (file,) = cache.glob("trees/*/*/files/recipes/poster.yaml")
    data = bytearray(file.read_bytes())
    data[40] ^= 1
    file.write_bytes(data)
    refused(zenflow("plan", "studio:poster", "--json"), "ZF547", "recipes/poster.yaml", "SHA-256")
    assert zenflow("repo", "verify").status == 1
    assert zenflow("repo", "lock", "--repair").status == 0
    assert zenflow("plan", "studio:poster").status == 0


def test_a_flipped_bit_in_a_clone(here: Path, studio: GitRepository, zenflow: Zenflow, cache: Path) -> None:
    assert add(zenflow, studio).status == 0
    (bare,) = cache.glob("repos/*/git")
    objects = [one for one in bare.rglob("objects/**/*") if one.is_file() and one.suffix != ".idx"]
    for one in objects:
        data = bytearray(one.read_bytes())
        data[len(data) // 2] ^= 1
        one.chmod(0o644)
        one.write_bytes(data)
    (tree,) = cache.glob("trees/*/*")
    import shutil

    shutil.rmtree(tree)
    answer = zenflow("plan", "studio:poster", "--json")
    assert answer.status == 0 or answer.code in ("ZF544", "ZF545", "ZF547", "ZF064", "ZF065"), answer.document
    if answer.status == 0:  # fetched again
        assert zenflow("repo", "verify").status == 0


def test_a_medium_that_was_changed_is_not_uploaded(
    here: Path, studio: GitRepository, zenflow: Zenflow, cache: Path
) -> None:
    picture = Path(__file__).parents[2].joinpath("recipes/photos/portrait.jpg").read_bytes()
    text = RECIPE.replace("inputs:\n", "inputs:\n  photo: {type: image, default: ../photos/p.jpg}\n").replace(
        "steps:\n", "steps:\n  up:\n    uses: upload\n    with: {source: '${{ inputs.photo }}'}\n"
    )
    studio.release("v2.0.0", recipes__poster_yaml=text, **{"photos/p.jpg": picture})
    assert add(zenflow, studio, "v2.0.0").status == 0
    assert zenflow("plan", "studio:poster").status == 0
    (file,) = cache.glob("trees/*/*/files/photos/p.jpg")
    file.write_bytes(picture + b"\1")
    refused(zenflow("plan", "studio:poster", "--json"), "ZF547", "photos/p.jpg")


def test_a_full_disk(
    here: Path, studio: GitRepository, zenflow: Zenflow, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **words: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache_module, "new_file", full)
    refused(add(zenflow, studio), "ZF549", "no space left")
    assert not (here / "zenflow.lock").exists() and not (here / "zenflow.toml").exists()
    assert not [one for one in cache.glob("trees/*/*") if one.name.startswith(".new-")]
    monkeypatch.undo()


def test_a_full_disk_of_git_is_told_as_that() -> None:
    from zenflow.repos.remote import _translated

    said = "error: unable to write file: No space left on device\nfatal: index-pack failed"
    assert _translated(said, 128, "x").code == "ZF549"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_killed_between_fetch_and_files(here: Path, studio: GitRepository, zenflow: Zenflow, cache: Path) -> None:
    program = (
        "import os, signal, sys, zenflow.repos.cache as cache\n"
        "cache.replace_json = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL) if 'index' in str(a[0]) else None\n"
        "from zenflow.cli.main import main\n"
        f"main(['repo', 'add', 'studio', {str(studio.bare)!r}])\n"
    )
    dead = subprocess.run([sys.executable, "-c", program], cwd=here, capture_output=True, check=False)
    assert dead.returncode == -signal.SIGKILL, dead.stderr
    assert [one for one in cache.glob("trees/*/*") if one.name.startswith(".new-")]
    (here / "zenflow.toml").unlink(missing_ok=True)
    assert add(zenflow, studio).status == 0
    assert zenflow("plan", "studio:poster").status == 0
    assert zenflow("repo", "prune").status == 0
    assert not [one for one in cache.glob("trees/*/*") if one.name.startswith(".new-")]


@pytest.mark.slow
def test_two_processes_lock_at_once(here: Path, studio: GitRepository, zenflow: Zenflow, tmp_path: Path) -> None:
    other = GitRepository.make(tmp_path / "served" / "other")
    other.release("v1.0.0", recipes__poster_yaml=RECIPE)
    tables = [f'[repos.{one.folder.name}]\nurl = "{one.bare}"\nrev = "v1.0.0"\n' for one in (studio, other)]
    (here / "zenflow.toml").write_text("\n".join(tables))
    words = [sys.executable, "-m", "zenflow", "repo", "lock"]
    processes = [subprocess.Popen(words, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    said = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    lock = parse_lock((here / "zenflow.lock").read_bytes(), "zenflow.lock")
    assert sorted(lock.repos) == ["other", "studio"]
    assert zenflow("repo", "verify").status == 0
