"""A journal without a disk, for tests: the same answers, and a death whenever one likes.

Facts become durable when anything is awaited, not before: the worst that a real disk may do. `fail_after` lets a
commit fail, `survives` gives what another process would find after a power cut, `beside` is that other process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from zenflow.credits import ZERO
from zenflow.errors import ZenflowError
from zenflow.history import codec
from zenflow.history import events as e
from zenflow.journal import daily_caps as spend
from zenflow.journal import failures, lock
from zenflow.journal.base import Cap, Finished, Holder, JournalError, Lease, NoSuchRun, RunRow
from zenflow.journal.daily_caps import check_cap
from zenflow.journal.reusable_results import finished_of, is_takeable, moved_names
from zenflow.journal.run_lookup import find_by_word

_PLACE = Path("memory")
_DURATIONS_KEPT = 50


@dataclass(slots=True)
class _Run:
    token: int = 0
    holder: Holder | None = None
    stop_token: int | None = None
    lines: list[str] = field(default_factory=list)
    read: list[e.Event] = field(default_factory=list)  # the first of the lines, decoded once: facts never change
    started: e.RunStarted | None = None
    status: str = "running"
    spends: dict[int, spend.Spend] = field(default_factory=dict)
    finished: dict[str, Finished] = field(default_factory=dict)  # by instance

    def facts(self) -> tuple[e.Event, ...]:
        self.read.extend(codec.decode(line) for line in self.lines[len(self.read) :])
        return tuple(self.read)

    def copied(self) -> _Run:
        spends = {number: kept.copied() for number, kept in self.spends.items()}
        lines, read, finished = list(self.lines), list(self.read), dict(self.finished)
        return replace(self, lines=lines, read=read, spends=spends, finished=finished)


@dataclass(slots=True)
class _Store:
    """What is durable."""

    runs: dict[str, _Run] = field(default_factory=dict)
    assets: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)
    durations: dict[tuple[str, str, str], list[float]] = field(default_factory=dict)
    dead: set[Holder] = field(default_factory=set)
    processes: int = 1

    def copied(self) -> _Store:
        """What a copy of the file holds: nothing that is written to one is seen in the other."""
        runs = {run_id: run.copied() for run_id, run in self.runs.items()}
        durations = {key: list(kept) for key, kept in self.durations.items()}
        return _Store(runs, dict(self.assets), durations, set(self.dead), self.processes)


class _Queued:
    """One append and its answer."""

    __slots__ = ("_act", "_journal", "error", "settled")

    def __init__(self, journal: MemoryJournal, act: Callable[[], None]) -> None:
        self._journal, self._act = journal, act
        self.error: ZenflowError | None = None
        self.settled = False

    def __await__(self) -> Generator[Any, None, None]:
        yield from asyncio.sleep(0).__await__()  # a commit takes a moment: others have their turn
        self._journal.commit()
        if self.error is not None:
            raise self.error

    def write(self) -> None:
        self.settled = True
        try:
            self._act()
        except ZenflowError as error:
            self.error = error


class MemoryJournal:
    """A `journal.base.Journal`."""

    def __init__(self) -> None:
        self._store = _Store()
        self._me = Holder("memory", 1, "1")
        self._queue: list[_Queued] = []
        self._failure: JournalError | None = None
        self._fails_at: int | None = None
        self._fails_late = False
        self.writes = 0  # appends written so far, whoever made them

    # ------------------------------------------------------------------------------------------------- for the test

    def fail_after(self, writes: int, *, late: bool = False) -> None:
        """Let `writes` more appends be written; the next one fails as on a full disk, and with it the journal.
        `late`: it is on disk, only nobody was told."""
        self._fails_at, self._fails_late = self.writes + writes, late

    def survives(self) -> MemoryJournal:
        """What a new process finds when this one and the power are gone: nothing that was not committed."""
        found = MemoryJournal()
        found._store = self._store.copied()
        found._store.dead |= {self._me, *(run.holder for run in self._store.runs.values() if run.holder is not None)}
        found._store.processes += 1
        found._me = Holder(self._me.host, found._store.processes, "1")
        return found

    def beside(self, host: str | None = None) -> MemoryJournal:
        """Another live process on the same file; with `host`, one on another machine."""
        other = MemoryJournal()
        other._store = self._store
        self._store.processes += 1
        other._me = Holder(host or self._me.host, self._store.processes, "1")
        return other

    def die(self) -> None:
        """This process is gone; those beside it can tell. What was queued is lost."""
        self._store.dead.add(self._me)
        self._queue.clear()

    def commit(self) -> None:
        """Write everything that is queued."""
        queue, self._queue = self._queue, []
        for queued in queue:
            if self._failure is None and self.writes == self._fails_at:
                if self._fails_late:
                    queued.write()
                self._failure = failures.disk_full(_PLACE)
            if self._failure is not None:
                queued.error, queued.settled = self._failure, True
                continue
            queued.write()
            self.writes += 1

    # --------------------------------------------------------------------------------------------------------- runs

    def runs(self) -> Sequence[RunRow]:
        rows = [self._row(name, run, run.started) for name, run in self._store.runs.items() if run.started is not None]
        return tuple(reversed(rows))

    def _row(self, run_id: str, run: _Run, started: e.RunStarted) -> RunRow:
        alive = run.holder is not None and self._alive(run.holder)
        names = (started.recipe_name, started.server, started.account_id, started.at)
        return RunRow(run_id, *names, run.status, run.holder, alive)

    def find_run(self, word: str) -> RunRow:
        return find_by_word(self.runs(), word)

    def events(self, run_id: str) -> Sequence[e.Event]:
        run = self._store.runs.get(run_id)
        return () if run is None else run.facts()

    # ------------------------------------------------------------------------------------------------------- leases

    def take_lease(self, run_id: str, *, take_over: bool = False) -> Lease:
        self._commit_or_raise()
        run = self._store.runs.setdefault(run_id, _Run())
        lock.may_take(run_id, run.holder, self._me, take_over, self._alive)
        run.holder = self._me
        run.token += 1
        return Lease(run_id, run.token)

    def release_lease(self, lease: Lease) -> None:
        self.commit()
        run = self._store.runs.get(lease.run_id)
        if run is not None and run.token == lease.token:
            run.holder = None

    def holds(self, lease: Lease) -> bool:
        run = self._store.runs.get(lease.run_id)
        return self._failure is None and run is not None and run.token == lease.token and run.holder is not None

    def request_stop(self, run_id: str) -> None:
        self._commit_or_raise()
        run = self._store.runs.get(run_id)
        if run is None:
            raise NoSuchRun("ZF810", f"There is no run {run_id}", "`zenflow runs` lists them.")
        run.stop_token = run.token

    def stop_requested(self, lease: Lease) -> bool:
        run = self._store.runs.get(lease.run_id)
        return run is not None and run.stop_token == lease.token

    def _alive(self, holder: Holder) -> bool:
        return holder not in self._store.dead

    # -------------------------------------------------------------------------------------------------------- facts

    def append(self, lease: Lease, events: Sequence[e.Event]) -> Awaitable[None]:
        facts = tuple((codec.encode(event), event) for event in events)
        return self._queued(lambda: self._write(lease, facts))

    def reserve_and_intend(self, lease: Lease, event: e.Intended, cap: Cap | None) -> Awaitable[None]:
        line = codec.encode(event)
        return self._queued(lambda: self._reserve(lease, line, event, cap))

    def committed_on(self, account_id: str, day: str) -> Decimal:
        spends = (kept for run in self._store.runs.values() for kept in run.spends.values())
        return sum((kept.committed for kept in spends if (kept.account_id, kept.day) == (account_id, day)), ZERO)

    def committed_elsewhere(self, account_id: str, run_id: str) -> Decimal:
        others = (run for name, run in self._store.runs.items() if name != run_id)
        spends = (kept for run in others for kept in run.spends.values())
        return sum((kept.pending for kept in spends if kept.account_id == account_id), ZERO)

    def _queued(self, act: Callable[[], None]) -> Awaitable[None]:
        queued = _Queued(self, act)
        self._queue.append(queued)
        return queued

    def _reserve(self, lease: Lease, line: str, event: e.Intended, cap: Cap | None) -> None:
        self._leased(lease)
        if cap is not None:
            check_cap(cap, event, self.committed_on(cap.account_id, cap.day))
        self._write(lease, ((line, event),))

    def _write(self, lease: Lease, facts: Sequence[tuple[str, e.Event]]) -> None:
        run = self._leased(lease)
        for line, event in facts:
            run.lines.append(line)
            _follow(run, event)

    def _leased(self, lease: Lease) -> _Run:
        run = self._store.runs.get(lease.run_id)
        if run is None or run.token != lease.token or run.holder is None:
            raise lock.lost(lease.run_id, None if run is None else run.holder)
        return run

    def _commit_or_raise(self) -> None:
        self.commit()
        if self._failure is not None:
            raise self._failure

    # -------------------------------------------------------------------------------------------- assets, durations

    def remember_asset(self, server: str, account_id: str, digest: str, asset_id: str, media_type: str) -> None:
        self._store.assets[server, account_id, digest] = (asset_id, media_type)

    def find_asset(self, server: str, account_id: str, digest: str) -> tuple[str, str] | None:
        return self._store.assets.get((server, account_id, digest))

    def finished(self, server: str, account_id: str, fingerprint: str) -> Sequence[Finished]:
        of_account = [
            run
            for run in reversed(self._store.runs.values())
            if run.started is not None and (run.started.server, run.started.account_id) == (server, account_id)
        ]
        return tuple(one for run in of_account for one in run.finished.values() if one.fingerprint == fingerprint)

    def finished_in(self, run_id: str) -> Sequence[Finished]:
        run = self._store.runs.get(run_id)
        return () if run is None else tuple(run.finished.values())

    def remember_duration(self, server: str, tool: str, model: str, seconds: float) -> None:
        kept = self._store.durations.setdefault((server, tool, model), [])
        kept.append(seconds)
        del kept[:-_DURATIONS_KEPT]

    def durations(self, server: str, tool: str, model: str) -> Sequence[float]:
        return tuple(self._store.durations.get((server, tool, model), ()))

    async def close(self) -> None:
        self.commit()
        self._failure = self._failure or failures.closed()


def _follow(run: _Run, event: e.Event) -> None:
    """What a fact means outside the list of facts."""
    if isinstance(event, e.RunStarted):
        run.started = run.started or event
    elif isinstance(event, e.RunResumed):
        run.status = "running"
    elif isinstance(event, e.RunEnded):
        run.status = event.status
    elif isinstance(event, e.Intended):
        account_id = run.started.account_id if run.started is not None else ""
        run.spends.setdefault(event.submission, spend.spend_of(event, account_id))
    elif isinstance(event, e.RecipeChanged):
        names = moved_names(list(run.finished), event.moves)
        run.finished = {names[name]: replace(one, instance=names[name]) for name, one in run.finished.items()}
    elif isinstance(event, e.Produced):
        if is_takeable(event) and run.started is not None:
            run.finished.pop(event.instance, None)
            run.finished[event.instance] = finished_of(run.started.run_id, event)
    elif isinstance(event, spend.SpendFact):
        kept = run.spends.get(event.submission)
        if kept is not None:
            spend.take(kept, event)
