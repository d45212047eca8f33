"""The wire goes wrong: time-outs, 5xx, 504, 429, connections cut mid-answer; on the paid request and on the free ones.

However it ends, the sandbox counts one debit per call, and the run has all its files.
"""

from __future__ import annotations

from typing import Any

import pytest

from zenflow.clock import SystemClock
from zenflow.providers.mcp.tools.submit import DEADLINE_S, PaidCaller

FREE = ("get_me", "list_tools", "get_tool_schema", "estimate_price", "list_tasks", "get_task", "get_call_result")
FREE_LATE = ("get_asset_download_urls", "list_credit_transactions")


def _whole(said: Any, town: Any) -> None:
    assert (said.status, said.document["status"]) == (0, "done"), said.err
    assert len(said.document["files"]) == 2
    assert sorted(town.debits) == [-2, -1]
    assert said.document["credits"]["charged"] == 3
    assert said.document["credits"]["unknown"] == 0 and said.document["credits"]["reserved"] == 0


PAID = {
    "504 of the edge, charged": {"kind": "http_status", "status": 504, "when": "after"},
    "504 of the edge, not charged": {"kind": "http_status", "status": 504, "when": "before"},
    "500, charged": {"kind": "http_status", "status": 500, "when": "after"},
    "503, not charged": {"kind": "http_status", "status": 503, "when": "before"},
    "cut, charged": {"kind": "drop", "when": "after"},
    "cut, not charged": {"kind": "drop", "when": "before"},
    "cut in the middle of the answer": {"kind": "truncate_body"},
    "a page of HTML, charged": {"kind": "garbage", "when": "after"},
    "a page of HTML, not charged": {"kind": "garbage", "when": "before"},
    "takes effect after its connection has died": {"kind": "delayed_effect", "seconds": 0.1},
    "429 with a hint": {"kind": "http_status", "status": 429, "retry_after_s": 0.2},
    "429 as a tool's answer": {"kind": "tool_error", "status": 429, "retry_after_s": 0.2},
    "a tool's own 500, charged": {"kind": "tool_error", "status": 500, "when": "after"},
}


@pytest.mark.parametrize("fault", PAID.values(), ids=PAID)
def test_a_paid_request_whose_answer_is_lost_is_charged_once(
    zenflow: Any, town: Any, branches: str, fault: dict[str, Any]
) -> None:
    town.fault(tool="create_task", nth=[1, 3], **fault)
    _whole(zenflow("run", branches, "--server", town.url, "--yes", "--json"), town)


TROUBLES = {
    "500": {"kind": "http_status", "status": 500},
    "504": {"kind": "http_status", "status": 504},
    "429": {"kind": "http_status", "status": 429, "retry_after_s": 0.1},
    "429 of the tool": {"kind": "tool_error", "status": 429, "retry_after_s": 0.1},
    "cut": {"kind": "drop", "when": "after"},
    "half an answer": {"kind": "truncate_body"},
    "HTML": {"kind": "garbage"},
}


@pytest.mark.parametrize("fault", TROUBLES.values(), ids=TROUBLES)
def test_a_free_question_that_goes_wrong_is_asked_again(
    zenflow: Any, town: Any, branches: str, fault: dict[str, Any]
) -> None:
    quick = fault["kind"] not in ("drop", "truncate_body")  # before a run, a server that is not there is told at once
    for tool in (*FREE, *FREE_LATE) if quick else (*FREE[3:], *FREE_LATE):
        town.fault(tool=tool, nth=1, **fault)
    _whole(zenflow("run", branches, "--server", town.url, "--yes", "--json"), town)


def _impatient_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let only the first paid request have a short deadline: the answers of the others take what the machine takes."""
    real, deadlines = PaidCaller._submit, iter([0.3])

    async def submit(self: Any, submission: Any) -> Any:
        self._deadline_s = next(deadlines, DEADLINE_S)
        return await real(self, submission)

    monkeypatch.setattr(PaidCaller, "_submit", submit)


def test_ends_a_lost_request_at_its_deadline_charged_once(
    zenflow: Any, town: Any, branches: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _impatient_once(monkeypatch)
    town.fault(kind="slow", tool="create_task", nth=1, seconds=600)
    said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
    _whole(said, town)


def test_shares_one_brake_and_waits_for_a_busy_service(
    zenflow: Any, serving_sandbox: Any, many: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox allows 12 requests a second; asking as fast as can be ends well, and the service is left in peace."""
    monkeypatch.setattr("zenflow.app.connection.wiring.clock", SystemClock)
    monkeypatch.setattr("zenflow.app.connection.wiring.WATCH_LEAST_S", 0.05)
    monkeypatch.setenv("ZENFLOW_REQUESTS_PER_SECOND", "100")
    with serving_sandbox(requests_per_second=12) as town:
        said = zenflow("run", many, "--server", town.url, "--yes", "--json")
        assert said.status == 0, said.err
        assert sum(town.debits) == -4


def test_ends_the_same_when_ten_percent_goes_wrong(zenflow: Any, serving_sandbox: Any, branches: str) -> None:
    with serving_sandbox(seed=7) as town:
        for status, probability in ((503, 0.05), (504, 0.05)):
            for tool in (*FREE[3:], *FREE_LATE, "create_task"):
                town.fault(kind="http_status", tool=tool, status=status, probability=probability, when="after")
        _whole(zenflow("run", branches, "--server", town.url, "--yes", "--json"), town)


def test_stops_resumably_when_the_service_is_away(zenflow: Any, town: Any, branches: str) -> None:
    town.fault(kind="drop", tool="get_task")
    town.fault(kind="drop", tool="list_tasks")
    said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
    assert (said.status, said.code) == (4, "ZF701")
    town.fault(kind="drop", tool="get_me")
    away = zenflow("resume", "--server", town.url, "--yes", "--json")  # it cannot even begin, and stays resumable
    assert (away.status, away.document["status"], away.code) == (4, "stopped", "ZF701")
    assert f"zenflow resume {said.document['run_id']}" in away.hint
    town.calm()
    _whole(zenflow("resume", "--server", town.url, "--yes", "--json"), town)
