"""`manifest.json` beside the files of a run: where each came from and what it cost (issue 2, item 8).

Reads the run's state only, so that it can be written again from a journal at any time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zenflow.credits import as_number
from zenflow.history.events import FileSaved
from zenflow.history.state import RunState, SubmissionState

if TYPE_CHECKING:  # the values themselves are handed over: engine and report stand on one floor
    from zenflow.engine.result import InstanceReport, RunReport

NAME = "manifest.json"
_PROMPT_KEYS = ("prompt", "text", "script")


def manifest_document(report: RunReport) -> dict[str, Any]:
    """Per file its origin; beside them what was paid and is not on disk."""
    started = report.state.started
    by_address = {instance.address: instance for step in report.steps.values() for instance in step.instances}
    return {
        "format": 1,
        "run_id": report.run_id,
        "status": report.status,
        "recipe": None if started is None else f"{started.recipe_name} {started.recipe_version}",
        "recipe_digest": None if started is None else started.recipe_digest,
        "server": None if started is None else started.server,
        "credits": as_number(report.state.books.spent),
        "files": [_file(file, report.state, by_address) for file in report.files],
        "not_retrievable": _lost(report.state),
    }


def _file(file: FileSaved, state: RunState, by_address: dict[str, InstanceReport]) -> dict[str, Any]:
    source = file.source or file.instance
    made = by_address.get(source)
    submission, params = _request(state, source)
    return {
        "path": file.path,
        "step": _step_of(source),
        "item": source,
        "prompt": next((params[key] for key in _PROMPT_KEYS if key in params), None),
        "model": params.get("model"),
        "tool": None if submission is None else submission.tool,
        "parameters": params,
        "asset_id": file.asset_id,
        "task_id": None if submission is None else submission.task_id,
        "call_id": None if made is None else made.call_id,
        "credits": None if made is None else as_number(made.credits),
        "media_type": file.media_type,
        "bytes": file.bytes,
        "sha256": file.sha256,
        "saved_at": file.at,
    }


def _request(state: RunState, address: str) -> tuple[SubmissionState | None, dict[str, Any]]:
    """The submission whose call gave the result, and what was asked of it; of several tries the one that produced."""
    instance = state.instances.get(address)
    for number, position in reversed(instance.submissions if instance else []):
        submission = state.submissions.get(number)
        if submission is not None and position < len(submission.calls):
            return submission, dict(submission.calls[position].call.params)
    return None, {}


def _step_of(address: str) -> str:
    """`outer/upscale` of `outer.2/upscale.3.1`."""
    return "/".join(part.split(".")[0] for part in address.split("/"))


def _lost(state: RunState) -> list[dict[str, Any]]:
    return [
        {
            "item": lost.instance,
            "call_id": lost.call_id,
            "task_id": _task_of(state, lost.submission),
            "output": lost.output,
        }
        for lost in state.lost
    ]


def _task_of(state: RunState, number: int) -> str | None:
    submission = state.submissions.get(number)
    return None if submission is None else submission.task_id
