"""`zenflow doctor`: what is looked at, what is measured with consent, and how a damaged journal is built anew."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zenflow.app.config.settings import load_settings
from zenflow.app.config.workspace import find_workspace
from zenflow.app.connection.probe_results import Finding, findings_of, keep_findings, must_be_told
from zenflow.app.connection.wiring import limits_of


def marks(document: dict[str, Any]) -> dict[str, str]:
    return {f"{check['section']}/{check['name']}": check["mark"] for check in document["checks"]}


def said(document: dict[str, Any], name: str) -> str:
    return next(check["said"] for check in document["checks"] if check["name"] == name)


def test_everything_is_looked_at_and_nothing_is_made_or_spent(
    zenflow: Any, town: Any, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    told = zenflow("doctor", "--server", town.url)
    assert told.status == 0 and all(len(line) <= 80 or str(here) in line for line in told.out.splitlines())
    found = zenflow("doctor", "--server", town.url, "--json").document
    assert {
        "installation/packages",
        "workspace/output",
        "workspace/state",
        "journal/file",
        "server/reached",
        "server/clock",
        "account/signed in",
        "account/credits",
        "account/gates",
        "server/tools",
        "server/transactions",
    } <= set(marks(found))
    assert "MCP 2026" in said(found, "reached") and "generation tools" in said(found, "tools")
    assert list(here.iterdir()) == [] and town.posts == 0


def test_marks_an_absent_server_wrong_and_checks_the_rest(zenflow: Any, here: Path) -> None:
    found = zenflow("doctor", "--server", "http://127.0.0.1:9/mcp", "--json")
    assert (found.status, found.document["status"], found.code) == (1, "failed", "ZF073")
    assert marks(found.document)["server/reached"] == "wrong"
    assert marks(found.document)["installation/packages"] == "ok"


def test_a_token_that_is_refused_is_a_matter_of_sign_in(
    zenflow: Any, serving_sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving_sandbox(token="right") as town:
        monkeypatch.setenv("ZENFLOW_TOKEN", "wrong")
        found = zenflow("doctor", "--server", town.url, "--json")
    assert found.status == 1 and marks(found.document)["server/sign-in"] == "wrong"


def test_a_run_that_died_is_worth_knowing(zenflow: Any, town: Any, here: Path, write_two: Callable[..., Path]) -> None:
    write_two("save")
    town.fault(kind="slow", tool="create_task", seconds=600)
    process = subprocess.Popen(
        [sys.executable, "-m", "zenflow", "run", "two.yaml", "--server", town.url, "--yes", "-q"],
        cwd=here,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 600  # only so that nothing hangs for ever
    while town.posts == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert town.posts == 1
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    found = zenflow("doctor", "--server", town.url, "--json").document
    assert marks(found)["journal/runs"] == "look" and "ended without saying so" in said(found, "runs")


# ----------------------------------------------------------------------------------------------------------------- probe


def test_probes_three_assumptions_for_two_credits(zenflow: Any, town: Any, here: Path) -> None:
    measured = zenflow("doctor", "--probe", "--yes", "--server", town.url, "--json")
    assert measured.status == 0, measured.out
    assert {one["assumption"]: one["holds"] for one in measured.document["findings"]} == {
        "A1": True,
        "A3": True,
        "A5": True,
    }
    assert (measured.document["spent"], town.debits, town.posts) == (2, [-2], 1)
    found = zenflow("doctor", "--server", town.url, "--json").document
    assert [marks(found)[f"assumptions/{name}"] for name in ("A1", "A3", "A5")] == ["ok", "ok", "ok"]


def test_a_probe_is_not_run_without_consent(zenflow: Any, town: Any) -> None:
    refused = zenflow("doctor", "--probe", "--server", town.url, "--json")
    assert (refused.status, refused.code, town.posts) == (3, "ZF666", 0)


def test_nothing_can_be_measured_for_nothing(zenflow: Any, town: Any) -> None:
    refused = zenflow("doctor", "--probe", "--spend", "0", "--yes", "--server", town.url, "--json")
    assert (refused.status, refused.code, town.posts) == (3, "ZF674", 0)


def test_what_is_false_is_said_with_what_happens_then(zenflow: Any, town: Any, here: Path) -> None:
    town.fault(kind="query_empty", every=1)
    town.fault(kind="ledger_lag", seconds=10**9, every=1)
    measured = zenflow("doctor", "--probe", "--yes", "--server", town.url, "--json")
    holds = {one["assumption"]: one["holds"] for one in measured.document["findings"]}
    assert measured.status == 1 and (holds["A1"], holds["A3"]) == (False, False)
    assert measured.code == "ZF675"


def test_sends_one_call_each_where_order_is_unsure(here: Path) -> None:
    settings = load_settings(find_workspace(here), {}, {}, current=here)
    assert limits_of(settings).batch == 50
    keep_findings(settings.state_dir, "sandbox", {"A5": Finding("A5", False, "the other way round", "2026-11-21")})
    assert limits_of(settings).batch == 1
    keep_findings(settings.state_dir, "sandbox", {"A1": Finding("A1", True, "found", "2026-11-21")})
    known = findings_of(settings.state_dir, "sandbox")
    assert (known.holds("A5"), known.holds("A1"), known.holds("A3")) == (False, True, None)


@pytest.mark.parametrize(
    ("server", "live"),
    [
        ("zencreator", True),
        ("https://mcp.example.org/mcp", True),
        ("sandbox", False),
        ("http://127.0.0.1:8000/mcp", False),
        ("http://localhost:8000/mcp", False),
    ],
)
def test_assumptions_are_told_of_live_servers_alone(here: Path, server: str, live: bool) -> None:
    assert must_be_told(here / ".zenflow", server) is live


# --------------------------------------------------------------------------------------------------------------- rebuild


def spoil(journal: Path, text: bytes, with_: bytes) -> None:
    """Damage the file where some text of a fact stands; what the log holds is folded in before."""
    connection = sqlite3.connect(journal)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    body = journal.read_bytes()
    assert text in body
    journal.write_bytes(body.replace(text, with_))


@pytest.fixture
def done(run_two: Callable[..., Any], town: Any, here: Path) -> tuple[str, Any, Path]:
    ended = run_two("save")
    assert ended.status == 0
    return ended.document["run_id"], town, here / ".zenflow" / "journal.db"


def test_rebuilds_a_damaged_journal_without_paying_again(zenflow: Any, done: tuple[str, Any, Path]) -> None:
    run_id, town, journal = done
    spoil(journal, b'"t":"Accepted"', b'"t":Accepted""')
    before = journal.read_bytes()
    noticed = zenflow("doctor", "--server", town.url, "--json")
    assert noticed.status == 1 and marks(noticed.document)["journal/file"] == "wrong"
    assert zenflow("show", "--json").code == "ZF805" and "doctor --rebuild" in zenflow("show", "--json").hint

    built = zenflow("doctor", "--rebuild", "--server", town.url, "--json")
    assert built.status == 0, built.err
    assert [run["run_id"] for run in built.document["runs"]] == [run_id] and built.document["unread_rows"] == 1
    assert Path(built.document["aside"]).read_bytes() == before
    ended = zenflow("resume", run_id, "--server", town.url, "--yes", "--json")
    assert (ended.status, ended.document["status"]) == (0, "done")
    assert (town.posts, town.debits) == (1, [-2])


def test_recovers_from_the_service_when_the_database_is_gone(
    zenflow: Any, done: tuple[str, Any, Path], here: Path
) -> None:
    _, town, journal = done
    journal.write_bytes(b"\x00" * 5000)
    built = zenflow("doctor", "--rebuild", "--server", town.url, "--json").document
    assert built["runs"] == [] and len(built["orphans"]) == 1
    (orphan,) = built["orphans"]
    assert orphan["recipe"] == "two" and len(orphan["tasks"]) == 1
    got = zenflow("fetch", "--stamp", orphan["stamp"], "--out", "rescued", "--server", town.url, "--json")
    assert got.status == 0 and len(got.document["new"]) == 2


def test_a_journal_that_is_well_is_left_alone(zenflow: Any, done: tuple[str, Any, Path]) -> None:
    _, town, journal = done
    refused = zenflow("doctor", "--rebuild", "--server", town.url, "--json")
    assert (refused.status, refused.code) == (2, "ZF043")
    assert [path.name for path in journal.parent.glob("*broken*")] == []


def test_findings_that_are_no_json_are_as_if_there_were_none(here: Path) -> None:
    state = here / ".zenflow"
    state.mkdir()
    (state / "server-findings.json").write_text("{")
    assert findings_of(state, "zencreator").findings == {}
    keep_findings(state, "zencreator", {"A1": Finding("A1", True, "found", "2026-11-21")})
    assert json.loads((state / "server-findings.json").read_text())["zencreator"]["findings"]
    assert not must_be_told(state, "zencreator")


# --------------------------------------------------------------------------------------------- broken in other ways


def test_each_section_is_drawn_once(zenflow: Any, town: Any) -> None:
    lines = zenflow("doctor", "--server", town.url).out.splitlines()
    heads = [line for line in lines[1:] if line and not line.startswith(" ")][:-1]
    assert heads == ["installation", "workspace", "journal", "server", "account"]


@pytest.mark.parametrize("path", ["/nothing-here", "/admin/state"])
def test_reports_a_server_that_is_not_mcp(zenflow: Any, town: Any, path: str) -> None:
    told = zenflow("doctor", "--server", town.base + path, "--json")
    assert told.status == 1 and marks(told.document)["server/reached"] == "wrong"
    assert "not an MCP server" in said(told.document, "reached")


def test_works_and_says_so_without_a_transaction_list(zenflow: Any, town: Any) -> None:
    town.fault(kind="tool_error", tool="list_credit_transactions", status=404, every=1)
    told = zenflow("doctor", "--server", town.url, "--json")
    assert told.status == 0 and marks(told.document)["server/transactions"] == "look"
    measured = zenflow("doctor", "--probe", "--yes", "--server", town.url, "--json")
    found = {one["assumption"]: one["holds"] for one in measured.document["findings"]}
    assert measured.status == 0 and found["A3"] is None and found["A1"] is True


def test_names_the_login_command_of_a_refused_server(
    zenflow: Any, serving_sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENFLOW_TOKEN", "expired")
    with serving_sandbox(token="right") as town:
        document = zenflow("doctor", "--server", town.url, "--json").document
        assert f"`zenflow login --server {town.url}`" in str(document["checks"][-1]["hint"])


def test_reports_unreadable_settings_with_place_and_step(zenflow: Any, here: Path) -> None:
    (here / "zenflow.toml").write_text("service = 3 [\n")
    told = zenflow("doctor")
    assert told.status == 2 and "zenflow.toml:1:13" in told.err and "[ZF021]" in told.err
    assert "zenflow config" not in told.err  # it could not read them either


def test_reports_a_bad_state_folder_and_checks_the_rest(zenflow: Any, town: Any, here: Path) -> None:
    (here / "taken").write_text("")
    told = zenflow("doctor", "--state", "taken", "--server", town.url, "--json")
    found = marks(told.document)
    assert (told.status, found["workspace/state"], found["server/reached"]) == (1, "wrong", "ok")
    assert "commands for this run" not in told.err
