"""The engine's door: what it needs to execute a run, and what `app` calls.

run = await begin(plan, request, parts)      journal the start of a new run
report = await execute(run, parts, listener) do it, or go on with it, until it is done or rests
report = look_at(events)                     how a run stands, from its facts alone, offline
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zenflow.clock import Clock
from zenflow.ids import RandomBytes

if TYPE_CHECKING:  # a plan needs the limits, and none of the doors below
    from zenflow.artifacts.base import ArtifactStore
    from zenflow.journal.base import Journal, Lease
    from zenflow.journal.shared_rate_limit import SharedRateLimit
    from zenflow.providers.base import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Each has its key in `zenflow.toml` `[limits]` (docs/language.md, “The workspace”)."""

    in_flight: int = 50
    requests_per_second: float = 10.0
    batch: int = 50
    lost_answer_wait_s: float = 120.0
    downloads_at_once: int = 8
    # docs/service.md, “Troubleshooting”: at least 2 s between polls; the embedded sandbox divides it by its speed
    watch_least_s: float = 2.0
    quote_ttl_s: float = 30.0
    max_submission: Decimal | None = None  # credits in one create_task; None: a quarter of the budget, at least 100
    patience_429_s: float = 600.0  # nothing but 429 for this long stops the run


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The real parts, chosen by `app/connection/wiring.py` alone."""

    provider: Provider
    journal: Journal
    lease: Lease
    store: ArtifactStore
    clock: Clock
    limits: Limits
    random_bytes: RandomBytes
    per_day: Decimal | None = None
    shared_limit: SharedRateLimit | None = None  # of all processes of this workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """What a person asked for, beyond the plan."""

    run_id: str
    out_dir: Path
    named_paths: tuple[str, ...] = ()
    balance: Decimal | None = None
    options: Mapping[str, Any] = field(default_factory=dict)  # max, picks, upload policy


class StopSignal:
    """Ctrl-C once: submit nothing new, wait for what is paid, save it. Twice: leave at once, resumable."""

    def __init__(self) -> None:
        self.draining = False
        self.leaving = False
        self._wake: list[Any] = []

    def request(self) -> None:
        """The first call drains, the second leaves."""
        self.leaving = self.draining
        self.draining = True
        for wake in self._wake:
            wake()

    def on_change(self, wake: Any) -> None:
        self._wake.append(wake)
