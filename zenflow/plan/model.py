"""What will happen and what it costs: a value that is built, shown, saved and compared, and that can submit nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

from zenflow.catalog.model import Account, Catalog
from zenflow.catalog.prices import PriceBook
from zenflow.credits import ZERO, Credits, Estimate
from zenflow.problems import Problem
from zenflow.recipe.model import Recipe


@dataclass(frozen=True, slots=True)
class Count:
    """How many: fewest, as asked for, most (docs/language.md, “Budget and policy”)."""

    min: int
    expected: int
    max: int

    @property
    def exact(self) -> bool:
        return self.min == self.max

    def times(self, other: Count) -> Count:
        return Count(self.min * other.min, self.expected * other.expected, self.max * other.max)


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step, however many instances it has. `path` is `upload`, or `outer/inner` inside a recipe used as a step.

    `credits_each` is the price of one call where all calls cost the same, else None with `credits_each_range` set.
    `unpriced` says why there is no price; `credits` then counts `max_credits` where the step has it, else nothing.
    """

    path: str
    uses: str
    kind: Literal["action", "tool", "recipe"]
    instances: Count
    elements: int = 0  # the most that its `foreach` gives, before its `if` (rule 19)
    model: str | None = None  # of a generation tool; several joined with ", " when instances differ
    credits_each: Credits | None = None
    credits_each_range: tuple[Credits, Credits] | None = None
    credits: Estimate = field(default_factory=Estimate)
    unpriced: str | None = None
    placeholder: bool = False  # priced with a stand-in for an asset or text that is not made yet
    max_credits: Credits | None = None
    retries: int = 0
    needs: tuple[str, ...] = ()  # paths of the steps it reads or waits for
    uncertain: str = ""  # why `instances` or the price is a range, for people
    skipped: str = ""  # why there are fewer instances than elements, or none; for people
    usual_s: float = 0.0  # how long one call usually takes
    downstream_seconds: float = 0.0  # the longest way from the start of one instance to the end of the recipe
    downstream_credits: Credits = ZERO  # expected cost of what must follow one instance to make it useful
    price_requests: Mapping[str, int] = field(default_factory=dict)  # price question → expected calls with that answer
    kept: int = 0  # instances beside `instances` that take the result of an earlier run
    priced_at: datetime | None = None  # when the oldest of its prices was told

    @property
    def is_paid(self) -> bool:
        return self.kind == "tool"


class Verdict(Enum):
    """docs/money.md, “Budget”."""

    FITS = "fits"
    MAY_STOP = "may stop"
    OVER = "over"
    UNPRICED = "unpriced"


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One bound on the run and where it comes from: the smallest holds."""

    credits: Credits
    origin: str  # "recipe", "--budget", "zenflow.toml [budget] per_run", "the plan's worst case", …


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict with its reasons: `short_by` credits, `bound` what it broke, `ways_out` what would make it fit."""

    verdict: Verdict
    budget: BudgetLine
    short_by: Credits = ZERO
    bound: str = ""  # "budget" or "balance"
    stops_at: str | None = None  # may stop: the first step that the budget may not reach
    finished_by_then: str = ""
    ways_out: tuple[str, ...] = ()
    inner: BudgetLine | None = None  # of a recipe used as a step, where its own budget is what was broken


@dataclass(frozen=True, slots=True)
class ReuseEstimate:
    """What is known of the instances of one step beforehand, because results of earlier runs are taken.

    `kept` and `new` are requests; `complete`: there will be no instances beside those and the skipped ones.
    """

    kept: tuple[Mapping[str, Any], ...] = ()
    new: tuple[Mapping[str, Any], ...] = ()
    skipped: int = 0
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """One instance takes the result that `instance` of an earlier run has; `credits` were paid for it then."""

    address: str
    fingerprint: str
    run_id: str
    instance: str
    credits: Credits


@dataclass(frozen=True, slots=True)
class Orphan:
    """A paid result of an earlier run that nothing asks for any more."""

    run_id: str
    instance: str
    uses: str
    credits: Credits


@dataclass(frozen=True, slots=True)
class Reuse:
    """What of earlier runs is taken and what is left lying. `options` is what was asked for, as it is kept in a file."""

    options: Mapping[str, Any]
    kept: tuple[Kept, ...] = ()
    orphans: tuple[Orphan, ...] = ()
    source_run: str | None = None  # of whose results is taken; None: of any, or there is none
    gone: tuple[str, ...] = ()  # instances whose earlier result the service no longer has

    @property
    def kept_credits(self) -> Credits:
        return sum((kept.credits for kept in self.kept), ZERO)

    @property
    def orphaned_credits(self) -> Credits:
        return sum((orphan.credits for orphan in self.orphans), ZERO)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything asked and answered before a credit is spent. `steps` is in an order in which they could run."""

    recipe: Recipe
    inputs: Mapping[str, Any]
    server: str
    catalog: Catalog
    account: Account | None
    steps: Mapping[str, PlannedStep]
    credits: Estimate
    unpriced: tuple[str, ...]  # paths of steps without a price
    judgement: Judgement
    prices: PriceBook
    priced_at: datetime | None  # the oldest of its prices
    max_overrides: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()
    expected_s: float = 0.0
    reuse: Reuse | None = None  # None: nothing of earlier runs was looked for
    balance_at: datetime | None = None  # when the balance was seen, where it is not today's

    @property
    def budget(self) -> Decimal:
        return self.judgement.budget.credits

    @property
    def calls(self) -> Count:
        paid = [step.instances for step in self.steps.values() if step.is_paid]
        return Count(sum(c.min for c in paid), sum(c.expected for c in paid), sum(c.max for c in paid))
