"""Lays aside what a run has paid for and nobody can give to one of its inputs: files below `in-doubt/`, and
`in-doubt/in-doubt.json`, which tells task, call and the inputs that each may be of.

Free, and bound to nothing: no instance gets a result by it, and a resume does not read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zenflow.app.connection import wiring
from zenflow.app.recovery.fetched_files import FetchedFileIndex, save_assets
from zenflow.artifacts.base import SavedFile
from zenflow.artifacts.manifest import write_json
from zenflow.artifacts.naming import portable_path
from zenflow.engine.maintenance.session import MaintenanceSession
from zenflow.engine.maintenance.unassigned_results import DoubtfulCall, DoubtfulTask, unassigned_tasks

FOLDER, MANIFEST = "in-doubt", "in-doubt.json"
SAID = (
    "What this run has paid for, or may have, and nobody can say for which of its inputs. `zenflow reconcile RUN` takes "
    "your decision; until then nothing here is a result of any step."
)
DECIDED = "Everything that was laid aside here has been decided since; what belongs to the run is among its files."


@dataclass(frozen=True, slots=True)
class UnassignedFiles:
    """`new` and `kept` are files below `in-doubt/`; `failures` what is not there, and why; `running` calls are not over."""

    tasks: tuple[DoubtfulTask, ...] = ()
    new: tuple[SavedFile, ...] = ()
    kept: tuple[SavedFile, ...] = ()
    failures: tuple[str, ...] = ()
    running: int = 0


async def save_unassigned(session: MaintenanceSession, run_id: str, folder: Path) -> UnassignedFiles:
    """Fetch all of it that is not there. Raises ServiceError, ArtifactError."""
    tasks, place = await unassigned_tasks(session), folder / FOLDER
    if not tasks and not (place / MANIFEST).exists():
        return UnassignedFiles()
    parts, fetched_files, store = session.context.parts, FetchedFileIndex(place, MANIFEST), wiring.open_store(place)
    names = {asset: name for task in tasks for call in task.calls for asset, name in _names(task, call).items()}
    kept = [file for file in map(fetched_files.find, names) if file is not None and await store.verify(file)]
    there = {file.asset_id for file in kept}
    missing = [asset_id for asset_id in names if asset_id not in there]
    failures: list[str] = []
    new = await save_assets(missing, names, parts.provider, parts.clock, store, failures)
    for file in new:
        fetched_files.put(file)
    texts = _leave_texts(place, tasks)
    files = {file.asset_id: file.path for file in (*kept, *new)}
    said = SAID.replace("RUN", run_id) if tasks else DECIDED
    fetched_files.leave(run_id, said=said, tasks=[_task_row(task, files, texts) for task in tasks])
    calls = [call for task in tasks for call in task.calls]
    failures += [
        f"call {call.call_id}: {call.trouble}" for call in calls if call.trouble and call.status == "completed"
    ]
    running = sum(call.status not in ("completed", "failed") for call in calls)
    return UnassignedFiles(tasks, tuple(new), tuple(kept), tuple(failures), running)


def _name(task: DoubtfulTask, call: DoubtfulCall) -> str:
    """With the whole id: those that begin with a time begin alike."""
    return f"{task.tool}-{task.task_id}-{call.place}"


def _names(task: DoubtfulTask, call: DoubtfulCall) -> dict[str, str]:
    """By asset; the task and the place of the call among its calls, and nothing that looks like a step."""
    name = _name(task, call)
    return {asset: name if len(call.asset_ids) == 1 else f"{name}-{n}" for n, asset in enumerate(call.asset_ids)}


def _leave_texts(place: Path, tasks: Sequence[DoubtfulTask]) -> Mapping[str, str]:
    """Results that are no assets, by call."""
    found = {}
    for task in tasks:
        for call in task.calls:
            if call.status == "completed" and not call.asset_ids and not call.trouble:
                found[call.call_id] = f"{portable_path(_name(task, call))}.json"
                write_json(place, found[call.call_id], {"call_id": call.call_id, "output": call.output})
    return found


def _task_row(task: DoubtfulTask, files: Mapping[str, str], texts: Mapping[str, str]) -> dict[str, Any]:
    return {
        "task_id": task.task_id,
        "tool": task.tool,
        "comment": task.comment,
        "why": task.why,
        "submission": task.submission,
        "may_belong_to": [{"instance": one.instance, "params": dict(one.params)} for one in task.may_belong],
        "calls": [_call_row(call, files, texts) for call in task.calls],
    }


def _call_row(call: DoubtfulCall, files: Mapping[str, str], texts: Mapping[str, str]) -> dict[str, Any]:
    paths = [files[asset] for asset in call.asset_ids if asset in files]
    return {
        "call_id": call.call_id,
        "place": call.place,
        "status": call.status,
        "asset_ids": list(call.asset_ids),
        "files": [*paths, *([texts[call.call_id]] if call.call_id in texts else [])],
        "trouble": call.trouble or None,
    }
