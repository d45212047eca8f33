"""A run as one value for every form that shows it: JSON, HTML report, contact sheet, web view.

Built from the journal's events alone, never from a running engine. Amounts are `Decimal` credits, moments ISO 8601 text
in UTC, durations seconds. `docs/how-to/see-results.md` describes the forms, `schemas/run-view.schema.json` the JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from zenflow.credits import ZERO
from zenflow.history.events import FileSaved
from zenflow.report.lineage import PROMPT_KEYS


@dataclass(frozen=True, slots=True)
class FileView:
    """A saved file. `name` is its path below the output folder, `path` the whole path."""

    name: str
    path: Path
    asset_id: str
    media_type: str
    bytes: int
    sha256: str
    step: str
    is_preview: bool  # made by `preview`: never the original


@dataclass(frozen=True, slots=True)
class Ancestor:
    """What a result was made from: a call, or an upload with its `source`."""

    instance: str
    tool: str
    item: Any
    prompt: str | None
    source: str | None
    asset_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InstanceView:
    """One instance: what was asked, what came of it, what it cost. `credits` are net of refunds."""

    instance: str
    step: str
    index: int
    uses: str
    status: str
    item: Any = None
    prompt: str | None = None
    model: str | None = None
    seed: Any = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    credits: Decimal = ZERO
    quoted: Decimal = ZERO
    tries: int = 0
    task_id: str | None = None
    call_id: str | None = None
    asset_ids: tuple[str, ...] = ()
    began_at: str | None = None
    ended_at: str | None = None
    reused_from: str | None = None
    code: str = ""
    message: str = ""
    hint: str = ""
    made_from: tuple[Ancestor, ...] = ()
    files: tuple[FileView, ...] = ()

    @property
    def is_paid(self) -> bool:
        return self.tries > 0

    @property
    def own_prompt(self) -> str | None:
        """Return the prompt of this call itself; None where the prompt is that of a call before it."""
        own = (self.parameters.get(key) for key in PROMPT_KEYS)
        return next((one for one in own if isinstance(one, str)), None)

    @property
    def has_problem(self) -> bool:
        return self.status in ("failed", "blocked", "late", "unknown", "not retrievable", "stopped")


@dataclass(frozen=True, slots=True)
class StepView:
    """One step, plan beside result. `planned` is None for runs that began before the plan was recorded."""

    path: str
    uses: str
    status: str
    needs: tuple[str, ...]
    counts: Mapping[str, int]  # instances by status
    credits: Decimal
    planned: Mapping[str, Any] | None
    began_at: str | None
    ended_at: str | None


@dataclass(frozen=True, slots=True)
class MoneyView:
    """The money of a run: as planned, as charged, against the budget."""

    planned_low: Decimal
    planned_expected: Decimal
    planned_worst: Decimal
    charged: Decimal
    refunded: Decimal
    reserved: Decimal
    unknown: Decimal
    budget: Decimal
    balance_before: Decimal | None
    balance_after: Decimal | None


@dataclass(frozen=True, slots=True)
class RepositoryView:
    """A repository that the recipe came from or used, at one commit. `files`: SHA-256 by path."""

    name: str
    url: str
    rev: str
    commit: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """What a `pick` that waits asks: up to `most` of the candidates, counted from 1."""

    instance: str
    question: str
    most: int
    asset_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything that can be shown of a run."""

    run_id: str
    status: str
    reason: str
    recipe: str
    version: str
    digest: str
    server: str
    account_id: str
    labels: Mapping[str, str]
    started_at: str
    ended_at: str | None
    out_dir: Path
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    money: MoneyView
    steps: tuple[StepView, ...]
    instances: tuple[InstanceView, ...]
    files: tuple[FileView, ...]
    reasons: tuple[tuple[str, str, str], ...]  # (code, message, next step)
    notes: tuple[tuple[str, str, str], ...]  # (at, code, message)
    choices: tuple[ChoiceView, ...] = ()
    repositories: tuple[RepositoryView, ...] = ()

    @property
    def duration_s(self) -> float | None:
        """Return the seconds from the start to the last end; None while the run has no end."""
        return seconds_between(self.started_at, self.ended_at) if self.ended_at else None

    @property
    def pictures(self) -> int:
        """Return how many saved files are pictures, previews left out."""
        return sum(1 for one in self.files if one.media_type.startswith("image/") and not one.is_preview)

    @property
    def results(self) -> Sequence[InstanceView]:
        """Return the instances that have something to look at: a file, or a paid call."""
        return [one for one in self.instances if one.files or one.is_paid]

    @property
    def problems(self) -> Sequence[InstanceView]:
        """Return the instances that failed, wait, or were lost."""
        return [one for one in self.instances if one.has_problem]

    def instance(self, address: str) -> InstanceView | None:
        """Return the instance of that address."""
        return next((one for one in self.instances if one.instance == address), None)

    def file_of(self, asset_id: str) -> FileView | None:
        """Return the saved original of an asset, else its preview."""
        found = [one for one in self.files if one.asset_id == asset_id]
        return next((one for one in found if not one.is_preview), found[0] if found else None)


def seconds_between(began: str, ended: str) -> float:
    """Return the seconds between two ISO 8601 moments, never below zero: clocks are set back."""
    return max(0.0, (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds())


def file_view(file: FileSaved, out_dir: Path, previews: frozenset[str]) -> FileView:
    """Return the view of a saved file. `previews`: the steps that save previews."""
    step = "/".join(part.split(".")[0] for part in file.instance.split("/"))
    return FileView(
        name=file.path,
        path=out_dir / file.path,
        asset_id=file.asset_id,
        media_type=file.media_type,
        bytes=file.bytes,
        sha256=file.sha256,
        step=step,
        is_preview=step in previews,
    )


def problems_first(instances: Sequence[InstanceView]) -> Iterator[InstanceView]:
    """Yield the instances with problems, then the others, each group in order."""
    yield from (one for one in instances if one.has_problem)
    yield from (one for one in instances if not one.has_problem)
