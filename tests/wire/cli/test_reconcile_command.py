"""`zenflow reconcile` over HTTP: the evidence for people and machines, decisions by option and at a terminal."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zenflow.cli.terminal import console
from zenflow.clock import SystemClock
from zenflow.engine.scheduling import lost_responses
from zenflow.journal.base import Holder
from zenflow.journal.sqlite import open_journal
from zenflow.providers.base import Task
from zenflow.providers.mcp.provider import McpProvider


@pytest.fixture
def unknown(run_two: Callable[..., Any], town: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Any]:
    """A run that ended with one submission unknown: its request vanished, and nobody may read the transactions."""
    monkeypatch.setattr(lost_responses, "PAUSE_BETWEEN_LOOKUPS_S", 0.02)
    town.fault(kind="drop", tool="create_task", nth=1, when="before")
    town.fault(kind="tool_error", tool="list_credit_transactions", status=403, every=1)
    ended = run_two("save")
    assert ended.status == 4, ended.err
    town.calm()
    return ended.document["run_id"], town


def test_fits_evidence_in_80_columns_and_decides_nothing(
    zenflow: Any, unknown: tuple[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, town = unknown
    monkeypatch.setenv("COLUMNS", "80")
    said = zenflow("reconcile", "--server", town.url)
    assert said.status == 4
    lines = said.out.splitlines()
    assert all(len(line) <= 80 for line in lines), max(lines, key=len)
    text = said.out
    assert "#1 by_prompt · 2 calls · 2 credits set aside" in text
    for fact in ("stamp", "asked", "sent", "looks", "debits", "could be"):
        assert any(line.strip().startswith(fact) or f" {fact}" in line for line in lines), fact
    assert "no second witness" in text and "no task of this tool and size from that time" in text
    assert f"zenflow reconcile {run_id} --adopt 1=TASK\n  or --resubmit 1, or --write-off 1" in text
    print(text)
    assert town.posts == 1 and town.debits == []  # nothing new was sent


def test_the_document_holds_the_whole_request_and_every_look(zenflow: Any, unknown: tuple[str, Any]) -> None:
    run_id, town = unknown
    said = zenflow("reconcile", run_id, "--server", town.url, "--json")
    assert (said.status, said.document["status"], said.code) == (4, "stopped", "ZF642")
    (case,) = said.document["unknown"]
    assert [call["params"]["positive_prompt"] for call in case["calls"]] == ["a red apple", "a green pear"]
    assert (case["attempts"], case["quote"], case["conclusive"]) == (1, 2, False)
    assert case["looks"] and case["transactions"] is None and said.document["open"] == [1]


def test_resubmits_by_option_with_one_more_post(zenflow: Any, unknown: tuple[str, Any]) -> None:
    run_id, town = unknown
    refused = zenflow("reconcile", run_id, "--resubmit", "1", "--server", town.url)
    assert refused.status == 3 and "ZF666" in refused.out  # no terminal to ask on, and no --yes
    assert town.posts == 1
    said = zenflow("reconcile", run_id, "--resubmit", "1", "--yes", "--server", town.url)
    assert said.status == 0, said.out + said.err
    assert "#1 resubmit: accepted as task" in said.out and f"zenflow resume {run_id}" in said.out
    assert town.posts == 2 and town.debits == [-2]
    ended = zenflow("resume", run_id, "--server", town.url, "--yes", "--json")
    assert (ended.status, ended.document["status"], len(ended.document["files"])) == (0, "done", 2)
    assert town.debits == [-2]


@pytest.mark.parametrize("option", ["--write-off", "--give-up"])  # the second is the old spelling
def test_write_off_books_the_quote(zenflow: Any, unknown: tuple[str, Any], option: str) -> None:
    run_id, town = unknown
    assert "--give-up" not in zenflow("reconcile", "--help").out
    said = zenflow("reconcile", run_id, option, "1", "--server", town.url, "--json")
    assert (said.status, said.document["credits"]) == (0, {"charged": 2, "unknown": 0})
    assert zenflow("show", run_id, "--json").document["credits"]["charged"] == 2
    again = zenflow("reconcile", run_id, "--write-off", "1", "--server", town.url)
    assert again.status == 2 and "#1 is given up" in again.err


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("--adopt", "one=two"), 2, "ZF014"),
        (("--adopt", "7=00000000-0000-4000-8000-000000000000"), 2, "ZF652"),
        (("--adopt", "1=00000000-0000-4000-8000-000000000000"), 2, "ZF055"),
        (("--resubmit", "1", "--write-off", "1"), 2, "ZF653"),
    ],
)
def test_words_that_cannot_be_are_told_and_nothing_changes(
    zenflow: Any, unknown: tuple[str, Any], words: tuple[str, ...], status: int, code: str
) -> None:
    run_id, town = unknown
    said = zenflow("reconcile", run_id, *words, "--server", town.url, "--json")
    assert (said.status, said.code) == (status, code)
    assert town.posts == 1


def test_a_person_at_a_terminal_is_asked_case_by_case(
    zenflow: Any, unknown: tuple[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, town = unknown
    monkeypatch.setattr(console.Console, "can_ask", property(lambda self: True))
    monkeypatch.setattr("sys.stdin", io.StringIO("what?\nr\ny\n"))
    said = zenflow("reconcile", run_id, "--server", town.url)
    assert said.status == 0, said.err
    assert "That is none of them" in said.err
    assert "#1 goes out again: by_prompt, 2 calls, 2 credits, attempt 2." in said.err
    assert town.posts == 2


def test_an_empty_line_decides_nothing(zenflow: Any, unknown: tuple[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    run_id, town = unknown
    monkeypatch.setattr(console.Console, "can_ask", property(lambda self: True))
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert zenflow("reconcile", run_id, "--server", town.url).status == 4
    assert town.posts == 1


def test_a_run_with_nothing_unknown_says_so(zenflow: Any, town: Any, run_two: Callable[..., Any]) -> None:
    assert run_two("save").status == 0
    said = zenflow("reconcile", "--server", town.url)
    assert said.status == 0 and "there is nothing to decide" in said.out


INTENT = """body LIKE '%"t":"Intended"%'"""


@pytest.fixture
def stray(
    zenflow: Any, run_two: Callable[..., Any], town: Any, here: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, str, Any]:
    """A journal that was put back to before its first paid call, on a server that does not tell what a task was asked."""
    get_task = McpProvider.get_task

    async def silent(self: McpProvider, task_id: str) -> Task:
        return replace(await get_task(self, task_id), inputs=())

    monkeypatch.setattr(McpProvider, "get_task", silent)
    ended = run_two("save")
    assert ended.status == 0, ended.out + ended.err
    run_id = ended.document["run_id"]
    journal = here / ".zenflow" / "journal.db"
    with sqlite3.connect(journal) as connection:
        (first,) = connection.execute(f"SELECT min(n) FROM events WHERE {INTENT}").fetchone()
        connection.execute("DELETE FROM events WHERE n >= ?", (first,))
        connection.execute("DELETE FROM finished")
    connection.close()
    assert zenflow("resume", run_id, "--server", town.url, "--yes", "--json").status == 4
    assert town.posts == 1
    return run_id, ended.document["steps"]["draw"]["instances"][0]["task_id"], town


def test_shows_candidates_of_a_task_without_inputs(
    zenflow: Any, stray: tuple[str, str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, task_id, town = stray
    monkeypatch.setenv("COLUMNS", "80")
    said = zenflow("reconcile", "--server", town.url)
    assert said.status == 4
    assert all(len(line) <= 80 or line.startswith("→ zenflow") for line in said.out.splitlines())
    assert "the service does not tell; 2 calls" in said.out and "could be   draw.0, draw.1" in said.out
    assert f"→ zenflow reconcile {run_id} --adopt 1={task_id}\n  or --write-off 1" in said.out
    words = ("reconcile", run_id, "--adopt", f"1={task_id}", "--server", town.url)
    refused = zenflow(*words)
    assert refused.status == 3 and "ZF666" in refused.out
    assert "What cannot be compared: its inputs" in " ".join(refused.err.split())
    taken = zenflow(*words, "--yes")
    assert taken.status == 0, taken.out + taken.err
    assert "What cannot be compared: its inputs" in " ".join(taken.err.split())
    assert "by your word" in " ".join(taken.out.split())
    ended = zenflow("resume", run_id, "--server", town.url, "--yes", "--json")
    assert (ended.document["status"], len(ended.document["files"]), town.posts) == ("done", 2, 1)


def test_its_calls_may_be_named_and_it_may_be_given_up(zenflow: Any, stray: tuple[str, str, Any]) -> None:
    run_id, task_id, town = stray
    said = zenflow("reconcile", run_id, "--resubmit", "1", "--yes", "--server", town.url, "--json")
    assert (said.status, said.code) == (2, "ZF653") and f"--adopt 1={task_id}" in said.hint
    said = zenflow("reconcile", run_id, "--adopt", f"1={task_id}:draw.0,draw.9", "--server", town.url, "--json")
    assert (said.status, said.code) == (2, "ZF653")
    said = zenflow("reconcile", run_id, "--write-off", "1", "--server", town.url, "--json")
    assert said.status == 0 and said.document["credits"]["charged"] == 2
    assert zenflow("resume", run_id, "--server", town.url, "--yes").status == 0
    assert town.posts == 2


def test_a_task_that_is_not_the_one_shown_is_not_taken_for_it(zenflow: Any, stray: tuple[str, str, Any]) -> None:
    run_id, _, town = stray
    other = "00000000-0000-4000-8000-000000000000"
    said = zenflow("reconcile", run_id, "--adopt", f"1={other}", "--yes", "--server", town.url, "--json")
    assert (said.status, said.code, said.document["open"]) == (2, "ZF653", [1])


def test_decides_nothing_while_another_process_works(zenflow: Any, unknown: tuple[str, Any], here: Path) -> None:
    run_id, town = unknown
    other = open_journal(here / ".zenflow", clock=SystemClock())
    lease = other.take_lease(run_id)
    said = zenflow("reconcile", run_id, "--write-off", "1", "--server", town.url, "--json")
    assert (said.status, said.code) == (4, "ZF808") and f"zenflow stop {run_id}" in said.hint
    other.release_lease(lease)
    other.close_now()
    assert zenflow("reconcile", run_id, "--server", town.url, "--json").document["open"] == [1]


def test_decides_on_another_machines_run_only_if_it_is_gone(zenflow: Any, unknown: tuple[str, Any], here: Path) -> None:
    run_id, town = unknown
    elsewhere = open_journal(here / ".zenflow", clock=SystemClock(), me=Holder("elsewhere", 7, "then"))
    elsewhere.take_lease(run_id)
    elsewhere.close_now()
    words = ("reconcile", run_id, "--write-off", "1", "--server", town.url, "--json")
    said = zenflow(*words)
    assert (said.status, said.code) == (4, "ZF808") and "--take-over" in said.hint
    assert zenflow(*words, "--take-over").status == 0


def test_decisions_by_option_ask_about_nothing_else(
    zenflow: Any, run_two: Callable[..., Any], town: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_responses, "PAUSE_BETWEEN_LOOKUPS_S", 0.02)
    monkeypatch.setenv("ZENFLOW_BATCH", "1")
    town.fault(kind="drop", tool="create_task", nth=[1, 2], when="before")
    town.fault(kind="tool_error", tool="list_credit_transactions", status=403, every=1)
    run_id = run_two("save").document["run_id"]
    town.calm()
    monkeypatch.setattr(console.Console, "can_ask", property(lambda self: True))
    monkeypatch.setattr("sys.stdin", io.StringIO("g\n"))
    said = zenflow("reconcile", run_id, "--write-off", "1", "--server", town.url, "--json")
    assert (said.status, [one["submission"] for one in said.document["decided"]]) == (4, [1])
    assert said.document["open"] == [2]
