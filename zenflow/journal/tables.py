"""The journal's tables as one transaction sees them: facts go in, and what follows from them (runs, spends) with them.

Used by the writing thread alone. What a run has spent is kept in memory between transactions: while its lease is ours,
nobody else changes it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from decimal import Decimal

from zenflow.credits import ZERO
from zenflow.history import events as e
from zenflow.history.state import Outcome
from zenflow.journal import daily_caps as spend
from zenflow.journal import lock
from zenflow.journal.base import Cap, Holder, Lease
from zenflow.journal.daily_caps import check_cap
from zenflow.journal.reusable_results import finished_row, is_takeable, moved_names
from zenflow.journal.statements import CHUNKS, insert_events, statements

RUN_FACTS = (
    frozenset({e.RunStarted, e.RunResumed, e.RunEnded, e.RecipeChanged, e.Intended, e.Produced}) | spend.SPEND_FACTS
)
_KEPT_SPENDS = 2000

_TotalKey = tuple[str, str, int]  # account, day, run


class Tables:
    """One writing connection. Everything between `begin` and `flush` belongs to one transaction."""

    def __init__(self, connection: sqlite3.Connection, me: Holder, alive: lock.IsAlive) -> None:
        self._connection, self._me, self._alive = connection, me, alive
        self._sql = statements()
        self._rows: list[str | int] = []  # run, line, run, line, …
        self._checked: dict[Lease, tuple[int, str]] = {}
        self._spends: dict[tuple[int, int], spend.Spend] = {}
        self._totals: dict[_TotalKey, tuple[Decimal, Decimal]] = {}
        self._dirty_spends: set[tuple[int, int]] = set()
        self._dirty_totals: set[_TotalKey] = set()

    def begin(self) -> None:
        self._checked.clear()

    def flush(self) -> None:
        """Write what gathered; the caller commits."""
        self._insert_rows()
        execute, sql = self._connection.execute, self._sql
        for run, submission in self._dirty_spends:
            kept = self._spends[run, submission]
            where = (run, submission, kept.account_id, kept.day)
            what = (str(kept.quote), kept.outcome.value, _as_text(kept.debits), _as_text(kept.refunds))
            execute(sql["put_spend"], where + what)
        for account_id, day, run in self._dirty_totals:
            committed, pending = self._totals[account_id, day, run]
            execute(sql["put_total"], (account_id, day, run, str(committed), str(pending)))
        self._dirty_spends.clear()
        self._dirty_totals.clear()
        if len(self._spends) > _KEPT_SPENDS:
            self._spends.clear()

    # ------------------------------------------------------------------------------------------------------- facts

    def append(self, lease: Lease, lines: Sequence[str], facts: Sequence[e.Event]) -> None:
        """`facts` are those of the lines that change more than the list of facts. Raises LeaseLost."""
        run, account_id = self._run_of(lease)
        for line in lines:
            self._rows += (run, line)
        for fact in facts:
            account_id = self._follow(run, account_id, fact)
        if facts:
            self._checked[lease] = (run, account_id)

    def reserve(self, lease: Lease, event: e.Intended, cap: Cap | None) -> None:
        """Raises CapReached and LeaseLost; then nothing was written."""
        self._run_of(lease)
        if cap is not None:
            check_cap(cap, event, self._committed_on(cap.account_id, cap.day))

    def _follow(self, run: int, account_id: str, fact: e.Event) -> str:
        """What a fact means outside the list of facts. Gives the run's account."""
        execute, sql = self._connection.execute, self._sql
        if isinstance(fact, e.RunStarted):
            execute(sql["start_run"], (fact.recipe_name, fact.server, fact.account_id, fact.at, run))
            return account_id or fact.account_id
        if isinstance(fact, e.RunResumed):
            execute(sql["set_run_status"], ("running", run))
        elif isinstance(fact, e.RunEnded):
            execute(sql["set_run_status"], (fact.status, run))
        elif isinstance(fact, e.RecipeChanged):
            self._rename_finished(run, fact)
        elif isinstance(fact, e.Produced):
            if is_takeable(fact):
                execute(sql["put_finished"], finished_row(run, fact))
        elif isinstance(fact, e.Intended):
            if self._spend(run, fact.submission) is None:
                self._book(run, fact.submission, None, spend.spend_of(fact, account_id))
        elif isinstance(fact, spend.SpendFact):
            self._move(run, fact)
        return account_id

    def _rename_finished(self, run: int, fact: e.RecipeChanged) -> None:
        """Results follow their instances; those of no instance any more are kept beside them."""
        execute, sql = self._connection.execute, self._sql
        rows = execute(sql["finished_names"], (run,)).fetchall()
        names = moved_names([str(name) for _, name in rows], fact.moves)
        for number, _ in rows:  # first out of the way: two may change places
            execute(sql["rename_finished"], (f"#{number}", number))
        for number, name in rows:
            execute(sql["rename_finished"], (names[str(name)], number))

    def _insert_rows(self) -> None:
        rows, at = self._rows, 0
        for chunk in CHUNKS:
            while len(rows) - at >= 2 * chunk:
                self._connection.execute(insert_events(chunk), rows[at : at + 2 * chunk])
                at += 2 * chunk
        rows.clear()

    # ------------------------------------------------------------------------------------------------------ leases

    def take_lease(self, run_id: str, take_over: bool) -> Lease:
        """Raises RunBusy."""
        row = self._connection.execute(self._sql["run_by_id"], (run_id,)).fetchone()
        me = (self._me.host, self._me.pid, self._me.started)
        if row is None:
            self._connection.execute(self._sql["add_run"], (run_id, *me))
            return Lease(run_id, 1)
        lock.may_take(run_id, holder_of(*row[2:5]), self._me, take_over, self._alive)
        self._connection.execute(self._sql["take_run"], (*me, row[0]))
        self._forget(int(row[0]))
        return Lease(run_id, int(row[1]) + 1)

    def release_lease(self, lease: Lease) -> None:
        self._connection.execute(self._sql["release_run"], (lease.run_id, lease.token))
        self._checked.clear()

    def request_stop(self, run_id: str) -> None:
        self._connection.execute(self._sql["request_stop"], (run_id,))

    def _run_of(self, lease: Lease) -> tuple[int, str]:
        """The run's number and account, once a transaction. Raises LeaseLost."""
        known = self._checked.get(lease)
        if known is not None:
            return known
        row = self._connection.execute(self._sql["run_by_id"], (lease.run_id,)).fetchone()
        if row is None or row[1] != lease.token or row[2] is None:
            if row is not None:
                self._forget(int(row[0]))
            raise lock.lost(lease.run_id, None if row is None else holder_of(*row[2:5]))
        known = self._checked[lease] = (int(row[0]), row[6] or "")
        return known

    def _forget(self, run: int) -> None:
        """Another process may have written since."""
        self._checked.clear()
        self._spends = {key: kept for key, kept in self._spends.items() if key[0] != run or key in self._dirty_spends}
        self._totals = {key: kept for key, kept in self._totals.items() if key[2] != run or key in self._dirty_totals}

    # ------------------------------------------------------------------------------------------------------ spends

    def _move(self, run: int, fact: spend.SpendFact) -> None:
        kept = self._spend(run, fact.submission)
        if kept is not None:
            before = (kept.committed, kept.pending)
            spend.take(kept, fact)
            self._book(run, fact.submission, before, kept)

    def _book(self, run: int, submission: int, before: tuple[Decimal, Decimal] | None, kept: spend.Spend) -> None:
        """Keep the spend as it is now, and carry the change into the run's total of that day."""
        key = (kept.account_id, kept.day, run)
        committed, pending = self._total(key)
        old_committed, old_pending = before or (ZERO, ZERO)
        self._totals[key] = (committed + kept.committed - old_committed, pending + kept.pending - old_pending)
        self._spends[run, submission] = kept
        self._dirty_totals.add(key)
        self._dirty_spends.add((run, submission))

    def _spend(self, run: int, submission: int) -> spend.Spend | None:
        kept = self._spends.get((run, submission))
        if kept is None:
            row = self._connection.execute(self._sql["spend"], (run, submission)).fetchone()
            if row is None:
                return None
            account_id, day, quote, outcome, debits, refunds = row
            amounts = (_from_text(debits), _from_text(refunds))
            kept = spend.Spend(account_id, day, Decimal(quote), Outcome(outcome), *amounts)
            self._spends[run, submission] = kept
        return kept

    def _total(self, key: _TotalKey) -> tuple[Decimal, Decimal]:
        kept = self._totals.get(key)
        if kept is None:
            row = self._connection.execute(self._sql["total"], key).fetchone()
            kept = self._totals[key] = (ZERO, ZERO) if row is None else (Decimal(row[0]), Decimal(row[1]))
        return kept

    def _committed_on(self, account_id: str, day: str) -> Decimal:
        """Of all runs; what this transaction has not written yet is known in memory."""
        by_run = dict(_amounts(self._connection.execute(self._sql["committed_on"], (account_id, day))))
        for account, on, run in self._dirty_totals:
            if (account, on) == (account_id, day):
                by_run[run] = self._totals[account, on, run][0]
        return sum(by_run.values(), ZERO)

    # ------------------------------------------------------------------------------------------- assets, durations

    def put_asset(self, row: tuple[str, str, str, str, str]) -> None:
        self._connection.execute(self._sql["put_asset"], row)

    def add_duration(self, server: str, tool: str, model: str, seconds: float) -> None:
        self._connection.execute(self._sql["add_duration"], (server, tool, model, seconds))
        self._connection.execute(self._sql["drop_old_durations"], (server, tool, model))


def holder_of(host: str | None, pid: int | None, started: str | None) -> Holder | None:
    """The holder in a row of `runs`."""
    return None if host is None or pid is None else Holder(host, pid, started or "?")


def _amounts(rows: Iterator[tuple[int, str]]) -> Iterator[tuple[int, Decimal]]:
    return ((run, Decimal(amount)) for run, amount in rows)


def _as_text(amounts: dict[str, Decimal]) -> str:
    return json.dumps({name: str(amount) for name, amount in amounts.items()}) if amounts else "{}"


def _from_text(text: str) -> dict[str, Decimal]:
    return {name: Decimal(amount) for name, amount in json.loads(text).items()}
