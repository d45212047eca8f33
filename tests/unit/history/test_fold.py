"""Single stories, told once each; what holds for all stories is in tests/property."""

from decimal import Decimal

from zenflow.history import events as e
from zenflow.history.fold import fold
from zenflow.history.state import InstanceStatus, Outcome, RunState

AT = "2026-11-21T08:00:00Z"


def intended(number: int = 1, *instances: str, quote: str = "4") -> e.Intended:
    calls = tuple(e.IntendedCall(name, 1, Decimal(quote), {}) for name in instances or ("generate",))
    return e.Intended(AT, number, "stamp", "image_generator", "", calls, None)


def sums(state: RunState) -> dict[str, Decimal]:
    totals = state.totals
    return {
        name: value
        for name, value in (
            ("open", totals.open),
            ("charged", totals.charged),
            ("released", totals.released),
            ("unknown", totals.unknown),
            ("difference", totals.difference),
            ("refunded", totals.refunded),
        )
        if value
    }


def test_sums_rows_and_refunds_of_a_quote_apart() -> None:
    story = [intended(), e.Accepted(AT, 1, "t1", 1)]
    assert sums(fold(story)) == {"charged": 4}
    story += [e.Confirmed(AT, 1, "row-1", Decimal(5)), e.Refunded(AT, 1, "row-2", Decimal(5))]
    assert sums(fold(story)) == {"charged": 4, "difference": 1, "refunded": 5}
    assert fold(story).totals.spent == 0


def test_charges_a_task_that_is_found_after_its_refusal() -> None:
    """Attempt 1 got no answer, attempt 2 was refused for want of credits, then the first one's task turned up."""
    story = [
        intended(1, "generate.0", "generate.1"),
        e.OutcomeUnknown(AT, 1, 1, "", AT),
        e.Attempted(AT, 1, 2, None),
        e.SubmissionRefused(AT, 1, 402, "out of credits"),
    ]
    assert fold(story).instances == {}
    state = fold([*story, e.Accepted(AT, 1, "t1", 2, adopted=True)])
    assert sums(state) == {"charged": 8}
    assert state.instances["generate.1"].submissions == [(1, 1)]
    assert state.submissions[1].attempts == 2


def test_an_attempt_after_a_reclaim_knows_its_calls_again() -> None:
    state = fold(
        [intended(), e.OutcomeUnknown(AT, 1, 1, "", AT), e.Reclaimed(AT, 1, "looks"), e.Attempted(AT, 1, 2, "w")]
    )
    assert state.instances["generate"].submissions == [(1, 0)]
    assert (state.submissions[1].outcome, state.submissions[1].watermark) == (Outcome.OPEN, "w")


def test_late_words_do_not_take_a_charge_back() -> None:
    late = [
        e.Attempted(AT, 1, 2, None),
        e.NotSent(AT, 1, 2, ""),
        e.OutcomeUnknown(AT, 1, 2, "", AT),
        e.SubmissionRefused(AT, 1, 422, ""),
        e.Reclaimed(AT, 1, ""),
        e.Abandoned(AT, 1),
    ]
    for word in late:
        state = fold([intended(), e.Accepted(AT, 1, "t1", 1), word])
        assert sums(state) == {"charged": 4}, word
        assert state.submissions[1].outcome is Outcome.ACCEPTED
        assert "generate" in state.instances


def test_the_task_adopted_first_stays() -> None:
    state = fold([intended(), e.Accepted(AT, 1, "t1", 1), e.Accepted(AT, 1, "t2", 1, adopted=True)])
    assert (state.submissions[1].task_id, state.submissions[1].adopted) == ("t1", False)


def test_a_second_debit_row_is_a_duplicate_and_counts() -> None:
    story = [intended(), e.Accepted(AT, 1, "t1", 1), e.Confirmed(AT, 1, "row-1", Decimal(4))]
    assert sums(fold([*story, e.Confirmed(AT, 1, "row-1", Decimal(4))])) == {"charged": 4}
    state = fold([*story, e.Confirmed(AT, 1, "row-2", Decimal(4))])
    assert sums(state) == {"charged": 4, "difference": 4}
    assert state.submissions[1].charge == 8


def test_counts_a_debit_for_a_released_refusal() -> None:
    state = fold([intended(), e.SubmissionRefused(AT, 1, 400, ""), e.Confirmed(AT, 1, "row-1", Decimal(4))])
    assert sums(state) == {"released": 4, "difference": 4}
    assert state.totals.committed == 4
    assert state.submissions[1].charge == 4


def test_an_intent_told_twice_is_one() -> None:
    state = fold([intended(), e.Accepted(AT, 1, "t1", 1), intended()])
    assert sums(state) == {"charged": 4}
    assert state.next_submission == 2


def test_numbers_the_next_submission_beyond_all_known() -> None:
    assert fold([intended(7), intended(2)]).next_submission == 8


def test_finds_lost_results_for_good() -> None:
    lost = e.NotRetrievable(AT, "generate", 1, 0, "c1", None)
    story = [intended(), e.Accepted(AT, 1, "t1", 1), lost, lost]
    state = fold(story)
    assert len(state.lost) == 1
    assert state.instances["generate"].status is InstanceStatus.LOST
    for rest in ([], [lost], [e.CallFailed(AT, 1, 0, "c1", "no")], [e.WentLate(AT, "generate", 1)]):
        state = fold([*story, e.Produced(AT, "generate", {"asset_id": "a"}, 1, 0), *rest])
        assert state.lost == []
        assert state.instances["generate"].status is InstanceStatus.DONE
        assert state.submissions[1].calls[0].status == "produced"


def test_a_position_below_zero_is_nobodys() -> None:
    state = fold([intended(1, "a", "b"), e.CallFailed(AT, 1, -1, "c", "no")])
    assert [call.status for call in state.submissions[1].calls] == ["waiting", "waiting"]


def test_calls_are_bound_once() -> None:
    state = fold([intended(1, "a", "b"), e.Bound(AT, 1, ("c1", "c2")), e.Bound(AT, 1, ("c9", "c8"))])
    assert [call.call_id for call in state.submissions[1].calls] == ["c1", "c2"]


def test_a_refused_retry_leaves_the_first_try_with_its_instance() -> None:
    state = fold([intended(1), e.Accepted(AT, 1, "t", 1), intended(2), e.SubmissionRefused(AT, 2, 402, "no")])
    assert state.instances["generate"].submissions == [(1, 0)]


def test_merges_options_one_level_deep() -> None:
    state = fold(
        [
            e.OptionsChanged(AT, {"max": {"a": 1}, "picks": {"p": [1]}}),
            e.OptionsChanged(AT, {"max": {"b": 2}, "picks": 3}),
        ]
    )
    assert state.options == {"max": {"a": 1, "b": 2}, "picks": 3}
