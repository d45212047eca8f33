"""What a run is, told as values: for progress while it goes, for the report when it ends. Knows nothing of how to draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol

from zenflow.credits import ZERO
from zenflow.history.events import Event, FileSaved
from zenflow.history.state import RunState

RunStatus = Literal["running", "done", "failed", "stopped", "interrupted"]
InstanceWord = Literal[
    "waiting", "running", "done", "failed", "skipped", "blocked", "late", "unknown", "not retrievable", "stopped"
]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person is asked by a `pick`. `files`: what shows each candidate, in their order; "" where there is none."""

    question: str
    asset_ids: tuple[str, ...]
    most: int
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InstanceReport:
    """One instance. `credits` is its share of what was charged for it, all tries together, refunds taken off."""

    address: str  # generate.2
    index: int
    status: InstanceWord
    credits: Decimal = ZERO
    task_id: str | None = None
    call_id: str | None = None
    asset_ids: tuple[str, ...] = ()
    code: str = ""
    message: str = ""
    hint: str = ""
    choice: Choice | None = None  # of a `pick` that waits for a person


@dataclass(frozen=True, slots=True)
class StepReport:
    """`status`: the worst of its instances: failed, unknown, late, stopped, blocked, running, waiting, done, skipped."""

    path: str
    uses: str
    status: InstanceWord
    instances: tuple[InstanceReport, ...]
    credits: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class OpenCall:
    """Something that may still be running and billable when a run ends."""

    address: str
    tool: str
    task_id: str | None
    credits: Decimal
    why: str  # "still running", "late", "outcome unknown", "paid, not retrievable"


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run stands. `exit_status` as in the language page (4 before 1 before 0; 130 when interrupted)."""

    run_id: str
    status: RunStatus
    reason: str
    exit_status: int
    state: RunState
    steps: Mapping[str, StepReport]
    outputs: Mapping[str, Any]
    files: tuple[FileSaved, ...]
    open_calls: tuple[OpenCall, ...] = ()
    balance_before: Decimal | None = None
    balance_after: Decimal | None = None
    reasons: tuple[tuple[str, str, str], ...] = ()  # (code, sentence, next step) of each thing that stopped it
    journal_failed: bool = False  # what this process learnt last is not on disk: see `at_risk`
    orphans: tuple[InstanceReport, ...] = ()  # paid, and no longer asked for since `resume --recipe`
    rest_credits: Decimal | None = None  # what a resume is expected to cost; None: not known

    @property
    def choices(self) -> Mapping[str, Choice]:
        """What waits for a person, by instance."""
        reports = (one for step in self.steps.values() for one in step.instances)
        return {one.address: one.choice for one in reports if one.choice is not None}


@dataclass(frozen=True, slots=True)
class StepProgress:
    path: str
    uses: str
    model: str | None
    expected: int  # instances as planned
    waiting: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0
    credits: Decimal = ZERO  # charged so far


@dataclass(frozen=True, slots=True)
class Progress:
    """A snapshot for drawing; cheap to take, taken only when something draws."""

    run_id: str
    phase: Literal["running", "draining", "ending"]
    steps: tuple[StepProgress, ...]
    charged: Decimal
    reserved: Decimal
    budget: Decimal
    elapsed_s: float
    expected_rest_s: float | None
    status_text: str = ""  # what is waited for, when unusual: “rate limited, going on in 4 s”


class Listener(Protocol):
    """Hears of every fact after it is in the journal, and may ask for a snapshot whenever it draws."""

    def event(self, event: Event) -> None: ...

    def progress(self, snapshot: Callable[[], Progress]) -> None: ...


@dataclass(slots=True)
class Silent:
    """A listener that does nothing."""

    heard: int = field(default=0)

    def event(self, event: Event) -> None:
        self.heard += 1

    def progress(self, snapshot: Callable[[], Progress]) -> None:
        return
