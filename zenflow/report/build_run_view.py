"""Build a `RunView` from a run's events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zenflow.engine.expansion.readiness import Go, decide
from zenflow.engine.model.instances import Frame, Instance
from zenflow.engine.model.report import InstanceReport, RunReport, StepReport
from zenflow.engine.reporting.replay import frames_of, look_at
from zenflow.expr.values import Lookup
from zenflow.history import events as e
from zenflow.history.events import Event
from zenflow.plan.analysis.dependencies import link
from zenflow.recipe.model import Recipe
from zenflow.recipe.origins import origins_of
from zenflow.report.lineage import PROMPT_KEYS, Lineage, asset_ids, first_value, step_path
from zenflow.report.run_view import (
    Ancestor,
    ChoiceView,
    FileView,
    InstanceView,
    MoneyView,
    RepositoryView,
    RunView,
    StepView,
    file_view,
)


def run_view(events: Sequence[Event]) -> RunView:
    """Return the run that these events tell. Raises ValueError where they hold no start of a run."""
    return _Builder(look_at(events), _moments(events)).view()


@dataclass(slots=True)
class _Moments:
    """When each instance was first sent, and when it was last settled."""

    began: dict[str, str] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)


def _moments(events: Sequence[Event]) -> _Moments:
    found = _Moments()
    for event in events:
        if isinstance(event, e.Intended):
            for call in event.calls:
                found.began.setdefault(call.instance, event.at)
        elif isinstance(event, e.Produced | e.InstanceFailed | e.InstanceSkipped | e.NotRetrievable):
            found.ended[event.instance] = event.at
        elif isinstance(event, e.FileSaved):
            found.began.setdefault(event.instance, event.at)
            found.ended[event.instance] = event.at
    return found


class _Builder:
    def __init__(self, report: RunReport, moments: _Moments) -> None:
        started = report.state.started
        if started is None:
            raise ValueError("the journal holds no start of this run")
        self._report, self._moments, self._started = report, moments, started
        self._frames = frames_of(report.state)
        self._live = {one.address: one for frame in self._frames for one in _instances(frame)}
        self._lineage = Lineage(report.state)
        self._out_dir = Path(started.out_dir)
        previews = frozenset(path for path, step in report.steps.items() if step.uses == "preview")
        self._files = tuple(file_view(file, self._out_dir, previews) for file in report.files)
        self._files_by_source: dict[str, list[FileView]] = {}
        for file, view in zip(report.files, self._files, strict=True):
            self._files_by_source.setdefault(file.source or file.instance, []).append(view)
        self._sources: dict[str, str | None] = {}

    def view(self) -> RunView:
        report, started = self._report, self._started
        instances = tuple(self._instance(one, step) for step in report.steps.values() for one in step.instances)
        needs = dict(_needs(self._frames[0].recipe, "")) if self._frames else {}
        return RunView(
            run_id=report.run_id,
            status=report.status,
            reason=report.reason,
            recipe=started.recipe_name,
            version=started.recipe_version,
            digest=started.recipe_digest,
            server=started.server,
            account_id=started.account_id,
            labels=dict(started.options.get("labels", {})),
            started_at=started.at,
            ended_at=report.state.ended_at,
            out_dir=self._out_dir,
            inputs=started.inputs,
            outputs=report.outputs,
            money=self._money(),
            steps=tuple(self._step(step, needs.get(step.path, ())) for step in report.steps.values()),
            instances=instances,
            files=self._files,
            reasons=report.reasons,
            notes=tuple((note.at, note.code, note.message) for note in report.state.notes),
            choices=tuple(self._choices()),
            repositories=tuple(
                RepositoryView(one.name, one.url, one.rev, one.commit, one.files)
                for one in origins_of(started.recipe_origins).values()
            ),
        )

    def _choices(self) -> Iterator[ChoiceView]:
        """Yield what the waiting `pick` steps ask, as far as their candidates are known."""
        for one in self._live.values():
            if one.step.spec.uses != "pick" or one.is_over:
                continue
            decision = decide(one)
            if isinstance(decision, Go) and decision.params.get("asset_ids"):
                params = decision.params
                yield ChoiceView(
                    one.address,
                    str(params.get("question") or ""),
                    int(params.get("count") or 1),
                    tuple(params["asset_ids"]),
                )

    def _money(self) -> MoneyView:
        started, state = self._started, self._report.state
        return MoneyView(
            planned_low=started.planned_low,
            planned_expected=started.planned_expected,
            planned_worst=started.planned_worst,
            charged=state.totals.spent,
            refunded=state.totals.refunded,
            reserved=state.totals.open,
            unknown=state.totals.unknown,
            budget=state.budget,
            balance_before=started.balance_before,
            balance_after=state.balance_after,
        )

    def _step(self, step: StepReport, needs: tuple[str, ...]) -> StepView:
        addresses = [one.address for one in step.instances]
        began = [self._moments.began[one] for one in addresses if one in self._moments.began]
        ended = [self._moments.ended[one] for one in addresses if one in self._moments.ended]
        planned = self._started.options.get("planned", {}).get(step.path)
        return StepView(
            path=step.path,
            uses=step.uses,
            status=step.status,
            needs=needs,
            counts=dict(Counter(one.status for one in step.instances)),
            credits=step.credits,
            planned=planned,
            began_at=min(began, default=min(ended, default=None)),
            ended_at=max(ended, default=None),
        )

    def _instance(self, one: InstanceReport, step: StepReport) -> InstanceView:
        line = list(self._lineage.line(one.address))
        told = self._report.state.instances.get(one.address)
        submissions = told.submissions if told is not None else []
        quoted = sum((self._report.state.submissions[n].calls[at].call.quote for n, at in submissions[-1:]), start=0)
        return InstanceView(
            instance=one.address,
            step=step.path,
            index=one.index,
            uses=step.uses,
            status=one.status,
            item=self._item(one.address),
            prompt=_text(first_value(line, PROMPT_KEYS)),
            model=_text(first_value(line, ("model",))),
            seed=line[0][1].get("seed"),
            parameters=line[0][1],
            credits=one.credits,
            quoted=one.credits.__class__(quoted),
            tries=len(submissions),
            task_id=one.task_id,
            call_id=one.call_id,
            asset_ids=one.asset_ids,
            began_at=self._moments.began.get(one.address),
            ended_at=self._moments.ended.get(one.address),
            reused_from=_reused(told.reused if told is not None else {}),
            code=one.code,
            message=one.message,
            hint=one.hint,
            made_from=tuple(self._ancestor(address, params) for address, params in line[1:]),
            files=tuple(self._files_by_source.get(one.address, ())),
        )

    def _ancestor(self, address: str, params: Mapping[str, Any]) -> Ancestor:
        told = self._report.state.instances.get(address)
        live = self._live.get(address)
        return Ancestor(
            instance=address,
            tool=live.step.spec.uses if live is not None else "",
            item=self._item(address),
            prompt=_text(first_value([(address, dict(params))], PROMPT_KEYS)),
            source=self._source(address),
            asset_ids=tuple(asset_ids(told.results if told is not None else None)),
        )

    def _item(self, address: str) -> Any:
        """Return the plain `foreach` element that the instance goes back to; None where there is none."""
        live = self._live.get(address)
        while live is not None and live.source is not None:
            live = live.source
        if live is None or not live.step.fans_out or isinstance(live.item, Lookup):
            return None
        return live.item

    def _source(self, address: str) -> str | None:
        """Return the file or address that an upload took."""
        if address not in self._sources:
            live = self._live.get(address)
            source = None
            if live is not None and live.step.spec.uses == "upload":
                decision = decide(live)
                source = decision.params.get("source") if isinstance(decision, Go) else None
            self._sources[address] = source if isinstance(source, str) else None
        return self._sources[address]


def _instances(frame: Frame) -> Iterator[Instance]:
    for step in frame.steps.values():
        yield from step.instances.values()


def _needs(recipe: Recipe, prefix: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each step path with the paths that it reads; the steps of a recipe used as a step hang on that step."""
    for step_id, needed in link(recipe).items():
        outer = (prefix.removesuffix("/"),) if prefix else ()
        yield prefix + step_id, tuple(prefix + one for one in needed) or outer
        inner = recipe.steps[step_id].recipe
        if inner is not None:
            yield from _needs(inner, f"{prefix}{step_id}/")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _reused(kept: Mapping[str, Any]) -> str | None:
    return f"{kept['run_id']} {kept.get('instance', '')}".strip() if kept.get("run_id") else None


__all__ = ["run_view", "step_path"]
