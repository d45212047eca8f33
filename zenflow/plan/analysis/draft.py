"""A plan in the making: what the passes know of each step so far. Inside this room only; `model` is what leaves it.

However many instances a step has, it is one `StepDraft` with a few `InstanceGroup`s: instances that are checked, priced and
answer alike share one. What remains per instance is four bytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from zenflow.catalog.gates import Gates
from zenflow.catalog.model import Catalog, Tool
from zenflow.catalog.prices import PriceRequest
from zenflow.expr.values import Type, Value
from zenflow.plan.fanout import Fanout
from zenflow.plan.model import Count
from zenflow.problems import Place, Problem, Problems
from zenflow.recipe.model import Recipe, StepSpec

if TYPE_CHECKING:
    from zenflow.recipe.inputs.sources import BadSource

BadSourceOf: TypeAlias = "Callable[[str, Recipe], BadSource | None]"
"""What is wrong with the source of an upload that a recipe names."""

NEVER = 0xFFFFFFFF
"""In `StepDraft.which`: this instance is known not to run."""

NONE = Count(0, 0, 0)
ONE = Count(1, 1, 1)


def plus(a: Count, b: Count) -> Count:
    return Count(a.min + b.min, a.expected + b.expected, a.max + b.max)


@dataclass(frozen=True, slots=True)
class Source:
    """What a pending value waits for, in the recipe's words; for a list also how long it may be (None: unknown)."""

    label: str
    low: int = 0
    expected: int | None = None
    most: int | None = None
    unsure: bool = False  # it may turn out to be skipped, and its readers with it (rule 12)

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True, slots=True)
class FanoutElements:
    """What a step fans out over. `size`: how many instances, as if every call gave what was asked (rule 15)."""

    count: Count  # before `if`
    size: int | None  # None: not known
    state_at: Callable[[int], bool | None]  # True: it comes; None: perhaps; False: it is known not to come
    item_at: Callable[[int | None], Value]  # of no place in particular: what is known of all of them
    parent_at: Callable[[int], int]  # the instance of the source that an instance comes from
    differs_by_index: bool  # the items, or whether they come, differ between places
    cause: str = ""  # why the count is a range


@dataclass(slots=True)
class InstanceGroup:
    """Instances that are alike. `weight` is how many there are of them in one run of their recipe."""

    params: dict[str, Any]
    first: int | None  # the place of the first, for messages
    sure: bool
    weight: Count = NONE
    results: Mapping[str, Value] = field(default_factory=dict)
    price_request: PriceRequest | None = None
    inner: RecipeDraft | None = None


@dataclass(slots=True)
class StepDraft:
    """One step of one recipe (for a recipe used as a step: of one of its shapes)."""

    path: str
    spec: StepSpec
    fanout: Fanout
    needs: tuple[str, ...]
    tool: Tool | None = None  # of actions: a stand-in with the action's parameters
    kinds: Mapping[str, Type] = field(default_factory=dict)  # its results by name, as far as their form goes
    elements: FanoutElements | None = None
    count: Count = NONE
    groups: list[InstanceGroup] = field(default_factory=list)
    which: array[int] | None = None  # the shape of each place; None: all have the first
    causes: list[str] = field(default_factory=list)  # why its count is a range
    skips: list[str] = field(default_factory=list)  # why there are fewer instances than elements, or none
    absent: bool = False  # a helper that this deployment lacks, with `on_error: continue`
    broken: bool = False  # it has problems, so nothing is known of its results
    loose: dict[str, Any] | None = None  # of a broken one: its parameters, those that fail of any type

    @property
    def size(self) -> int | None:
        return None if self.elements is None else self.elements.size

    def group_at(self, place: int | None) -> InstanceGroup | None:
        """The shape of an instance; None when it is known not to run."""
        if place is None or self.which is None:
            return self.groups[0] if self.groups else None
        if not 0 <= place < len(self.which):
            return None
        number = self.which[place]
        return None if number == NEVER else self.groups[number]


@dataclass(slots=True)
class RecipeDraft:
    """One recipe with its inputs, as far as they are known. `weight` is how often it runs: often, inside a fan-out."""

    recipe: Recipe
    inputs: Mapping[str, Value]
    prefix: str  # of the paths of its steps: "" or "outer/"
    weight: Count
    gates: Gates
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    steps: dict[str, StepDraft] = field(default_factory=dict)
    outputs: Mapping[str, Value] = field(default_factory=dict)


MOST_INSTANCES = 100_000  # over all steps of a plan


@dataclass(slots=True)
class PlanContext:
    """What every pass has at hand, and where findings go. A finding that every instance repeats is told once."""

    catalog: Catalog
    problems: Problems
    max_overrides: Mapping[str, int] = field(default_factory=dict)
    bad_source: BadSourceOf | None = None  # None: the sources of uploads are not looked at
    invalid_steps: Collection[
        str
    ] = ()  # steps of the outermost recipe whose form is wrong: told already, and left alone
    sound: set[Hashable] = field(
        default_factory=set
    )  # calls in which nothing was wrong: others like them are not looked at
    instances: int = 0  # of all steps so far whose number is known
    is_full: bool = False  # a step had more than are left; that is told once
    _told: set[tuple[str, Place | None, str]] = field(default_factory=set)

    def takes(self, instances: int) -> bool:
        """Whether so many more instances are within the bound of all steps together."""
        if self.instances + instances > MOST_INSTANCES:
            return False
        self.instances += instances
        return True

    def report(self, problem: Problem) -> None:
        key = (problem.code, problem.place, "" if problem.place else problem.message)
        if key not in self._told:
            self._told.add(key)
            self.problems.extend([problem])

    def error(self, code: str, message: str, place: Place | None, hint: str | None = None) -> None:
        self.report(Problem(code, message, place, hint))

    def warning(self, code: str, message: str, place: Place | None, hint: str | None = None) -> None:
        self.report(Problem(code, message, place, hint, "warning"))
