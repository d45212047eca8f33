"""A workspace that commit 983262e wrote, before event classes were renamed: a finished run, and one killed midway."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

ARCHIVE = Path(__file__).parents[1] / "data" / "workspace-of-983262e.tar.gz"
DONE, KILLED = "20261128-110409-v9rn", "20261128-110440-wf5l"


@pytest.fixture
def workspace(here: Path) -> Path:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(here, filter="data")
    return here


def test_opens_an_old_journal(zenflow: Any, workspace: Path) -> None:
    runs = {run["run_id"]: run["status"] for run in zenflow("runs", "--json").document["runs"]}
    assert runs == {DONE: "done", KILLED: "running"}
    shown = zenflow("show", DONE, "--json").document
    assert (shown["status"], shown["credits"]["charged"], len(shown["files"])) == ("done", 3, 3)


def test_resumes_an_old_run_and_agrees(zenflow: Any, workspace: Path) -> None:
    for run_id in (DONE, KILLED):  # that zenflow did not mark its runs yet
        assert zenflow("trust", run_id, "--yes").status == 0
    ended = zenflow("resume", KILLED, "--take-over", "--yes", "--json")
    assert ended.status == 0, ended.err
    assert (ended.document["status"], ended.document["credits"]["charged"]) == ("done", 2)
    assert len(ended.document["files"]) == 2
    for run_id, charged in ((DONE, 3), (KILLED, 2)):
        ledger = zenflow("ledger", run_id, "--check", "--json")
        assert ledger.status == 0, ledger.err
        assert ledger.document["totals"]["spent"] == charged


def test_fetches_the_files_of_an_old_run(zenflow: Any, workspace: Path) -> None:
    assert zenflow("trust", DONE, "--yes").status == 0
    fetched = zenflow("fetch", DONE, "--out", str(workspace / "again"), "--json")
    assert fetched.status == 0, fetched.err
    assert len(list((workspace / "again").glob("coat-*.png"))) == 3
