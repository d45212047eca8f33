"""A run's report as the document of `run --json`, `resume --json` and `show --json`.

The envelope (`format`, `status`, `error`) is the command line's. Unknown amounts are null, never 0.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zenflow.credits import ZERO, as_number
from zenflow.history.events import FileSaved, RunStarted
from zenflow.plan.model import Plan
from zenflow.plan.output.document import plan_document
from zenflow.recipe.origins import origins_document, origins_of
from zenflow.report.next_steps import for_this_run

if TYPE_CHECKING:  # the values themselves are handed over: engine and report stand on one floor
    from zenflow.engine.model.report import InstanceReport, RunReport, StepReport


def run_document(report: RunReport) -> dict[str, Any]:
    """Everything a script may want to know of a run."""
    started = report.state.started
    totals = report.state.totals
    return {
        "run_id": report.run_id,
        **(_origin(started) if started is not None else {}),
        "reason": report.reason or None,
        "credits": {
            "planned": _planned(started),
            "charged": as_number(totals.spent),
            "budget": as_number(report.state.budget),
            "reserved": as_number(totals.open),
            "unknown": as_number(totals.unknown),
            "refunded": as_number(totals.refunded),
            "rest_expected": as_number(rest_expected(report)),
        },
        "balance": {"before": as_number(report.balance_before), "after": as_number(report.balance_after)},
        "outputs": _plain(report.outputs),
        "steps": {path: _step(step, report.run_id) for path, step in report.steps.items()},
        "files": [_file(file, started.out_dir if started is not None else "") for file in report.files],
        "open_calls": [
            {
                "address": call.address,
                "tool": call.tool,
                "task_id": call.task_id,
                "credits": as_number(call.credits),
                "why": call.why,
            }
            for call in report.open_calls
        ],
        "reasons": [
            {"code": code, "message": said, "hint": for_this_run(hint, report.run_id) or None}
            for code, said, hint in report.reasons
        ],
        "orphaned": [
            {
                "instance": one.address,
                "status": one.status,
                "credits": as_number(one.credits),
                "asset_ids": list(one.asset_ids),
            }
            for one in report.orphans
        ],
        "notes": [{"at": note.at, "code": note.code, "message": note.message} for note in report.state.notes],
    }


def refused_document(plan: Plan) -> dict[str, Any]:
    """A run that its plan kept from beginning: the keys of a run, nothing spent, and the plan as `plan --json` tells it."""
    balance = as_number(plan.account.credits) if plan.account is not None else None
    document = plan_document(plan)
    return {
        "recipe": document["recipe"],
        "server": plan.server,
        "credits": {"planned": document["credits"], "charged": 0, "budget": document["budget"]},
        "balance": {"before": balance, "after": balance},
        "outputs": {},
        "steps": {},
        "files": [],
        "problems": document["problems"],
        "plan": document,
    }


def rest_expected(report: RunReport) -> Decimal | None:
    """What is left to be paid, by the plan where nobody has asked anew; None for a run that is done or never began."""
    started = report.state.started
    if report.rest_credits is not None or started is None or report.status == "done":
        return report.rest_credits
    failed = (one.credits for step in report.steps.values() for one in step.instances if one.status == "failed")
    useful = report.state.totals.committed - sum(failed, ZERO)  # what a failed call cost buys nothing of the plan
    return max(ZERO, started.planned_expected - useful)


def _origin(started: RunStarted) -> dict[str, Any]:
    return {
        "recipe": {
            "name": started.recipe_name,
            "version": started.recipe_version,
            "digest": started.recipe_digest,
            "repositories": origins_document(origins_of(started.recipe_origins)),
        },
        "server": started.server,
        "started_at": started.at,
        "out": started.out_dir,
    }


def _planned(started: RunStarted | None) -> dict[str, Any] | None:
    if started is None:
        return None
    return {
        "low": as_number(started.planned_low),
        "expected": as_number(started.planned_expected),
        "worst": as_number(started.planned_worst),
    }


def _step(step: StepReport, run_id: str) -> dict[str, Any]:
    return {
        "uses": step.uses,
        "status": step.status,
        "credits": as_number(step.credits),
        "instances": [_instance(instance, run_id) for instance in step.instances],
    }


def _instance(instance: InstanceReport, run_id: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "index": instance.index,
        "address": instance.address,
        "status": instance.status,
        "credits": as_number(instance.credits),
        "task_id": instance.task_id,
        "call_id": instance.call_id,
        "asset_ids": list(instance.asset_ids),
    }
    if instance.choice is not None:
        choice = instance.choice
        candidates = [
            {
                "number": number,
                "asset_id": asset_id,
                "file": (choice.files[number - 1] or None) if choice.files else None,
            }
            for number, asset_id in enumerate(choice.asset_ids, 1)
        ]
        row["choice"] = {"question": choice.question, "most": choice.most, "candidates": candidates}
    if instance.code or instance.message:
        row["error"] = {
            "code": instance.code,
            "message": instance.message,
            "hint": for_this_run(instance.hint, run_id) or None,
        }
    return row


def _file(file: FileSaved, folder: str) -> dict[str, Any]:
    """The whole path, as in `outputs`: a script opens it from wherever it stands. In the manifest it is relative."""
    return {
        "path": str(Path(folder) / file.path),
        "asset_id": file.asset_id,
        "media_type": file.media_type,
        "bytes": file.bytes,
        "sha256": file.sha256,
    }


def _plain(value: Any) -> Any:
    """Outputs hold JSON, but for amounts."""
    if isinstance(value, Decimal):
        return as_number(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
