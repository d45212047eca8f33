"""A disk that is full, read-only, or held by another program, as a person at the command line meets it."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from zenflow.journal import failures, file, writer


@pytest.fixture
def recipe(write_two: Callable[..., Path]) -> None:
    write_two("enlarge")


def fill_the_disk_when(monkeypatch: pytest.MonkeyPatch, condition: Any) -> None:
    """From then on no commit succeeds."""
    commit = writer.Writer._commit

    def failing(self: Any, connection: Any, tables: Any, entries: Sequence[Any]) -> Any:
        return failures.disk_full(self._file) if condition() else commit(self, connection, tables, entries)

    monkeypatch.setattr(writer.Writer, "_commit", failing)


def _end_of_the_process(journal: Path) -> None:
    """A journal that failed cannot give its lease back; the end of its process does (this one lives on)."""
    connection = sqlite3.connect(journal)
    connection.execute("UPDATE runs SET host = NULL, pid = NULL")
    connection.commit()
    connection.close()


def test_stops_before_the_next_paid_call_on_a_full_disk(zenflow: Any, town: Any, here: Path, recipe: None) -> None:
    with pytest.MonkeyPatch.context() as patched:
        fill_the_disk_when(patched, lambda: town.posts >= 1)
        stopped = zenflow("run", "two.yaml", "--server", town.url, "--yes", "--json")
    assert (stopped.status, stopped.code, town.posts) == (4, "ZF801", 1)
    (task,) = zenflow("tasks", "--server", town.url, "--json").document["tasks"]
    assert task["task_id"] in stopped.message and "taken over" not in stopped.message
    beside = json.loads((Path(stopped.document["out"]) / "accepted-tasks.json").read_text())
    assert [row["task_id"] for row in beside["accepted"]] == [task["task_id"]]
    assert beside["accepted"][0]["calls"] == ["draw.0", "draw.1"]

    _end_of_the_process(here / ".zenflow" / "journal.db")
    went_on = zenflow("resume", "--server", town.url, "--yes", "--json")
    assert (went_on.status, went_on.document["status"]) == (0, "done")
    (made,) = [row for row in town.state["transactions"] if row["task_id"] == task["task_id"]]
    assert (made["amount"], sum(town.debits)) == (-2, -6)  # both pictures once; both enlarged, in one batch or in two


def test_a_disk_that_is_full_from_the_beginning_pays_nothing(
    zenflow: Any, town: Any, recipe: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_the_disk_when(monkeypatch, lambda: True)
    refused = zenflow("run", "two.yaml", "--server", town.url, "--yes", "--json")
    assert (refused.status, refused.code, town.posts) == (4, "ZF801", 0)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_pays_nothing(zenflow: Any, town: Any, here: Path, recipe: None) -> None:
    (here / ".zenflow").mkdir(mode=0o500)
    refused = zenflow("run", "two.yaml", "--server", town.url, "--yes", "--json")
    assert (refused.status, refused.code, town.posts) == (4, "ZF802", 0)


def test_a_read_only_journal_is_noticed_before_anything_is_paid(
    zenflow: Any, town: Any, recipe: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = file.connect

    def read_only(path: Path, **how: Any) -> sqlite3.Connection:
        connection = connect(path, **how)
        connection.execute("PRAGMA query_only = ON")  # what a read-only file system does to every write
        return connection

    monkeypatch.setattr(file, "connect", read_only)
    refused = zenflow("run", "two.yaml", "--server", town.url, "--yes", "--json")
    assert (refused.status, town.posts) == (4, 0) and refused.code in ("ZF802", "ZF803")


def test_pays_nothing_while_another_program_locks_the_journal(
    zenflow: Any, town: Any, here: Path, recipe: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert zenflow("run", "two.yaml", "--server", town.url, "--yes").status == 0
    posts = town.posts
    connect = file.connect
    monkeypatch.setattr(file, "connect", lambda path, **how: connect(path, **{**how, "busy_timeout_s": 0.2}))
    other = sqlite3.connect(here / ".zenflow" / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        refused = zenflow("run", "two.yaml", "--server", town.url, "--yes", "--json")
    finally:
        other.rollback()
        other.close()
    assert (refused.status, refused.code, town.posts) == (4, "ZF804", posts)
    assert "database viewer" in refused.hint


def test_asks_for_take_over_of_another_machines_journal(zenflow: Any, town: Any, here: Path, recipe: None) -> None:
    town.fault(kind="call_fails", tool_name="upscaler", calls=[0], refund="now", seconds=0)
    assert zenflow("run", "two.yaml", "--server", town.url, "--yes").status == 1
    connection = sqlite3.connect(here / ".zenflow" / "journal.db")
    connection.execute("UPDATE runs SET host = 'another-machine', pid = 17, process_started = 'then'")
    connection.commit()
    connection.close()
    refused = zenflow("resume", "last", "--server", town.url, "--yes", "--json")
    assert (refused.status, refused.code) == (4, "ZF808")
    assert "process 17 on another-machine" in refused.message
    run_id = refused.document["run_id"]
    take_it = f"`zenflow resume {run_id} --take-over`"  # as it stands, from wherever it was told
    assert take_it in refused.hint
    assert take_it in zenflow("fetch", run_id, "--server", town.url, "--json").hint
    assert take_it in zenflow("resume", "--server", town.url, "--json").hint
    town.calm()
    went_on = zenflow("resume", "last", "--take-over", "--server", town.url, "--yes", "--json")
    assert (went_on.status, went_on.document["status"]) == (0, "done")


def test_refuses_a_journal_on_a_synced_folder(zenflow: Any, town: Any, here: Path, recipe: None) -> None:
    refused = zenflow("run", "two.yaml", "--state", "Dropbox/state", "--server", town.url, "--yes", "--json")
    assert (refused.status, refused.code, town.posts) == (2, "ZF807", 0) and "--state" in refused.hint


def test_a_state_folder_that_cannot_be_is_a_wrong_setting(zenflow: Any, here: Path, recipe: None) -> None:
    (here / "taken").write_text("a file")
    for words in (("run", "two.yaml", "--yes"), ("resume",), ("runs",), ("ledger",)):
        refused = zenflow(*words, "--state", "taken", "--json")
        assert (refused.status, refused.document["status"], refused.code) == (2, "invalid", "ZF800"), words
        assert "--state" in refused.hint


def test_reports_a_disk_full_from_the_start_as_not_resumable(zenflow: Any, town: Any, recipe: None) -> None:
    with pytest.MonkeyPatch.context() as patched:
        fill_the_disk_when(patched, lambda: True)
        refused = zenflow("run", "two.yaml", "--server", town.url, "--yes", "--json")
    assert (refused.code, town.posts) == ("ZF801", 0)
    assert "run the command again: no run has begun" in refused.hint and "resume" not in refused.hint
    assert zenflow("run", "two.yaml", "--server", town.url, "--yes").status == 0


def test_names_run_and_state_folder_in_hints(
    zenflow: Any, town: Any, recipe: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.credits(3)
    town.fault(kind="tool_error", tool="create_task", status=402, nth=2)
    words = ("two.yaml", "--server", town.url, "--yes", "--state", "elsewhere")
    stopped = zenflow("run", *words, "--json")
    assert stopped.status == 4 and stopped.document["run_id"] in stopped.hint and "RUN" not in stopped.hint.split()
    assert "commands for this run need `--state elsewhere`" in stopped.err
    town.calm()
    town.credits(100)
    done = zenflow("resume", stopped.document["run_id"], "--state", "elsewhere", "--yes")
    assert done.status == 0 and "need `--state" not in done.err
