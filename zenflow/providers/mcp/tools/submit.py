"""The one paid request: at most one POST of `create_task`, on a connection of its own, never repeated, never cancelled.

Answers with facts and judges nothing (`engine/model/response_class` does). Never raises for what the service or the wire does.
Sources: docs/money.md (“The life of a submission”, “After a lost answer”); docs/service.md, “Generation”,
`zencreator_create_task`.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx2

from zenflow.errors import ZenflowError
from zenflow.providers.base import ServiceError, Submission, SubmitAnswer, WireFacts
from zenflow.providers.mcp.session.answers import UUID, ToolAnswer, answer_from, first, object_at, text_at, whole_at
from zenflow.providers.mcp.session.failures import INVALID_PARAMS, METHOD_NOT_FOUND, excerpt, no_in
from zenflow.providers.mcp.session.session import Session
from zenflow.providers.mcp.session.status_codes import blames_server, speaks_of_output
from zenflow.providers.mcp.session.violations import violations_in
from zenflow.providers.mcp.wire.exchange import Exchange

_log = logging.getLogger(__name__)

TOOL = "zencreator_create_task"
DEADLINE_S = 130.0  # docs/money.md: above the edge's own

_TASK_ID_LABEL = re.compile(rf"\btask[\s_-]*id\b\W{{0,16}}({UUID.pattern})", re.I)
# A bare “id” counts at the beginning of a line only: “request id: …” is another thing's.
_ANY_ID_LABEL = re.compile(rf"(?:\btask\b|^[^\w\n]*id\b)\W{{0,16}}({UUID.pattern})", re.I | re.M)


class PaidCaller:
    """Sends submissions and waits, when closed, for those that are on the wire."""

    def __init__(self, session: Session, deadline_s: float = DEADLINE_S) -> None:
        self._session = session
        self._deadline_s = deadline_s
        self._running: set[asyncio.Task[SubmitAnswer]] = set()

    async def submit(self, submission: Submission) -> SubmitAnswer:
        """Cancelling the caller ends the caller's wait, never the request."""
        task = asyncio.create_task(self._submit(submission), name="create_task")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        while self._running:
            await asyncio.wait(set(self._running))

    async def _submit(self, submission: Submission) -> SubmitAnswer:
        try:
            used = await self._session.token()
            link = await self._session.ready_to_post()
        except ZenflowError as no:
            return _never_written(no)
        transport = self._session.http.single(link.url)
        try:
            what = await self._session.post(
                link,
                TOOL,
                _arguments(submission),
                transport=transport,
                deadline_s=self._deadline_s,
                gate=self._gate(submission),
            )
        except ZenflowError as no:  # the token source: before anything was written
            return _never_written(no)
        finally:
            await _closed(transport)
        answer = _read(replace(what, facts=replace(what.facts, closed_at=self._session.clock.now())))
        return await self._with_new_token(answer, used)

    async def _with_new_token(self, answer: SubmitAnswer, used: str | None) -> SubmitAnswer:
        """After a 401 the token is replaced where it can be, for whoever sends again; nothing is sent from here."""
        if answer.task_id is not None or 401 not in (answer.facts.status, answer.tool_status):
            return answer
        try:
            return replace(answer, token_renewed=await self._session.refused(used))
        except ZenflowError:
            return answer

    def _gate(self, submission: Submission) -> Any:
        """Asked directly before the first byte, after the connection is made: a machine may have slept in between, and
        another token may have taken the place of the one whose account is known."""
        send_by_s, sign_in, session = submission.send_by_s, submission.sign_in, self._session
        if send_by_s is None and sign_in is None:
            return None

        def is_open() -> bool:
            in_time = send_by_s is None or session.clock.monotonic_s() <= send_by_s
            return in_time and (sign_in is None or session.sign_in == sign_in)

        return is_open


def _read(what: Exchange) -> SubmitAnswer:
    """`read_answer`, which must not raise: after a charge nothing is worse than an answer that ends the run."""
    try:
        return read_answer(what)
    except Exception:
        _log.info("an answer to create_task cannot be read", exc_info=True)
        return SubmitAnswer(what.facts, message="the answer cannot be read")


def read_answer(what: Exchange) -> SubmitAnswer:
    """Read liberally: an id is enough; a no is a no only where it is said clearly."""
    message = what.message
    result = message.get("result") if message is not None else None
    if isinstance(result, Mapping):
        return _read_result(answer_from(result, what.facts))
    error = message.get("error") if message is not None else None
    if isinstance(error, Mapping):
        return _read_error(error, what)
    foreign = _TASK_ID_LABEL.search(what.body[:100_000].decode("utf-8", "replace"))
    detail = what.facts.detail or f"HTTP {what.facts.status}{excerpt(what.body)}"
    return SubmitAnswer(what.facts, task_id=foreign.group(1) if foreign else None, message=detail)


def _read_result(answer: ToolAnswer) -> SubmitAnswer:
    no = no_in(answer, strictly=True)
    row = object_at(answer.structured, "task") or answer.structured
    return SubmitAnswer(
        facts=answer.facts,
        task_id=task_id_in(answer, said_no=no is not None),
        task_status=None if no is not None else text_at(row, "status"),
        total=whole_at(row, "total"),
        is_tool_error=no is not None,
        tool_status=no.status if no is not None else None,
        refused_by_protocol=no is not None and no.by_protocol,
        blames_server=no is not None and blames_server(f"{no.message}\n{answer.text}"),
        message=no.message if no is not None else _not_final(answer),
        violations=no.violations if no is not None else (),
        payload=answer.structured,
    )


def _read_error(error: Mapping[str, Any], what: Exchange) -> SubmitAnswer:
    """A JSON-RPC error. “No such tool / invalid arguments” is a refusal over HTTP 200 only (docs/money.md)."""
    message, data = str(error.get("message", "")), error.get("data")
    payload = data if isinstance(data, Mapping) else {}
    found = _TASK_ID_LABEL.search(what.body[:100_000].decode("utf-8", "replace"))
    return SubmitAnswer(
        what.facts,
        task_id=found.group(1) if found else None,
        refused_by_protocol=what.facts.status == 200
        and error.get("code") in (METHOD_NOT_FOUND, INVALID_PARAMS)
        and not speaks_of_output(message),
        message=message or f"error {error.get('code')}",
        violations=violations_in(payload, message),
        payload=payload,
    )


def task_id_in(answer: ToolAnswer, *, said_no: bool) -> str | None:
    """The task's id wherever it stands. In a refusal only what is called a task's id counts: errors have ids too."""
    row = answer.structured
    named = first(row, "task_id", "taskId", "task.id", "task.task_id", "data.task_id")
    if not said_no and named is None:
        named = first(row, "id", "data.id", "uuid", "task")
    if isinstance(named, str) and named.strip() and (not said_no or UUID.fullmatch(named.strip())):
        return named.strip()
    if isinstance(named, int) and not isinstance(named, bool):
        return str(named)
    found = _TASK_ID_LABEL.search(answer.text) or (None if said_no else _ANY_ID_LABEL.search(answer.text))
    return found.group(1) if found else None


def _not_final(answer: ToolAnswer) -> str:
    return "" if answer.is_complete else "the server asks for more input, which is never given"


def _arguments(submission: Submission) -> dict[str, Any]:
    return {
        "tool_name": submission.tool,
        "inputs": [dict(one) for one in submission.inputs],
        "comment": submission.comment,
        "response_format": "json",
    }


def _never_written(no: ZenflowError) -> SubmitAnswer:
    """Nothing of the submission was written. A 401 or 429 on the way to it is told as such: the engine waits on it."""
    wire = no.wire if isinstance(no, ServiceError) else None
    if isinstance(no, ServiceError) and no.trouble in ("sign_in", "rate_limited"):
        status = 401 if no.trouble == "sign_in" else 429
        return SubmitAnswer(WireFacts("answered", status, no.retry_after_s, no.message), message=no.message)
    wait_s = wire.retry_after_s if wire is not None else None
    return SubmitAnswer(WireFacts("not_connected", None, wait_s, no.message), message=no.message)


async def _closed(transport: httpx2.AsyncBaseTransport) -> None:
    try:
        await transport.aclose()
    except Exception:  # a connection that breaks while closing is closed
        return
