"""What only the journal in memory can do: die at will."""

import asyncio

import pytest

from tests.support.contracts.journal import AT, intended, started
from tests.support.memory_journal import MemoryJournal
from zenflow.history import events as e
from zenflow.journal.base import JournalError


def note(number: int) -> e.Noted:
    return e.Noted(AT, "n", str(number))


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("writes", [0, 1, 3])
def test_it_fails_at_the_write_it_was_told_to_and_stays_closed(writes: int, late: bool) -> None:
    async def story() -> None:
        journal = MemoryJournal()
        lease = journal.take_lease("run-a")
        await journal.append(lease, [started("run-a")])
        journal.fail_after(writes, late=late)
        for number in range(writes):
            await journal.append(lease, [note(number)])
        for number in (writes, writes + 1):
            with pytest.raises(JournalError):
                await journal.append(lease, [note(number)])
        assert not journal.holds(lease)
        kept = writes + 1 if late else writes
        assert list(journal.survives().events("run-a")) == [started("run-a"), *(note(number) for number in range(kept))]

    asyncio.run(story())


def test_loses_unawaited_events_and_frees_a_dead_lease() -> None:
    async def story() -> None:
        journal = MemoryJournal()
        lease = journal.take_lease("run-a")
        await journal.append(lease, [started("run-a")])
        journal.append(lease, [note(1)])
        found = journal.survives()
        assert list(found.events("run-a")) == [started("run-a")]
        assert not found.runs()[0].holder_alive
        again = found.take_lease("run-a")
        await found.reserve_and_intend(again, intended(1), None)
        assert len(found.events("run-a")) == 2
        assert len(journal.events("run-a")) == 1  # a copy: the old one is not touched

    asyncio.run(story())


def test_others_have_their_turn_while_a_commit_is_awaited() -> None:
    async def story() -> list[str]:
        journal, order = MemoryJournal(), []
        lease = journal.take_lease("run-a")

        async def other() -> None:
            order.append("other")

        task = asyncio.ensure_future(other())
        await journal.append(lease, [started("run-a")])
        order.append("committed")
        await task
        return order

    assert asyncio.run(story()) == ["other", "committed"]
