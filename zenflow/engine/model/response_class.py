"""What became of a paid request: the table of docs/money.md, once, in code. Fed with facts about the wire, never
with exceptions.

The running engine, a resume and the tests read the same table, and `docs/money.md` prints it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from zenflow.providers.base import SubmitAnswer


class Class(Enum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_SENT = "not sent"
    UNCONFIRMED_REFUSAL = "refused, unconfirmed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ResponseRule:
    """One line of the table: the first that holds decides."""

    outcome: Class
    exactly: str
    holds: Callable[[SubmitAnswer], bool]
    then: str


REFUSALS = frozenset({400, 402, 403, 404, 422})
NOT_TAKEN = frozenset({401, 429})
NOT_LET_THROUGH = frozenset({403, 413})  # an edge says these before it hands a request on

TABLE: tuple[ResponseRule, ...] = (
    ResponseRule(
        Class.ACCEPTED,
        "any answer that holds a task id, whatever else is wrong with it",
        lambda a: a.task_id is not None,
        "go on",
    ),
    ResponseRule(
        Class.NOT_SENT,
        "no connection",
        lambda a: a.facts.reached == "not_connected",
        "wait, look, then send as attempt k+1 of the same intent",
    ),
    ResponseRule(
        Class.NOT_SENT,
        "a 401 or 429 status answered to it",
        lambda a: a.facts.reached == "answered" and _number(a) in NOT_TAKEN,
        "wait, look, then send as attempt k+1 of the same intent",
    ),
    ResponseRule(
        Class.REFUSED,
        "a tool result of `create_task` with 400, 402, 403, 404 or 422, over HTTP 200",
        lambda a: _over_200(a) and a.is_tool_error and a.tool_status in REFUSALS,
        "release, report",
    ),
    ResponseRule(
        Class.REFUSED,
        "the protocol's “no such tool / invalid arguments” over HTTP 200",
        lambda a: _over_200(a) and a.refused_by_protocol,
        "release, report",
    ),
    ResponseRule(
        Class.UNCONFIRMED_REFUSAL,
        "any other tool error over HTTP 200 that does not blame the server; HTTP 403 or 413",
        lambda a: _says_no(a),
        "show its words, look once",
    ),
    ResponseRule(
        Class.UNKNOWN,
        "everything else",
        lambda a: True,
        "look; send at most one second attempt",
    ),
)


def classify(answer: SubmitAnswer) -> Class:
    """The class of one answer. Whatever is not listed is unknown."""
    return next(row.outcome for row in TABLE if row.holds(answer))


def _over_200(answer: SubmitAnswer) -> bool:
    return answer.facts.reached == "answered" and answer.facts.status in (None, 200)


def _says_no(answer: SubmitAnswer) -> bool:
    """An answer that came and says no, without a number that is known to mean that nothing was charged."""
    if not _over_200(answer):
        return answer.facts.reached == "answered" and answer.facts.status in NOT_LET_THROUGH
    is_server_error = answer.tool_status is not None and answer.tool_status >= 500
    return answer.is_tool_error and not is_server_error and not answer.blames_server


def _number(answer: SubmitAnswer) -> int | None:
    """The status of a no: of the tool result where HTTP said yes, else of HTTP."""
    return answer.tool_status if _over_200(answer) else answer.facts.status
