"""`zenflow fetch` over HTTP: into the run's folder, into another one, and by stamp where no journal is left."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zenflow.artifacts.part import Part
from zenflow.engine.scheduling import lost_responses


@pytest.fixture
def done(run_two: Callable[..., Any], town: Any) -> tuple[dict[str, Any], Any]:
    ended = run_two("enlarge", "save enlarged")
    assert ended.status == 0, ended.err
    return ended.document, town


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.suffix == ".png")


def test_saves_intermediate_results_below_paid(
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


def test_leaves_no_half_download_and_fetches_it_later(zenflow: Any, town: Any, run_two: Callable[..., Any]) -> None:
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


def test_by_its_stamp_a_result_that_is_a_text_is_kept_too(
    zenflow: Any, town: Any, add_a_task: Callable[..., str], here: Path
) -> None:
    stamp = "zfabcdefghij"
    task_id = add_a_task("run_any_llm", {"prompt": "a fox"}, f"{stamp}zzzzzzzzzzzz")
    town.advance(600)
    said = zenflow("fetch", "--stamp", stamp, "--out", "rescued", "--server", town.url, "--json")
    assert said.status == 0, said.err
    (path,) = said.document["texts"]
    text = json.loads((here / "rescued" / path["path"]).read_text())
    assert text["task_id"] == task_id and text["output"]


def test_a_stamp_that_is_none_is_refused(zenflow: Any, town: Any) -> None:
    assert zenflow("fetch", "--stamp", "zf", "--server", town.url, "--json").code == "ZF654"


def test_what_nobody_can_give_to_an_input_is_laid_aside_and_told(
    zenflow: Any, done: tuple[dict[str, Any], Any], add_a_task: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    document, town = done
    monkeypatch.setenv("COLUMNS", "80")
    folder, stamp = Path(document["out"]), town.state["tasks"][0]["comment"][:12]
    asked = {"positive_prompt": "a blue plum", "model": "QWEN_IMAGE"}
    task_id = add_a_task("by_prompt", asked, f"{stamp}zzzzzzzzzzzz")
    town.advance(600)
    said = zenflow("fetch", "--server", town.url)
    assert said.status == 0, said.err
    assert f"task {task_id}" in said.out and "1 file of these laid aside below in-doubt/" in said.out
    assert all(len(line) <= 80 for line in said.out.splitlines())
    (path,) = [name for name in names(folder) if name.startswith("in-doubt/")]
    manifest = json.loads((folder / "in-doubt" / "in-doubt.json").read_text())
    (row,) = manifest["tasks"]
    assert (row["task_id"], row["submission"]) == (task_id, None)
    assert [one["params"]["positive_prompt"] for one in row["may_belong_to"]] == ["a blue plum"]
    assert [f"in-doubt/{name}" for call in row["calls"] for name in call["files"]] == [path]
    assert document["run_id"] in manifest["said"]
    again = zenflow("fetch", "--server", town.url, "--json").document["in_doubt"]
    assert (again["new"], [file["path"] for file in again["kept"]]) == ([], [path])
    shown = zenflow("show", "--json").document
    assert "in-doubt" not in json.dumps(shown["files"])  # no step has got anything by it


def test_does_not_pass_over_a_submission_awaiting_a_decision(
    zenflow: Any, run_two: Callable[..., Any], town: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_responses, "PAUSE_BETWEEN_LOOKUPS_S", 0.02)
    town.fault(kind="drop", tool="create_task", nth=1, when="before")
    town.fault(kind="tool_error", tool="list_credit_transactions", status=403, every=1)
    run_id = run_two("save").document["run_id"]
    said = zenflow("fetch", "--server", town.url)
    assert said.status == 4 and f"zenflow reconcile {run_id}" in said.out
    assert "Everything that this run has paid for" not in said.out
    assert zenflow("fetch", "--server", town.url, "--json").code == "ZF642"


def test_works_by_the_given_step_in_a_read_only_folder(
    zenflow: Any, write_two: Callable[..., Path], town: Any, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_two("save")
    with monkeypatch.context() as patched:
        patched.setattr(Part, "__init__", no_part)
        ended = zenflow("run", "two.yaml", "--server", town.url, "--yes", "--json")
    failure = ended.document["steps"]["save"]["instances"][0]["error"]
    assert (ended.status, failure["code"]) == (1, "ZF861")
    run_id = ended.document["run_id"]
    assert f"`zenflow fetch {run_id} --out DIR` saves what is paid elsewhere" in failure["hint"]
    got = zenflow("fetch", run_id, "--out", "elsewhere", "--server", town.url, "--json")
    assert got.status == 0 and len(names(here / "elsewhere")) == 2 and town.debits == [-2]


def no_part(self: Part, folder: Path) -> None:
    raise OSError(errno.EROFS, "Read-only file system")
