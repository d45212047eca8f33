"""The outputs of a run that has ended, however it did: nothing is waited for, what exists is given out.

Of a list that is not whole there is what came; of a download that failed or rests, the files that are on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zenflow.artifacts.base import SavedFile
from zenflow.engine.expansion.scope import StepsLookup
from zenflow.engine.expansion.subrecipes import outputs_of
from zenflow.engine.model.instances import Frame, Instance, Status, StepRun
from zenflow.expr.values import SKIPPED, Unknown, Value
from zenflow.history.events import FileSaved
from zenflow.history.state import RunState
from zenflow.plan.analysis.scope import no_instance
from zenflow.recipe.actions import TOLERATES_MISSING_INPUTS

Saved = Mapping[str, Mapping[str, Any]]  # address of a download → its results as far as files are on disk


def final_outputs(frame: Frame, state: RunState) -> dict[str, Any]:
    """The outputs of the outermost recipe."""
    folder = Path(state.started.out_dir) if state.started is not None else Path()
    saved = {
        address: saved_results(folder, (file for _, file in sorted(places.items())))
        for address, places in state.files.items()
    }
    return outputs_of(frame, {**frame.names, "steps": _Steps(frame, saved)})


def saved_results(folder: Path, files: Iterable[FileSaved | SavedFile]) -> dict[str, Any]:
    """What a download or preview gives, of the files that it has saved."""
    found = [
        {
            "path": str(folder / file.path),
            "asset_id": file.asset_id,
            "media_type": file.media_type,
            "bytes": file.bytes,
            "sha256": file.sha256,
        }
        for file in files
    ]
    asset_ids = [file["asset_id"] for file in found]
    return {"files": found, "asset_ids": asset_ids, "asset_id": asset_ids[0] if asset_ids else None}


@dataclass(slots=True, eq=False)
class _Steps:
    frame: Frame
    saved: Saved

    def get(self, key: str | int) -> Value:
        step = self.frame.steps.get(str(key))
        if step is None or (step.is_settled and step.spec.uses not in TOLERATES_MISSING_INPUTS):
            return StepsLookup(self.frame, True).get(key)
        if step.fans_out:
            return _Many(step, self.saved)
        return _One(step.single, self.saved) if step.instances else SKIPPED

    def value(self) -> Value:
        return StepsLookup(self.frame, True).value()

    def keys(self) -> Sequence[str]:
        return list(self.frame.steps)


@dataclass(slots=True, eq=False)
class _One:
    instance: Instance
    saved: Saved

    def get(self, key: str | int) -> Value:
        results = self.results()
        if results is None or (key not in results and self.instance.status is not Status.DONE):
            return SKIPPED
        if key not in results:
            raise Unknown(key, list(results), f"steps.{self.instance.step.spec.id}")
        value: Value = results[str(key)]
        return SKIPPED if value is None and self.instance.status is not Status.DONE else value

    def value(self) -> Value:
        results = self.results()
        return SKIPPED if results is None else dict(results)

    def keys(self) -> Sequence[str]:
        return list(self.results() or ())

    def results(self) -> Mapping[str, Any] | None:
        available_results = self.instance.available_results
        return self.saved.get(self.instance.address) if available_results is None else available_results


@dataclass(slots=True, eq=False)
class _Many:
    step: StepRun
    saved: Saved

    def get(self, key: str | int) -> Value:
        if isinstance(key, int):
            return self._one(key)
        found: list[Any] = []
        for one in self._available():
            value = one.get(key)
            if value is not SKIPPED:
                found.extend(value) if isinstance(value, list) else found.append(value)
        return found

    def value(self) -> Value:
        return [one.value() for one in self._available()]

    def keys(self) -> Sequence[str]:
        return sorted({name for one in self._available() for name in one.keys()})  # noqa: SIM118 - a record, not a dict

    def _one(self, index: int) -> Value:
        ordered = self.step.ordered()
        if index < 0:
            instance = ordered[index] if -index <= len(ordered) else None
        else:
            instance = self.step.by_index.get(index)
        if instance is not None:
            return _One(instance, self.saved)
        if self.step.is_settled and not self.step.fanout.streams and not self.step.overflow:
            raise no_instance(self.step.spec.id, index, len(ordered))
        return SKIPPED

    def _available(self) -> Iterable[_One]:
        every = (_One(instance, self.saved) for instance in self.step.ordered())
        return [one for one in every if one.results() is not None]
