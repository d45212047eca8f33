"""The run as it unfolds: frames, steps, instances. Nouns only; `expand` makes them, `readiness` asks what they may do.

Nothing here is in the journal: it can be built again at any time from the recipe, the inputs and the journaled facts, and
a resume does exactly that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from zenflow.engine.model.report import Choice
from zenflow.expr.values import SKIPPED, Value
from zenflow.history.state import InstanceState
from zenflow.plan.fanout import Fanout, Key, address
from zenflow.recipe.model import Recipe, StepSpec

Waiter: TypeAlias = Callable[[], None]


@dataclass(frozen=True, slots=True)
class StopReason:
    """Why no new paid call is made: the run ends with status 4, and can go on later."""

    code: str
    message: str
    hint: str


class Status(Enum):
    WAITING = "waiting"  # for a value, a slot, or room in the budget
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    BLOCKED = "blocked"  # something it reads has failed
    LATE = "late"  # paid, past its timeout; not over
    UNKNOWN = "unknown"  # its submission's outcome needs a look or a person
    LOST = "not retrievable"
    STOPPED = "stopped"  # held by a budget, a pick, a price that moved: nothing was sent


OVER = frozenset({Status.DONE, Status.FAILED, Status.SKIPPED, Status.BLOCKED})
"""Readers may go on (or are blocked). The other statuses may still change, in this process or in a resume."""


@dataclass(slots=True, eq=False)
class Instance:
    """One instance of a step. `source` and `position` say which element of what it comes from (rule 17)."""

    step: StepRun
    key: Key
    index: int
    item: Value = None
    source: Instance | None = None
    position: int = 0
    status: Status = Status.WAITING
    results: Mapping[str, Any] | None = None
    journaled: InstanceState | None = None  # what an earlier process left of it
    code: str = ""
    message: str = ""
    hint: str = ""
    waiters: list[Waiter] = field(default_factory=list)
    inner: Frame | None = None  # of a recipe used as a step
    choice: Choice | None = None  # what a `pick` asks, while it waits
    changes: Mapping[str, Any] | None = None  # parameters that `zenflow redo` has changed for this instance alone
    address: str = field(init=False)

    def __post_init__(self) -> None:
        self.address = address(self.step.path, self.key)

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    @property
    def available_results(self) -> Mapping[str, Any] | None:
        """What there is of its results: all when it is done; of a recipe in which something failed, what was made."""
        if self.status is Status.DONE:
            return self.answers
        partly = self.status is Status.FAILED and self.step.spec.recipe is not None and self.results is not None
        return self.answers if partly else None

    @property
    def answers(self) -> Mapping[str, Any]:
        """Its results as readers see them: an output of a recipe that will not come reads as skipped (rule 12)."""
        recipe, results = self.step.spec.recipe, self.results or {}
        return results if recipe is None else {name: results.get(name, SKIPPED) for name in recipe.outputs}

    @property
    def fails_readers(self) -> bool:
        """Readers are blocked by it; with `on_error: continue` a failure reads as skipped."""
        if self.status is Status.FAILED:
            return self.step.spec.on_error == "fail"
        return self.status is Status.BLOCKED


@dataclass(slots=True, eq=False)
class StepRun:
    """One step of one frame, with the instances that exist so far."""

    frame: Frame
    spec: StepSpec
    path: str  # `generate`, or `outer.2/inner`
    plan_path: str  # `generate`, or `outer/inner`: its key in the plan
    fanout: Fanout
    instances: dict[Key, Instance] = field(default_factory=dict)
    by_index: dict[int, Instance] = field(default_factory=dict)
    closed: bool = False  # no more instances will come
    open_count: int = 0  # instances that are not over
    blocked: bool = False  # its list itself could not be had
    problem: str = ""
    overflow: int = 0  # elements beyond `max` that were not started
    waiters: list[Waiter] = field(default_factory=list)  # for all of it
    arrivals: list[Waiter] = field(default_factory=list)  # for more instances, or the close
    followers: list[Callable[[Instance], None]] = field(default_factory=list)  # streams that follow each instance's end

    @property
    def fans_out(self) -> bool:
        return self.spec.foreach is not None

    @property
    def is_settled(self) -> bool:
        return self.closed and self.open_count == 0

    @property
    def single(self) -> Instance:
        return self.instances[()]

    def ordered(self) -> list[Instance]:
        """Instances in the order of the list (rule 20)."""
        return [self.instances[key] for key in sorted(self.instances)]


@dataclass(slots=True, eq=False)
class Frame:
    """One recipe being executed: the run's own, or one instance of a recipe used as a step."""

    recipe: Recipe
    inputs: Mapping[str, Any]
    prefix: str = ""  # "outer.2/"
    plan_prefix: str = ""  # "outer/"
    outer: Instance | None = None
    steps: dict[str, StepRun] = field(default_factory=dict)
    unsettled: int = 0
    names: dict[str, Value] = field(default_factory=dict)  # what every expression of it may read

    @property
    def is_settled(self) -> bool:
        return self.unsettled == 0
