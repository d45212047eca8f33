"""The door to the journal: every fact on disk before it matters.

Rows lie in the order in which they were given. What the journal has confirmed survives a power cut; one failed commit
closes it for this process (docs/money.md, “The journal”).
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from zenflow.errors import Stopped, UsageError

if TYPE_CHECKING:
    from zenflow.history.events import Event, Intended


class JournalError(Stopped):
    """The journal cannot be read or written (ZF80x). Nothing is paid after it."""


class UnusableFolder(JournalError):
    """The folder that was named for it, or the one that it has by default, can hold no journal: a setting that cannot be.
    Nothing has begun, and nothing there could be resumed. Status 2."""

    exit_status = 2


class RunBusy(JournalError):
    """Another live process holds the lease of this run; `holder` names it."""


class LeaseLost(JournalError):
    """An append carried an old fencing token: another process has taken the run over."""


class NoSuchRun(UsageError):
    """No run has that name, or more than one begins with it."""


class CapReached(Stopped):
    """A cap over several runs (`per_day`) leaves no room for this reservation. Nothing was written."""

    def __init__(self, code: str, message: str, hint: str | None = None, *, room: Decimal) -> None:
        super().__init__(code, message, hint)
        self.room = room


@dataclass(frozen=True, slots=True)
class Holder:
    """Who works on a run: machine, process, and when that process started, so that a dead one is recognised."""

    host: str
    pid: int
    started: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to append to one run. `token` grows with every lease; an append with an older one is refused."""

    run_id: str
    token: int


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a list. `status` is as the last `RunEnded` says; `running` may also mean “died”: see `holder_alive`."""

    run_id: str
    recipe_name: str
    server: str
    account_id: str
    started_at: str
    status: str
    holder: Holder | None
    holder_alive: bool


@dataclass(frozen=True, slots=True)
class Cap:
    """What all runs of this journal may commit for one account on one UTC day."""

    account_id: str
    day: str  # YYYY-MM-DD
    credits: Decimal


@dataclass(frozen=True, slots=True)
class Finished:
    """A result that another run may take: which instance has it, and what was paid for it when it was made."""

    run_id: str
    instance: str
    fingerprint: str
    at: str
    results: Mapping[str, Any]
    credits: Decimal


class Journal(Protocol):
    """One journal. Reads are synchronous and small; appends are awaited where the caller needs them durable."""

    def runs(self) -> Sequence[RunRow]:
        """Newest first, by the order in which they were written: wall clocks jump backwards."""
        ...

    def find_run(self, word: str) -> RunRow:
        """By id, unique beginning of one, or `last`. Raises NoSuchRun with what there is."""
        ...

    def events(self, run_id: str) -> Sequence[Event]:
        """Every fact of a run, in order. Raises JournalError where a row cannot be read."""
        ...

    def take_lease(self, run_id: str, *, take_over: bool = False) -> Lease:
        """Raises RunBusy. A lease left by a dead process on this machine is taken without asking."""
        ...

    def release_lease(self, lease: Lease) -> None: ...

    def holds(self, lease: Lease) -> bool:
        """Whether the lease is still ours: the gate directly before a paid write."""
        ...

    def append(self, lease: Lease, events: Sequence[Event]) -> Awaitable[None]:
        """Queue `events` now, in the order of the calls; the awaitable is done when they are durable.

        May be left un-awaited for facts that cost nothing to learn again; a failed commit then shows at the next await.
        """
        ...

    def reserve_and_intend(self, lease: Lease, event: Intended, cap: Cap | None) -> Awaitable[None]:
        """`append` of an intent, in one transaction with the check of what all runs of the account have committed
        on that day. Raises CapReached (then nothing is written)."""
        ...

    def committed_on(self, account_id: str, day: str) -> Decimal:
        """Credits that all runs have open, charged or unknown on that UTC day, less refunds."""
        ...

    def committed_elsewhere(self, account_id: str, run_id: str) -> Decimal:
        """Open reservations and unknowns of other runs of the account: they may yet reach the balance."""
        ...

    def remember_asset(self, server: str, account_id: str, digest: str, asset_id: str, media_type: str) -> None:
        """Uploads are not idempotent (docs/service.md, “Assets”): the same bytes are found again by digest."""
        ...

    def find_asset(self, server: str, account_id: str, digest: str) -> tuple[str, str] | None: ...

    def finished(self, server: str, account_id: str, fingerprint: str) -> Sequence[Finished]:
        """Results of that request on that server and account: the newest run's first, in a run as they were made."""
        ...

    def finished_in(self, run_id: str) -> Sequence[Finished]:
        """Every result of one run that another may take, in the order in which they were made."""
        ...

    def remember_duration(self, server: str, tool: str, model: str, seconds: float) -> None: ...

    def durations(self, server: str, tool: str, model: str) -> Sequence[float]:
        """The last (up to 50) durations seen, oldest first."""
        ...

    def request_stop(self, run_id: str) -> None:
        """`zenflow stop RUN` from another process."""
        ...

    def stop_requested(self, lease: Lease) -> bool: ...

    async def close(self) -> None: ...
