"""The cost history of a workspace, from its journal, offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.history.fold import fold
from zenflow.report.cost_history import CostEntry, entries_of


@dataclass(frozen=True, slots=True)
class CostQuery:
    """Which calls count. `since` and `until` are UTC days, both included. None and empty mean: all."""

    since: date | None = None
    until: date | None = None
    server: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    def takes(self, entry: CostEntry) -> bool:
        """Return whether the call is one of those asked for."""
        if self.server is not None and entry.server != self.server:
            return False
        if self.since is not None and entry.day < self.since:
            return False
        if self.until is not None and entry.day > self.until:
            return False
        return all(entry.labels.get(key) == value for key, value in self.labels.items())


async def costs(query: CostQuery, settings: Settings) -> Sequence[CostEntry]:
    """Return every charged call of the workspace that the query takes."""
    journal = wiring.open_journal(settings, wiring.clock(), read_only=True)
    try:
        found: list[CostEntry] = []
        for row in journal.runs():
            if query.server is None or row.server == query.server:
                found += [one for one in entries_of(fold(journal.events(row.run_id))) if query.takes(one)]
        return found
    finally:
        await journal.close()
