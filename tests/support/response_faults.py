"""What may happen to one `create_task` on its way and back: each a small act that a test puts into the provider's script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

from tests.support.service import MadeTask, Refusal, ScriptedService
from zenflow.providers.base import Submission, SubmitAnswer, WireFacts

ALL = slice(None)


class Line(Protocol):
    """The way to the service and back, as a mishap sees it."""

    service: ScriptedService

    async def there(self, submission: Submission) -> None:
        """The request is on its way; it will be read even when nobody waits for the answer."""
        ...

    def arrive(self, submission: Submission, inputs: slice = ALL) -> SubmitAnswer:
        """The service reads the request now, or some of its inputs, and this is its answer."""
        ...

    async def back(self) -> None: ...

    def lost(self, detail: str) -> SubmitAnswer: ...


ResponseFault: TypeAlias = Callable[[Line, Submission], Awaitable[SubmitAnswer]]


async def as_it_should(line: Line, submission: Submission) -> SubmitAnswer:
    """No mishap."""
    await line.there(submission)
    answer = line.arrive(submission)
    await line.back()
    return answer


async def lost_before_the_charge(line: Line, submission: Submission) -> SubmitAnswer:
    """The bytes left, nobody read them; then the connection was gone."""
    await line.there(submission)
    await line.back()
    return line.lost("reset before it was read")


async def lost_after_the_charge(line: Line, submission: Submission) -> SubmitAnswer:
    """Read, charged, and the answer never came."""
    await line.there(submission)
    line.arrive(submission)
    await line.back()
    return line.lost("reset after it was read")


def takes_a_part(count: int) -> ResponseFault:
    """The service takes the first `count` inputs and leaves the rest, without a word but the number of calls (A6 is false)."""

    async def happen(line: Line, submission: Submission) -> SubmitAnswer:
        await line.there(submission)
        answer = line.arrive(submission, slice(count))
        await line.back()
        return answer

    return happen


def takes_effect_after(seconds: float) -> ResponseFault:
    """Our connection goes at once; the request lies somewhere and is read `seconds` later."""

    async def happen(line: Line, submission: Submission) -> SubmitAnswer:
        await line.there(submission)
        line.service.later(seconds, lambda: _ignore(line, submission))
        return line.lost("reset")

    return happen


async def no_connection(line: Line, submission: Submission) -> SubmitAnswer:
    """Nothing was written."""
    await line.back()
    return SubmitAnswer(WireFacts("not_connected", detail="connection refused"))


async def answer_without_id(line: Line, submission: Submission) -> SubmitAnswer:
    """Charged, and the answer is of a shape in which no id can be read."""
    answer = await as_it_should(line, submission)
    return replace(answer, task_id=None, task_status=None, total=None, payload={"ok": True})


def accepted_all_wrong(status: int) -> ResponseFault:
    """Charged; the answer holds the task's id, and everything else about it is wrong."""

    async def happen(line: Line, submission: Submission) -> SubmitAnswer:
        answer = await as_it_should(line, submission)
        facts = WireFacts("answered", status, detail="not what the documentation says")
        return replace(answer, facts=facts, task_status="?", total=None, is_tool_error=True, message="not so good")

    return happen


def one_reset(at_s: float, charged: Callable[[], bool]) -> ResponseFault:
    """No answer comes until one reset takes every connection at once, at `at_s`; some were read, some were not."""

    async def happen(line: Line, submission: Submission) -> SubmitAnswer:
        await line.there(submission)
        if charged():
            line.arrive(submission)
        await line.service.clock.sleep(max(0.0, at_s - line.service.clock.monotonic_s()))
        await line.back()
        return line.lost("one reset took all connections")

    return happen


async def answer_in_rubbish(line: Line, submission: Submission) -> SubmitAnswer:
    """Charged, and what came back is no answer of the protocol at all."""
    answer = await as_it_should(line, submission)
    return SubmitAnswer(replace(answer.facts, detail="an answer that cannot be read"))


def over_http(status: int, *, charged: bool = False, retry_after_s: float | None = None) -> ResponseFault:
    """The edge answers with a status; with `charged`, the service behind it had read the request all the same."""

    async def happen(line: Line, submission: Submission) -> SubmitAnswer:
        await line.there(submission)
        if charged:
            line.arrive(submission)
        else:
            line.service.posts += 1
        await line.back()
        return SubmitAnswer(WireFacts("answered", status, retry_after_s))

    return happen


def says(status: int, message: str = "no", payload: Mapping[str, Any] | None = None) -> ResponseFault:
    """A tool result that says no with this number; nothing is charged."""

    async def happen(line: Line, submission: Submission) -> SubmitAnswer:
        await line.there(submission)
        line.service.posts += 1
        await line.back()
        return refused(Refusal(status, message), payload)

    return happen


def in_words(message: str, *, charged: bool = False) -> ResponseFault:
    """A tool result that says no in words that no table knows; with `charged`, the request took effect all the same."""

    async def happen(line: Line, submission: Submission) -> SubmitAnswer:
        await line.there(submission)
        if charged:
            line.arrive(submission)
        else:
            line.service.posts += 1
        await line.back()
        return SubmitAnswer(WireFacts("answered", 200), is_tool_error=True, message=message)

    return happen


def accepted(task: MadeTask) -> SubmitAnswer:
    facts = WireFacts("answered", 200)
    return SubmitAnswer(facts, task.task_id, "created", len(task.calls), payload={"id": task.task_id})


def refused(refusal: Refusal, payload: Mapping[str, Any] | None = None) -> SubmitAnswer:
    return SubmitAnswer(
        WireFacts("answered", 200),
        is_tool_error=True,
        tool_status=refusal.status,
        message=refusal.message,
        violations=refusal.violations,
        payload=payload or {},
    )


def _ignore(line: Line, submission: Submission) -> None:
    line.arrive(submission)
