"""Progress as lines: what changed, not too often, failures at once."""

from __future__ import annotations

import io
from decimal import Decimal

from rich.console import Console as RichConsole

from zenflow.cli.views.progress_live import drawing
from zenflow.cli.views.progress_plain import PlainProgress
from zenflow.engine.model.report import Progress, StepProgress
from zenflow.history.events import InstanceFailed, Produced, WentLate


def progress(elapsed_s: float, *steps: StepProgress, status_text: str = "") -> Progress:
    return Progress("run", "running", steps, Decimal(4), Decimal(2), Decimal(60), elapsed_s, 30.0, status_text)


def step(**counts: int) -> StepProgress:
    credits = Decimal(counts.pop("credits", 0))
    return StepProgress("generate", "image_editor", "SEEDREAM_5", expected=8, credits=credits, **counts)


def told(*snapshots: Progress) -> list[str]:
    lines: list[str] = []
    teller = PlainProgress(lines.append)
    for snapshot in snapshots:
        teller.progress(lambda taken=snapshot: taken)
        teller.tick()
    return lines


def live(snapshot: Progress, width: int) -> list[str]:
    console = RichConsole(width=width, file=io.StringIO(), color_system=None)
    console.print(drawing(snapshot))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_prints_a_step_at_most_every_five_seconds() -> None:
    assert told(
        progress(0, step(waiting=8)),
        progress(1, step(running=8)),
        progress(2, step(running=7, done=1, credits=4)),
        progress(6, step(running=5, done=3, credits=12)),
        progress(7, step(done=7, failed=1, credits=28)),
    ) == [
        "       1 s  generate: 0 of 8 done, 8 running",
        "       6 s  generate: 3 of 8 done, 5 running, 12 credits",
        "       7 s  generate: 7 of 8 done, 1 failed, 28 credits",
    ]


def test_what_did_not_change_is_not_said_again() -> None:
    assert len(told(progress(1, step(running=8)), progress(100, step(running=8)))) == 1


def test_unusual_waits_are_said_once() -> None:
    waiting = progress(1, status_text="rate limited, going on in 4 s")
    assert told(waiting, waiting) == ["rate limited, going on in 4 s"]


def test_reports_failures_and_late_calls_at_once() -> None:
    lines: list[str] = []
    teller = PlainProgress(lines.append)
    teller.event(Produced("t", "generate.0", {}))
    teller.event(InstanceFailed("t", "generate.1", "ZF630", "no face found", "Use another photo."))
    teller.event(WentLate("t", "speak", 3))
    assert lines == [
        "    failed  generate.1: no face found [ZF630]",
        "      late  speak: still running at the service; a resume picks it up",
    ]


def test_the_live_drawing_shows_money_time_and_each_step() -> None:
    snapshot = progress(65, step(running=5, waiting=1, done=2, credits=8), status_text="rate limited")
    assert live(snapshot, 80) == [
        "4 + 2 reserved of 60 credits · 1 min 05 s · about 30 s left",
        "  generate  image_editor · SEEDR…  2/8  ━━━╌╌╌╌╌╌╌╌╌  5 running, 1 waiting  8 cr",
        "  rate limited",
    ]
    assert "image_editor · SEEDREAM_5" in live(snapshot, 120)[1]


def test_of_many_steps_those_that_move_are_shown() -> None:
    steps = [StepProgress(f"s{n}", "upload", None, 1, waiting=1) for n in range(50)]
    steps[40] = StepProgress("s40", "upload", None, 1, running=1)
    text = "\n".join(live(progress(1, *steps), 80))
    assert "s40" in text and "s49" not in text and "… 30 more steps" in text
