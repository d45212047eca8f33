"""What a person chooses from lies on disk when the question is asked: a candidate that no step saved gets its preview.

The previews are numbered as `--pick` counts. They are no results: the journal does not know of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from zenflow.app.config.settings import Settings
from zenflow.app.queries.assets import fetch
from zenflow.engine.model.report import Choice, InstanceReport, RunReport, StepReport
from zenflow.errors import ZenflowError

FOLDER = "previews"


async def with_candidates(report: RunReport, folder: Path, settings: Settings) -> RunReport:
    """The report with a file for each candidate, as far as one can be had. That one cannot fails nothing."""
    if not report.choices:
        return report
    paths = {file.asset_id: str(folder / file.path) for file in reversed(report.files)}
    wanted = {
        asset_id: f"{FOLDER}/{address}-{number}"
        for address, choice in report.choices.items()
        for number, asset_id in enumerate(choice.asset_ids, 1)
        if asset_id not in paths
    }
    if wanted:
        paths |= await _previews(wanted, folder, settings)
    steps = {path: _with_files(step, paths) for path, step in report.steps.items()}
    return replace(report, steps=steps)


async def _previews(wanted: Mapping[str, str], folder: Path, settings: Settings) -> dict[str, str]:
    """Names by asset id → paths by asset id."""
    try:
        found = await fetch(list(wanted), True, folder, settings, wanted)
    except ZenflowError:
        return {}
    return {one.asset_id: str(folder / one.file.path) for one in found.assets if one.file is not None}


def _with_files(step: StepReport, paths: Mapping[str, str]) -> StepReport:
    return replace(step, instances=tuple(_with_file(instance, paths) for instance in step.instances))


def _with_file(instance: InstanceReport, paths: Mapping[str, str]) -> InstanceReport:
    choice = instance.choice
    if choice is None:
        return instance
    files = tuple(paths.get(asset_id, "") for asset_id in choice.asset_ids)
    return replace(instance, choice=Choice(choice.question, choice.asset_ids, choice.most, files))
