"""A snapshot of a run while it goes, taken only when somebody draws: per step how many wait, run, are done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from zenflow.credits import ZERO
from zenflow.engine.context import Context
from zenflow.engine.model.instances import Instance, Status, StepRun
from zenflow.engine.model.report import Progress, StepProgress
from zenflow.plan.model import PlannedStep

_WORD = {
    Status.RUNNING: "running",
    Status.DONE: "done",
    Status.FAILED: "failed",
    Status.BLOCKED: "failed",
    Status.SKIPPED: "skipped",
    Status.UNKNOWN: "running",
    Status.LATE: "running",
    Status.LOST: "failed",
}


@dataclass(slots=True)
class _Tally:
    uses: str
    counts: dict[str, int] = field(default_factory=dict)
    credits: Decimal = ZERO
    known: int = 0


def snapshot(context: Context) -> Progress:
    """How the run stands now."""
    tallies: dict[str, _Tally] = {}
    for step in _steps(context):
        tally = tallies.setdefault(step.plan_path, _Tally(step.spec.uses))
        for instance in step.instances.values():
            _count(tally, instance)
    steps = tuple(_step(path, tally, context.planned.get(path)) for path, tally in tallies.items())
    state = context.recorder.state
    phase: Literal["running", "draining"] = "running" if context.takes_new_work else "draining"
    return Progress(
        run_id=context.parts.lease.run_id,
        phase=phase,
        steps=steps,
        charged=state.totals.spent,
        reserved=state.totals.open + state.totals.unknown,
        budget=state.budget,
        elapsed_s=context.clock.monotonic_s() - context.began_s,
        expected_rest_s=_rest_s(context, tallies),
        status_text=context.service.status_text,
    )


def _steps(context: Context) -> Iterable[StepRun]:
    for frame in context.expander.frames:
        yield from frame.steps.values()


def _count(tally: _Tally, instance: Instance) -> None:
    tally.known += 1
    word = _WORD.get(instance.status, "waiting")
    tally.counts[word] = tally.counts.get(word, 0) + 1
    credits = (instance.results or {}).get("credits")
    if isinstance(credits, int | float) and instance.step.spec.kind == "tool":
        tally.credits += Decimal(str(credits))


def _step(path: str, tally: _Tally, planned: PlannedStep | None) -> StepProgress:
    expected = max(tally.known, planned.instances.expected if planned is not None else 0)
    counts = tally.counts
    return StepProgress(
        path=path,
        uses=tally.uses,
        model=planned.model if planned is not None else None,
        expected=expected,
        waiting=expected - sum(count for word, count in counts.items() if word != "waiting"),
        running=counts.get("running", 0),
        done=counts.get("done", 0),
        failed=counts.get("failed", 0),
        skipped=counts.get("skipped", 0),
        credits=tally.credits,
    )


def _rest_s(context: Context, tallies: dict[str, _Tally]) -> float | None:
    """The longest way from what is not over to the end, by usual durations; unknown where the plan has none."""
    rest = 0.0
    for path, tally in tallies.items():
        planned = context.planned.get(path)
        if planned is None:
            return None
        over = sum(tally.counts.get(word, 0) for word in ("done", "failed", "skipped"))
        if over < max(tally.known, planned.instances.expected):
            rest = max(rest, planned.downstream_seconds)
    return rest
