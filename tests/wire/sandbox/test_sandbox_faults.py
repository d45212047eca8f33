"""Every mishap, seen from outside: in process, and where it is about connections over a real socket."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

from zenflow.sandbox.clock import ManualClock

pytestmark = pytest.mark.anyio


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    """A raw request of the current protocol: one POST, so that the wire can be looked at."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    }
    name = f"zencreator_{tool}"
    return {
        "url": "/mcp",
        "json": {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": name, "arguments": arguments, "_meta": meta},
        },
        "headers": {
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": "2026-07-28",
            "mcp-method": "tools/call",
            "mcp-name": name,
        },
    }


async def test_a_raw_call_works_when_nothing_goes_wrong(context: Any) -> None:
    async with context() as visitor:
        answer = await visitor.http.post(**call("get_me"))
        assert answer.status_code == 200 and answer.json()["result"]["structuredContent"]["credits"] == 1000


@pytest.mark.parametrize(("when", "charged"), [("before", 0), ("after", 1)])
async def test_a_dropped_connection_with_and_without_its_effect(context: Any, when: str, charged: int) -> None:
    async with context() as visitor:
        await _drop(visitor, when, charged)


@pytest.mark.parametrize(("when", "charged"), [("before", 0), ("after", 1)])
async def test_a_dropped_socket_with_and_without_its_effect(visit_by_socket: Any, when: str, charged: int) -> None:
    async with visit_by_socket() as visitor:
        await _drop(visitor, when, charged)


async def _drop(visitor: Any, when: str, charged: int) -> None:
    submission = await visitor.edit()
    await visitor.fault(kind="drop", tool="create_task", when=when, nth=1)
    with pytest.raises(httpx2.TransportError):
        await visitor.http.post(**call("create_task", **submission))
    state = await visitor.state()
    assert state["create_task_posts"] == 1
    assert (len(state["tasks"]), 1000 - state["credits"]) == (charged, charged)
    assert (await visitor.http.post(**call("create_task", **submission))).status_code == 200


@pytest.mark.parametrize("status", [401, 413, 429, 500, 502, 503, 504])
@pytest.mark.parametrize(("when", "charged"), [("before", 0), ("after", 1)])
async def test_an_http_status_with_and_without_its_effect(context: Any, status: int, when: str, charged: int) -> None:
    async with context() as visitor:
        submission = await visitor.edit()
        await visitor.fault(kind="http_status", status=status, tool="create_task", when=when, retry_after_s=7, times=1)
        answer = await visitor.http.post(**call("create_task", **submission))
        assert (answer.status_code, answer.headers["retry-after"]) == (status, "7")
        assert len((await visitor.state())["tasks"]) == charged


async def test_an_answer_cut_in_the_middle_has_charged(visit_by_socket: Any) -> None:
    async with visit_by_socket() as visitor:
        submission = await visitor.edit()
        await visitor.fault(kind="truncate_body", tool="create_task", times=1)
        with pytest.raises(httpx2.TransportError):
            await visitor.http.post(**call("create_task", **submission))
        assert len((await visitor.state())["tasks"]) == 1


async def test_garbage_instead_of_an_answer(context: Any) -> None:
    async with context() as visitor:
        await visitor.fault(kind="garbage", tool="get_me", when="after", times=1)
        answer = await visitor.http.post(**call("get_me"))
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")


async def test_a_request_may_take_effect_long_after_its_connection(context: Any) -> None:
    async with context() as visitor:
        submission = await visitor.edit()
        await visitor.fault(kind="delayed_effect", tool="create_task", seconds=90, times=1)
        with pytest.raises(httpx2.TransportError):
            await visitor.http.post(**call("create_task", **submission, comment="late"))
        assert (await visitor.state())["tasks"] == []
        await visitor.advance(91)
        listed = await visitor.get("list_tasks", query="late")
        assert listed["total"] == 1 and (await visitor.get("get_me"))["credits"] == 999


async def test_a_slow_answer_takes_its_time(context: Any) -> None:
    time = ManualClock()
    async with context(time=time) as visitor:
        await visitor.fault(kind="slow", seconds=40, tool="get_me", times=1)
        before = time.now()
        await visitor.get("get_me")
        assert (time.now() - before).total_seconds() == 40


@pytest.mark.parametrize("status", [400, 402, 403, 404, 422, 429, 500])
@pytest.mark.parametrize(("when", "charged"), [("before", 0), ("after", 1)])
async def test_a_tool_error_with_and_without_its_effect(context: Any, status: int, when: str, charged: int) -> None:
    async with context() as visitor:
        submission = await visitor.edit()
        await visitor.fault(kind="tool_error", status=status, tool="create_task", when=when, times=1)
        _, structured = await visitor.refusal("create_task", **submission)
        if status == 402:
            assert set(structured) == {"error_code", "out_of_credits", "purchase_url", "message"}
        else:
            assert structured["http_status"] == status
        assert len((await visitor.state())["tasks"]) == charged


async def test_reads_answers_with_more_fields_and_wrong_counts(context: Any) -> None:
    async with context() as visitor:
        await visitor.fault(kind="no_structured", tool="list_tools", nth=1)
        answer = await visitor.http.post(**call("list_tools", response_format="json"))
        assert "structuredContent" not in answer.json()["result"] and answer.json()["result"]["content"]
        await visitor.fault(kind="unknown_fields", tool="list_tools", times=1)
        more = await visitor.get("list_tools")
        assert "x_new_field" in more and "x_new_field" in more["tools"][0]
        await visitor.fault(kind="wrong_counts", tool="list_tools", times=1)
        wrong = await visitor.get("list_tools")
        assert wrong["count"] == len(wrong["tools"]) + 1


async def test_a_create_answer_may_hold_nothing_but_the_id(context: Any) -> None:
    async with context() as visitor:
        submission = await visitor.edit()
        await visitor.fault(kind="bare_id", tool="create_task", times=1)
        answer = await visitor.http.post(**call("create_task", **submission))
        assert set(answer.json()["result"]["structuredContent"]) == {"id"}


async def test_calls_may_come_shuffled_growing_or_twice(context: Any) -> None:
    async with context() as visitor:
        task = await visitor.get("create_task", **await visitor.edit(count=4))
        for kind in ("calls_shuffled", "calls_growing", "calls_duplicated"):
            await visitor.fault(kind=kind, tool="get_task", times=1)
        spoiled = [call["id"] for call in (await visitor.get("get_task", task_id=task["id"]))["calls"]]
        plain = [call["id"] for call in (await visitor.get("get_task", task_id=task["id"]))["calls"]]
        assert len(plain) == 4 and len(spoiled) == 3 and spoiled[0] == spoiled[2]
        assert plain[:2] != spoiled[:2]


async def test_calls_fail_never_end_or_end_in_part(context: Any) -> None:
    async with context() as visitor:
        submission = await visitor.edit(count=3)
        await visitor.fault(kind="call_fails", nth=1, refund="never")
        await visitor.fault(kind="call_never_ends", nth=2, calls=[1])
        await visitor.fault(kind="partial", nth=3, refund="later", seconds=500)
        tasks = [await visitor.get("create_task", **submission) for _ in range(3)]
        await visitor.advance(60)
        seen = [await visitor.get("get_task", task_id=task["id"]) for task in tasks]
        assert [task["status"] for task in seen] == ["failed", "partial", "partial"]
        assert [task["finished_at"] is None for task in seen] == [False, True, False]
        assert (await visitor.get("get_me"))["credits"] == 991
        await visitor.advance(500)
        assert (await visitor.get("get_me"))["credits"] == 992


async def test_completed_calls_may_lack_their_asset_ids(context: Any) -> None:
    async with context() as visitor:
        await visitor.fault(kind="lost_outputs", nth=2)
        await visitor.fault(kind="no_asset_ids", nth=1)
        submission = await visitor.edit()
        results = []
        for _ in range(2):
            task = await visitor.get("create_task", **submission)
            await visitor.advance(60)
            call_id = (await visitor.get("get_task", task_id=task["id"]))["calls"][0]["id"]
            results.append(await visitor.get("get_call_result", call_id=call_id))
        assert results[0]["asset_ids"] == [] and results[0]["output"]["image_assets"]
        assert results[1]["asset_ids"] == [] and results[1]["output"] == {}


async def test_the_listing_may_lag_hide_ignore_or_find_nothing(context: Any) -> None:
    async with context() as visitor:
        await visitor.fault(kind="hidden_task", nth=1, seconds=30)
        await visitor.fault(kind="query_ignored", nth=2)
        await visitor.fault(kind="query_empty", nth=3)
        await visitor.fault(kind="listing_lag", nth=5, seconds=1000)
        submission = await visitor.edit()
        await visitor.get("create_task", **submission, comment="stamp")
        totals = [(await visitor.get("list_tasks", query="stamp"))["total"]]
        await visitor.advance(31)
        totals += [(await visitor.get("list_tasks", query="other"))["total"]]
        totals += [(await visitor.get("list_tasks", query="stamp"))["total"] for _ in range(4)]
        assert totals == [0, 1, 0, 1, 0, 1]


async def test_the_ledger_may_lag(context: Any) -> None:
    async with context() as visitor:
        await visitor.fault(kind="ledger_lag", nth=1, seconds=60)
        await visitor.advance(100)
        await visitor.get("create_task", **await visitor.edit())
        totals = [(await visitor.get("list_credit_transactions"))["total"] for _ in range(2)]
        assert totals == [1, 2]


async def test_the_price_may_move_between_quote_and_charge(context: Any) -> None:
    async with context() as visitor:
        submission = await visitor.edit(count=2)
        await visitor.fault(kind="price_moves", by=3)
        quote = await visitor.get("estimate_price", tool_name="image_editor", params=submission["inputs"][0])
        await visitor.get("create_task", **submission)
        assert quote["price"] == 1 and (await visitor.get("get_me"))["credits"] == 1000 - 2 * 4


async def test_a_blocking_wait_may_be_refused_before_it_charges(context: Any) -> None:
    async with context() as visitor:
        await visitor.fault(kind="wait_refused")
        text, _ = await visitor.refusal("run_and_wait", **await visitor.edit())
        assert "zencreator_get_task" in text and (await visitor.get("get_me"))["credits"] == 1000


async def test_another_client_may_spend_meanwhile(context: Any) -> None:
    async with context() as visitor:
        assert (await visitor.http.post("/admin/credits", json={"amount": -400})).json() == {"credits": 600}
        newest = (await visitor.get("list_credit_transactions"))["items"][0]
        assert (newest["amount"], newest["task_id"]) == (-400, None)


async def download_url(visitor: Any) -> str:
    asset_id = await visitor.photo()
    return str((await visitor.get("get_asset_download_url", asset_id=asset_id))["download_url"])


async def test_downloads_are_whole_in_part_or_out_of_range(context: Any) -> None:
    async with context() as visitor:
        url = await download_url(visitor)
        whole = await visitor.http.get(url)
        rest = await visitor.http.get(url, headers={"range": "bytes=100-"})
        assert rest.status_code == 206 and whole.content[:100] + rest.content == whole.content
        assert rest.headers["content-range"] == f"bytes 100-{len(whole.content) - 1}/{len(whole.content)}"
        assert (await visitor.http.get(url, headers={"range": "bytes=999999-"})).status_code == 416
        other = await visitor.http.get(url, headers={"range": "bytes=1-", "if-range": '"old"'})
        assert other.status_code == 200 and other.content == whole.content
        assert (await visitor.http.head(url)).headers["content-length"] == str(len(whole.content))


async def test_urls_expire_and_cannot_be_forged(context: Any) -> None:
    async with context(url_lifetime_s=60) as visitor:
        url = await download_url(visitor)
        assert (await visitor.http.get(url.replace("/original", "/preview"))).status_code == 403
        assert (await visitor.http.get(url.replace("expires=", "expires=9"))).status_code == 403
        assert (await visitor.http.get(url.partition("?")[0])).status_code == 403
        assert (await visitor.http.get(url)).status_code == 200
        await visitor.advance(61)
        assert (await visitor.http.get(url)).status_code == 403


async def test_downloads_go_wrong_in_every_way(context: Any) -> None:
    async with context() as visitor:
        url = await download_url(visitor)
        whole = (await visitor.http.get(url)).content
        for kind, status in (("download_404", 404), ("download_expired", 403)):
            await visitor.fault(kind=kind, times=1)
            assert (await visitor.http.get(url)).status_code == status
        await visitor.fault(kind="download_wrong_type", times=1)
        assert (await visitor.http.get(url)).headers["content-type"].startswith("text/html")
        await visitor.fault(kind="download_corrupt", times=1)
        corrupt = (await visitor.http.get(url)).content
        assert len(corrupt) == len(whole)
        with pytest.raises(OSError):
            Image.open(io.BytesIO(corrupt)).load()
        assert (await visitor.http.get(url)).content == whole


async def test_a_download_may_end_too_early(visit_by_socket: Any) -> None:
    async with visit_by_socket() as visitor:
        url = await download_url(visitor)
        await visitor.fault(kind="download_truncated", times=1)
        with pytest.raises(httpx2.TransportError):
            await visitor.http.get(url)
        assert (await visitor.http.get(url)).status_code == 200


async def test_faults_come_from_a_file_and_are_reported_and_cleared(context: Any, tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("faults:\n  - {kind: tool_error, status: 500, tool: get_me}\n")
    async with context(faults=file) as visitor:
        assert "HTTP 500" in (await visitor.refusal("get_me"))[0]
        assert (await visitor.state())["faults"][0]["happened"] == 1
        await visitor.http.delete("/admin/faults")
        assert (await visitor.get("get_me"))["credits"] == 1000


async def test_the_admin_refuses_nonsense(context: Any) -> None:
    async with context() as visitor:
        for path, body in (
            ("faults", [{"kind": "nonsense"}]),
            ("advance", {"seconds": -1}),
            ("advance", []),
            ("credits", {"amount": "many"}),
        ):
            assert (await visitor.http.post(f"/admin/{path}", json=body)).status_code == 422
