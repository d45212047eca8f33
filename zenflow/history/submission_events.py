"""The facts of one submission's life, from the intent to the last refund (docs/money.md, “The life of a submission”).

A *submission* is one `create_task` with up to 50 calls; its number counts within the run. `events` names these facts too,
and those of the run, its instances and its files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class IntendedCall:
    """One element of `inputs[]`: for which instance, which try of it, at which quote."""

    instance: str
    try_number: int
    quote: Decimal
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Intended:
    """Reserved and intended, one commit, durable before the POST: attempt 1 of this submission."""

    at: str
    submission: int
    stamp: str
    tool: str
    comment: str
    calls: tuple[IntendedCall, ...]
    watermark: str | None  # the newest transaction row seen before it
    account_id: str = ""
    balance: Decimal | None = None  # of the account where its transaction list stood at the watermark

    @property
    def quote(self) -> Decimal:
        return sum((call.quote for call in self.calls), Decimal(0))


@dataclass(frozen=True, slots=True)
class Attempted:
    """Attempt k+1 of the same intent, after a look; durable before its POST. `quotes`: what is set aside for each call from
    here on, where a person has taken a higher price."""

    at: str
    submission: int
    attempt: int
    watermark: str | None
    quotes: tuple[Decimal, ...] = ()
    balance: Decimal | None = None  # as for `Intended`


@dataclass(frozen=True, slots=True)
class NotSent:
    """Class “not sent”: no connection, or 401/429 answered to it. The reservation stays; a look comes first."""

    at: str
    submission: int
    attempt: int
    detail: str


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """Class “unknown”. `closed_at` is when our connection for it was gone: `lost_answer_wait` counts from there.

    `refusal`: the service answered with a no that no table knows (`status`, `message`, `violations`). One conclusive lookup
    makes it `Refused`. Empty for every other answer.
    """

    at: str
    submission: int
    attempt: int
    detail: str
    closed_at: str
    refusal: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LookupRecorded:
    """One look for a submission without an answer, with what it saw: the evidence that `reconcile` shows."""

    at: str
    submission: int
    complete: bool  # paged to the end and its positive control passed
    after_wait: bool  # begun after `lost_answer_wait`
    debits_explained: bool | None  # None: the transaction list could not be read
    found: tuple[str, ...] = ()  # task ids that carry the stamp
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SubmissionRefused:
    """Class “refused”: nothing was charged; the reservation is released."""

    at: str
    submission: int
    status: int | None
    message: str
    violations: tuple[str, ...] = ()
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A task id is known, from the answer or by a look (`adopted`). The reservation becomes a charge at the quote."""

    at: str
    submission: int
    task_id: str
    total: int | None
    adopted: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """Call ids in the order of the submission's calls; from here on calls are known by id only."""

    at: str
    submission: int
    call_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TookPart:
    """The task holds fewer calls than were asked for (A6). `call_ids`: by position, "" where none is known: whether that call
    was made is unknown, and stays so until a person decides."""

    at: str
    submission: int
    call_ids: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Contradicted:
    """A result fits another input and not its own (A5); or `taken`: a person takes the results as they were bound."""

    at: str
    submission: int
    message: str = ""
    taken: bool = False


@dataclass(frozen=True, slots=True)
class CallFailed:
    """The service reports one call as failed. It counts as charged until its refund row is seen."""

    at: str
    submission: int
    position: int
    call_id: str
    message: str


@dataclass(frozen=True, slots=True)
class WentLate:
    """The step's `timeout` passed: the call stays in the books and is adopted by a resume."""

    at: str
    instance: str
    submission: int


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The debit row of a submission was found in the transaction list; `amount` is positive."""

    at: str
    submission: int
    transaction_id: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Refunded:
    """A credit row for a submission's task; `amount` is positive. Comes whenever it comes."""

    at: str
    submission: int
    transaction_id: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A person's decision: the quote is booked as charged until the transaction list says otherwise."""

    at: str
    submission: int


@dataclass(frozen=True, slots=True)
class Released:
    """The transaction list has said otherwise: what was given up was never charged. Its quote is free again; the decision
    stands, and its calls are not made."""

    at: str
    submission: int
    reason: str


@dataclass(frozen=True, slots=True)
class Reclaimed:
    """A person's decision, or conclusive looks: never charged. The reservation is released, its calls start anew."""

    at: str
    submission: int
    reason: str
