"""What runs have cost over time: by day, week, month, recipe, repository, model, tool or label. Pure.

Each server is summed apart: credits of the sandbox and of other servers are different money. Days are UTC days.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from zenflow.credits import ZERO, as_number
from zenflow.history.state import RunState
from zenflow.recipe.origins import COMMIT_SHOWN, origins_of
from zenflow.report.ledger import call_rows

NO_LABEL = "(no label)"
NO_MODEL = "(no model)"
NO_REPOSITORY = "(this workspace)"


@dataclass(frozen=True, slots=True)
class CostEntry:
    """One paid call. `at` is the moment of its intent, ISO 8601 in UTC."""

    run_id: str
    at: str
    server: str
    recipe: str
    version: str
    repository: str
    model: str
    tool: str
    labels: Mapping[str, str]
    charged: Decimal
    refunded: Decimal

    @property
    def day(self) -> date:
        return datetime.fromisoformat(self.at).date()


@dataclass(slots=True)
class CostRow:
    """One group of calls of one server. `key` is the group as it is shown and sorted."""

    server: str
    key: str
    runs: set[str] = field(default_factory=set)
    calls: int = 0
    charged: Decimal = ZERO
    refunded: Decimal = ZERO

    @property
    def spent(self) -> Decimal:
        """Return the charges less the refunds."""
        return self.charged - self.refunded


def entries_of(state: RunState) -> Iterator[CostEntry]:
    """Yield every call of a run that was charged."""
    started = state.started
    if started is None:
        return
    origin = origins_of(started.recipe_origins).get("")
    for row in call_rows(state):
        submission = state.submissions[row.submission]
        if not row.charged and not row.refunded:
            continue
        params = next((call.call.params for call in submission.calls if call.call.instance == row.instance), {})
        yield CostEntry(
            run_id=started.run_id,
            at=submission.intended_at,
            server=started.server,
            recipe=started.recipe_name,
            version=started.recipe_version,
            repository=NO_REPOSITORY if origin is None else f"{origin.label} {origin.commit[:COMMIT_SHOWN]}",
            model=str(params.get("model") or NO_MODEL),
            tool=row.tool,
            labels=started.options.get("labels") or {},
            charged=row.charged,
            refunded=row.refunded,
        )


def _week(entry: CostEntry) -> str:
    year, week, _ = entry.day.isocalendar()
    return f"{year}-W{week:02}"


def _recipe(entry: CostEntry) -> str:
    """By repository and version: two repositories may have a recipe of one name."""
    titled = f"{entry.recipe} {entry.version}".strip()
    return titled if entry.repository == NO_REPOSITORY else f"{entry.repository} · {titled}"


def _labels(entry: CostEntry) -> list[str]:
    return [f"{key}={value}" for key, value in entry.labels.items()] or [NO_LABEL]


KEYS: Mapping[str, Callable[[CostEntry], list[str]]] = {
    "day": lambda entry: [entry.day.isoformat()],
    "week": lambda entry: [_week(entry)],
    "month": lambda entry: [entry.day.isoformat()[:7]],
    "recipe": lambda entry: [_recipe(entry)],
    "repository": lambda entry: [entry.repository],
    "model": lambda entry: [entry.model],
    "tool": lambda entry: [entry.tool],
    "label": _labels,
}
TIMES = ("day", "week", "month")


def grouped(entries: Iterable[CostEntry], by: str) -> Sequence[CostRow]:
    """Return the groups, server by server: times in order, all else by what was spent, most first.

    A call with two labels counts in both groups. Raises KeyError for an unknown `by`.
    """
    keys = KEYS[by]
    rows: dict[tuple[str, str], CostRow] = {}
    for entry in entries:
        for key in keys(entry):
            row = rows.setdefault((entry.server, key), CostRow(entry.server, key))
            row.runs.add(entry.run_id)
            row.calls += 1
            row.charged += entry.charged
            row.refunded += entry.refunded
    if by in TIMES:
        return sorted(rows.values(), key=lambda row: (row.server, row.key))
    return sorted(rows.values(), key=lambda row: (row.server, -row.spent, row.key))


def totals(entries: Iterable[CostEntry]) -> Sequence[CostRow]:
    """Return one row per server: what it was paid in all."""
    rows: dict[str, CostRow] = {}
    for entry in entries:
        row = rows.setdefault(entry.server, CostRow(entry.server, "total"))
        row.runs.add(entry.run_id)
        row.calls += 1
        row.charged += entry.charged
        row.refunded += entry.refunded
    return [rows[server] for server in sorted(rows)]


CSV_HEAD = ("server", "group", "runs", "calls", "charged", "refunded", "spent")


def costs_csv(entries: Iterable[CostEntry], by: str) -> str:
    """Return the groups as CSV, the server in each row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_HEAD)
    for row in grouped(entries, by):
        amounts = [as_number(one) for one in (row.charged, row.refunded, row.spent)]
        writer.writerow([row.server, row.key, len(row.runs), row.calls, *amounts])
    return text.getvalue().rstrip("\n")
