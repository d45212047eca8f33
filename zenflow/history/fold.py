"""events → state. The same function while running, after a crash, in the report and in the tests; total on any prefix.

An event that speaks of something unknown (a journal cut in the middle, a newer version's fact) changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from zenflow.credits import ZERO
from zenflow.history import events as e
from zenflow.history.state import (
    CallState,
    InstanceState,
    InstanceStatus,
    Outcome,
    RunState,
    SubmissionState,
)


def fold(events: Iterable[e.Event]) -> RunState:
    """The state after all `events`."""
    state = RunState()
    for event in events:
        apply(state, event)
    return state


def apply(state: RunState, event: e.Event) -> None:
    """Take one more fact in."""
    _APPLY.get(type(event), _nothing)(state, event)


def _nothing(state: RunState, event: Any) -> None:
    return


# ------------------------------------------------------------------------------------------------------------- the run


def _run_started(state: RunState, event: e.RunStarted) -> None:
    state.started = event
    state.budget = event.budget
    state.options = dict(event.options)


def _run_resumed(state: RunState, event: e.RunResumed) -> None:
    state.resumes += 1
    state.status, state.reason, state.ended_at = "running", "", None


def _budget_changed(state: RunState, event: e.BudgetChanged) -> None:
    state.budget = event.budget


def _options_changed(state: RunState, event: e.OptionsChanged) -> None:
    for name, value in event.options.items():
        old = state.options.get(name)
        state.options[name] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value


def _run_ended(state: RunState, event: e.RunEnded) -> None:
    state.status, state.reason, state.ended_at = event.status, event.reason, event.at
    state.balance_after = event.balance_after


# ---------------------------------------------------------------------------------------------------------- submissions


def _intended(state: RunState, event: e.Intended) -> None:
    calls = [CallState(call) for call in event.calls]
    quote = event.quote
    state.submissions[event.submission] = SubmissionState(
        event.submission, event.tool, event.stamp, event.comment, quote, event.at, calls, event.watermark
    )
    state.books.reserved += quote
    state.books.open += quote
    for position, call in enumerate(event.calls):
        instance = _instance(state, call.instance)
        instance.status = InstanceStatus.RUNNING
        instance.submissions.append((event.submission, position))


def _attempted(state: RunState, event: e.Attempted) -> None:
    submission = state.submissions.get(event.submission)
    if submission is None:
        return
    _move(state, submission, Outcome.OPEN)
    submission.attempts = event.attempt
    submission.watermark = event.watermark
    submission.closed_at = None
    submission.looks = []


def _not_sent(state: RunState, event: e.NotSent) -> None:
    submission = state.submissions.get(event.submission)
    if submission is not None:
        _move(state, submission, Outcome.NOT_SENT)
        submission.detail = event.detail
        submission.closed_at = event.at


def _outcome_unknown(state: RunState, event: e.OutcomeUnknown) -> None:
    submission = state.submissions.get(event.submission)
    if submission is not None:
        _move(state, submission, Outcome.UNKNOWN)
        submission.detail = event.detail
        submission.closed_at = event.closed_at


def _looked(state: RunState, event: e.Looked) -> None:
    submission = state.submissions.get(event.submission)
    if submission is not None:
        submission.looks.append(event)


def _refused(state: RunState, event: e.Refused) -> None:
    submission = state.submissions.get(event.submission)
    if submission is not None:
        _move(state, submission, Outcome.REFUSED)
        submission.detail = event.message
        _forget_calls(state, submission)


def _reclaimed(state: RunState, event: e.Reclaimed) -> None:
    submission = state.submissions.get(event.submission)
    if submission is not None:
        _move(state, submission, Outcome.RECLAIMED)
        submission.detail = event.reason
        _forget_calls(state, submission)


def _forget_calls(state: RunState, submission: SubmissionState) -> None:
    """Its calls were never made: their instances are as before."""
    for position, call in enumerate(submission.calls):
        instance = state.instances.get(call.call.instance)
        if instance is None or (submission.number, position) not in instance.submissions:
            continue
        instance.submissions.remove((submission.number, position))
        if not instance.submissions and instance.status is InstanceStatus.RUNNING:
            del state.instances[instance.address]


def _accepted(state: RunState, event: e.Accepted) -> None:
    submission = state.submissions.get(event.submission)
    if submission is not None:
        _move(state, submission, Outcome.ACCEPTED)
        submission.task_id, submission.total = event.task_id, event.total
        submission.accepted_at, submission.adopted = event.at, event.adopted


def _gave_up(state: RunState, event: e.GaveUp) -> None:
    submission = state.submissions.get(event.submission)
    if submission is not None:
        _move(state, submission, Outcome.GIVEN_UP)


def _bound(state: RunState, event: e.Bound) -> None:
    submission = state.submissions.get(event.submission)
    if submission is not None:
        for call, call_id in zip(submission.calls, event.call_ids, strict=False):
            call.call_id = call_id


def _call_failed(state: RunState, event: e.CallFailed) -> None:
    submission = state.submissions.get(event.submission)
    if submission is not None and event.position < len(submission.calls):
        call = submission.calls[event.position]
        call.status, call.error, call.call_id = "failed", event.message, event.call_id


def _confirmed(state: RunState, event: e.Confirmed) -> None:
    submission = state.submissions.get(event.submission)
    if submission is None or submission.confirmed is not None:
        return
    submission.confirmed, submission.confirmed_by = event.amount, event.transaction_id
    if submission.outcome in (Outcome.ACCEPTED, Outcome.GIVEN_UP):
        state.books.difference += event.amount - submission.quote


def _refunded(state: RunState, event: e.Refunded) -> None:
    submission = state.submissions.get(event.submission)
    if submission is not None and event.transaction_id not in submission.refunds:
        submission.refunds[event.transaction_id] = event.amount
        state.books.refunded += event.amount


def _move(state: RunState, submission: SubmissionState, to: Outcome) -> None:
    """Carry the quote from one sum of the books to another, so that they balance by construction."""
    books, old = state.books, submission.outcome
    source, target = _SUM_OF[old], _SUM_OF[to]
    setattr(books, source, getattr(books, source) - submission.quote)
    setattr(books, target, getattr(books, target) + submission.quote)
    if submission.confirmed is not None:
        beyond = submission.confirmed - submission.quote
        books.difference += (beyond if target == "charged" else ZERO) - (beyond if source == "charged" else ZERO)
    submission.outcome = to


_SUM_OF = {
    Outcome.OPEN: "open",
    Outcome.NOT_SENT: "open",
    Outcome.UNKNOWN: "unknown",
    Outcome.ACCEPTED: "charged",
    Outcome.GIVEN_UP: "charged",
    Outcome.REFUSED: "released",
    Outcome.RECLAIMED: "released",
}


# ---------------------------------------------------------------------------------------------------- instances, files


def _produced(state: RunState, event: e.Produced) -> None:
    instance = _instance(state, event.instance)
    instance.status, instance.results = InstanceStatus.DONE, event.results
    instance.code = instance.message = instance.hint = ""
    if event.submission is not None and event.position is not None:
        submission = state.submissions.get(event.submission)
        if submission is not None and event.position < len(submission.calls):
            submission.calls[event.position].status = "produced"


def _instance_skipped(state: RunState, event: e.InstanceSkipped) -> None:
    instance = _instance(state, event.instance)
    instance.status, instance.message = InstanceStatus.SKIPPED, event.reason


def _instance_failed(state: RunState, event: e.InstanceFailed) -> None:
    instance = _instance(state, event.instance)
    instance.status = InstanceStatus.FAILED
    instance.code, instance.message, instance.hint = event.code, event.message, event.hint
    instance.paid = instance.paid or event.paid


def _went_late(state: RunState, event: e.WentLate) -> None:
    _instance(state, event.instance).status = InstanceStatus.LATE


def _not_retrievable(state: RunState, event: e.NotRetrievable) -> None:
    state.lost.append(event)
    _instance(state, event.instance).status = InstanceStatus.LOST
    submission = state.submissions.get(event.submission)
    if submission is not None and event.position < len(submission.calls):
        submission.calls[event.position].status = "lost"


def _reopened(state: RunState, event: e.Reopened) -> None:
    for address in event.instances:
        instance = state.instances.get(address)
        if instance is None:
            continue
        if instance.submissions or instance.paid:
            instance.status = InstanceStatus.RUNNING
            instance.code = instance.message = instance.hint = ""
        else:
            del state.instances[address]


def _file_saved(state: RunState, event: e.FileSaved) -> None:
    state.files.setdefault(event.instance, {})[event.place] = event


def _picked(state: RunState, event: e.Picked) -> None:
    state.picks[event.instance] = event.asset_ids


def _noted(state: RunState, event: e.Noted) -> None:
    state.notes.append(event)


def _instance(state: RunState, address: str) -> InstanceState:
    found = state.instances.get(address)
    if found is None:
        found = state.instances[address] = InstanceState(address)
    return found


_APPLY: dict[type, Callable[[RunState, Any], None]] = {
    e.RunStarted: _run_started,
    e.RunResumed: _run_resumed,
    e.BudgetChanged: _budget_changed,
    e.OptionsChanged: _options_changed,
    e.RunEnded: _run_ended,
    e.Intended: _intended,
    e.Attempted: _attempted,
    e.NotSent: _not_sent,
    e.OutcomeUnknown: _outcome_unknown,
    e.Looked: _looked,
    e.Refused: _refused,
    e.Reclaimed: _reclaimed,
    e.Accepted: _accepted,
    e.GaveUp: _gave_up,
    e.Bound: _bound,
    e.CallFailed: _call_failed,
    e.Confirmed: _confirmed,
    e.Refunded: _refunded,
    e.Produced: _produced,
    e.InstanceSkipped: _instance_skipped,
    e.InstanceFailed: _instance_failed,
    e.WentLate: _went_late,
    e.NotRetrievable: _not_retrievable,
    e.Reopened: _reopened,
    e.FileSaved: _file_saved,
    e.Picked: _picked,
    e.Noted: _noted,
}
