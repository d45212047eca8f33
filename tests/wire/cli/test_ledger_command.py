"""`zenflow ledger` over HTTP: call by call, compared with the account's list, by recipe revision, for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest


def test_every_call_with_its_ids_at_80_columns(
    zenflow: Any, town: Any, run_two: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    document = run_two().document
    monkeypatch.setenv("COLUMNS", "80")
    said = zenflow("ledger", "--check", "--server", town.url)
    assert said.status == 0, said.err
    lines = said.out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    digest = document["recipe"]["digest"][:8]
    assert lines[1] == f"two 1.0.0 · revision {digest}"
    task_id = document["steps"]["draw"]["instances"][0]["task_id"]
    calls = [one["call_id"] for one in document["steps"]["draw"]["instances"]]
    assert [line.split()[4:6] for line in lines if " draw." in line] == [[task_id[:8], call[:8]] for call in calls]
    assert lines[-1] == "The account's transaction list agrees, row by row."


def test_a_refund_that_comes_later_is_taken_in_by_the_check(
    zenflow: Any, town: Any, run_two: Callable[..., Any]
) -> None:
    town.fault(kind="call_fails", tool_name="by_prompt", calls=[0], refund="later", seconds=600)
    assert run_two().status == 1
    assert zenflow("ledger", "--json").document["totals"]["refunded"] == 0
    town.advance(1200)
    said = zenflow("ledger", "--check", "--server", town.url, "--json")
    assert said.status == 0, said.out
    assert (said.document["totals"]["refunded"], said.document["totals"]["spent"]) == (1, 1)
    assert said.document["check"]["taken_in"] == 1
    assert [(call["status"], call["refunded"]) for call in said.document["calls"]] == [("failed", 1), ("produced", 0)]
    assert zenflow("ledger", "--json").document["totals"]["refunded"] == 1  # it stays: a fact of the run
    assert zenflow("show", "--json").document["status"] == "failed"


def test_a_charge_above_its_quote_is_told_and_is_status_1(zenflow: Any, town: Any, run_two: Callable[..., Any]) -> None:
    town.fault(kind="price_moves", by=3)
    run_two()
    said = zenflow("ledger", "--check", "--server", town.url)
    assert said.status == 1
    assert "The account's transaction list differs:" in said.out and "was quoted at 2, and the list shows 8" in said.out
    document = zenflow("ledger", "--check", "--server", town.url, "--json").document
    assert document["status"] == "differs"
    assert [one["found"] for one in document["check"]["differences"]] == ["another amount"]


def test_rows_for_a_spreadsheet_are_one_per_call(zenflow: Any, town: Any, run_two: Callable[..., Any]) -> None:
    run_two()
    rows = list(csv.DictReader(io.StringIO(zenflow("ledger", "--csv").out)))
    assert [(row["instance"], row["quote"], row["charged"], row["confirmed"]) for row in rows] == [
        ("draw.0", "1", "1", "True"),
        ("draw.1", "1", "1", "True"),
    ]
    assert rows[0]["task_id"] == rows[1]["task_id"] and rows[0]["call_id"] != rows[1]["call_id"]


def test_all_runs_by_the_revision_of_their_recipe(zenflow: Any, town: Any, run_two: Callable[..., Any]) -> None:
    run_two()
    run_two(instead={"a green pear": "a yellow plum"})
    run_two()
    document = zenflow("ledger", "--all", "--json").document
    assert [(len(one["runs"]), one["spent"]) for one in document["revisions"]] == [(2, 4), (1, 2)]
    said = zenflow("ledger", "--all")
    assert said.out.count("two 1.0.0 · revision") == 2 and f"Spent 6 credits on {town.url}" in said.out
    assert len(zenflow("ledger", "--all", "--csv").out.splitlines()) == 7
    assert zenflow("ledger", "--all", "--check").status == 2
