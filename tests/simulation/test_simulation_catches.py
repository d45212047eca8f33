"""The simulation is worth something only if it sees a broken protocol: each way of breaking it is caught by some seed."""

from __future__ import annotations

import pytest

from zenflow.engine import unanswered
from zenflow.engine.ledger import Ledger
from zenflow.engine.looks import Looker
from zenflow.engine.recorder import Recorder
from zenflow.history import events as e
from zenflow.history import fold
from zenflow.testing.ending import check_the_end
from zenflow.testing.shapes import SHAPES
from zenflow.testing.story import live_through
from zenflow.testing.undisturbed import undisturbed
from zenflow.testing.weather import weather_of

TRIED = 250


def caught(monkeypatch, break_it, near):
    """What the first seed that notices says, beginning at one that is known to. Undisturbed runs are made unbroken."""
    for shape in SHAPES:
        undisturbed(shape.name)
    break_it(monkeypatch)
    for seed in (*range(near, TRIED), *range(near)):
        weather = weather_of(seed)
        try:
            check_the_end(weather, live_through(weather))
        except AssertionError as error:
            return str(error)
    return None


def intent_after_the_post(monkeypatch):
    """The intent is kept in memory and written together with the answer."""
    waiting = []
    commit = Recorder.commit

    async def reserve_and_intend(self, event, cap):
        waiting.append(event)
        self._take_in((event,))

    async def commit_with_intents(self, *events):
        held, waiting[:] = list(waiting), []
        if held:
            await self._journal.append(self._lease, held)
        await commit(self, *events)

    monkeypatch.setattr(Recorder, "reserve_and_intend", reserve_and_intend)
    monkeypatch.setattr(Recorder, "commit", commit_with_intents)


def blind_resubmit(monkeypatch):
    """An answer that did not come is a reason to send again, at once."""

    async def unknown(self, submission):
        await self._cashier.send_again(submission)
        return True

    monkeypatch.setattr(unanswered.Unanswered, "_unknown", unknown)


def a_single_look_is_enough(monkeypatch):
    """One look that does not find it, before the wait is over, counts as conclusive."""
    monkeypatch.setattr(Looker, "wait_left_s", lambda self, submission: 0.0)
    monkeypatch.setattr(unanswered, "is_conclusive", lambda submission: bool(submission.looks))


def no_second_witness(monkeypatch):
    """Debits that nobody explains are no reason to wait."""
    conclusive = unanswered.is_conclusive

    async def explained(self, submission):
        return True

    monkeypatch.setattr("zenflow.engine.books.Bookkeeper.debits_explained", explained)
    monkeypatch.setattr(unanswered, "is_conclusive", conclusive)


def budget_checked_after_the_call(monkeypatch):
    """Everything is sent; what it cost is seen later."""
    monkeypatch.setattr(Ledger, "no_room_for", lambda self, instance, quote, tail, budgets: None)


def released_twice(monkeypatch):
    """A refusal gives its reservation back two times."""
    once = fold._APPLY[e.Refused]

    def twice(state, event):
        once(state, event)
        submission = state.submissions.get(event.submission)
        state.books.open -= submission.quote if submission is not None else 0

    monkeypatch.setitem(fold._APPLY, e.Refused, twice)


def found_is_not_believed(monkeypatch):
    """A task with our stamp is not taken for ours, and its call is made again."""

    async def resolve(self, submission, sight):
        event = e.Looked(self._context.recorder.now(), submission.number, True, True, True)
        await self._context.recorder.commit(event)
        return False

    monkeypatch.setattr(Looker, "resolve", resolve)


@pytest.mark.parametrize(
    ("break_it", "near"),
    [
        (intent_after_the_post, 14),
        (blind_resubmit, 0),
        (a_single_look_is_enough, 0),
        (no_second_witness, 37),
        (budget_checked_after_the_call, 21),
        (released_twice, 3),
        (found_is_not_believed, 0),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_simulation_catches(monkeypatch, break_it, near):
    said = caught(monkeypatch, break_it, near)
    assert said is not None, f"{TRIED} seeds saw nothing wrong"
