"""Whatever facts a run's journal holds, in whatever order, cut wherever: the books balance and nothing paid is lost."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zenflow.credits import ZERO
from zenflow.history import codec
from zenflow.history import events as e
from zenflow.history.fold import apply, fold
from zenflow.history.outcomes import keeps_calls
from zenflow.history.state import Outcome, RunState
from zenflow.journal import daily_caps as spend

pytestmark = pytest.mark.slow

AT = "2026-11-21T08:00:00Z"

numbers = st.integers(1, 2)
positions = st.integers(-2, 3)
attempts = st.integers(1, 3)
amounts = st.decimals(min_value=0, max_value=1000, places=2, allow_nan=False, allow_infinity=False)
instances = st.sampled_from(["upload", "generate.0", "generate.1", "upscale.0.1"])
rows = st.sampled_from(["row-1", "row-2", "row-3"])
words = st.sampled_from(["", "a", "b"])

calls = st.lists(
    st.builds(e.IntendedCall, instances, attempts, amounts, st.just({"prompt": "x"})), min_size=0, max_size=3
).map(tuple)


def intents_of(which: st.SearchStrategy[int]) -> st.SearchStrategy[e.Intended]:
    return st.builds(e.Intended, st.just(AT), which, words, words, words, calls, st.none())


def money_of(which: st.SearchStrategy[int]) -> st.SearchStrategy[e.Event]:
    return st.one_of(
        st.builds(e.Attempted, st.just(AT), which, attempts, st.none()),
        st.builds(e.NotSent, st.just(AT), which, attempts, words),
        st.builds(e.OutcomeUnknown, st.just(AT), which, attempts, words, st.just(AT)),
        st.builds(e.SubmissionRefused, st.just(AT), which, st.none(), words),
        st.builds(e.Accepted, st.just(AT), which, st.sampled_from(["t1", "t2"]), st.none()),
        st.builds(e.Confirmed, st.just(AT), which, rows, amounts),
        st.builds(e.Refunded, st.just(AT), which, rows, amounts),
        st.builds(e.Abandoned, st.just(AT), which),
        st.builds(e.Reclaimed, st.just(AT), which, words),
        st.builds(e.TookPart, st.just(AT), which, st.tuples(words, words), words),
        st.builds(e.Released, st.just(AT), which, words),
    )


intents, money = intents_of(numbers), money_of(numbers)
others = st.one_of(
    st.builds(e.LookupRecorded, st.just(AT), numbers, st.booleans(), st.booleans(), st.none()),
    st.builds(e.Bound, st.just(AT), numbers, st.lists(rows, max_size=4).map(tuple)),
    st.builds(e.CallFailed, st.just(AT), numbers, positions, words, words),
    st.builds(e.WentLate, st.just(AT), instances, numbers),
    st.builds(
        e.Produced, st.just(AT), instances, st.just({"x": 1}), st.none() | numbers, st.none() | positions, amounts
    ),
    st.builds(e.InstanceSkipped, st.just(AT), instances, words),
    st.builds(e.InstanceFailed, st.just(AT), instances, words, words),
    st.builds(e.NotRetrievable, st.just(AT), instances, numbers, positions, words, st.none()),
    st.builds(e.Reopened, st.just(AT), st.lists(instances).map(tuple)),
    st.builds(e.OptionsChanged, st.just(AT), st.dictionaries(words, st.dictionaries(words, st.integers()))),
    st.builds(e.RunResumed, st.just(AT), words),
    st.builds(e.RunEnded, st.just(AT), words),
    st.just(e.Opaque("Rebated", {"v": 1, "t": "Rebated"})),
)
# Half of them begin with an intent, so that most of what follows is about something; the rest is in any order at all.
# A third is about one submission and nothing else: every pair of facts about it comes up.
anything = st.lists(st.one_of(money, money, intents, others), max_size=30)
lives = st.lists(money_of(st.just(1)), min_size=2, max_size=12)
histories = st.one_of(
    anything,
    st.builds(lambda first, rest: [first, *rest], intents, anything),
    st.builds(lambda first, rest: [first, *rest], intents_of(st.just(1)), lives),
)


@settings(max_examples=400, deadline=None)
@given(histories)
def test_balances_the_ledger_at_every_prefix(history: list[e.Event]) -> None:
    state = RunState()
    for event in history:
        apply(state, event)
        totals, every = state.totals, state.submissions.values()
        assert totals.balanced
        assert min(totals.reserved, totals.open, totals.charged, totals.released, totals.unknown, totals.refunded) >= 0
        assert totals.reserved == sum((one.quote for one in every), ZERO)
        assert totals.open == _quotes(state, Outcome.OPEN, Outcome.NOT_SENT)
        assert totals.unknown == _quotes(state, Outcome.UNKNOWN)
        assert totals.charged == _quotes(state, Outcome.ACCEPTED, Outcome.ABANDONED)
        assert totals.released == _quotes(state, Outcome.REFUSED, Outcome.NOT_CHARGED, Outcome.RELEASED)
        assert totals.refunded == sum((one.refunded for one in every), ZERO)


@settings(max_examples=400, deadline=None)
@given(histories)
def test_an_accepted_submission_stays_charged_to_the_end(history: list[e.Event]) -> None:
    state, tasks = RunState(), {}
    for event in history:
        apply(state, event)
        for number, submission in state.submissions.items():
            if submission.outcome is Outcome.ACCEPTED:
                assert submission.task_id == tasks.setdefault(number, submission.task_id)
            else:
                assert number not in tasks


@settings(max_examples=400, deadline=None)
@given(histories)
def test_never_spends_less_than_the_transaction_list(history: list[e.Event]) -> None:
    state = fold(history)
    for submission in state.submissions.values():
        assert submission.confirmed is None or state.totals.committed + state.totals.refunded >= submission.confirmed
    shown = sum((one.confirmed or ZERO for one in state.submissions.values()), ZERO)
    assert state.totals.committed + state.totals.refunded >= shown


@settings(max_examples=400, deadline=None)
@given(histories)
def test_links_a_maybe_charged_call_to_its_instance(
    history: list[e.Event],
) -> None:
    state = fold([event for event in history if not isinstance(event, e.Reopened)])
    for submission in state.submissions.values():
        for position, call in enumerate(submission.calls):
            instance = state.instances.get(call.call.instance)
            known = instance is not None and (submission.number, position) in instance.submissions
            assert known is keeps_calls(submission.outcome)


@settings(max_examples=200, deadline=None)
@given(histories)
def test_folds_a_stored_history_to_the_same_state(history: list[e.Event]) -> None:
    assert fold([codec.decode(codec.encode(event)) for event in history]) == fold(history)


@settings(max_examples=200, deadline=None)
@given(histories, st.integers(0, 40))
def test_folding_in_two_goes_is_folding_in_one(history: list[e.Event], cut: int) -> None:
    state = fold(history[:cut])
    for event in history[cut:]:
        apply(state, event)
    assert state == fold(history)


@settings(max_examples=200, deadline=None)
@given(histories)
def test_a_money_fact_told_twice_changes_nothing_more(history: list[e.Event]) -> None:
    twice = [event for event in history for event in ([event] * 2 if isinstance(event, _MONEY) else [event])]
    assert fold(twice).totals == fold(history).totals


@settings(max_examples=400, deadline=None)
@given(histories)
def test_the_journals_caps_weigh_what_the_books_weigh(history: list[e.Event]) -> None:
    spends: dict[int, spend.Spend] = {}
    for event in history:
        if isinstance(event, e.Intended):
            spends.setdefault(event.submission, spend.spend_of(event, "acc"))
        elif isinstance(event, spend.SpendFact) and event.submission in spends:
            spend.take(spends[event.submission], event)
    totals = fold(history).totals
    assert sum((one.committed for one in spends.values()), ZERO) == totals.committed
    assert sum((one.pending for one in spends.values()), ZERO) == totals.open + totals.unknown


_MONEY = (
    e.Intended,
    e.SubmissionRefused,
    e.Accepted,
    e.Confirmed,
    e.Refunded,
    e.Abandoned,
    e.Released,
    e.Reclaimed,
    e.OutcomeUnknown,
)


def _quotes(state: RunState, *outcomes: Outcome) -> Decimal:
    return sum((one.quote for one in state.submissions.values() if one.outcome in outcomes), ZERO)
