"""What must hold of a run whatever happened to it (docs/promises.md, “What the simulation checks”), told by its
facts and by the service's books.

Each check raises AssertionError with what it saw. Knows nothing of how a run came to be where it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from itertools import chain, pairwise

from tests.support.build import Harness, is_taken_over
from zenflow.clock import from_iso
from zenflow.history import events as e
from zenflow.history.fold import apply
from zenflow.history.state import RunState
from zenflow.ids import STAMP_LENGTH, digest_of


def check_all(stage: Harness, *, overcharges: bool = False) -> None:
    """Every check that holds at any time, whatever the faults. `overcharges`: the service may take more than it quoted."""
    no_request_is_charged_twice(stage)
    the_books_balance_and_the_budget_holds_at_every_prefix(stage)
    no_post_without_an_intent(stage)
    nothing_is_sent_again_without_a_look(stage)
    nothing_is_sent_a_third_time(stage)
    the_books_are_no_lower_than_the_charges(stage)
    if not overcharges:
        the_run_costs_no_more_than_its_budget(stage)
    if not overcharges and not stage.other_copies:
        the_cap_of_a_day_holds(stage)


def no_request_is_charged_twice(stage: Harness) -> None:
    """At most one charge for each (instance, try); and, by what was asked for, no more charges than tries."""
    twice = {call: times for call, times in stage.charges().items() if times > 1}
    assert not twice, f"charged more than once: {twice}"
    tries: Counter[str] = Counter()
    seen = set()
    for event in chain.from_iterable(stage.histories()):
        if not isinstance(event, e.Intended):
            continue
        for call in event.calls:
            if (call.instance, call.try_number) not in seen:
                seen.add((call.instance, call.try_number))
                tries[_asked(event.tool, call.params)] += 1
    paid: Counter[str] = Counter()
    for task in stage.service.tasks.values():
        for params in task.inputs if task.posted else ():
            paid[_asked(task.tool, params)] += 1
    more = {what: (times, tries[what]) for what, times in paid.items() if times > tries[what]}
    assert not more, f"more charges than tries (charges, tries): {more}"


def _asked(tool: str, params: object) -> str:
    return digest_of([tool, params])


def the_books_balance_and_the_budget_holds_at_every_prefix(stage: Harness) -> None:
    facts, state = stage.events(), RunState()
    taken_over = {n for n, (one, then) in enumerate(pairwise(facts)) if is_taken_over(one, then)}  # it is paid already
    for number, event in enumerate(facts):
        apply(state, event)
        totals = state.totals
        assert totals.balanced, f"the books do not balance after fact {number}: {event}: {totals}"
        parts = (totals.open, totals.charged, totals.released, totals.unknown, totals.refunded)
        assert min(parts) >= 0, f"a sum below zero after fact {number}: {event}: {totals}"
        if isinstance(event, e.Intended | e.Attempted) and number not in taken_over:
            assert totals.committed <= state.budget, f"over the budget of {state.budget} after fact {number}: {totals}"


def no_post_without_an_intent(stage: Harness) -> None:
    """Every POST has its attempt row on disk; and there are no more of them than rows, for each stamp and in all."""
    rows: Counter[str] = Counter(comment for comment, _, _ in _attempts(stage))
    posts = Counter(one.comment for provider in stage.providers for one in provider.submitted)
    for comment, times in posts.items():
        assert times <= rows[comment], f"{times} POSTs and {rows[comment]} attempt rows for {comment!r}"
    submits = sum(provider.submits for provider in stage.providers)
    attempts = sum(rows.values())
    crashes = sum(provider.process.dead for provider in stage.providers)
    assert submits <= attempts, f"{submits} submits and {attempts} attempt rows"
    if not crashes and not stage.other_copies:
        assert submits == attempts, f"{submits} submits and {attempts} attempt rows, and nobody died"


def _attempts(stage: Harness) -> set[tuple[str, int, str]]:
    """The attempt rows of all copies of the journal: comment, number, moment. A task that was taken over is none."""
    found = {(intent.comment, 1, intent.at) for intent, is_taken_over in stage.all_intents() if not is_taken_over}
    for facts in stage.histories():
        comments = {event.submission: event.comment for event in facts if isinstance(event, e.Intended)}
        found |= {(comments[x.submission], x.attempt, x.at) for x in facts if isinstance(x, e.Attempted)}
    return found


def nothing_is_sent_again_without_a_look(stage: Harness) -> None:
    """Between two attempts stands a look that found nothing; after an answer that did not come, two, the wait between."""
    wait_s = float("-inf") if stage.clock.was_set else stage.limits.lost_answer_wait_s
    since: dict[int, list[e.Event]] = {}
    for event in stage.events():
        number = getattr(event, "submission", None)
        if not isinstance(number, int):
            continue
        if isinstance(event, e.Attempted):
            _check_again(event, since.get(number, []), wait_s)
        if isinstance(event, e.Intended | e.Attempted):
            since[number] = []
        else:
            since.setdefault(number, []).append(event)


def nothing_is_sent_a_third_time(stage: Harness) -> None:
    """At most two attempts of an intent are unanswered, unless a person has sent it again."""
    lost_responses: dict[int, set[int]] = {}
    for event in stage.events():
        if isinstance(event, e.OutcomeUnknown):
            lost_responses.setdefault(event.submission, set()).add(event.attempt)
        elif isinstance(event, e.Attempted) and event.submission not in stage.resubmitted:
            lost = lost_responses.get(event.submission, set())
            assert len(lost) < 2, f"sent again after {len(lost)} attempts without a clear answer: {event}"


def _check_again(again: e.Attempted, between: Iterable[e.Event], wait_s: float) -> None:
    facts = list(between)
    looks = [fact for fact in facts if isinstance(fact, e.LookupRecorded)]
    assert looks, f"attempt {again.attempt} of {again.submission} without a look: {facts}"
    assert not any(look.found for look in looks[-1:]), f"sent again although it was found: {looks[-1]}"
    assert looks[-1].debits_explained is not False, f"sent again beside a debit that nobody explains: {looks[-1]}"
    lost = [fact for fact in facts if isinstance(fact, e.OutcomeUnknown)]
    if lost:
        complete = [look for look in looks if look.complete]
        assert len(complete) >= 2, f"sent again after {len(complete)} complete looks: {facts}"
        closed = from_iso(lost[-1].closed_at)
        waited = (from_iso(again.at) - closed).total_seconds()
        assert waited >= wait_s, f"sent again {waited} s after its connection was gone"
        assert any(look.debits_explained and look.after_wait for look in complete), f"no second witness: {facts}"


def the_books_are_no_lower_than_the_charges(stage: Harness) -> None:
    """What the service took for our requests is held against the budget: as charge, as open, or as unknown."""
    state = stage.state()
    by_stamp = {submission.stamp: submission for submission in state.submissions.values()}
    debited = Decimal(0)
    for task in stage.service.tasks.values():
        submission = by_stamp.get(task.comment[:STAMP_LENGTH])
        if submission is None or not task.posted or submission.task_id not in (None, task.task_id):
            continue
        if [call.call.params for call in submission.calls] != list(task.inputs):
            continue  # another copy of the journal has used the number: it is told, and in that copy's books
        debited += task.charged if submission.debits else min(task.charged, submission.quote)
    held = state.totals.committed + state.totals.refunded
    assert debited <= held, f"{debited} debited, {held} in the books"


def the_run_costs_no_more_than_its_budget(stage: Harness) -> None:
    """What the service has taken for all that was posted under the run's stamp, refunds taken off, whichever copy of the
    journal knows of it."""
    state = stage.state()
    if state.started is None:
        return
    ours = {task.task_id for task in stage.service.tasks.values() if task.posted}
    taken = -sum((row.amount for row in stage.service.rows if row.task_id in ours), Decimal(0))
    assert taken <= state.budget, f"{taken} taken for the run, and its budget is {state.budget}"


def the_cap_of_a_day_holds(stage: Harness) -> None:
    """On no UTC day has the account committed more than the cap of this journal."""
    if stage.per_day is None:
        return
    days = {event.at[:10] for event in stage.events() if isinstance(event, e.Intended)}
    for day in days:
        committed = stage.journal.committed_on(stage.service.account_id, day)
        assert committed <= stage.per_day, f"{committed} committed on {day}, and the cap is {stage.per_day}"


def the_refunds_are_what_the_service_gave(stage: Harness) -> None:
    """Each refund of ours that the account's list shows is in the books once. Without a watermark nobody knows how far to
    read."""
    known = {s.task_id: s for s in stage.state().submissions.values() if s.watermark is not None}
    given: dict[str, Decimal] = {}
    for row in stage.service.rows:
        if row.amount > 0 and row.task_id in known:
            given[row.transaction_id] = row.amount
    recorded = {row: amount for s in known.values() for row, amount in s.refunds.items()}
    assert recorded == given, f"refunds in the books {recorded}, and given {given}"


def the_books_are_what_the_service_says(stage: Harness) -> None:
    """At the end of a run that is done: every debit confirmed, and the same sum on both sides."""
    state = stage.state()
    debits = -sum(
        (row.amount for row in stage.service.rows if row.amount < 0 and _is_ours(stage, row.task_id)), Decimal(0)
    )
    assert state.totals.open == state.totals.unknown == 0, state.totals
    assert state.totals.charged + state.totals.difference == debits, (state.totals, debits)


def _is_ours(stage: Harness, task_id: str | None) -> bool:
    return task_id is not None and stage.service.tasks[task_id].posted
