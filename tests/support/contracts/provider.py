"""What every provider must do: one body of checks, run against each, the fakes too.

A check takes an open `Subject` and raises `AssertionError`. It knows the protocol in `providers/base` and nothing of how
a provider keeps it. Every check submits its own tasks under a stamp of its own, so that they may share one account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zenflow.catalog.prices import PLACEHOLDER_ASSET, PriceRequest
from zenflow.clock import Clock
from zenflow.providers.base import Provider, ServiceError, Submission, SubmitAnswer, Task

_LOOKS = 600
_REFUSALS = (400, 402, 403, 404, 422)


@dataclass(frozen=True, slots=True)
class Subject:
    """An open provider, and what may be asked of it cheaply: one call that gives one picture, and a picture to send."""

    provider: Provider
    clock: Clock
    tool: str
    params: Mapping[str, Any]
    picture: Path
    look_every_s: float = 0.05

    def submission(self, stamp: str, count: int = 1, send_by_s: float | None = None) -> Submission:
        return Submission(self.tool, tuple(dict(self.params) for _ in range(count)), f"{stamp} a check", send_by_s)

    async def accepted(self, stamp: str, count: int = 1) -> str:
        answer = await self.provider.submit(self.submission(stamp, count))
        assert answer.task_id is not None, f"not accepted: {answer}"
        return answer.task_id

    async def finished(self, task_id: str) -> Task:
        for _ in range(_LOOKS):
            task = await self.provider.get_task(task_id)
            if task.is_finished:
                return task
            await self.clock.sleep(self.look_every_s)
        raise AssertionError(f"{task_id} did not finish")


Check = Callable[[Subject], Awaitable[None]]


async def the_account_is_the_same_every_time(subject: Subject) -> None:
    first, second = await asyncio.gather(subject.provider.account(), subject.provider.account())
    assert first.account_id and first.account_id == second.account_id
    assert first.credits is not None


async def the_catalog_holds_full_schemas_for_the_tools_asked_for(subject: Subject) -> None:
    catalog = await subject.provider.catalog([subject.tool, "no_such_tool"])
    assert set(catalog.tools) == {subject.tool}
    assert subject.tool in catalog.tool_names
    tool = catalog.tools[subject.tool]
    assert tool.parameters and tool.digest
    assert all(name in tool.parameters for name in tool.required)
    assert not any(name.startswith("zencreator_") for name in catalog.service_tools)


async def the_quote_is_what_the_ledger_books(subject: Subject) -> None:
    quote = await subject.provider.quote(PriceRequest(subject.tool, subject.params, "k"))
    assert quote.credits is not None and quote.refusal is None
    task_id = await subject.accepted("zfcheckquote", 3)
    debits = [row for row in (await subject.provider.transactions(limit=20))[0] if row.task_id == task_id]
    assert [row.amount for row in debits if row.amount is not None and row.amount < 0] == [-3 * quote.credits]


async def a_refused_price_is_an_answer(subject: Subject) -> None:
    for tool, params in [(subject.tool, {"no_such_field": 1}), ("no_such_tool", dict(subject.params))]:
        quote = await subject.provider.quote(PriceRequest(tool, params, "k"))
        assert quote.credits is None and quote.refusal


async def an_accepted_submission_is_found_by_its_stamp_with_its_inputs(subject: Subject) -> None:
    task_id = await subject.accepted("zfcheckfound", 2)
    tasks, following = await subject.provider.list_tasks(query="zfcheckfound")
    assert [task.task_id for task in tasks] == [task_id] and following is None
    assert tasks[0].comment.startswith("zfcheckfound") and tasks[0].tool == subject.tool and tasks[0].total == 2
    task = await subject.finished(task_id)
    assert [dict(one) for one in task.inputs] == [dict(subject.params)] * 2
    assert len({call.call_id for call in task.calls}) == task.total == 2
    assert task.owner_id in (None, (await subject.provider.account()).account_id)


async def a_refused_submission_says_so_and_leaves_nothing(subject: Subject) -> None:
    before = (await subject.provider.account()).credits
    bad: tuple[Submission, ...] = (
        Submission(subject.tool, ({**subject.params, "no_such_field": 1},), "zfcheckrefused"),
        Submission("no_such_tool", ({},), "zfcheckrefused"),
    )
    for submission in bad:
        answer = await subject.provider.submit(submission)
        assert answer.task_id is None and answer.is_tool_error and answer.tool_status in _REFUSALS, answer
        assert answer.facts.reached == "answered" and answer.message
    assert (await subject.provider.list_tasks(query="zfcheckrefused"))[0] == ()
    assert (await subject.provider.account()).credits == before


async def past_its_time_nothing_is_sent(subject: Subject) -> None:
    late = subject.clock.monotonic_s() - 1.0
    answer: SubmitAnswer = await subject.provider.submit(subject.submission("zfchecklate", send_by_s=late))
    assert answer.facts.reached == "not_connected" and answer.task_id is None
    assert (await subject.provider.list_tasks(query="zfchecklate"))[0] == ()


async def a_finished_call_leads_to_its_bytes(subject: Subject) -> None:
    task = await subject.finished(await subject.accepted("zfcheckbytes"))
    (call,) = task.calls
    assert call.status == "completed" and call.error is None and call.is_finished
    result = await subject.provider.call_result(call.call_id)
    assert result.call_id == call.call_id and result.asset_ids
    asset_id = result.asset_ids[0]
    good, bad = await subject.provider.download_urls([asset_id, PLACEHOLDER_ASSET])
    assert (good.asset_id, good.error) == (asset_id, None) and good.url and good.media_type
    assert (bad.asset_id, bad.url) == (PLACEHOLDER_ASSET, None) and bad.error
    assert (await subject.provider.asset(asset_id)).media_type == good.media_type
    whole, total = await _bytes_of(subject, good.url, 0)
    assert len(whole) == total
    rest, total = await _bytes_of(subject, good.url, 10)
    assert total == len(whole) and rest in (whole[10:], whole)


async def _bytes_of(subject: Subject, url: str, start: int) -> tuple[bytes, int | None]:
    async with subject.provider.download(url, start) as download:
        return b"".join([chunk async for chunk in download.chunks]), download.total_bytes


async def what_is_not_there_is_not_found(subject: Subject) -> None:
    asked: tuple[Awaitable[Any], ...] = (
        subject.provider.get_task(PLACEHOLDER_ASSET),
        subject.provider.call_result(PLACEHOLDER_ASSET),
        subject.provider.asset(PLACEHOLDER_ASSET),
        subject.provider.delete_task(PLACEHOLDER_ASSET),
    )
    for answer in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(answer, ServiceError) and answer.trouble == "not_found", answer
        assert not answer.may_be_repeated


async def a_deleted_task_is_gone(subject: Subject) -> None:
    task_id = await subject.accepted("zfcheckdeleted")
    await subject.finished(task_id)
    await subject.provider.delete_task(task_id)
    assert (await subject.provider.list_tasks(query="zfcheckdeleted"))[0] == ()


async def an_upload_is_an_asset_of_its_own_type(subject: Subject) -> None:
    first, second = await asyncio.gather(*(subject.provider.upload_file(subject.picture, None) for _ in range(2)))
    assert first.asset_id != second.asset_id  # not idempotent (docs/service.md, “Assets”)
    assert (await subject.provider.asset(first.asset_id)).media_type == first.media_type


async def pages_follow_one_another_and_end(subject: Subject) -> None:
    for number in range(3):
        await subject.accepted(f"zfcheckpage{number}")
    seen, offset = [], 0
    while True:
        tasks, following = await subject.provider.list_tasks(query="zfcheckpage", limit=2, offset=offset)
        seen += [task.comment.split()[0] for task in tasks]
        if following is None:
            break
        assert following > offset
        offset = following
    assert seen == ["zfcheckpage2", "zfcheckpage1", "zfcheckpage0"]  # newest first
    rows, _ = await subject.provider.transactions(limit=2)
    assert len(rows) == 2 and len({row.transaction_id for row in rows}) == 2


async def many_questions_at_once_get_their_own_answers(subject: Subject) -> None:
    task_ids = await asyncio.gather(*(subject.accepted(f"zfcheckmany{number}") for number in range(5)))
    tasks = await asyncio.gather(*(subject.provider.get_task(task_id) for task_id in task_ids))
    assert [task.task_id for task in tasks] == list(task_ids)
    assert len(set(task_ids)) == 5


PROVIDER_CHECKS: tuple[Check, ...] = (
    the_account_is_the_same_every_time,
    the_catalog_holds_full_schemas_for_the_tools_asked_for,
    the_quote_is_what_the_ledger_books,
    a_refused_price_is_an_answer,
    an_accepted_submission_is_found_by_its_stamp_with_its_inputs,
    a_refused_submission_says_so_and_leaves_nothing,
    past_its_time_nothing_is_sent,
    a_finished_call_leads_to_its_bytes,
    what_is_not_there_is_not_found,
    a_deleted_task_is_gone,
    an_upload_is_an_asset_of_its_own_type,
    pages_follow_one_another_and_end,
    many_questions_at_once_get_their_own_answers,
)
