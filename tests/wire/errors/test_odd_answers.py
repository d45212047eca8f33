"""Answers that are not as documented, tasks that end badly, files that come broken: over HTTP, through `zenflow run`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ODD = ("no_structured", "unknown_fields", "wrong_counts")
TOOLS = (
    "get_me",
    "list_tools",
    "get_tool_schema",
    "estimate_price",
    "create_task",
    "list_tasks",
    "get_task",
    "get_call_result",
    "get_asset_download_urls",
    "list_credit_transactions",
)


def _whole(said: Any, town: Any, files: int, charged: int) -> None:
    assert (said.status, said.document["status"]) == (0, "done"), said.err
    assert len(said.document["files"]) == files
    assert -sum(town.debits) == charged == said.document["credits"]["charged"]


@pytest.mark.parametrize("kind", ODD)
def test_changes_nothing_on_answers_with_wrong_counts(zenflow: Any, town: Any, branches: str, kind: str) -> None:
    for tool in TOOLS:
        town.fault(kind=kind, tool=tool)
    _whole(zenflow("run", branches, "--server", town.url, "--yes", "--json"), town, 2, 3)


def test_prefers_structure_over_cut_off_text(zenflow: Any, here: Path, town: Any) -> None:
    """Fifteen prompts of 2,000 characters in one task: its text ends at 25,000, its structure is whole
    (docs/service.md, “Troubleshooting”)."""
    prompts = [f"a hill, number {number}, {'very ' * 400}red" for number in range(45)]
    (here / "long.yaml").write_text(
        "zenflow: 1\nname: long\nbudget: 60\ninputs:\n  prompts: {type: array, items: {type: string}}\nsteps:\n"
        "  make:\n    foreach: ${{ inputs.prompts }}\n    uses: by_prompt\n    with:\n"
        "      positive_prompt: ${{ item }}\n      model: SEEDREAM_5\n"
    )
    (here / "prompts.json").write_text(json.dumps(prompts))
    said = zenflow("run", "long.yaml", "-i", "prompts=@prompts.json", "--server", town.url, "--yes", "--json")
    assert said.status == 0, said.err
    assert -sum(town.debits) == 45
    assert max(task["total"] for task in town.state["tasks"]) * 2000 > 25_000


@pytest.mark.parametrize("kind", ["bare_id", "calls_shuffled", "calls_growing", "calls_duplicated", "no_asset_ids"])
def test_tasks_that_tell_less_or_otherwise_still_end_well(zenflow: Any, town: Any, many: str, kind: str) -> None:
    times = {} if kind in ("bare_id", "no_asset_ids") else {"times": 3}
    town.fault(kind=kind, **times)
    _whole(zenflow("run", many, "--server", town.url, "--yes", "--json"), town, 4, 4)


@pytest.mark.parametrize("kind", ["query_ignored", "query_empty"])
def test_finds_tasks_despite_a_listing_that_does_not_filter(zenflow: Any, town: Any, branches: str, kind: str) -> None:
    town.fault(kind=kind)
    town.fault(kind="drop", tool="create_task", nth=1, when="after")
    _whole(zenflow("run", branches, "--server", town.url, "--yes", "--json"), town, 2, 3)


def test_a_partial_task_gives_what_it_has_and_names_what_failed(
    zenflow: Any, town: Any, many: str, balanced: Any
) -> None:
    town.fault(kind="partial", refund="now")
    said = zenflow("run", many, "--server", town.url, "--yes", "--json")
    assert (said.status, said.document["status"], said.code) == (1, "failed", "ZF720")
    assert len(said.document["files"]) == 3
    assert [one["status"] for one in said.document["steps"]["make"]["instances"]].count("done") == 3
    balanced(town, said.document)


def test_partial_before_the_end_is_not_taken_for_the_end(zenflow: Any, serving_sandbox: Any, many: str) -> None:
    """At a slow pace the four calls end one by one, and the sandbox says `partial` in between."""
    with serving_sandbox(speed=60) as town:
        _whole(zenflow("run", many, "--server", town.url, "--yes", "--json"), town, 4, 4)


def test_a_failed_call_inside_a_good_task_fails_alone(zenflow: Any, town: Any, many: str, balanced: Any) -> None:
    town.fault(kind="call_fails", calls=[1], refund="now")
    said = zenflow("run", many, "--server", town.url, "--yes", "--json")
    assert said.status == 1
    failed = [one for one in said.document["steps"]["make"]["instances"] if one["status"] == "failed"]
    assert [one["index"] for one in failed] == [1]
    assert "invalid or unsupported" in failed[0]["error"]["message"]
    assert len(said.document["files"]) == 3
    balanced(town, said.document)


def test_shows_an_endless_call_as_late_and_adopts_it_later(zenflow: Any, town: Any, impatient: str) -> None:
    town.fault(kind="call_never_ends", calls=[3])
    said = zenflow("run", impatient, "--server", town.url, "--yes", "--json")
    assert (said.status, said.document["status"], said.code) == (4, "stopped", "ZF643")
    assert [(call["why"], call["credits"]) for call in said.document["open_calls"]] == [("late", 1)]
    assert len(said.document["files"]) == 3
    assert town.posts == 1
    again = zenflow("resume", "--server", town.url, "--yes", "--json")
    assert again.status == 4 and town.posts == 1  # still in the books, nothing is sent for it


def test_a_late_call_that_ends_after_all_is_picked_up_and_saved(
    zenflow: Any, serving_sandbox: Any, impatient: str
) -> None:
    with serving_sandbox(speed=0.001) as town:  # hours a picture: it is not done until time is moved
        said = zenflow("run", impatient, "--server", town.url, "--yes", "--json")
        assert (said.status, said.code) == (4, "ZF643")
        town.advance(10**6)
        _whole(zenflow("resume", "--server", town.url, "--yes", "--json"), town, 4, 4)


def test_never_repeats_paid_calls_with_lost_outputs(zenflow: Any, town: Any, branches: str) -> None:
    town.fault(kind="lost_outputs", tool_name="by_prompt")
    said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
    assert (said.status, said.document["status"]) == (4, "stopped")
    assert [call["why"] for call in said.document["open_calls"]] == ["paid, not retrievable"]
    assert town.debits == [-1] and town.posts == 1


def test_books_and_names_a_price_that_moves_before_the_charge(
    zenflow: Any, town: Any, branches: str, balanced: Any
) -> None:
    town.fault(kind="price_moves", tool_name="by_prompt", by=2)
    said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
    assert any(note["code"] == "ZF634" for note in said.document["notes"])
    balanced(town, said.document)


DOWNLOADS = (
    "download_404",
    "download_expired",
    "download_truncated",
    "download_corrupt",
    "download_wrong_type",
)


@pytest.mark.parametrize("kind", DOWNLOADS)
def test_fetches_a_broken_or_late_file_again_until_whole(
    zenflow: Any, here: Path, town: Any, branches: str, kind: str
) -> None:
    town.fault(kind=kind, times=2)
    said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
    _whole(said, town, 2, 3)
    import hashlib

    for file in said.document["files"]:
        body = (Path(said.document["out"]) / file["path"]).read_bytes()
        assert hashlib.sha256(body).hexdigest() == file["sha256"]


def test_leaves_nothing_named_when_a_file_never_comes_whole(zenflow: Any, town: Any, branches: str) -> None:
    town.fault(kind="download_corrupt")
    said = zenflow("run", branches, "--server", town.url, "--yes", "--json")
    assert said.status == 1
    out = Path(said.document["out"])
    assert [path for path in out.rglob("*") if path.is_file() and path.name != "manifest.json"] == []
    town.calm()
    _whole(zenflow("resume", "--server", town.url, "--yes", "--json"), town, 2, 3)


@pytest.mark.parametrize("lag", ["listing_lag", "ledger_lag", "hidden_task"])
def test_what_the_service_shows_late_is_waited_for(zenflow: Any, town: Any, branches: str, lag: str) -> None:
    town.fault(kind=lag, seconds=0.05)  # well within the wait for a lost answer, however fast this machine is
    town.fault(kind="drop", tool="create_task", nth=1, when="after")
    _whole(zenflow("run", branches, "--server", town.url, "--yes", "--json"), town, 2, 3)


def test_reports_contradicting_pictures_without_sizes(zenflow: Any, here: Path, town: Any) -> None:
    """The files themselves show it (A5)."""
    (here / "views.yaml").write_text(
        "zenflow: 1\nname: views\nbudget: 60\nsteps:\n  make:\n    foreach: ['16:9', '9:16']\n"
        "    uses: by_prompt\n    with:\n      positive_prompt: a hill\n      model: QWEN_IMAGE\n      ratio: ${{ item }}\n"
        "  save:\n    uses: download\n    with: {asset_ids: '${{ steps.make.asset_ids }}'}\n"
    )
    plain = zenflow("run", "views.yaml", "--server", town.url, "--yes", "--json")
    assert (plain.status, plain.document["reasons"]) == (0, [])
    town.fault(kind="calls_shuffled")
    said = zenflow("run", "views.yaml", "--server", town.url, "--yes", "--json")
    assert [reason["code"] for reason in said.document["reasons"]] == ["ZF656"]
