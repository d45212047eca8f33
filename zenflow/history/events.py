"""The facts of a run, one frozen value each. The journal stores them, `fold` reads them, nobody changes them.

Amounts are `Decimal` credits. Moments are ISO 8601 text in UTC. An *instance* is named by its address: `upload`,
`generate.2`, `upscale.3.1`, and inside a recipe used as a step `outer.2/inner.1` (rule 15 of the language page).
The facts of a submission lie in `submission_events` and are named here with the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

from zenflow.history.submission_events import (
    Abandoned,
    Accepted,
    Attempted,
    Bound,
    CallFailed,
    Confirmed,
    Contradicted,
    Intended,
    IntendedCall,
    LookupRecorded,
    NotSent,
    OutcomeUnknown,
    Reclaimed,
    Refunded,
    Released,
    SubmissionRefused,
    TookPart,
    WentLate,
)


@dataclass(frozen=True, slots=True)
class RunStarted:
    """Everything a resume needs, so that a changed file on disk changes nothing (docs/money.md, “Resume”)."""

    run_id: str
    at: str
    stamp_run: str
    recipe_name: str
    recipe_version: str
    recipe_digest: str
    recipe_root: str  # the key of the outermost recipe in `recipe_files`
    recipe_files: Mapping[str, str]
    recipe_folder: str  # where it lay: relative paths in it are files beside it
    inputs: Mapping[str, Any]
    server: str
    account_id: str
    budget: Decimal
    planned_low: Decimal
    planned_expected: Decimal
    planned_worst: Decimal
    balance_before: Decimal | None
    out_dir: str
    zenflow_version: str
    named_paths: tuple[str, ...] = ()  # local files that the user named and that a step may therefore upload
    options: Mapping[str, Any] = field(default_factory=dict)  # max overrides, picks, subjects, limits
    recipe_boundary: str = ""  # the folder that its paths may not leave; empty: `recipe_folder`
    recipe_origins: Mapping[str, Any] = field(
        default_factory=dict
    )  # the repositories that it uses, by prefix of their keys


@dataclass(frozen=True, slots=True)
class RunResumed:
    at: str
    holder: str


@dataclass(frozen=True, slots=True)
class BudgetChanged:
    """A deliberate act (`resume --budget N`)."""

    at: str
    budget: Decimal


@dataclass(frozen=True, slots=True)
class OptionsChanged:
    """`resume --max STEP=N`, `--pick …`: merged over the run's options."""

    at: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecipeChanged:
    """`resume --recipe FILE`: from here on the run is that of another text, with everything that was paid.

    `moves`: instances that have (or wait for) a result that the new recipe asks for too, old address → new address. All
    others are orphaned: they stay in the books under `orphaned-N/`, which is the address of no step.
    """

    at: str
    recipe_name: str
    recipe_version: str
    recipe_digest: str
    recipe_root: str
    recipe_files: Mapping[str, str]
    recipe_folder: str
    inputs: Mapping[str, Any]
    named_paths: tuple[str, ...]
    moves: Mapping[str, str]
    recipe_boundary: str = ""
    recipe_origins: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunEnded:
    """`status` is done, failed, stopped or interrupted; `reason` a code and a sentence for the last three."""

    at: str
    status: str
    reason: str = ""
    balance_after: Decimal | None = None


# ---------------------------------------------------------------------------------------------------- instances, files


@dataclass(frozen=True, slots=True)
class Produced:
    """An instance has its results (`steps.ID.FIELD`). For a paid call: which, and its share of the quote.

    `fingerprint` is that of its request (`plan/fingerprint`), or `sha256:…` of the bytes of an upload. `reused`: the
    results are those of `instance` of `run_id`, for which `credits` were paid then; nothing was paid now.
    """

    at: str
    instance: str
    results: Mapping[str, Any]
    submission: int | None = None
    position: int | None = None
    credits: Decimal = Decimal(0)
    fingerprint: str = ""
    reused: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InstanceSkipped:
    at: str
    instance: str
    reason: str


@dataclass(frozen=True, slots=True)
class InstanceFailed:
    """`paid`: a call of it was charged (perhaps refunded later). `final`: no try is left that the recipe allows."""

    at: str
    instance: str
    code: str
    message: str
    hint: str = ""
    paid: bool = False


@dataclass(frozen=True, slots=True)
class NotRetrievable:
    """A completed call whose result cannot be found: paid, status 4, never submitted again."""

    at: str
    instance: str
    submission: int
    position: int
    call_id: str
    output: Any


@dataclass(frozen=True, slots=True)
class ResultAwaited:
    """The service knows a call again that was `NotRetrievable`, and it is not over: its result is waited for."""

    at: str
    instance: str
    submission: int
    position: int


@dataclass(frozen=True, slots=True)
class Reopened:
    """A resume takes failed instances up again; what was paid for them stays in the books."""

    at: str
    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileSaved:
    """One file is on disk, synced. `instance` is the download's, `source` the instance that made the asset."""

    at: str
    instance: str
    place: int  # the file's `index` in its step
    path: str
    asset_id: str
    media_type: str
    bytes: int
    sha256: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Picked:
    at: str
    instance: str
    asset_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Noted:
    """Something a person should read later: a price that moved, a duplicate that was found, a contradiction."""

    at: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """A fact of a kind that this version does not know (a later one wrote it): kept, shown, folded to nothing."""

    kind: str
    body: Mapping[str, Any]


Event: TypeAlias = (
    RunStarted
    | RunResumed
    | BudgetChanged
    | OptionsChanged
    | RecipeChanged
    | RunEnded
    | Intended
    | Attempted
    | NotSent
    | OutcomeUnknown
    | LookupRecorded
    | SubmissionRefused
    | Accepted
    | Bound
    | TookPart
    | Contradicted
    | CallFailed
    | WentLate
    | Confirmed
    | Refunded
    | Abandoned
    | Released
    | Reclaimed
    | Produced
    | InstanceSkipped
    | InstanceFailed
    | NotRetrievable
    | ResultAwaited
    | Reopened
    | FileSaved
    | Picked
    | Noted
    | Opaque
)

__all__ = [
    "Abandoned",
    "Accepted",
    "Attempted",
    "Bound",
    "BudgetChanged",
    "CallFailed",
    "Confirmed",
    "Contradicted",
    "Event",
    "FileSaved",
    "InstanceFailed",
    "InstanceSkipped",
    "Intended",
    "IntendedCall",
    "LookupRecorded",
    "NotRetrievable",
    "NotSent",
    "Noted",
    "Opaque",
    "OptionsChanged",
    "OutcomeUnknown",
    "Picked",
    "Produced",
    "RecipeChanged",
    "Reclaimed",
    "Refunded",
    "Released",
    "Reopened",
    "ResultAwaited",
    "RunEnded",
    "RunResumed",
    "RunStarted",
    "SubmissionRefused",
    "TookPart",
    "WentLate",
]
