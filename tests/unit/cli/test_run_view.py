"""The end of a run drawn from a report: done, failed, stopped, open calls, money, the next command."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from zenflow.cli.terminal.style import PLAIN
from zenflow.cli.views.run import draw_run, next_command
from zenflow.engine.model.report import InstanceReport, OpenCall, RunReport, StepReport
from zenflow.history.events import FileSaved, RunStarted
from zenflow.history.state import LedgerTotals, RunState

STARTED = RunStarted(
    run_id="20261121-080600-k3f9",
    at="2026-11-21T08:06:00Z",
    stamp_run="zfabcdefghij",
    recipe_name="shoot",
    recipe_version="1.0.0",
    recipe_digest="d" * 64,
    recipe_root="shoot.yaml",
    recipe_files={},
    recipe_folder="/here",
    inputs={},
    server="zencreator",
    account_id="a-1",
    budget=Decimal(60),
    planned_low=Decimal(8),
    planned_expected=Decimal(10),
    planned_worst=Decimal(16),
    balance_before=Decimal(100),
    out_dir="/elsewhere/out",
    zenflow_version="0.1.0",
)


def state(ended_at: str = "2026-11-21T08:08:05Z", **totals: int) -> RunState:
    sums = LedgerTotals(**{name: Decimal(amount) for name, amount in totals.items()})
    return RunState(started=STARTED, budget=Decimal(60), totals=sums, ended_at=ended_at)


def instance(address: str, status: Any = "done", credits: int = 0, **more: Any) -> InstanceReport:
    return InstanceReport(address, 0, status, Decimal(credits), **more)


def paid(address: str, credits: int) -> InstanceReport:
    return instance(address, credits=credits, task_id="t-1")


def step(path: str, uses: str, *instances: InstanceReport) -> StepReport:
    worst = next((one.status for one in instances if one.status != "done"), "done")
    return StepReport(path, uses, worst, instances, sum((one.credits for one in instances), Decimal(0)))


def report(status: Any, of: RunState, *steps: StepReport, **more: Any) -> RunReport:
    by_path: Mapping[str, StepReport] = {one.path: one for one in steps}
    facts: dict[str, Any] = {"reason": "", "exit_status": 0, "outputs": {}, "files": (), **more}
    return RunReport(run_id=STARTED.run_id, status=status, state=of, steps=by_path, **facts)


def drawn(of: RunReport, width: int = 80) -> list[str]:
    return draw_run(of, PLAIN, width).splitlines()


def test_a_run_that_is_done() -> None:
    saved = FileSaved("t", "download", 0, "a.png", "as-1", "image/png", 1_400_000, "0" * 64)
    done = report(
        "done",
        state(charged=9, reserved=9),
        step("upload", "upload", instance("upload")),
        step("generate", "image_editor", paid("generate.0", 5), paid("generate.1", 4)),
        files=(saved, saved),
        balance_after=Decimal(91),
    )
    assert drawn(done) == [
        "zencreator · credits are real",
        "shoot 1.0.0 · run 20261121-080600-k3f9 · done in 2 min 05 s",
        "",
        "  step      tool          done  not done  credits",
        "  upload    upload         1/1                  –",
        "  generate  image_editor   2/2                  9",
        "",
        "Saved 2 files (2.8 MB) in /elsewhere/out",
        "Spent 9 credits, planned 10 (worst 16), budget 60; balance 91",
    ]


def test_reports_each_failure_once_with_its_next_step() -> None:
    again = "`zenflow resume RUN` makes it again."
    facts = {"code": "ZF630", "message": "the service reports: no face found", "hint": again}
    failed = instance("generate.1", "failed", 4, task_id="t-1", **facts)
    of = report(
        "failed",
        state(charged=8, reserved=8),
        step("generate", "image_editor", instance("generate.0", credits=4, task_id="t-1"), failed),
        exit_status=1,
        reasons=(("ZF630", "generate.1: the service reports: no face found", ""),),
        rest_credits=Decimal(4),
    )
    assert drawn(of)[5:] == [
        "",
        "1 failure",
        "  generate.1: the service reports: no face found [ZF630]",
        "    → `zenflow resume 20261121-080600-k3f9` makes it again.",
        "",
        "Spent 8 credits, planned 10 (worst 16), budget 60",
        "→ zenflow resume 20261121-080600-k3f9 · about 4 credits",
    ]


def test_shows_twenty_failures_and_counts_the_rest() -> None:
    many = [instance(f"generate.{n}", "failed", code="ZF630", message="no") for n in range(30)]
    lines = drawn(report("failed", state(), step("generate", "image_editor", *many), exit_status=1))
    assert "30 failures" in lines
    assert sum(line.startswith("  generate.") for line in lines) == 20
    assert "  … and 10 more: zenflow show 20261121-080600-k3f9 --json" in lines


def test_reports_why_a_run_stopped_and_what_it_may_cost() -> None:
    of = report(
        "stopped",
        state(charged=4, unknown=4, reserved=8),
        step("speak", "lipsync", instance("speak", "late", 4, task_id="t-9")),
        exit_status=4,
        reasons=(
            ("ZF620", "upscale.0: does not fit the budget", "`zenflow resume RUN --budget N`"),
            ("ZF620", "upscale.1: does not fit the budget", "`zenflow resume RUN --budget N`"),
        ),
        open_calls=(OpenCall("speak", "lipsync", "t-9", Decimal(4), "late"),),
    )
    assert drawn(of)[5:] == [
        "",
        "Stopped",
        "  upscale.0: does not fit the budget [ZF620]",
        "  upscale.1: does not fit the budget [ZF620]",
        "    → `zenflow resume 20261121-080600-k3f9 --budget N`",
        "",
        "1 call not settled, 4 credits",
        "  speak: late (lipsync, 4 credits, task t-9)",
        "",
        "Spent 4 credits, planned 10 (worst 16), budget 60; 4 unknown",
        "→ zenflow resume 20261121-080600-k3f9 · about 2 credits",
    ]


def test_when_the_rest_costs_nothing_it_says_so() -> None:
    of = report("interrupted", state(charged=10, reserved=10), exit_status=130, rest_credits=Decimal(0))
    assert next_command(of) == "zenflow resume 20261121-080600-k3f9 · the rest is free"


def test_resumes_more_with_its_option_and_its_cost() -> None:
    hint = "`zenflow resume RUN --max draw=4 --budget 12` makes them all."
    reasons = (("ZF623", "`draw`: 2 elements more than its `max` allows, not started", hint),)
    lines = drawn(report("stopped", state(), exit_status=4, reasons=reasons, rest_credits=Decimal(0)))
    assert [line for line in lines if "resume" in line] == [
        "    → `zenflow resume 20261121-080600-k3f9 --max draw=4 --budget 12` makes them",
    ]


def test_a_run_that_is_done_has_no_next_command() -> None:
    assert next_command(report("done", state())) is None


def test_refunds_are_told() -> None:
    of = report("done", state(charged=8, refunded=4, reserved=8))
    assert drawn(of)[-1] == "Spent 4 credits, planned 10 (worst 16), budget 60; 4 refunded"
