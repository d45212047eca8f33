"""The schemas of tools in the lock: a change is named; `--locked` refuses it; `tools sync` takes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.repos.conftest import RECIPE
from zenflow.repos.lockfile import read_lock
from zenflow.sandbox.offers import schemas

Zenflow = Callable[..., Any]


@pytest.fixture
def recipe(here: Path) -> Path:
    (here / "zenflow.toml").touch()
    (here / "recipes").mkdir()
    (here / "recipes/poster.yaml").write_text(RECIPE)
    return here / "recipes/poster.yaml"


@pytest.mark.slow
def test_a_changed_schema_is_refused_named_and_synced(
    recipe: Path, here: Path, zenflow: Zenflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlocked = zenflow("run", "poster", "--locked", "--json")
    assert (unlocked.status, unlocked.code) == (3, "ZF552")
    assert "zenflow tools sync" in unlocked.hint
    assert zenflow("tools", "sync").status == 0
    assert zenflow("run", "poster", "--locked", "--json").document["status"] == "done"

    duration = {**schemas.TEXT_TO_VIDEO["properties"]["duration"], "maximum": 20}
    monkeypatch.setitem(schemas.TEXT_TO_VIDEO["properties"], "duration", duration)
    refused = zenflow("run", "poster", "--locked", "--json")
    assert (refused.status, refused.code) == (3, "ZF552")
    assert "text_to_video.duration: maximum 15 → 20" in refused.message
    assert len(zenflow("runs", "--json").document["runs"]) == 1

    (warning,) = zenflow("plan", "poster", "--json").document["problems"]
    assert (warning["code"], warning["severity"]) == ("ZF553", "warning")
    assert "text_to_video.duration: maximum 15 → 20" in warning["message"]
    assert zenflow("run", "poster", "--json").document["status"] == "done"

    before = read_lock(here).tools["sandbox"]
    assert zenflow("tools", "sync").status == 0
    after = read_lock(here).tools["sandbox"]
    assert {name for name in before if before[name] != after[name]} == {"text_to_video"}
    assert zenflow("plan", "poster", "--locked", "--json").document["problems"] == []


def test_words_of_a_schema_are_not_locked(recipe: Path, zenflow: Zenflow, monkeypatch: pytest.MonkeyPatch) -> None:
    assert zenflow("tools", "sync").status == 0
    duration = {**schemas.TEXT_TO_VIDEO["properties"]["duration"], "description": "How long it lasts."}
    monkeypatch.setitem(schemas.TEXT_TO_VIDEO["properties"], "duration", duration)
    assert zenflow("plan", "poster", "--locked").status == 0


def test_without_a_snapshot_the_tool_is_named(
    recipe: Path, here: Path, zenflow: Zenflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert zenflow("tools", "sync").status == 0
    for file in (here / "schemas/tools").glob("*.json"):
        file.unlink()
    duration = {**schemas.TEXT_TO_VIDEO["properties"]["duration"], "maximum": 20}
    monkeypatch.setitem(schemas.TEXT_TO_VIDEO["properties"], "duration", duration)
    refused = zenflow("plan", "poster", "--locked", "--json")
    assert "text_to_video: its schema or its models changed" in refused.message


def test_locked_takes_no_revision_of_its_own(recipe: Path, zenflow: Zenflow) -> None:
    refused = zenflow("plan", "studio@v1.0.0:poster", "--locked", "--json")
    assert (refused.status, refused.code) == (2, "ZF541")
