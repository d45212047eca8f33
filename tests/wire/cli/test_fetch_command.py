"""`zenflow fetch` over HTTP: into the run's folder, into another one, and by stamp where no journal is left."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def done(run_two: Callable[..., Any], town: Any) -> tuple[dict[str, Any], Any]:
    ended = run_two("enlarge", "save enlarged")
    assert ended.status == 0, ended.err
    return ended.document, town


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.suffix == ".png")


def test_intermediate_results_come_below_paid_and_the_manifest_knows_them(
    zenflow: Any, done: tuple[dict[str, Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    document, town = done
    monkeypatch.setenv("COLUMNS", "80")
    said = zenflow("fetch", "--server", town.url)
    assert said.status == 0, said.err
    assert "2 files fetched" in said.out and "2 already there" in said.out
    assert "Everything that this run has paid for is on disk." in said.out
    assert all(len(line) <= 80 for line in said.out.splitlines())
    folder = Path(document["out"])
    assert names(folder) == ["large-0.png", "large-1.png", "paid/draw-0.png", "paid/draw-1.png"]
    manifest = (folder / "manifest.json").read_text()
    assert "paid/draw-0.png" in manifest
    assert zenflow("show", "--json").document["status"] == "done"
    again = zenflow("fetch", "--server", town.url, "--json").document
    assert (again["new"], len(again["kept"])) == ([], 4)


def test_into_another_folder_everything_comes_once(zenflow: Any, done: tuple[dict[str, Any], Any], here: Path) -> None:
    document, town = done
    first = zenflow("fetch", document["run_id"], "--out", "copy", "--server", town.url, "--json").document
    assert len(first["new"]) == 4 and names(here / "copy") == [
        "large-0.png",
        "large-1.png",
        "paid/draw-0.png",
        "paid/draw-1.png",
    ]
    second = zenflow("fetch", document["run_id"], "--out", "copy", "--server", town.url, "--json").document
    assert (second["new"], len(second["kept"])) == ([], 4)
    (here / "copy" / "large-0.png").unlink()
    third = zenflow("fetch", document["run_id"], "--out", "copy", "--server", town.url, "--json").document
    assert [file["path"] for file in third["new"]] == ["large-0.png"]
    assert names(Path(document["out"])) == ["large-0.png", "large-1.png"]  # the run's own folder is as it was


def test_truncated_downloads_leave_nothing_half_and_a_fetch_gets_them(
    zenflow: Any, town: Any, run_two: Callable[..., Any]
) -> None:
    town.fault(kind="download_404", every=1)
    ended = run_two("enlarge", "save enlarged")
    assert ended.status in (1, 4)
    folder = Path(ended.document["out"])
    assert names(folder) == []
    failed = zenflow("fetch", "--server", town.url, "--json")
    assert failed.status == 4 and len(failed.document["failures"]) == 4
    town.calm()
    said = zenflow("fetch", "--server", town.url, "--json")
    assert said.status == 0 and len(names(folder)) == 4
    debits = town.debits
    assert zenflow("resume", "--server", town.url, "--yes").status == 0
    assert town.debits == debits


def test_without_a_journal_the_stamp_is_enough(zenflow: Any, done: tuple[dict[str, Any], Any], here: Path) -> None:
    _, town = done
    comment = town.state["tasks"][0]["comment"] if isinstance(town.state["tasks"], list) else None
    page = zenflow("tasks", "--server", town.url, "--json").document["tasks"]
    stamp = (comment or page[0]["comment"])[:12]
    shutil.rmtree(here / ".zenflow")
    said = zenflow("fetch", "--stamp", stamp, "--out", "rescued", "--server", town.url, "--json")
    assert said.status == 0, said.err
    assert {task["tool"] for task in said.document["tasks"]} == {"by_prompt", "upscaler"}  # in two tasks or in three
    assert len(names(here / "rescued")) == 4
    again = zenflow("fetch", "--stamp", stamp, "--out", "rescued", "--server", town.url, "--json")
    assert (again.document["new"], len(again.document["kept"])) == ([], 4)


def test_a_stamp_that_is_none_is_refused(zenflow: Any, town: Any) -> None:
    assert zenflow("fetch", "--stamp", "zf", "--server", town.url, "--json").code == "ZF654"
