"""A workspace, a cache of its own, and a studio whose repository is fetched over a real transport."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.git_repository import GitRepository
from tests.support.git_server import git_over_http

RECIPE = """\
zenflow: 1
name: poster
version: 1.0.0
description: One clip from words.

inputs:
  words: {type: string, default: a red chair}

budget: 20

steps:
  draw:
    uses: text_to_video
    with: {prompt: "${{ inputs.words }}", resolution: 480p}
  save:
    uses: download
    with: {asset_ids: "${{ steps.draw.asset_ids }}"}

outputs:
  files: ${{ steps.save.files }}
"""


@pytest.fixture
def here(empty_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("ZENFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return empty_folder


@pytest.fixture
def cache(here: Path, tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def studio(tmp_path: Path) -> GitRepository:
    """A repository with one release, v1.0.0."""
    made = GitRepository.make(tmp_path / "served" / "studio")
    made.release("v1.0.0", recipes__poster_yaml=RECIPE)
    return made


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of the folder `served`, over HTTP."""
    with git_over_http(tmp_path / "served") as (url, _):
        yield url
