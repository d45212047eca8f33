"""What a run's facts add up to. Built by `fold` and by nothing else; read by the engine, the report and the tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

from zenflow.credits import ZERO
from zenflow.history.events import FileSaved, IntendedCall, LookupRecorded, Noted, NotRetrievable, RunStarted


class Outcome(Enum):
    """Where a submission stands. The names are those of the table of docs/money.md."""

    OPEN = "open"  # on its way: intended, and no answer is known yet
    NOT_SENT = "not sent"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    ABANDONED = "given up"
    RELEASED = "given up, never charged"
    NOT_CHARGED = "not found, conclusive"


@dataclass(slots=True)
class CallState:
    """One call of a submission, by its position in `inputs[]`."""

    call: IntendedCall
    call_id: str | None = None
    status: str = "waiting"  # waiting | produced | failed | lost | unknown: the task has no such call
    error: str | None = None


@dataclass(slots=True)
class SubmissionState:
    number: int
    tool: str
    stamp: str
    comment: str
    quote: Decimal
    intended_at: str
    calls: list[CallState]
    watermark: str | None
    outcome: Outcome = Outcome.OPEN
    attempts: int = 1
    task_id: str | None = None
    total: int | None = None
    adopted: bool = False
    accepted_at: str | None = None
    closed_at: str | None = None  # of the attempt whose answer did not come
    detail: str = ""
    refusal: Mapping[str, Any] = field(default_factory=dict)  # the last answer was a no that no table knows
    unanswered: set[int] = field(default_factory=set)  # attempts of which it is or was unknown what they did
    balance: Decimal | None = None  # of the account, where its transaction list stood at the watermark
    lookups: list[LookupRecorded] = field(default_factory=list)
    contradiction: str = ""  # of the order of its results; what was seen
    shortfall: str = ""  # the task has fewer calls than were asked for; what was seen
    order_taken: bool = False  # a person takes them as they are
    debits: dict[str, Decimal] = field(default_factory=dict)  # transaction id → amount; more than one is a duplicate
    refunds: dict[str, Decimal] = field(default_factory=dict)

    @property
    def is_bound(self) -> bool:
        return all(call.call_id is not None or call.status == "unknown" for call in self.calls)

    @property
    def is_settled(self) -> bool:
        """Nothing more is waited for, except refunds."""
        if self.outcome is Outcome.ACCEPTED:
            return all(call.status != "waiting" for call in self.calls)
        return self.outcome in (Outcome.REFUSED, Outcome.NOT_CHARGED, Outcome.ABANDONED, Outcome.RELEASED)

    @property
    def needs_decision(self) -> bool:
        """It was accepted, and a person must say what is to become of some of its calls."""
        return self.out_of_order or self.is_short

    @property
    def is_short(self) -> bool:
        """The task has fewer calls than were asked for, and nobody has decided about the others."""
        return any(call.status == "unknown" for call in self.calls)

    @property
    def quote_taken(self) -> Decimal:
        """The quote of those calls that are there."""
        if not self.shortfall:
            return self.quote
        return sum((call.call.quote for call in self.calls if self.has(call)), ZERO)

    def has(self, call: CallState) -> bool:
        """Whether the task has this call, as far as is known; one given up because it is not there has no id either."""
        return not self.shortfall or bool(call.call_id)

    @property
    def out_of_order(self) -> bool:
        """Its results are not in the order of its inputs, and nobody has decided what to do about it."""
        waiting = any(call.status == "waiting" for call in self.calls)
        return bool(self.contradiction) and not self.order_taken and waiting

    @property
    def needs_lookup(self) -> bool:
        return self.outcome in (Outcome.UNKNOWN, Outcome.NOT_SENT)

    @property
    def confirmed(self) -> Decimal | None:
        """What the transaction list shows for it, all rows together; None while none was seen."""
        return sum(self.debits.values(), ZERO) if self.debits else None

    @property
    def charge(self) -> Decimal:
        """What it is booked at: the rows' amount once seen, else the quote; zero when nothing was charged."""
        if self.outcome in (Outcome.ACCEPTED, Outcome.ABANDONED):
            return self.quote if self.confirmed is None else self.confirmed
        if self.outcome in (Outcome.REFUSED, Outcome.NOT_CHARGED, Outcome.RELEASED):
            return ZERO if self.confirmed is None else self.confirmed
        return ZERO

    @property
    def refunded(self) -> Decimal:
        return sum(self.refunds.values(), ZERO)


class InstanceStatus(Enum):
    RUNNING = "running"
    LATE = "late"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    LOST = "not retrievable"


@dataclass(slots=True)
class InstanceState:
    """What the journal knows of one instance. One that was never begun has none."""

    address: str
    status: InstanceStatus = InstanceStatus.RUNNING
    results: Mapping[str, Any] | None = None
    submissions: list[tuple[int, int]] = field(default_factory=list)  # (submission, position), newest last
    code: str = ""
    message: str = ""
    hint: str = ""
    paid: bool = False
    fingerprint: str = ""
    reused: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class LedgerTotals:
    """The ledger's sums. `reserved == charged + released + unknown + open` at every prefix (promise 6).

    `reserved` is everything ever set aside; `charged` counts at the quote; what the transaction list says beyond or
    below the quote is `difference`; refunds are their own sum.
    """

    reserved: Decimal = ZERO
    open: Decimal = ZERO
    charged: Decimal = ZERO
    released: Decimal = ZERO
    unknown: Decimal = ZERO
    difference: Decimal = ZERO
    refunded: Decimal = ZERO

    @property
    def balanced(self) -> bool:
        return self.reserved == self.charged + self.released + self.unknown + self.open

    @property
    def spent(self) -> Decimal:
        """What the run has cost so far as far as is known: charges as booked, less refunds that were seen."""
        return self.charged + self.difference - self.refunded

    @property
    def committed(self) -> Decimal:
        """What counts against the budget: reserved and open, charged, and unknown."""
        return self.open + self.unknown + self.spent


@dataclass(slots=True)
class RunState:
    started: RunStarted | None = None
    budget: Decimal = ZERO
    options: dict[str, Any] = field(default_factory=dict)
    submissions: dict[int, SubmissionState] = field(default_factory=dict)
    first_watermark: str | None = None  # the account's list stood there before anything of this run was paid
    instances: dict[str, InstanceState] = field(default_factory=dict)
    files: dict[str, dict[int, FileSaved]] = field(default_factory=dict)  # download instance → index → file
    picks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lost: list[NotRetrievable] = field(default_factory=list)
    notes: list[Noted] = field(default_factory=list)
    contents: dict[str, str] = field(default_factory=dict)  # uploaded asset → `sha256:…` of its bytes
    totals: LedgerTotals = field(default_factory=LedgerTotals)
    status: str = "running"  # running | done | failed | stopped | interrupted
    reason: str = ""
    ended_at: str | None = None
    balance_after: Decimal | None = None
    resumes: int = 0
    recipes: int = 1  # how many recipes it has had (`resume --recipe`)

    @property
    def next_submission(self) -> int:
        return max(self.submissions, default=0) + 1
