"""Repositories that use repositories by their own locks, and the boundary of a workspace."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.repos.conftest import RECIPE
from tests.repos.test_bad_repositories import add, refused
from tests.support.git_repository import GitRepository

Zenflow = Callable[..., Any]
PICTURE = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


def uses(word: str, name: str = "outer") -> str:
    return f"zenflow: 1\nname: {name}\nversion: 1.0.0\nsteps:\n  inner:\n    uses: {word}\n"


def chain(tmp_path: Path, served: str, zenflow: Zenflow, monkeypatch: pytest.MonkeyPatch, length: int) -> GitRepository:
    """Repositories r1 … rN: each uses the next one, and the last has a recipe that uses none."""
    before = None
    for number in range(length, 0, -1):
        made = GitRepository.make(tmp_path / "served" / f"r{number}")
        made.write("recipes/poster.yaml", RECIPE if before is None else uses("next:poster"))
        if before is not None:
            made.write("zenflow.toml", f'[repos.next]\nurl = "{served}/{before}.git"\nrev = "v1.0.0"\n')
            monkeypatch.chdir(made.folder)
            assert zenflow("repo", "lock").status == 0
            shutil.rmtree(made.folder / ".zenflow")
        made.release("v1.0.0")
        before = made.folder.name
    return made


def test_a_repository_uses_another_by_its_own_lock(
    here: Path, tmp_path: Path, served: str, zenflow: Zenflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = chain(tmp_path, served, zenflow, monkeypatch, 3)
    monkeypatch.chdir(here)
    assert zenflow("repo", "add", "studio", f"{served}/{made.folder.name}.git").status == 0
    plan = zenflow("plan", "studio:poster", "--json").document
    assert [one["used_as"] for one in plan["recipe"]["repositories"]] == [None, "next", "next/next"]
    (here / "recipes").mkdir()
    (here / "recipes/outer.yaml").write_text(uses("studio:poster"))
    plan = zenflow("plan", "outer", "--json").document
    names = [one["used_as"] for one in plan["recipe"]["repositories"]]
    assert names == ["studio", "studio/next", "studio/next/next"]
    assert zenflow("repo", "vendor", "studio").status == 0
    shutil.rmtree(tmp_path / "cache")
    shutil.rmtree(tmp_path / "served")
    assert zenflow("plan", "outer").status == 0
    assert zenflow("repo", "verify").status == 0


def test_a_problem_deep_inside_has_its_own_place(
    here: Path, tmp_path: Path, served: str, zenflow: Zenflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = GitRepository.make(tmp_path / "served" / "base")
    base.release("v1.4.0", templates__look_yaml=RECIPE.replace("resolution: 480p", "resolution: 481p"))
    studio = GitRepository.make(tmp_path / "served" / "studio")
    studio.write("recipes/poster.yaml", uses("base:templates/look"))
    studio.write("zenflow.toml", f'[repos.base]\nurl = "{served}/base.git"\nrev = "v1.4.0"\n')
    monkeypatch.chdir(studio.folder)
    assert zenflow("repo", "lock").status == 0
    studio.release("v1.0.0")
    monkeypatch.chdir(here)
    assert zenflow("repo", "add", "studio", f"{served}/studio.git").status == 0
    answer = zenflow("validate", "studio:poster")
    assert answer.status == 2
    assert "base@v1.4.0:templates/look.yaml:14:" in answer.out
    assert "481p" in answer.out


@pytest.mark.slow
def test_repositories_are_at_most_eight_deep(
    here: Path, tmp_path: Path, served: str, zenflow: Zenflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = chain(tmp_path, served, zenflow, monkeypatch, 8)
    monkeypatch.chdir(here)
    assert zenflow("repo", "add", "deep", f"{served}/{made.folder.name}.git").status == 0
    assert zenflow("validate", "deep:poster").status == 0
    outer = GitRepository.make(tmp_path / "served" / "r0")
    outer.write("recipes/poster.yaml", uses("next:poster"))
    outer.write("zenflow.toml", f'[repos.next]\nurl = "{served}/r1.git"\nrev = "v1.0.0"\n')
    monkeypatch.chdir(outer.folder)
    assert zenflow("repo", "lock").status == 0
    outer.release("v1.0.0")
    monkeypatch.chdir(here)
    refused(zenflow("repo", "add", "deeper", f"{served}/r0.git", "--json"), "ZF550", "8")


def test_a_repository_without_a_lock_of_its_own_is_refused(
    here: Path, tmp_path: Path, studio: GitRepository, served: str, zenflow: Zenflow
) -> None:
    studio.release("v2.0.0", zenflow_toml=f'[repos.base]\nurl = "{served}/studio.git"\nrev = "v1.0.0"\n')
    answer = zenflow("repo", "add", "studio", f"{served}/studio.git", "--rev", "v2.0.0", "--json")
    refused(answer, "ZF550", "base", "zenflow.lock")


@pytest.mark.parametrize("url", ["/etc", "../other.git", "http://127.0.0.1:1/x.git", "ext::sh -c x", "git@host:x y"])
def test_a_repository_names_no_folder_and_no_other_loopback(
    here: Path, studio: GitRepository, zenflow: Zenflow, url: str
) -> None:
    studio.release("v2.0.0", zenflow_toml=f'[repos.base]\nurl = "{url}"\nrev = "v1.0.0"\n')
    refused(add(zenflow, studio, "v2.0.0"), "ZF559")


def test_names_are_local_to_who_declares_them(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    studio.release("v2.0.0", recipes__poster_yaml=uses("studio:other"))
    assert add(zenflow, studio, "v2.0.0").status == 0
    refused(zenflow("plan", "studio:poster", "--json"), "ZF250", "studio")


def test_an_unknown_repository_has_a_suggestion(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    assert add(zenflow, studio).status == 0
    (here / "recipes").mkdir()
    (here / "recipes/outer.yaml").write_text(uses("studo:poster"))
    refused(zenflow("validate", "studo:poster", "--json"), "ZF250", "studio")
    assert "Did you mean `studio`?" in zenflow("validate", "outer").out


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x"])
def test_a_path_stays_in_its_repository(here: Path, studio: GitRepository, zenflow: Zenflow, path: str) -> None:
    assert add(zenflow, studio).status == 0
    (here / "recipes").mkdir()
    (here / "recipes/outer.yaml").write_text(uses(f"studio:{path}"))
    assert "[ZF231]" in zenflow("validate", "outer").out
    assert zenflow("plan", f"studio:{path}").status == 2


def test_a_url_in_uses_is_refused(here: Path, studio: GitRepository, served: str, zenflow: Zenflow) -> None:
    (here / "zenflow.toml").touch()
    (here / "outer.yaml").write_text(uses(f"{served}/studio.git@v1.0.0:poster"))
    answer = zenflow("validate", "outer.yaml")
    assert "[ZF231]" in answer.out and "zenflow repo add" in answer.out


# --- what an inner recipe may read ----------------------------------------------------------------------------------

READER = """\
zenflow: 1
name: reader
inputs:
  photo: {type: image, default: ../photos/own.png}
  path: {type: string, default: ''}
steps:
  own:
    uses: upload
    with: {source: "${{ inputs.photo }}"}
  other:
    if: ${{ inputs.path != '' }}
    uses: upload
    with: {source: "${{ inputs.path }}"}
"""


@pytest.mark.slow
def test_an_inner_recipe_reads_its_own_and_given_files(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    photo = Path(__file__).parents[2].joinpath("recipes/photos/portrait.jpg").read_bytes()
    studio.release("v2.0.0", recipes__reader_yaml=READER.replace("own.png", "own.jpg"), **{"photos/own.jpg": photo})
    assert add(zenflow, studio, "v2.0.0").status == 0
    (here / "recipes").mkdir()
    (here / "photos").mkdir()
    (here / "photos/mine.jpg").write_bytes(photo + b"\0")
    outer = uses("studio:reader") + "    with: {photo: '${{ inputs.mine }}'}\n"
    outer = outer.replace("steps:", "inputs:\n  mine: {type: image, default: ../photos/mine.jpg}\nsteps:")
    (here / "recipes/own.yaml").write_text(uses("studio:reader", "own"))
    (here / "recipes/given.yaml").write_text(outer)
    assert zenflow("run", "own", "--json").document["status"] == "done"
    assert zenflow("run", "given", "--json").document["status"] == "done"


@pytest.mark.slow
def test_an_inner_recipe_reads_no_file_of_the_workspace(here: Path, studio: GitRepository, zenflow: Zenflow) -> None:
    photo = Path(__file__).parents[2].joinpath("recipes/photos/portrait.jpg").read_bytes()
    (here / "private.jpg").write_bytes(photo)
    evil = READER.replace("own.png", "own.jpg").replace("default: ''", f"default: {here / 'private.jpg'}")
    studio.release("v2.0.0", recipes__reader_yaml=evil, **{"photos/own.jpg": photo})
    assert add(zenflow, studio, "v2.0.0").status == 0
    (here / "recipes").mkdir()
    (here / "recipes/outer.yaml").write_text(uses("studio:reader"))
    answer = zenflow("run", "outer", "--json")
    assert (answer.status, "ZF518" in answer.out) == (2, True), answer.document
    assert zenflow("run", "studio:reader", "--json").status == 2


# --- a folder for each client ---------------------------------------------------------------------------------------


@pytest.fixture
def clients(here: Path) -> Path:
    (here / "zenflow.toml").touch()
    for folder in ("clients/one", "parts", "photos"):
        (here / folder).mkdir(parents=True)
    (here / "parts/look.yaml").write_text(RECIPE)
    photo = Path(__file__).parents[2].joinpath("recipes/photos/portrait.jpg").read_bytes()
    (here / "photos/p.jpg").write_bytes(photo)
    return here


def test_a_recipe_uses_what_is_elsewhere_in_its_workspace(clients: Path, zenflow: Zenflow) -> None:
    text = uses("../../parts/look.yaml").replace(
        "steps:", "inputs:\n  photo: {type: image, default: ../../photos/p.jpg}\nsteps:"
    )
    text += "  up: {uses: upload, with: {source: '${{ inputs.photo }}'}}\n"
    text += "  literal: {uses: upload, with: {source: ../../photos/p.jpg}}\n"
    (clients / "clients/one/shoot.yaml").write_text(text)
    assert zenflow("validate", "clients/one/shoot.yaml").status == 0
    answer = zenflow("run", "clients/one/shoot.yaml", "--json")
    assert answer.document["status"] == "done"


def test_the_root_of_the_workspace_is_the_boundary(clients: Path, zenflow: Zenflow) -> None:
    shutil.copy(clients / "parts/look.yaml", clients.parent / "look.yaml")
    shutil.copy(clients / "photos/p.jpg", clients.parent / "p.jpg")
    text = uses("../../../look.yaml").replace(
        "steps:", "inputs:\n  photo: {type: image, default: ../../../p.jpg}\nsteps:"
    )
    (clients / "clients/one/shoot.yaml").write_text(text)
    answer = zenflow("validate", "clients/one/shoot.yaml")
    assert "[ZF231]" in answer.out and "[ZF232]" in answer.out


def test_a_link_leads_out_of_no_workspace(clients: Path, zenflow: Zenflow) -> None:
    shutil.copy(clients / "parts/look.yaml", clients.parent / "look.yaml")
    shutil.copy(clients / "photos/p.jpg", clients.parent / "p.jpg")
    os.symlink(clients.parent / "look.yaml", clients / "parts/link.yaml")
    os.symlink(clients.parent / "p.jpg", clients / "photos/link.jpg")
    text = uses("../../parts/link.yaml").replace(
        "steps:", "inputs:\n  photo: {type: image, default: ../../photos/link.jpg}\nsteps:"
    )
    (clients / "clients/one/shoot.yaml").write_text(text)
    assert "[ZF231]" in zenflow("validate", "clients/one/shoot.yaml").out
    (clients / "clients/one/shoot.yaml").write_text(text.replace("../../parts/link.yaml", "../../parts/look.yaml"))
    answer = zenflow("plan", "clients/one/shoot.yaml", "--json")
    assert answer.code == "ZF518", answer.document


def test_the_home_folder_is_no_workspace_for_recipes(
    here: Path, zenflow: Zenflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(here))
    (here / "zenflow.toml").touch()
    (here / "downloads").mkdir()
    (here / "private.jpg").write_bytes(b"\xff\xd8\xff" + b"\0" * 64)
    text = RECIPE.replace("inputs:\n", "inputs:\n  photo: {type: image, default: ../private.jpg}\n")
    (here / "downloads/r.yaml").write_text(text)
    assert "[ZF232]" in zenflow("validate", "downloads/r.yaml").out
