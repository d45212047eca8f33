"""`manifest.json` beside the files of a run: where each came from and what it cost.

Reads the run's facts only, so that it can be written again from a journal at any time. A file's prompt and model are
those of its own call; where that call has none (an upscaler), those of the nearest call whose picture it was made from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from zenflow.credits import as_number
from zenflow.history.events import FileSaved
from zenflow.history.state import RunState, SubmissionState

if TYPE_CHECKING:  # the values themselves are handed over: engine and report stand on one floor
    from zenflow.engine.model.report import InstanceReport, RunReport

NAME = "manifest.json"
DEEPEST = 64  # calls that a picture may have come through
_PROMPT_KEYS = ("prompt", "text", "script")


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
        "server": None if started is None else started.server,
        "credits": as_number(report.state.books.spent),
        "files": [_file(file, chart) for file in report.files],
        "not_retrievable": _lost(report.state),
    }


class _Chart:
    """Which call made which asset, found once for all files."""

    def __init__(self, report: RunReport, items: Mapping[str, Any]) -> None:
        self.state = report.state
        self.items = items
        self.by_address = {one.address: one for step in report.steps.values() for one in step.instances}
        self._maker: dict[str, str] = {}
        for address, instance in report.state.instances.items():
            if instance.submissions:
                self._maker.update((asset_id, address) for asset_id in _asset_ids(instance.results))

    def report_of(self, address: str) -> InstanceReport | None:
        return self.by_address.get(address)

    def request(self, address: str) -> tuple[SubmissionState | None, dict[str, Any]]:
        """The submission whose call gave the result, and what was asked of it; of several tries the last."""
        instance = self.state.instances.get(address)
        for number, position in reversed(instance.submissions if instance else []):
            submission = self.state.submissions.get(number)
            if submission is not None and position < len(submission.calls):
                return submission, dict(submission.calls[position].call.params)
        return None, {}

    def line(self, address: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The call itself, then the call that made what it read, and so on back: address and parameters."""
        seen: set[str] = set()
        while address not in seen and len(seen) < DEEPEST:
            seen.add(address)
            _, params = self.request(address)
            yield address, params
            address = next((self._maker[text] for text in _texts(params) if text in self._maker), address)


def _file(file: FileSaved, chart: _Chart) -> dict[str, Any]:
    source = file.source or file.instance
    made = chart.report_of(source)
    submission, params = chart.request(source)
    line = list(chart.line(source))
    return {
        "path": file.path,
        "step": _step_of(source),
        "instance": source,
        "item": chart.items.get(source),
        "prompt": _first(line, _PROMPT_KEYS),
        "model": _first(line, ("model",)),
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


def _first(line: list[tuple[str, dict[str, Any]]], keys: tuple[str, ...]) -> Any:
    return next((its[key] for _, its in line for key in keys if key in its), None)


def _asset_ids(results: Mapping[str, Any] | None) -> list[str]:
    found = (results or {}).get("asset_ids")
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _step_of(address: str) -> str:
    """`outer/upscale` of `outer.2/upscale.3.1`."""
    return "/".join(part.split(".")[0] for part in address.split("/"))


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
