"""A run unfolded as far as it can be without a service: which instances have a result already, and what the others ask for.

The same unfolding and the same decisions as in a run, so that what a plan says of reuse is what a run does. Nothing is
sent, and nothing is written down.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zenflow.catalog.check import with_default_model
from zenflow.catalog.model import Tool
from zenflow.engine.expansion.expander import Expander, ExpectedCount
from zenflow.engine.expansion.readiness import TOLERATES_MISSING_INPUTS, Block, Fail, Go, Skip, Wait, decide
from zenflow.engine.expansion.subrecipes import inputs_of, left_short_by, missing_input, results_of
from zenflow.engine.model.instances import Frame, Instance, Status
from zenflow.engine.reuse.reuse import kept_results
from zenflow.expr.evaluate import ExpressionError
from zenflow.history.state import InstanceStatus, Outcome, RunState
from zenflow.ids import is_uuid
from zenflow.journal.base import Finished
from zenflow.media.data_urls import is_web_url
from zenflow.plan.fingerprint import content_fingerprint, fingerprint_of
from zenflow.plan.model import ReuseEstimate
from zenflow.recipe.digests import data_url_digest, file_digest
from zenflow.recipe.model import Recipe

_NOT_UPLOADED = uuid.UUID("5a656e66-0000-5000-8000-000000000000")
"""Names stand-ins for assets that are not uploaded yet: their content is known, and that is what is compared."""

FindAsset = Callable[[str], "tuple[str, str] | None"]
"""The uploaded asset with these bytes, and its media type."""

FindResult = Callable[[Instance, str], "Finished | None"]
"""An earlier result that this instance may take, for a request with this fingerprint."""


FindOpen = Callable[[str], "str | None"]
"""The address of a call of this run that is not over and asks for the same; each is given once."""


@dataclass(frozen=True, slots=True)
class Request:
    """What an instance asks for, and its fingerprint."""

    params: Mapping[str, Any]
    fingerprint: str


@dataclass(slots=True)
class ReusePreview:
    """`requests` of every instance that is known; `kept` of those that need no call; `uploads`: local files by instance."""

    frames: list[Frame] = field(default_factory=list)
    requests: dict[Instance, Request] = field(default_factory=dict)
    kept: dict[Instance, Finished] = field(default_factory=dict)
    running: dict[Instance, str] = field(default_factory=dict)  # paid calls that are not over, by their old address
    abandoned: set[Instance] = field(default_factory=set)  # by a person's decision: a resume does not make them
    uploads: dict[Instance, tuple[Path, str]] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)
    sent: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of calls that are paid, by address

    def instance(self, address: str) -> Instance | None:
        return next(
            (
                one
                for frame in self.frames
                for step in frame.steps.values()
                for one in step.instances.values()
                if one.address == address
            ),
            None,
        )

    def _sent(self, instance: Instance) -> Mapping[str, Any]:
        """The parameters of what is paid already: as they are now, or as they were sent."""
        request = self.requests.get(instance)
        return request.params if request is not None else self.sent.get(instance.address, {})

    def by_path(self) -> dict[str, ReuseEstimate]:
        """What a plan needs to know of each step."""
        kept: dict[str, list[Mapping[str, Any]]] = {}
        new: dict[str, list[Mapping[str, Any]]] = {}
        skipped: Counter[str] = Counter()
        open_paths: set[str] = set()
        paths: set[str] = set()
        for step in (step for frame in self.frames for step in frame.steps.values()):
            path = step.plan_path
            paths.add(path)
            if not step.closed:
                open_paths.add(path)
            for instance in step.instances.values():
                request = self.requests.get(instance)
                if (
                    instance in self.running
                    or instance in self.kept
                    or (request is None and instance.inner is None and instance.status in (Status.DONE, Status.LOST))
                ):
                    kept.setdefault(path, []).append(self._sent(instance))
                elif request is not None or instance.inner is not None:
                    new.setdefault(path, []).append(request.params if request is not None else {})
                elif instance.status in (Status.SKIPPED, Status.BLOCKED) or instance in self.abandoned:
                    skipped[path] += 1
                elif instance.status is not Status.DONE:
                    open_paths.add(path)
        return {
            path: ReuseEstimate(
                tuple(kept.get(path, ())),
                tuple(new.get(path, ())),
                skipped[path],
                path not in open_paths and not any(path.startswith(f"{outer}/") for outer in open_paths),
            )
            for path in paths
        }


class ReusePreviewer:
    """Unfolds one run."""

    def __init__(
        self,
        tools: Mapping[str, Tool],
        asked: ExpectedCount,
        options: Mapping[str, Any],
        find_asset: FindAsset,
        find_result: FindResult,
        state: RunState | None = None,
        find_open: FindOpen | None = None,
    ) -> None:
        self._tools = tools
        self._find_asset = find_asset
        self._find_result = find_result
        self._find_open = find_open
        self._state = state or RunState(options=dict(options))
        self._seen = ReusePreview(contents=dict(self._state.contents), sent=_sent_calls(self._state))
        self._run: Mapping[str, Any] = {"id": "", "started_at": ""}
        self._expander = Expander(self._state, asked)
        self._expander.on_frame_settled = self._frame_settled

    def expand(self, recipe: Recipe, inputs: Mapping[str, Any]) -> ReusePreview:
        """As far as it goes."""
        self._expander.open_frame(recipe, inputs, run=self._run)
        while self._expander.agenda:
            self._consider(self._expander.agenda.popleft())
        self._seen.frames = self._expander.frames
        return self._seen

    def _consider(self, instance: Instance) -> None:
        if instance.status is not Status.WAITING or self._is_running(instance):
            return
        decision = decide(instance)
        settle = self._expander.settle
        if isinstance(decision, Wait):
            self._expander.wait_for(decision.on, instance)
        elif isinstance(decision, Skip):
            settle(instance, Status.SKIPPED, message=decision.reason)
        elif isinstance(decision, Block):
            settle(instance, Status.BLOCKED, message=decision.by)
        elif isinstance(decision, Fail):
            settle(instance, Status.FAILED, code=decision.code, message=decision.message)
        elif isinstance(decision, Go):
            self._go(instance, decision.params)

    def _is_running(self, instance: Instance) -> bool:
        """A paid call that an earlier process began: taken up while it is not over, and not made again; or given up."""
        told = instance.journaled
        if told is None or not told.submissions or told.status not in (InstanceStatus.RUNNING, InstanceStatus.LATE):
            return False
        number, position = told.submissions[-1]
        submission = self._state.submissions[number]
        if submission.outcome in (Outcome.REFUSED, Outcome.NOT_CHARGED):
            return False
        if submission.outcome in (Outcome.ABANDONED, Outcome.RELEASED):  # a resume does not make it
            self._seen.abandoned.add(instance)
            self._expander.settle(instance, Status.FAILED)
            return True
        if submission.calls[position].status in ("failed", "produced"):  # reopened: it is made again
            return False
        instance.status = Status.RUNNING
        self._seen.running[instance] = instance.address
        return True

    def _go(self, instance: Instance, params: Mapping[str, Any]) -> None:
        spec = instance.step.spec
        if spec.recipe is not None:
            self._open(instance, spec.recipe, params)
        elif spec.uses == "upload" and spec.kind == "action":
            self._upload(instance, params)
        elif spec.kind == "tool" or spec.uses not in TOLERATES_MISSING_INPUTS:
            self._ask(instance, params)
        else:
            instance.status = Status.RUNNING  # files are saved again, or found to be there
            self._seen.requests[instance] = Request({}, "")

    def _ask(self, instance: Instance, params: Mapping[str, Any]) -> None:
        """A request that is wholly known: taken from an earlier run, or to be made."""
        spec = instance.step.spec
        tool = self._tools.get(spec.uses) if spec.kind == "tool" else None
        sent = params if tool is None else with_default_model(tool, dict(params))
        fingerprint = fingerprint_of(spec.uses, sent, self._seen.contents)
        self._seen.requests[instance] = Request(sent, fingerprint)
        found = self._find_result(instance, fingerprint)
        if found is None and self._find_open is not None:
            running = self._find_open(fingerprint)
            if running is not None:
                self._seen.running[instance] = running
        if found is None:
            instance.status = Status.RUNNING
            return
        self._seen.kept[instance] = found
        self._expander.settle(instance, Status.DONE, results=kept_results(found))

    def _upload(self, instance: Instance, params: Mapping[str, Any]) -> None:
        source = params.get("source")
        if not isinstance(source, str):
            instance.status = Status.RUNNING
        elif is_uuid(source):
            self._seen.requests[instance] = Request(params, "")
            results = {"asset_id": source, "media_type": None, "size_bytes": None}
            self._expander.settle(instance, Status.DONE, results=results)
        elif is_web_url(source):
            self._ask(instance, params)
        else:
            self._upload_bytes(instance, params, source)

    def _upload_bytes(self, instance: Instance, params: Mapping[str, Any], source: str) -> None:
        digest, size = data_url_digest(source), None
        if digest is None:
            path = _placed(instance, source)
            try:
                digest, size = file_digest(path), path.stat().st_size
            except OSError:
                instance.status = Status.RUNNING  # the run says what is wrong with it
                return
            self._seen.uploads[instance] = (path, digest)
        mark = content_fingerprint(digest)
        known = self._find_asset(digest) if instance.step.spec.reuse is not False else None
        asset_id, media_type = known or (str(uuid.uuid5(_NOT_UPLOADED, digest)), None)
        self._seen.contents[asset_id] = mark
        self._seen.requests[instance] = Request(params, mark)
        results = {"asset_id": asset_id, "media_type": media_type, "size_bytes": size}
        self._expander.settle(instance, Status.DONE, results=results)

    # ------------------------------------------------------------------------------------------- recipes used as steps

    def _open(self, instance: Instance, recipe: Recipe, params: Mapping[str, Any]) -> None:
        inputs = inputs_of(recipe, params)
        instance.status = Status.RUNNING
        if missing_input(recipe, inputs) is not None:
            return
        instance.inner = self._expander.open_frame(recipe, inputs, instance, self._run)
        if instance.inner.is_settled:
            self._frame_settled(instance.inner)

    def _frame_settled(self, frame: Frame) -> None:
        outer = frame.outer
        if outer is None or outer.is_over or outer.inner is not frame:
            return
        try:
            results = results_of(frame)
            status = Status.DONE if left_short_by(frame) is None else Status.FAILED
        except ExpressionError:
            self._expander.settle(outer, Status.FAILED)
        else:
            self._expander.settle(outer, status, results=results)


def _placed(instance: Instance, source: str) -> Path:
    path = Path(source)
    return path if path.is_absolute() else instance.step.frame.recipe.path.parent / path


def _sent_calls(state: RunState) -> dict[str, Mapping[str, Any]]:
    return {call.call.instance: call.call.params for one in state.submissions.values() for call in one.calls}
