"""The end of `run`, `resume` and `show`: the report to stdout, as a picture or as a document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from zenflow.cli.terminal.console import Console
from zenflow.cli.views.plan import draw_plan
from zenflow.cli.views.run import draw_run, next_command
from zenflow.engine.model.report import RunReport
from zenflow.errors import Refused
from zenflow.report.next_steps import for_this_run
from zenflow.report.run_document import refused_document, run_document

INTERRUPTED = "ZF090"


def show_report(report: RunReport, console: Console) -> int:
    """Tell how a run ended; its status."""
    console.info()
    console.show(draw_run(report, console.style, console.width))
    console.document(report.status, first_error(report), run_document(report))
    return report.exit_status


def first_error(report: RunReport) -> Mapping[str, Any] | None:
    """What stopped it, else what failed first; None for a run that is well."""
    if report.status in ("done", "running"):
        return None
    for code, said, hint in report.reasons:
        return {"code": code, "message": said, "hint": for_this_run(hint, report.run_id, _server(report)) or None}
    for step in report.steps.values():
        for instance in step.instances:
            if instance.status == "failed":
                message = f"{instance.address}: {instance.message}"
                return {
                    "code": instance.code,
                    "message": message,
                    "hint": for_this_run(instance.hint, report.run_id, _server(report)) or None,
                }
    again = next_command(report)
    go_on = None if again is None else f"`{again.split(' · ')[0]}` goes on."
    return {"code": INTERRUPTED, "message": report.reason or f"The run is {report.status}.", "hint": go_on}


def _server(report: RunReport) -> str:
    return "" if report.state.started is None else report.state.started.server


@contextmanager
def with_plan(console: Console) -> Iterator[None]:
    """A refused plan is shown with what refused it."""
    try:
        yield
    except Refused as refused:
        plan = refused.facts.get("plan")
        if plan is not None:
            console.info(draw_plan(plan, console.message_style, console.width, verdict=False) + "\n")
            refused.facts = {"document": refused_document(plan)}
        raise
