"""A commit that fails, once: the journal is closed for this process and says so to everybody."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.contracts.journal import AT, intended, started
from zenflow.clock import SystemClock
from zenflow.history import events as e
from zenflow.journal import file, sqlite
from zenflow.journal.base import JournalError, Lease, RunBusy
from zenflow.journal.sqlite import SqliteJournal, open_journal

CLOCK = SystemClock()
BIG = e.Noted(AT, "n", "x" * 500_000)
SMALL = e.Noted(AT, "n", "x")


def opened(folder: Path, **options: float) -> tuple[SqliteJournal, Lease]:
    journal = open_journal(folder, clock=CLOCK, **options)  # type: ignore[arg-type]
    return journal, journal.take_lease("run-a")


def limit_pages(monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
    """A disk with room for so much: SQLite answers SQLITE_FULL."""
    connect = file.connect

    def small(path: Path, **options: object) -> sqlite3.Connection:
        connection = connect(path, **options)  # type: ignore[arg-type]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    monkeypatch.setattr(file, "connect", small)


def test_closes_the_journal_on_a_full_disk_and_keeps_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit_pages(monkeypatch, 60)

    async def story() -> None:
        journal, lease = opened(tmp_path)
        await journal.append(lease, [started("run-a")])
        for again in range(3):  # small ones would fit: nothing is tried again
            with pytest.raises(JournalError) as caught:
                await journal.append(lease, [BIG if again == 0 else SMALL])
            assert caught.value.code == "ZF801"
        with pytest.raises(JournalError):
            await journal.reserve_and_intend(lease, intended(1), None)
        with pytest.raises(JournalError):
            journal.take_lease("run-b")
        assert not journal.holds(lease)  # the gate before a paid write
        journal.release_lease(lease)
        await journal.close()
        again_journal = open_journal(tmp_path, clock=CLOCK)
        assert list(again_journal.events("run-a")) == [started("run-a")]
        assert not again_journal.runs()[0].holder_alive, "who lives on holds nothing that it cannot write to"
        assert again_journal.take_lease("run-a").token == lease.token + 1
        again_journal.close_now()

    asyncio.run(story())


def test_everything_that_waits_for_the_failed_commit_hears_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_pages(monkeypatch, 60)

    async def story() -> None:
        journal, lease = opened(tmp_path)
        await journal.append(lease, [started("run-a")])
        unawaited = journal.append(lease, [BIG])
        waiting = [journal.append(lease, [SMALL]) for _ in range(50)]
        answers = await asyncio.gather(*(_told(one) for one in waiting))
        assert {type(answer) for answer in answers} == {JournalError}
        with pytest.raises(JournalError):
            await unawaited
        await journal.close()

    async def _told(one: object) -> BaseException | None:
        try:
            await one  # type: ignore[misc]
        except JournalError as error:
            return error
        return None

    asyncio.run(story())


def test_names_the_program_that_keeps_the_file_locked(tmp_path: Path) -> None:
    async def story() -> None:
        journal, lease = opened(tmp_path, busy_timeout_s=0.05)
        viewer = sqlite3.connect(journal.path, isolation_level=None)
        viewer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JournalError) as caught:
            await journal.append(lease, [started("run-a")])
        assert caught.value.code == "ZF804"
        viewer.execute("ROLLBACK")
        viewer.close()
        with pytest.raises(JournalError):
            await journal.append(lease, [started("run-a")])
        await journal.close()

    asyncio.run(story())


def test_names_the_holder_of_a_lease_not_given_back(tmp_path: Path) -> None:
    async def story() -> None:
        journal, lease = opened(tmp_path, busy_timeout_s=0.05)
        viewer = sqlite3.connect(journal.path, isolation_level=None)
        viewer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JournalError):
            await journal.append(lease, [started("run-a")])
        monkey = pytest.MonkeyPatch()
        monkey.setattr(sqlite, "_GIVE_BACK_WITHIN_S", 0.01)
        journal.release_lease(lease)
        monkey.undo()
        viewer.execute("ROLLBACK")
        viewer.close()
        other = open_journal(tmp_path, clock=CLOCK)
        with pytest.raises(RunBusy, match=r"process \d+ on"):
            other.take_lease("run-a")
        await other.close()
        await journal.close()

    asyncio.run(story())


def _removed(path: Path) -> None:
    path.unlink()


def _replaced(path: Path) -> None:
    path.rename(path.with_name("old.db"))
    path.write_bytes(path.with_name("old.db").read_bytes())


@pytest.mark.parametrize("how", [_removed, _replaced])
def test_a_journal_that_is_moved_away_under_a_run_is_noticed(tmp_path: Path, how: Callable[[Path], None]) -> None:
    async def story() -> None:
        journal, lease = opened(tmp_path)
        await journal.append(lease, [started("run-a")])
        how(journal.path)
        with pytest.raises(JournalError, match="moved") as caught:
            await journal.append(lease, [SMALL])
        assert caught.value.code == "ZF805"
        await journal.close()

    asyncio.run(story())


def test_refuses_appends_after_close_and_closes_twice(tmp_path: Path) -> None:
    async def story() -> None:
        journal, lease = opened(tmp_path)
        await journal.close()
        await journal.close()
        with pytest.raises(JournalError) as caught:
            await journal.append(lease, [SMALL])
        assert caught.value.code == "ZF812"
        with pytest.raises(JournalError):
            journal.runs()

    asyncio.run(story())


def test_a_journal_closed_before_it_wrote_anything_is_closed_too(tmp_path: Path) -> None:
    async def story() -> None:
        journal = open_journal(tmp_path, clock=CLOCK)
        await journal.close()
        with pytest.raises(JournalError):
            await journal.append(Lease("run-a", 1), [SMALL])

    asyncio.run(story())


def test_refuses_a_non_json_event_at_append_without_harm(tmp_path: Path) -> None:
    async def story() -> None:
        journal, lease = opened(tmp_path)
        with pytest.raises(TypeError):
            journal.append(lease, [e.Produced(AT, "a", {"x": object()})])
        await journal.append(lease, [started("run-a")])
        await journal.close()

    asyncio.run(story())


def test_a_cancelled_waiter_takes_nothing_back(tmp_path: Path) -> None:
    async def story() -> None:
        journal, lease = opened(tmp_path)
        await journal.append(lease, [started("run-a")])

        async def waiter() -> None:
            await journal.append(lease, [SMALL])

        task = asyncio.ensure_future(waiter())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await journal.append(lease, [e.Noted(AT, "n", "after")])
        assert [type(event) for event in journal.events("run-a")] == [e.RunStarted, e.Noted, e.Noted]
        await journal.close()

    asyncio.run(story())


def test_many_appends_share_few_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[str] = []
    connect = file.connect

    def counted(path: Path, **options: object) -> sqlite3.Connection:
        connection = connect(path, **options)  # type: ignore[arg-type]
        connection.set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)
        return connection

    monkeypatch.setattr(file, "connect", counted)

    async def story() -> None:
        journal, lease = opened(tmp_path)
        await journal.append(lease, [started("run-a")])
        before = len(commits)
        for _ in range(2000):
            last = journal.append(lease, [SMALL])
        await last
        assert len(commits) - before < 500
        assert len(journal.events("run-a")) == 2001
        await journal.close()

    asyncio.run(story())
