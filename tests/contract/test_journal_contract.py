import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.contracts.journal import CHECKS, Check, JournalBench, name_of
from tests.support.memory_journal import MemoryJournal
from zenflow.clock import SystemClock
from zenflow.journal.base import Holder, Journal
from zenflow.journal.sqlite import SqliteJournal, open_journal


class SqliteBench:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: list[tuple[SqliteJournal, Holder]] = []
        self._dead: set[Holder] = set()

    def open(self, host: str = "here") -> Journal:
        me = Holder(host, len(self._opened) + 1, "1")
        journal = open_journal(self._folder, clock=SystemClock(), me=me, alive=lambda holder: holder not in self._dead)
        self._opened.append((journal, me))
        return journal

    def die(self, journal: Journal) -> None:
        self._dead |= {me for opened, me in self._opened if opened is journal}

    def close(self) -> None:
        for journal, _ in self._opened:
            journal.close_now()


class MemoryBench:
    def __init__(self) -> None:
        self._first = MemoryJournal()

    def open(self, host: str = "here") -> Journal:
        return self._first.beside(host)

    def die(self, journal: Journal) -> None:
        assert isinstance(journal, MemoryJournal)
        journal.die()

    def close(self) -> None:
        return


@pytest.fixture(params=["sqlite", "memory"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JournalBench]:
    made = SqliteBench(tmp_path / ".zenflow") if request.param == "sqlite" else MemoryBench()
    yield made
    made.close()


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_every_journal(check: Check, bench: JournalBench) -> None:
    asyncio.run(check(bench))
