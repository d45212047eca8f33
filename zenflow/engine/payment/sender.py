"""One attempt of one submission: the POST behind its gate, and the fact that its answer is (the table of docs/money.md).

At most one POST for each journaled attempt. Knows nothing of instances: the running engine (`submission`) and a person's
decision (`reconcile`) send through here, so that there is one road to the wire.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from zenflow.clock import as_iso
from zenflow.engine.context import Context
from zenflow.engine.model.response_class import Class, classify
from zenflow.history import events as e
from zenflow.history.state import SubmissionState
from zenflow.journal.base import JournalError
from zenflow.log_context import about_submission
from zenflow.providers.base import Submission, SubmitAnswer

_log = logging.getLogger(__name__)

SEND_WITHIN_S = 30.0  # past it an intent is not written to the wire: the machine slept, or stood still


async def post(context: Context, submission: SubmissionState, since_s: float) -> SubmitAnswer | None:
    """Send the request once; it is never cancelled. `since_s`: when its attempt began to be journaled, by the clock that does
    not jump: a machine may sleep in any line from there on. None: the gate is closed, and nothing was written to the wire.
    """
    if not await is_open(context):
        return None
    inputs = tuple(call.call.params for call in submission.calls)
    request = Submission(submission.tool, inputs, submission.comment, since_s + SEND_WITHIN_S, context.identity.checked)
    with about_submission(submission.number):  # also in the records of the task that sends
        sending = asyncio.ensure_future(context.parts.provider.submit(request))
    _log.info("send %d calls of %s", len(inputs), submission.tool, extra={"submission": submission.number})
    answer = await asyncio.shield(sending)
    said = answer.task_id or f"{answer.facts.reached} {status_of(answer) or ''}"
    _log.info("answer: %s", said, extra={"submission": submission.number})
    return answer


async def is_open(context: Context) -> bool:
    """Whether the lease is still ours and the journal can still be written; if not, the recorder knows why."""
    if context.parts.journal.holds(context.parts.lease):
        return True
    try:
        await context.recorder.commit()  # the journal says itself what is wrong: full, read-only, taken over
    except JournalError:
        context.wake.set()
        return False
    context.stop_run("ZF811", "another process has taken this run over", "See `zenflow runs`.")
    return False


def fact_of(context: Context, submission: SubmissionState, attempt: int, answer: SubmitAnswer) -> e.Event:
    """What an answer means, as the fact to be journaled."""
    now, outcome = context.recorder.now(), classify(answer)
    if outcome is Class.ACCEPTED and answer.task_id is not None:
        return e.Accepted(now, submission.number, answer.task_id, answer.total)
    if outcome is Class.REFUSED:
        return e.SubmissionRefused(
            now, submission.number, answer.tool_status, answer.message, answer.violations, answer.payload
        )
    if outcome is Class.NOT_SENT:
        return e.NotSent(now, submission.number, attempt, detail_of(answer))
    closed = as_iso(answer.facts.closed_at or context.clock.now())
    refusal = _no_of(answer) if outcome is Class.UNCONFIRMED_REFUSAL else {}
    return e.OutcomeUnknown(now, submission.number, attempt, detail_of(answer), closed, refusal)


def _no_of(answer: SubmitAnswer) -> dict[str, Any]:
    """What a later `Refused` says, should a lookup confirm it."""
    words = answer.message or detail_of(answer)
    status = answer.tool_status if answer.is_tool_error else answer.facts.status
    return {"status": status, "message": words, "violations": list(answer.violations)}


def detail_of(answer: SubmitAnswer) -> str:
    """What is known of the wire, in words."""
    message = "" if answer.message == answer.facts.detail else answer.message
    parts = [answer.facts.reached.replace("_", " "), _status(answer), answer.facts.detail, message]
    return ", ".join(part for part in parts if part)[:500]


def status_of(answer: SubmitAnswer) -> int | None:
    return answer.facts.status if answer.tool_status is None else answer.tool_status


def _status(answer: SubmitAnswer) -> str:
    status = status_of(answer)
    return f"status {status}" if status else ""
