"""What every journal must do, as one body of checks; a test runs each of `CHECKS` against each journal.

@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_contract(check): asyncio.run(check(bench))
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Protocol

from zenflow.history import events as e
from zenflow.journal.base import Cap, CapReached, Journal, Lease, LeaseLost, NoSuchRun, RunBusy

DAY = "2026-11-21"
AT = f"{DAY}T08:00:00Z"


class JournalBench(Protocol):
    """Several processes around one journal."""

    def open(self, host: str = "here") -> Journal:
        """A process of its own with each call."""
        ...

    def die(self, journal: Journal) -> None:
        """That process is gone, without a word; others on its host can tell."""
        ...


Check = Callable[[JournalBench], Awaitable[None]]


def name_of(check: Check) -> str:
    return getattr(check, "__name__", repr(check))


def started(run_id: str, account_id: str = "acc", at: str = AT) -> e.RunStarted:
    amounts = (Decimal(100), Decimal(1), Decimal(2), Decimal(3), None)
    recipe = ("photoshoot", "1", "digest", "r.yaml", {"r.yaml": "steps: {}"}, "/recipes", {"photo": "a.jpg"})
    return e.RunStarted(run_id, at, "zf0123456789", *recipe, "sandbox", account_id, *amounts, "out", "0.1.0")


def intended(number: int, quote: str = "4", at: str = AT, account_id: str = "acc") -> e.Intended:
    call = e.IntendedCall(f"generate.{number}", 1, Decimal(quote), {"prompt": "a fox", "seed": number})
    return e.Intended(at, number, f"zf{number}", "image_generator", "a fox", (call,), "row-9", account_id)


async def begun(journal: Journal, run_id: str, account_id: str = "acc", at: str = AT) -> Lease:
    lease = journal.take_lease(run_id)
    await journal.append(lease, [started(run_id, account_id, at)])
    return lease


# -------------------------------------------------------------------------------------------------------------- facts


async def facts_come_back_equal_and_in_the_order_of_the_calls(bench: JournalBench) -> None:
    journal = bench.open()
    lease = await begun(journal, "run-a")
    rest: list[e.Event] = [
        intended(1),
        e.Accepted(AT, 1, "t1", 1),
        e.Bound(AT, 1, ("c1",)),
        e.Produced(AT, "generate.1", {"x": [1]}),
    ]
    await journal.append(lease, rest[:2])
    last = [journal.append(lease, [event]) for event in rest[2:]]
    await last[-1]
    assert list(journal.events("run-a")) == [started("run-a"), *rest]
    await journal.close()


async def what_was_awaited_is_there_for_the_next_process(bench: JournalBench) -> None:
    journal = bench.open()
    lease = await begun(journal, "run-a")
    await journal.append(lease, [e.Noted(AT, "n", "one")])
    bench.die(journal)
    assert list(bench.open().events("run-a")) == [started("run-a"), e.Noted(AT, "n", "one")]


async def awaiting_one_append_makes_all_before_it_durable(bench: JournalBench) -> None:
    journal = bench.open()
    lease = await begun(journal, "run-a")
    for number in range(20):
        journal.append(lease, [e.Noted(AT, "n", str(number))])
    await journal.append(lease, [e.Noted(AT, "n", "last")])
    bench.die(journal)
    told = [event.message for event in bench.open().events("run-a") if isinstance(event, e.Noted)]
    assert told == [str(number) for number in range(20)] + ["last"]


async def closing_writes_what_is_queued(bench: JournalBench) -> None:
    journal = bench.open()
    lease = await begun(journal, "run-a")
    journal.append(lease, [e.Noted(AT, "n", "unawaited")])
    await journal.close()
    assert bench.open().events("run-a")[-1] == e.Noted(AT, "n", "unawaited")


async def many_tasks_append_at_once_and_nothing_is_lost(bench: JournalBench) -> None:
    journal = bench.open()
    lease = await begun(journal, "run-a")

    async def writer(name: int) -> None:
        for number in range(10):
            await journal.append(lease, [e.Noted(AT, str(name), str(number))])

    await asyncio.gather(*(writer(name) for name in range(20)))
    told: dict[str, list[str]] = {}
    for event in journal.events("run-a"):
        if isinstance(event, e.Noted):
            told.setdefault(event.code, []).append(event.message)
    assert told == {str(name): [str(number) for number in range(10)] for name in range(20)}
    await journal.close()


async def an_awaitable_can_be_awaited_twice(bench: JournalBench) -> None:
    journal = bench.open()
    lease = await begun(journal, "run-a")
    appended = journal.append(lease, [e.Noted(AT, "n", "one")])
    await appended
    await appended
    assert len(journal.events("run-a")) == 2
    await journal.close()


async def a_run_that_is_not_there_has_no_facts(bench: JournalBench) -> None:
    assert list(bench.open().events("nobody")) == []


# --------------------------------------------------------------------------------------------------------------- runs


async def runs_are_listed_newest_first_with_their_status_and_holder(bench: JournalBench) -> None:
    journal = bench.open()
    first = await begun(journal, "run-a", at=f"{DAY}T08:00:00Z")
    await begun(journal, "run-b", at=f"{DAY}T07:00:00Z")  # the wall clock was set back between the two
    await journal.append(first, [e.RunEnded(AT, "stopped", "out of credits")])
    journal.release_lease(first)
    journal.take_lease("run-never-started")
    rows = journal.runs()
    assert [(row.run_id, row.status, row.holder is None) for row in rows] == [
        ("run-b", "running", False),
        ("run-a", "stopped", True),
    ]
    assert (rows[0].recipe_name, rows[0].server, rows[0].account_id) == ("photoshoot", "sandbox", "acc")
    assert rows[0].holder_alive and not rows[1].holder_alive
    again = journal.take_lease("run-a")
    await journal.append(again, [e.RunResumed(AT, "me")])
    assert journal.find_run("run-a").status == "running"
    await journal.close()


async def a_run_is_found_by_its_beginning_and_the_last_one_by_that_word(bench: JournalBench) -> None:
    journal = bench.open()
    _refuses(NoSuchRun, lambda: journal.find_run("last"))
    await begun(journal, "run-a", at=f"{DAY}T08:00:00Z")
    await begun(journal, "run-ab", at=f"{DAY}T09:00:00Z")
    await begun(journal, "other", at=f"{DAY}T07:00:00Z")
    assert journal.find_run("last").run_id == "other"  # begun last, by a clock that had been set back
    assert journal.find_run("run-a").run_id == "run-a"
    assert journal.find_run("oth").run_id == "other"
    assert "run-ab" in str(_refuses(NoSuchRun, lambda: journal.find_run("run")))
    assert "other" in str(_refuses(NoSuchRun, lambda: journal.find_run("what")))
    _refuses(NoSuchRun, lambda: journal.find_run(""))
    await journal.close()


# ------------------------------------------------------------------------------------------------------------- leases


async def two_resumes_at_once_one_works(bench: JournalBench) -> None:
    mine, theirs = bench.open(), bench.open()
    lease = await begun(mine, "run-a")
    refusal = _refuses(RunBusy, lambda: theirs.take_lease("run-a"))
    assert "run-a" in str(refusal) and "process" in str(refusal)
    _refuses(RunBusy, lambda: theirs.take_lease("run-a", take_over=True))  # it lives: it can be asked to stop
    assert mine.holds(lease)
    mine.release_lease(lease)
    assert not mine.holds(lease)
    assert theirs.take_lease("run-a").token > lease.token


async def the_lease_of_a_dead_process_is_taken_and_its_late_writes_are_refused(bench: JournalBench) -> None:
    mine, theirs = bench.open(), bench.open()
    old = await begun(mine, "run-a")
    bench.die(mine)
    assert not theirs.runs()[0].holder_alive
    new = theirs.take_lease("run-a")
    await theirs.append(new, [e.RunResumed(AT, "them")])
    assert theirs.holds(new)
    assert not theirs.holds(old)
    await _refuses_later(LeaseLost, theirs.append(old, [e.Noted(AT, "late", "write")]))
    await theirs.append(new, [e.Noted(AT, "n", "after")])
    assert [type(event) for event in theirs.events("run-a")] == [e.RunStarted, e.RunResumed, e.Noted]


async def another_machine_is_asked_about_before_its_run_is_taken(bench: JournalBench) -> None:
    theirs = bench.open("far-away")
    old = await begun(theirs, "run-a")
    mine = bench.open()
    refusal = _refuses(RunBusy, lambda: mine.take_lease("run-a"))
    assert "far-away" in str(refusal)
    assert "--take-over" in str(refusal.hint)
    new = mine.take_lease("run-a", take_over=True)
    assert new.token > old.token
    assert not theirs.holds(old)
    await _refuses_later(LeaseLost, theirs.append(old, [e.Noted(AT, "late", "write")]))
    await _refuses_later(LeaseLost, theirs.reserve_and_intend(old, intended(1), None))
    assert mine.committed_on("acc", DAY) == 0


async def an_append_after_release_is_refused(bench: JournalBench) -> None:
    journal = bench.open()
    lease = await begun(journal, "run-a")
    journal.release_lease(lease)
    await _refuses_later(LeaseLost, journal.append(lease, [e.Noted(AT, "n", "x")]))
    assert len(journal.events("run-a")) == 1


async def a_stop_is_seen_by_the_holder_and_not_by_the_next_one(bench: JournalBench) -> None:
    mine, theirs = bench.open(), bench.open()
    lease = await begun(mine, "run-a")
    assert not mine.stop_requested(lease)
    theirs.request_stop("run-a")
    assert mine.stop_requested(lease)
    mine.release_lease(lease)
    assert not theirs.stop_requested(theirs.take_lease("run-a"))
    _refuses(NoSuchRun, lambda: theirs.request_stop("nobody"))


# -------------------------------------------------------------------------------------------------------------- money


async def a_cap_counts_all_runs_of_the_account_on_that_day(bench: JournalBench) -> None:
    mine, theirs = bench.open(), bench.open()
    first, second = await begun(mine, "run-a"), await begun(theirs, "run-b")
    cap = Cap("acc", DAY, Decimal(10))
    await mine.reserve_and_intend(first, intended(1, "4"), cap)
    await theirs.reserve_and_intend(second, intended(1, "4"), cap)
    error = await _refuses_later(CapReached, mine.reserve_and_intend(first, intended(2, "4"), cap))
    assert isinstance(error, CapReached) and error.room == 2
    assert len(mine.events("run-a")) == 2  # nothing was written
    await mine.reserve_and_intend(first, intended(2, "2"), cap)  # exactly full
    assert mine.committed_on("acc", DAY) == 10
    await mine.reserve_and_intend(
        first, intended(3, "9", at="2026-11-22T00:00:00Z"), Cap("acc", "2026-11-22", Decimal(10))
    )
    await mine.reserve_and_intend(first, intended(4, "9", account_id="other"), Cap("other", DAY, Decimal(10)))
    assert mine.committed_on("acc", DAY) == 10
    assert mine.committed_on("acc", "2026-11-22") == 9


async def a_cap_holds_for_intents_queued_together(bench: JournalBench) -> None:
    journal = bench.open()
    lease = await begun(journal, "run-a")
    cap = Cap("acc", DAY, Decimal(10))
    queued = [journal.reserve_and_intend(lease, intended(number, "4"), cap) for number in (1, 2, 3)]
    answers = await asyncio.gather(*(_error_of(one) for one in queued))
    assert [type(answer) for answer in answers] == [type(None), type(None), CapReached]
    assert journal.committed_on("acc", DAY) == 8


async def what_is_released_refunded_or_charged_otherwise_moves_the_sums(bench: JournalBench) -> None:
    journal = bench.open()
    lease = await begun(journal, "run-a")
    for number in (1, 2, 3, 4):
        await journal.reserve_and_intend(lease, intended(number, "4"), None)
    _holds_credits(journal, "16", "16")
    await journal.append(lease, [e.SubmissionRefused(AT, 1, 422, "no"), e.Accepted(AT, 2, "t2", 1)])
    _holds_credits(journal, "12", "8")
    await journal.append(lease, [e.OutcomeUnknown(AT, 3, 1, "", AT), e.Confirmed(AT, 2, "x", Decimal("4.5"))])
    _holds_credits(journal, "12.5", "8")
    await journal.append(lease, [e.Refunded(AT, 2, "y", Decimal("4.5")), e.Reclaimed(AT, 3, "looked twice")])
    _holds_credits(journal, "4", "4")
    assert journal.committed_elsewhere("acc", "run-a") == 0
    assert journal.committed_elsewhere("nobody", "run-b") == 0


async def spends_go_on_where_a_dead_process_left_them(bench: JournalBench) -> None:
    mine = bench.open()
    lease = await begun(mine, "run-a")
    await mine.append(lease, [intended(1, "4"), intended(2, "4"), e.Accepted(AT, 2, "t", 1)])
    bench.die(mine)
    theirs = bench.open()
    again = theirs.take_lease("run-a")
    await theirs.append(again, [e.SubmissionRefused(AT, 1, 402, "no"), e.Refunded(AT, 2, "y", Decimal(1))])
    assert theirs.committed_on("acc", DAY) == 3


async def a_cap_sees_what_another_process_did_with_a_run_that_was_ours(bench: JournalBench) -> None:
    mine, theirs = bench.open(), bench.open()
    first, second = await begun(mine, "run-a"), await begun(mine, "run-b")
    await mine.reserve_and_intend(first, intended(1, "4"), None)
    mine.release_lease(first)
    taken = theirs.take_lease("run-a")
    await theirs.append(taken, [e.Accepted(AT, 1, "t1", 1)])
    await theirs.reserve_and_intend(taken, intended(2, "5"), None)
    cap = Cap("acc", DAY, Decimal(10))
    await _refuses_later(CapReached, mine.reserve_and_intend(second, intended(1, "2"), cap))
    theirs.release_lease(taken)
    back = mine.take_lease("run-a")
    await mine.append(back, [e.SubmissionRefused(AT, 2, 402, "no")])
    _holds_credits(mine, "4", "0")


async def an_intent_without_an_account_is_the_runs(bench: JournalBench) -> None:
    journal = bench.open()
    lease = await begun(journal, "run-a", account_id="mine")
    await journal.append(lease, [intended(1, "4", account_id="")])
    assert journal.committed_on("mine", DAY) == 4


# --------------------------------------------------------------------------------------------------- assets, durations


async def assets_are_found_by_server_account_and_digest(bench: JournalBench) -> None:
    journal = bench.open()
    journal.remember_asset("sandbox", "acc", "d1", "asset-1", "image/png")
    assert journal.find_asset("sandbox", "acc", "d1") == ("asset-1", "image/png")
    assert journal.find_asset("sandbox", "acc", "d2") is None
    assert journal.find_asset("elsewhere", "acc", "d1") is None
    assert journal.find_asset("sandbox", "other", "d1") is None
    journal.remember_asset("sandbox", "acc", "d1", "asset-2", "image/png")
    await journal.close()
    assert bench.open().find_asset("sandbox", "acc", "d1") == ("asset-2", "image/png")


async def the_last_fifty_durations_are_kept_oldest_first(bench: JournalBench) -> None:
    journal = bench.open()
    for seconds in range(70):
        journal.remember_duration("sandbox", "image_generator", "m", float(seconds))
    journal.remember_duration("sandbox", "image_generator", "other", 0.5)
    assert list(journal.durations("sandbox", "image_generator", "m")) == [float(s) for s in range(20, 70)]
    assert list(journal.durations("sandbox", "videogen", "m")) == []
    await journal.close()


CHECKS: tuple[Check, ...] = (
    facts_come_back_equal_and_in_the_order_of_the_calls,
    what_was_awaited_is_there_for_the_next_process,
    awaiting_one_append_makes_all_before_it_durable,
    closing_writes_what_is_queued,
    many_tasks_append_at_once_and_nothing_is_lost,
    an_awaitable_can_be_awaited_twice,
    a_run_that_is_not_there_has_no_facts,
    runs_are_listed_newest_first_with_their_status_and_holder,
    a_run_is_found_by_its_beginning_and_the_last_one_by_that_word,
    two_resumes_at_once_one_works,
    the_lease_of_a_dead_process_is_taken_and_its_late_writes_are_refused,
    another_machine_is_asked_about_before_its_run_is_taken,
    an_append_after_release_is_refused,
    a_stop_is_seen_by_the_holder_and_not_by_the_next_one,
    a_cap_counts_all_runs_of_the_account_on_that_day,
    a_cap_holds_for_intents_queued_together,
    what_is_released_refunded_or_charged_otherwise_moves_the_sums,
    spends_go_on_where_a_dead_process_left_them,
    a_cap_sees_what_another_process_did_with_a_run_that_was_ours,
    an_intent_without_an_account_is_the_runs,
    assets_are_found_by_server_account_and_digest,
    the_last_fifty_durations_are_kept_oldest_first,
)


def _holds_credits(journal: Journal, committed: str, pending: str) -> None:
    assert journal.committed_on("acc", DAY) == Decimal(committed)
    assert journal.committed_elsewhere("acc", "run-b") == Decimal(pending)


def _refuses(kind: type[Exception], act: Callable[[], object]) -> NoSuchRun | RunBusy:
    try:
        act()
    except (NoSuchRun, RunBusy) as error:
        assert isinstance(error, kind), error
        return error
    raise AssertionError(f"no {kind.__name__}")


async def _refuses_later(kind: type[Exception], appended: Awaitable[None]) -> Exception:
    error = await _error_of(appended)
    assert isinstance(error, kind), error
    return error


async def _error_of(appended: Awaitable[None]) -> Exception | None:
    try:
        await appended
    except (LeaseLost, CapReached) as error:
        return error
    return None
