"""`kill -9` of a real process that talks to a sandbox over HTTP: at three moments that matter, and at random ones.

`ZENFLOW_KILLS=100 pytest tests/crash/test_kill_nine.py -k random` adds that many runs that die at random moments, with
faults on; `ZENFLOW_FIRST_KILL` says where to begin.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

KILLS = int(os.environ.get("ZENFLOW_KILLS", "0"))
FIRST_KILL = int(os.environ.get("ZENFLOW_FIRST_KILL", "0"))
PATIENCE_S = 300.0
CALLS, CREDITS, FILES = 4, 6, 2  # of the photoshoot: two pictures, two enlargements

pytestmark = pytest.mark.slow


def calls_charged(host: Any) -> int:
    return sum(len(task["inputs"]) if "inputs" in task else task["total"] for task in host.state["tasks"])


def seen(host: Any, word: str) -> int:
    """How many requests of a kind have arrived."""
    return sum(count for name, count in host.state["requests"].items() if word in name)


def go_on(host: Any) -> dict[str, Any]:
    """Resume until it is done; a resume may rest once where an answer is still waited for."""
    for _ in range(3):
        status, document = host.run("resume", _runs(host)["runs"][0]["run_id"], "--yes")
        if status == 0:
            return document
    raise AssertionError(document)


def check(host: Any, document: dict[str, Any]) -> None:
    assert document["status"] == "done"
    assert (calls_charged(host), -sum(host.debits)) == (CALLS, CREDITS)
    assert document["credits"]["charged"] == CREDITS
    files = [Path(document["out"]) / file["path"] for file in document["files"]]
    assert len(files) == FILES
    for path, told in zip(files, document["files"], strict=True):
        assert (host.folder / path).stat().st_size == told["bytes"]
    left = [path.name for path in (host.folder / document["out"]).rglob("*") if path.is_file()]
    assert sorted(left) == sorted([*(path.name for path in files), "manifest.json", "outputs.json"])


def test_killed_while_the_request_is_on_the_wire(host: Any) -> None:
    host.fault(kind="slow", tool="create_task", nth=1, seconds=1.5)
    process = host.start("run", "photoshoot", "--yes")
    assert host.kill_when(process, lambda: host.state["create_task_posts"] == 1)
    document = go_on(host)
    check(host, document)
    assert host.state["create_task_posts"] <= 3  # one more at most, and only if the first one never took effect


def test_killed_after_the_answer_was_lost(host: Any) -> None:
    host.fault(kind="drop", tool="create_task", nth=1, when="after")
    process = host.start("run", "photoshoot", "--yes")
    assert host.kill_when(process, lambda: len(host.state["tasks"]) == 1)
    check(host, go_on(host))
    assert host.state["create_task_posts"] == 2


def test_killed_while_tasks_run(host: Any) -> None:
    process = host.start("run", "photoshoot", "--yes")
    assert host.kill_when(process, lambda: len(host.state["tasks"]) == 1 and seen(host, "list_tasks") >= 1)
    check(host, go_on(host))
    assert host.state["create_task_posts"] == 2


def test_killed_while_downloading(host: Any) -> None:
    host.fault(kind="download_slow", every=1, seconds=3)
    process = host.start("run", "photoshoot", "--yes")
    assert host.kill_when(process, lambda: seen(host, "files") >= 1)
    host.calm()
    before = host.state["create_task_posts"]
    check(host, go_on(host))
    assert host.state["create_task_posts"] == before


def test_the_lock_of_a_process_that_was_killed_is_recognised(host: Any) -> None:
    host.fault(kind="slow", tool="create_task", nth=1, seconds=1.5)
    process = host.start("run", "photoshoot", "--yes")
    assert host.kill_when(process, lambda: host.state["create_task_posts"] == 1)
    assert _runs(host)["runs"][0]["status"] == "interrupted"
    check(host, go_on(host))


def _runs(host: Any) -> dict[str, Any]:
    words = [sys.executable, "-m", "zenflow", "runs", "--json"]
    told = subprocess.run(words, cwd=host.folder, env=host.environment, capture_output=True, text=True, check=True)
    found = json.loads(told.stdout)
    assert isinstance(found, dict)
    return found


# ------------------------------------------------------------------------------------------------------------ two at once


@pytest.mark.parametrize("speed", [0.01])
def test_of_two_resumes_at_once_exactly_one_works(host: Any) -> None:
    process = host.start("run", "photoshoot", "--yes")
    assert host.kill_when(process, lambda: len(host.state["tasks"]) == 1)
    run_id = _runs(host)["runs"][0]["run_id"]
    pair = [host.start("resume", run_id, "--yes"), host.start("resume", run_id, "--yes")]
    while all(one.poll() is None for one in pair):  # no task ends before the second one has been turned away
        time.sleep(0.05)
    assert 4 in [one.returncode for one in pair]
    while any(one.poll() is None for one in pair):
        host.admin("advance", {"seconds": 10**4})
        time.sleep(0.05)
    statuses, documents = [], []
    for one in pair:
        out, _ = one.communicate(timeout=PATIENCE_S)
        statuses.append(one.returncode)
        documents.append(out)
    assert sorted(statuses) == [0, 4], documents
    assert "ZF808" in documents[statuses.index(4)] and "being worked on by process" in documents[statuses.index(4)]
    assert (calls_charged(host), -sum(host.debits)) == (CALLS, CREDITS)


def test_two_runs_of_one_workspace_share_the_cap_of_a_day(host: Any) -> None:
    host.environment["ZENFLOW_BUDGET_PER_DAY"] = str(CREDITS + 3)
    pair = [host.start("run", "photoshoot", "--yes"), host.start("run", "photoshoot", "--yes")]
    said = [one.communicate(timeout=PATIENCE_S)[0] for one in pair]
    assert 0 < -sum(host.debits) <= CREDITS + 3
    stopped = [text for one, text in zip(pair, said, strict=True) if one.returncode != 0]
    assert stopped, "both together cost more than the day allows"
    assert all("per_day" in text or "ZF690" in text or "ZF661" in text for text in stopped), said


# ----------------------------------------------------------------------------------------------------------------- random

FAULTS = (
    {"kind": "drop", "tool": "create_task", "probability": 0.15, "when": "after"},
    {"kind": "http_status", "status": 504, "tool": "create_task", "probability": 0.1, "when": "after"},
    {"kind": "http_status", "status": 429, "retry_after_s": 1, "probability": 0.02},
    {"kind": "http_status", "status": 503, "tool": "get_task", "probability": 0.05},
    {"kind": "download_truncated", "probability": 0.1},
    {"kind": "calls_growing", "probability": 0.2},
)


@pytest.mark.skipif(not KILLS, reason="ZENFLOW_KILLS says how many")
@pytest.mark.parametrize("seed", range(FIRST_KILL, FIRST_KILL + KILLS))
def test_killed_at_random_moments_with_faults_on(host: Any, seed: int) -> None:
    chance = random.Random(seed)
    host.admin("faults", list(FAULTS))
    process = host.start("run", "photoshoot", "--yes")
    for _ in range(chance.randint(1, 3)):
        try:
            process.communicate(timeout=chance.uniform(0.5, 6.0))
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        words = ("resume", "--yes") if _has_begun(host) else ("run", "photoshoot", "--yes")
        process = host.start(*words)
    if process.poll() is None:
        process.communicate(timeout=PATIENCE_S)
    host.calm()
    if not _has_begun(host):
        host.run("run", "photoshoot", "--yes")
    document = go_on(host)
    check(host, document)


def _has_begun(host: Any) -> bool:
    return (host.folder / ".zenflow" / "journal.db").exists() and bool(_runs(host)["runs"])
