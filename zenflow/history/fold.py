"""events → state. The same function while running, after a crash, in the report and in the tests; total on any prefix.

An event that speaks of something unknown (a journal cut in the middle, a newer version's fact) changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeAlias

from zenflow.credits import ZERO
from zenflow.history import events as e
from zenflow.history.outcomes import add_to_totals, difference, keeps_calls, outcome_after
from zenflow.history.state import CallState, InstanceState, InstanceStatus, Outcome, RunState, SubmissionState

ORPHANED = "orphaned-"
"""Begins the address of what a changed recipe no longer asks for. No step has a name with a hyphen."""

_Moving: TypeAlias = (
    e.Attempted
    | e.NotSent
    | e.OutcomeUnknown
    | e.SubmissionRefused
    | e.Accepted
    | e.Abandoned
    | e.Released
    | e.Reclaimed
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
    if state.started is not None:
        return
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
        merge = isinstance(old, Mapping) and isinstance(value, Mapping)
        state.options[name] = dict(old or {}) | dict(value) if merge else value


_OF_RECIPE = (
    *("recipe_name", "recipe_version", "recipe_digest", "recipe_root", "recipe_files", "recipe_folder"),
    *("recipe_boundary", "recipe_origins", "inputs"),
)


def _recipe_changed(state: RunState, event: e.RecipeChanged) -> None:
    """Results follow their requests to the new addresses; what nothing asks for any more is kept apart."""
    if state.started is None:
        return
    changed = {name: getattr(event, name) for name in _OF_RECIPE}
    state.started = replace(state.started, named_paths=event.named_paths, **changed)
    moved = moved_addresses(state.instances, event.moves, state.recipes)
    state.recipes += 1
    kept: dict[str, InstanceState] = {}
    for old, instance in state.instances.items():
        new = moved.get(old)
        if new is not None:
            instance.address = new
            kept[new] = instance
    state.instances = kept
    for submission in state.submissions.values():
        for call in submission.calls:
            call.call = replace(call.call, instance=moved.get(call.call.instance) or call.call.instance)
    state.files.clear()
    state.picks = {moved[old]: chosen for old, chosen in state.picks.items() if old in moved}


def moved_addresses(instances: Iterable[str], moves: Mapping[str, str], recipes: int) -> dict[str, str]:
    """Where each instance goes: to where it is asked for, else aside; what is aside already stays there."""
    aside = f"{ORPHANED}{recipes}/"
    return {old: moves.get(old) or (old if old.startswith(ORPHANED) else aside + old) for old in instances}


def _run_ended(state: RunState, event: e.RunEnded) -> None:
    state.status, state.reason, state.ended_at = event.status, event.reason, event.at
    state.balance_after = event.balance_after


# ---------------------------------------------------------------------------------------------------------- submissions


def _intended(state: RunState, event: e.Intended) -> None:
    if event.submission in state.submissions:
        return
    calls = [CallState(call) for call in event.calls]
    quote = event.quote
    submission = state.submissions[event.submission] = SubmissionState(
        event.submission, event.tool, event.stamp, event.comment, quote, event.at, calls, event.watermark
    )
    submission.balance = event.balance
    state.totals.reserved += quote
    state.totals.open += quote
    if state.first_watermark is None:
        state.first_watermark = event.watermark
    _remember_calls(state, submission)


def _attempted(state: RunState, event: e.Attempted) -> None:
    submission = _moved(state, event)
    if submission is not None:
        submission.attempts = max(submission.attempts, event.attempt)
        submission.watermark, submission.balance = event.watermark, event.balance
        submission.closed_at, submission.refusal = None, {}
        submission.lookups = []
        if event.quotes:
            _requote(state, submission, event.quotes)


def _requote(state: RunState, submission: SubmissionState, quotes: tuple[Decimal, ...]) -> None:
    """More (or less) is set aside for an open submission than before."""
    totals, before, quote = state.totals, _difference(submission), sum(quotes, ZERO)
    totals.reserved += quote - submission.quote
    totals.open += quote - submission.quote
    submission.quote = quote
    for call, each in zip(submission.calls, quotes, strict=False):
        call.call = replace(call.call, quote=each)
    totals.difference += _difference(submission) - before


def _not_sent(state: RunState, event: e.NotSent) -> None:
    submission = _moved(state, event)
    if submission is not None:
        submission.detail = event.detail
        submission.closed_at = event.at


def _outcome_unknown(state: RunState, event: e.OutcomeUnknown) -> None:
    submission = _moved(state, event)
    if submission is not None:
        submission.detail, submission.refusal = event.detail, event.refusal
        submission.closed_at = event.closed_at
        submission.unanswered.add(event.attempt)


def _lookup_recorded(state: RunState, event: e.LookupRecorded) -> None:
    submission = state.submissions.get(event.submission)
    if submission is not None:
        submission.lookups.append(event)


def _refused(state: RunState, event: e.SubmissionRefused) -> None:
    submission = _moved(state, event)
    if submission is not None:
        submission.detail = event.message


def _reclaimed(state: RunState, event: e.Reclaimed) -> None:
    submission = _moved(state, event)
    if submission is not None:
        submission.detail = event.reason


def _accepted(state: RunState, event: e.Accepted) -> None:
    known = state.submissions.get(event.submission)
    if known is not None and known.outcome is Outcome.ACCEPTED:
        return  # the task adopted first stays: its calls are known by id
    submission = _moved(state, event)
    if submission is not None:
        submission.task_id, submission.total = event.task_id, event.total
        submission.accepted_at, submission.adopted = event.at, event.adopted


def _bound(state: RunState, event: e.Bound) -> None:
    submission = state.submissions.get(event.submission)
    if submission is not None and (not submission.is_bound or submission.is_short):
        for call, call_id in zip(submission.calls, event.call_ids, strict=False):
            call.call_id = call_id
            call.status = "waiting" if call.status == "unknown" else call.status


def _took_part(state: RunState, event: e.TookPart) -> None:
    submission = state.submissions.get(event.submission)
    if submission is None or submission.is_bound:
        return
    submission.shortfall = event.message
    for call, call_id in zip(submission.calls, event.call_ids, strict=False):
        call.call_id = call_id or None
        call.status = call.status if call_id or call.status != "waiting" else "unknown"


def _contradicted(state: RunState, event: e.Contradicted) -> None:
    submission = state.submissions.get(event.submission)
    if submission is not None:
        submission.contradiction = submission.contradiction or event.message
        submission.order_taken = submission.order_taken or event.taken


def _call_failed(state: RunState, event: e.CallFailed) -> None:
    call = _call(state, event.submission, event.position)
    if call is not None and call.status != "produced":
        call.status, call.error, call.call_id = "failed", event.message, event.call_id
        _is_lost_no_more(state, event.submission, event.position)


def _confirmed(state: RunState, event: e.Confirmed) -> None:
    submission = state.submissions.get(event.submission)
    if submission is None or event.transaction_id in submission.debits:
        return
    before = _difference(submission)
    submission.debits[event.transaction_id] = event.amount
    state.totals.difference += _difference(submission) - before


def _refunded(state: RunState, event: e.Refunded) -> None:
    submission = state.submissions.get(event.submission)
    if submission is not None and event.transaction_id not in submission.refunds:
        submission.refunds[event.transaction_id] = event.amount
        state.totals.refunded += event.amount


def _moved(state: RunState, event: _Moving) -> SubmissionState | None:
    """The submission, if the fact moves it: its quote goes from one sum of the books to another, so that they balance
    by construction; its calls are forgotten when it is released, and known again when it turns out to live."""
    submission = state.submissions.get(event.submission)
    target = None if submission is None else outcome_after(submission.outcome, type(event))
    if submission is None or target is None:
        return None
    totals, before = state.totals, _difference(submission)
    kept_calls = keeps_calls(submission.outcome)
    add_to_totals(totals, submission.outcome, -submission.quote)
    add_to_totals(totals, target, submission.quote)
    submission.outcome = target
    totals.difference += _difference(submission) - before
    if kept_calls and not keeps_calls(target):
        _forget_calls(state, submission)
    elif not kept_calls and keeps_calls(target):
        _remember_calls(state, submission)
    return submission


def _difference(submission: SubmissionState) -> Decimal:
    return difference(submission.outcome, submission.quote, submission.confirmed)


def _remember_calls(state: RunState, submission: SubmissionState) -> None:
    """Its instances have a call under way. One that got its results elsewhere meanwhile keeps them."""
    for position, call in enumerate(submission.calls):
        instance = _instance(state, call.call.instance)
        if instance.status is not InstanceStatus.DONE:
            instance.status = InstanceStatus.RUNNING
        if (submission.number, position) not in instance.submissions:
            instance.submissions.append((submission.number, position))
            instance.submissions.sort()


def _forget_calls(state: RunState, submission: SubmissionState) -> None:
    """Its calls were never made: their instances are as before."""
    for position, call in enumerate(submission.calls):
        instance = state.instances.get(call.call.instance)
        if instance is None or (submission.number, position) not in instance.submissions:
            continue
        instance.submissions.remove((submission.number, position))
        if not instance.submissions and instance.status is InstanceStatus.RUNNING:
            del state.instances[instance.address]


def _call(state: RunState, number: int, position: int) -> CallState | None:
    submission = state.submissions.get(number)
    if submission is None or not 0 <= position < len(submission.calls):
        return None
    return submission.calls[position]


# ---------------------------------------------------------------------------------------------------- instances, files


def _produced(state: RunState, event: e.Produced) -> None:
    instance = _instance(state, event.instance)
    instance.status, instance.results = InstanceStatus.DONE, event.results
    instance.code = instance.message = instance.hint = ""
    instance.fingerprint, instance.reused = event.fingerprint, event.reused
    uploaded = event.results.get("asset_id") if event.fingerprint.startswith("sha256:") else None
    if isinstance(uploaded, str):
        state.contents[uploaded] = event.fingerprint
    if event.submission is None or event.position is None:
        return
    call = _call(state, event.submission, event.position)
    if call is not None:
        call.status = "produced"
    _is_lost_no_more(state, event.submission, event.position)


def _is_lost_no_more(state: RunState, number: int, position: int) -> None:
    if state.lost:
        state.lost = [lost for lost in state.lost if (lost.submission, lost.position) != (number, position)]


def _instance_skipped(state: RunState, event: e.InstanceSkipped) -> None:
    instance = _instance(state, event.instance)
    instance.status, instance.message = InstanceStatus.SKIPPED, event.reason


def _instance_failed(state: RunState, event: e.InstanceFailed) -> None:
    instance = _instance(state, event.instance)
    instance.status = InstanceStatus.FAILED
    instance.code, instance.message, instance.hint = event.code, event.message, event.hint
    instance.paid = instance.paid or event.paid


def _went_late(state: RunState, event: e.WentLate) -> None:
    instance = _instance(state, event.instance)
    if instance.status is InstanceStatus.RUNNING:
        instance.status = InstanceStatus.LATE


def _not_retrievable(state: RunState, event: e.NotRetrievable) -> None:
    call = _call(state, event.submission, event.position)
    if call is None or call.status in ("produced", "lost"):
        return
    call.status = "lost"
    state.lost.append(event)
    instance = _instance(state, event.instance)
    if instance.status is not InstanceStatus.DONE:
        instance.status = InstanceStatus.LOST


def _result_awaited(state: RunState, event: e.ResultAwaited) -> None:
    call = _call(state, event.submission, event.position)
    if call is None or call.status != "lost":
        return
    call.status = "waiting"
    _is_lost_no_more(state, event.submission, event.position)
    instance = state.instances.get(event.instance)
    if instance is not None and instance.status is InstanceStatus.LOST:
        instance.status = InstanceStatus.RUNNING


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


_APPLY: dict[type, Callable[[RunState, Any], object]] = {
    e.RunStarted: _run_started,
    e.RunResumed: _run_resumed,
    e.BudgetChanged: _budget_changed,
    e.OptionsChanged: _options_changed,
    e.RecipeChanged: _recipe_changed,
    e.RunEnded: _run_ended,
    e.Intended: _intended,
    e.Attempted: _attempted,
    e.NotSent: _not_sent,
    e.OutcomeUnknown: _outcome_unknown,
    e.LookupRecorded: _lookup_recorded,
    e.SubmissionRefused: _refused,
    e.Reclaimed: _reclaimed,
    e.Accepted: _accepted,
    e.Abandoned: _moved,
    e.Released: _moved,
    e.Bound: _bound,
    e.TookPart: _took_part,
    e.Contradicted: _contradicted,
    e.CallFailed: _call_failed,
    e.Confirmed: _confirmed,
    e.Refunded: _refunded,
    e.Produced: _produced,
    e.InstanceSkipped: _instance_skipped,
    e.InstanceFailed: _instance_failed,
    e.WentLate: _went_late,
    e.NotRetrievable: _not_retrievable,
    e.ResultAwaited: _result_awaited,
    e.Reopened: _reopened,
    e.FileSaved: _file_saved,
    e.Picked: _picked,
    e.Noted: _noted,
}
