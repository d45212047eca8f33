"""`manifest.json` beside the files of a run: where each came from and what it cost.

Reads the run's facts only, so that it can be written again from a journal at any time. A file's prompt and model are
those of its own call; where that call has none (an upscaler), those of the nearest call whose picture it was made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zenflow.credits import as_number
from zenflow.history.events import FileSaved
from zenflow.history.state import RunState
from zenflow.recipe.origins import origins_document, origins_of
from zenflow.report.lineage import PROMPT_KEYS, Lineage, first_value, step_path

if TYPE_CHECKING:  # the values themselves are handed over: engine and report stand on one floor
    from zenflow.engine.model.report import InstanceReport, RunReport

NAME = "manifest.json"


def manifest_document(report: RunReport, items: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Per file its origin; beside them what was paid and cannot be found. `items`: `foreach` elements by address."""
    started = report.state.started
    chart = _Chart(report, items or {})
    return {
        "format": 1,
        "run_id": report.run_id,
        "status": report.status,
        "recipe": None if started is None else f"{started.recipe_name} {started.recipe_version}".rstrip(),
        "recipe_digest": None if started is None else started.recipe_digest,
        "repositories": [] if started is None else origins_document(origins_of(started.recipe_origins)),
        "server": None if started is None else started.server,
        "credits": as_number(report.state.totals.spent),
        "files": [_file(file, chart) for file in report.files],
        "not_retrievable": _lost(report.state),
    }


class _Chart:
    """What each file came from, found once for all files."""

    def __init__(self, report: RunReport, items: Mapping[str, Any]) -> None:
        self.items = items
        self.lineage = Lineage(report.state)
        self._by_address = {one.address: one for step in report.steps.values() for one in step.instances}

    def report_of(self, address: str) -> InstanceReport | None:
        return self._by_address.get(address)


def _file(file: FileSaved, chart: _Chart) -> dict[str, Any]:
    source = file.source or file.instance
    made = chart.report_of(source)
    submission, params = chart.lineage.request(source)
    line = list(chart.lineage.line(source))
    return {
        "path": file.path,
        "step": step_path(source),
        "instance": source,
        "item": chart.items.get(source),
        "prompt": first_value(line, PROMPT_KEYS),
        "model": first_value(line, ("model",)),
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
        "made_from": [
            {"instance": address, "item": chart.items.get(address), "parameters": its} for address, its in line[1:]
        ],
    }


def _lost(state: RunState) -> list[dict[str, Any]]:
    return [
        {
            "instance": lost.instance,
            "call_id": lost.call_id,
            "task_id": _task_of(state, lost.submission),
            "output": lost.output,
        }
        for lost in state.lost
    ]


def _task_of(state: RunState, number: int) -> str | None:
    submission = state.submissions.get(number)
    return None if submission is None else submission.task_id
