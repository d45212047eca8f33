"""What a person chooses from lies on disk when the question is asked: a candidate that no step saved gets its preview.

The previews are numbered as `--pick` counts. They are no results: the journal does not know of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from zenflow.app.config.settings import Settings
from zenflow.app.queries.assets import fetch
from zenflow.engine.expansion.subrecipes import spec_at
from zenflow.engine.model.report import Choice, InstanceReport, RunReport, StepReport
from zenflow.errors import UsageError, ZenflowError
from zenflow.recipe.model import Recipe
from zenflow.suggest import nearest

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


PICK = "ZF007"


def check_picks(recipe: Recipe, picks: Mapping[str, tuple[int, ...]]) -> None:
    """Raises UsageError for a `--pick` of a step that is not there or is no `pick`, or of more than it may take."""
    for address, chosen in picks.items():
        said = f"--pick {address}={','.join(map(str, chosen))}"
        spec = spec_at(recipe, address)
        if spec is None:
            raise UsageError(PICK, f"`{said}`: there is no step `{address}`.", _those(address, _paths(recipe, "pick")))
        if spec.uses != "pick":
            hint = _those(address, _paths(recipe, "pick"))
            raise UsageError(PICK, f"`{said}`: `{address}` is no `pick`, it uses `{spec.uses}`.", hint)
        most = spec.with_.get("count", 1)
        if isinstance(most, int) and len(chosen) > most:
            raise UsageError(PICK, f"`{said}` names {len(chosen)}, and `{address}` takes at most {most}.", None)


def _paths(recipe: Recipe, uses: str, above: str = "") -> Iterator[str]:
    """Each step's path, those of recipes used as steps among them, of one action."""
    for name, spec in recipe.steps.items():
        if spec.uses == uses:
            yield above + name
        if spec.recipe is not None:
            yield from _paths(spec.recipe, uses, f"{above}{name}/")


def _those(path: str, known: Iterator[str]) -> str | None:
    names = list(known)
    near = nearest(path, names)
    if not names:
        return "The recipe has none."
    there = f"There is: {', '.join(f'`{name}`' for name in names[:10])}."
    return there if near is None else f"Did you mean `{near}`? {there}"
