"""Answers of other servers of the same contract: odd orders, missing and extra keys, numbers as text."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from zenflow.catalog.parser import document_of, tool_from_document
from zenflow.catalog.prices import PriceRequest
from zenflow.clock import SystemClock
from zenflow.providers.base import ServiceError, WireFacts
from zenflow.providers.mcp.session.answers import ToolAnswer, json_object_in, moment_at, next_offset
from zenflow.providers.mcp.tools import assets as files
from zenflow.providers.mcp.tools import catalog, quotes, transactions
from zenflow.providers.mcp.tools import tasks as jobs

A1 = "0f6b3c1e-7a0f-4f6e-9d7e-3b1a9f1c2d3e"
A2 = "1f6b3c1e-7a0f-4f6e-9d7e-3b1a9f1c2d3e"


class Told:
    """A server that says what it is told to, and remembers what it was asked."""

    def __init__(self, structured: Any = None, text: str = "", is_error: bool = False) -> None:
        self.answer = ToolAnswer(structured or {}, text, is_error, WireFacts("answered", 200))
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    async def call(self, tool: str, arguments: Mapping[str, Any], *, deadline_s: float = 60.0) -> ToolAnswer:
        self.asked.append((tool, arguments))
        return self.answer


def test_a_page_of_tasks_is_read_whatever_its_keys() -> None:
    row = {"total": "3", "status": "Partial", "done": 1, "tool": "by_prompt", "task_id": A1, "extra": [1]}
    told = Told({"tasks": [row, "rubbish"], "has_more": "true"})
    tasks, following = asyncio.run(jobs.list_tasks(told, query="zf", limit=500, offset=20))
    assert [(t.task_id, t.tool, t.status, t.total, t.done, t.comment) for t in tasks] == [
        (A1, "by_prompt", "partial", 3, 1, "")
    ]
    assert following == 21
    tool, arguments = told.asked[0]
    assert (tool, arguments["limit"], arguments["query"]) == ("zencreator_list_tasks", 100, "zf")
    assert "status" not in arguments and "tool_name" not in arguments


@pytest.mark.parametrize(
    ("page", "shown", "expected"),
    [
        ({"next_offset": 40}, 20, 40),
        ({"next_offset": "40"}, 20, 40),
        ({"next_offset": 20}, 20, None),  # would go round for ever
        ({"has_more": False, "total": 100}, 20, None),
        ({"has_more": True}, 20, 40),
        ({"has_more": True}, 0, None),
        ({"total": 45}, 20, 40),
        ({"total": 40}, 20, None),
        ({}, 20, 40),  # a full page that tells nothing: there may be more
        ({}, 19, None),
    ],
)
def test_the_next_page_is_found_and_the_end_too(page: dict[str, Any], shown: int, expected: int | None) -> None:
    assert next_offset(page, 20, shown, 20) == expected


def test_a_task_is_read_with_its_calls_in_order() -> None:
    told = Told(
        {
            "calls": [
                {"id": "c1", "status": "completed", "output": None, "error": None},
                {"call_id": "c2", "status": "FAILED", "error": {"category": "invalid_input", "message": "bad"}},
                {"status": "created"},
            ],
            "inputs": [{"prompt": "a"}, {"prompt": "b"}],
            "created_at": "2026-09-16T10:00:00.123456Z",
            "owner": {"id": "me"},
            "id": A1,
        }
    )
    task = asyncio.run(jobs.get_task(told, A1))
    assert [(c.call_id, c.status, c.error) for c in task.calls] == [
        ("c1", "completed", None),
        ("c2", "failed", "invalid_input: bad"),
    ]
    assert task.inputs == ({"prompt": "a"}, {"prompt": "b"})
    assert task.created_at == datetime(2026, 9, 16, 10, 0, 0, 123456, UTC)
    assert (task.owner_id, task.total, task.finished_at) == ("me", None, None)


@pytest.mark.parametrize(
    ("word", "read"),
    [
        ("Completed", "completed"),
        ("SUCCEEDED", "completed"),
        ("done", "completed"),
        ("error", "failed"),
        ("canceled", "failed"),
        ("In-Progress", "processing"),
        ("QUEUED", "created"),
        ("partial", "partial"),
        ("Thinking", "thinking"),
    ],
)
def test_understands_other_status_words(word: str, read: str) -> None:
    told = Told({"id": A1, "status": word, "calls": [{"id": "c1", "status": word}]})
    task = asyncio.run(jobs.get_task(told, A1))
    assert (task.status, task.calls[0].status) == (read, read)


@pytest.mark.parametrize(
    ("task", "call", "read"),
    [
        ({"status": "completed"}, {"status": "archived"}, "completed"),
        ({"status": "completed"}, {"error": "bad"}, "failed"),
        ({"status": "failed"}, {}, "failed"),
        ({"status": "partial", "done": 1, "total": 1}, {"status": None}, "completed"),
        ({"status": "partial", "done": 0, "total": 1}, {"status": None}, ""),
        ({"status": "processing"}, {"status": "archived"}, "archived"),
        ({"status": "completed"}, {"status": "processing"}, "processing"),
    ],
)
def test_a_call_whose_word_says_nothing_is_over_with_its_task(
    task: dict[str, Any], call: dict[str, Any], read: str
) -> None:
    found = asyncio.run(jobs.get_task(Told({"id": A1, **task, "calls": [{"id": "c1", **call}]}), A1))
    assert found.calls[0].status == read


@pytest.mark.parametrize(
    ("extra", "ids"),
    [
        (({"index": 1}, {"index": 0}), ["c2", "c1"]),
        (({"position": "2"}, {"position": "1"}), ["c2", "c1"]),
        (({"index": 0}, {"index": 0}), ["c1", "c2"]),
        (({"input": {"prompt": "b"}}, {"input": {"prompt": "a"}}), ["c2", "c1"]),
        (({"input": {"prompt": "b"}}, {"input": {"prompt": "z"}}), ["c1", "c2"]),
        (({}, {}), ["c1", "c2"]),
    ],
)
def test_orders_calls_by_the_input_that_they_name(extra: tuple[dict[str, Any], dict[str, Any]], ids: list[str]) -> None:
    calls = [{"id": "c1", "status": "created", **extra[0]}, {"id": "c2", "status": "created", **extra[1]}]
    task = asyncio.run(
        jobs.get_task(Told({"id": A1, "inputs": [{"prompt": "a"}, {"prompt": "b"}], "calls": calls}), A1)
    )
    assert [call.call_id for call in task.calls] == ids


def test_an_asset_named_twice_is_one_asset() -> None:
    assert asyncio.run(jobs.call_result(Told({"asset_ids": [A1, A2, A1]}), "c")).asset_ids == (A1, A2)


def test_does_not_take_markdown_for_an_empty_answer() -> None:
    with pytest.raises(ServiceError) as no:
        asyncio.run(jobs.list_tasks(Told(text="# Tasks\n- one")))
    assert no.value.trouble == "server" and "# Tasks" in no.value.message


@pytest.mark.parametrize(
    ("row", "amount", "task_id"),
    [
        ({"id": "1", "amount": -1, "task_id": A1}, Decimal(-1), A1),
        ({"transaction_id": 7, "credits": "-2.5", "task": {"id": A1}}, Decimal("-2.5"), A1),
        ({"id": "1", "delta": 3, "reference": f"task:{A1}"}, Decimal(3), A1),
        ({"id": "1", "value": 0, "metadata": {"task_id": A1}}, Decimal(0), A1),
        ({"id": "1", "delta": -1, "ref_task_id": A1}, Decimal(-1), A1),
        ({"uuid": "1", "change": -1, "generation_task_id": A1}, Decimal(-1), A1),
        ({"id": "1", "amount": None, "reference": "invoice 7"}, None, None),
        ({"id": "1", "amount": 2, "type": "charge", "taskId": A1}, Decimal(-2), A1),
        ({"id": "1", "amount": 2, "type": "CHARGE_REFUND", "task_id": A1}, Decimal(2), A1),
        ({"id": "1", "amount": 5, "type": "credit", "description": "Pack of 5"}, Decimal(5), None),
        ({"id": "1", "amount": 2, "balance_before": 9, "balance_after": "7", "task_id": A1}, Decimal(-2), A1),
        ({"id": "1", "amount": 2, "balance_before": 7, "balance_after": 9, "kind": "charge"}, Decimal(2), None),
        ({"id": "1", "debit": "2", "credit": None, "task_id": A1}, Decimal(-2), A1),
        ({"id": "1", "debit": None, "credit": 2, "task_id": A1}, Decimal(2), A1),
        ({"id": "1", "amount": -1, "description": f"Generation task {A1}"}, Decimal(-1), A1),
        ({"id": "1", "amount": -1, "description": f"{A1} of {A2}"}, Decimal(-1), None),
        ({"id": "1", "amount": -1, "reference_type": "task", "reference_id": "t_77"}, Decimal(-1), "t_77"),
        ({"id": "1", "amount": -1, "reference_type": "invoice", "reference_id": "t_77"}, Decimal(-1), None),
    ],
)
def test_ledger_rows_are_read_in_every_spelling(row: dict[str, Any], amount: Any, task_id: str | None) -> None:
    row = {**row, "timestamp": "2026-09-16T10:00:00Z"}
    rows, following = asyncio.run(transactions.transactions(Told({"transactions": [row]}), limit=10, offset=0))
    assert (rows[0].amount, rows[0].task_id, following) == (amount, task_id, None)
    assert rows[0].created_at == datetime(2026, 9, 16, 10, tzinfo=UTC) and rows[0].row == row


def test_a_ledger_row_without_an_id_is_no_position() -> None:
    with pytest.raises(ServiceError):
        asyncio.run(transactions.transactions(Told({"items": [{"amount": -1}]}), limit=10, offset=0))


@pytest.mark.parametrize("key", ["items", "transactions", "data", "results"])
def test_the_rows_are_found_under_every_plausible_key(key: str) -> None:
    rows, _ = asyncio.run(transactions.transactions(Told({key: [{"id": "1", "amount": -1}]}), limit=10, offset=0))
    assert [row.transaction_id for row in rows] == ["1"]


@pytest.mark.parametrize("moment", [1789552800, 1789552800000, 1789552800.0, "2026-09-16T10:00:00Z"])
def test_a_moment_is_a_text_or_a_number_since_1970(moment: Any) -> None:
    assert moment_at({"created_at": moment}, "created_at") == datetime(2026, 9, 16, 10, tzinfo=UTC)


@pytest.mark.parametrize("moment", [True, 1e300, "soon", None, {}])
def test_what_is_no_moment_is_none(moment: Any) -> None:
    assert moment_at({"created_at": moment}, "created_at") is None


@pytest.mark.parametrize(
    "text",
    [
        '{"id": 1}',
        'Here it is.\n```json\n{"id": 1}\n```',
        'Here it is.\n{"id": 1}\nPoll every 2 s.',
        'A { brace.\n{"a"\n  {"id": 1}',
    ],
)
def test_json_is_found_between_other_words(text: str) -> None:
    assert json_object_in(text) == {"id": 1}


def test_takes_the_largest_object_of_a_text_as_the_answer() -> None:
    assert json_object_in('{"hint": 1}\n{"id": 1, "status": "created"}') == {"id": 1, "status": "created"}
    assert json_object_in("[1]\nnothing") == {}


def test_an_address_without_a_host_is_one_of_the_services_own() -> None:
    given = ["/f/1?sig=a%2Fb", "//cdn.example/1", "1.png", "https://x/1", "ftp://x/1", "http://[x/1"]
    items = [{"asset_id": str(n), "download_url": url} for n, url in enumerate(given)]
    ids = [str(n) for n in range(len(given))]
    found = asyncio.run(files.download_urls(Told({"items": items}), "https://s.example/mcp", ids))
    assert [one.url for one in found] == [
        "https://s.example/f/1?sig=a%2Fb",
        "https://cdn.example/1",
        "https://s.example/1.png",
        "https://x/1",
        None,
        None,
    ]
    assert found[4].error == "the address given is none of http or https"


def test_returns_addresses_in_order_with_their_own_failures() -> None:
    items = [
        {"asset_id": A2.upper(), "download_url": "https://x/2", "media_type": "image/png"},
        {"asset_id": "3", "error": "404"},
    ]
    told = Told({"items": items, "count": 99})
    urls = asyncio.run(files.download_urls(told, "https://s.example/mcp", [A1, A2, "3"]))
    assert [(u.asset_id, u.url, bool(u.error)) for u in urls] == [
        (A1, None, True),
        (A2, "https://x/2", False),
        ("3", None, True),
    ]
    assert len(told.asked) == 1


def test_more_than_fifty_addresses_are_asked_for_in_batches() -> None:
    told = Told({"items": []})
    assert len(asyncio.run(files.preview_urls(told, "https://s.example/mcp", [str(n) for n in range(120)]))) == 120
    assert [len(arguments["asset_ids"]) for _, arguments in told.asked] == [50, 50, 20]
    assert told.asked[0][1]["inline"] is False


def test_prompts_are_read_as_rows_texts_or_one() -> None:
    for content in (
        {"prompts": [{"prompt": "a", "rationale": "r"}]},
        {"prompts": ["a"]},
        {"prompt": "a", "model_used": "m"},
    ):
        assert asyncio.run(files.craft_prompt(Told(content), {"brief": "x"})).prompts[0]["prompt"] == "a"
    with pytest.raises(ServiceError):
        asyncio.run(files.craft_prompt(Told({"prompts": []}), {"brief": "x"}))


@pytest.mark.parametrize(
    ("content", "credits"),
    [
        ({"price": 3}, 3),
        ({"price": "2.5"}, Decimal("2.5")),
        ({"raw": {"total_price": 4}}, 4),
        ({"price": 0}, 0),
        ({"price": {"min": 1, "max": 3}}, Decimal(3)),
        ({"price": [2, "4"]}, Decimal(4)),
        ({"price": None, "raw": {"per_unit": "1.5", "units": 2}}, Decimal(3)),
        ({"min_price": 1, "max_price": 2}, Decimal(2)),
        ({"price": [2, "soon"]}, None),
        ({"price": {"currency": "credits"}}, None),
    ],
)
def test_a_price_is_read_where_it_stands(content: dict[str, Any], credits: Any) -> None:
    quote = asyncio.run(quotes.quote(Told(content), SystemClock(), PriceRequest("t", {"a": 1}, "k")))
    assert (quote.credits, quote.refusal is None) == (credits, credits is not None)


@pytest.mark.parametrize(
    ("structured", "text", "status"),
    [
        ({"http_status": 422, "message": "no", "violations": ["prompt: required"]}, "", 422),
        ({}, "Unknown tool_name 'x'. Valid names: by_prompt", 400),
        ({}, "This model needs a trusted account (HTTP 403)", 403),
        ({}, "hm", None),
        ({"tool_name": "x"}, "", None),
    ],
)
def test_a_refused_price_is_an_answer_that_says_why(structured: dict[str, Any], text: str, status: int | None) -> None:
    told = Told(structured, text, is_error="tool_name" not in structured)
    quote = asyncio.run(quotes.quote(told, SystemClock(), PriceRequest("t", {}, "k")))
    assert (quote.credits, quote.refusal_status) == (None, status) and quote.refusal


@pytest.mark.parametrize(
    ("text", "trouble"), [("HTTP 429", "rate_limited"), ("HTTP 503", "server"), ("HTTP 401", "sign_in")]
)
def test_trouble_is_not_an_answer_about_a_price(text: str, trouble: str) -> None:
    with pytest.raises(ServiceError) as no:
        asyncio.run(quotes.quote(Told(text=text, is_error=True), SystemClock(), PriceRequest("t", {}, "k")))
    assert no.value.trouble == trouble


def test_a_tool_is_read_from_its_row_and_its_schema() -> None:
    row = {"name": "image_editor", "price": "1", "blocked_models": ["QWEN_IMAGE"], "blocked": False}
    schema = {
        "input_schema": {"type": "object", "properties": {"prompt": {}}, "required": ["prompt"]},
        "models": [
            {"value": "GENERAL_NSFW", "is_default": True, "trusted_only": True},
            {"value": "QWEN_IMAGE"},
            {"value": "SEEDREAM_5", "description": "uncensored for transforming references"},
            {"value": "wan@2.7-nsfw"},
            {"value": "plain", "notes": "NSFW only"},
        ],
    }
    tool = catalog.tool_from(row, schema)
    assert tool.name == "image_editor" and tool.base_price == 1 and tool.required == ("prompt",)
    assert tool.default_model == "GENERAL_NSFW"
    assert [(m.value, m.adult, m.trusted_only, m.blocked) for m in tool.models] == [
        ("GENERAL_NSFW", True, True, False),
        ("QWEN_IMAGE", False, False, True),
        ("SEEDREAM_5", False, False, False),
        ("wan@2.7-nsfw", True, False, False),
        ("plain", True, False, False),
    ]
    assert tool.digest == catalog.tool_from({**row, "price": 9}, schema).digest
    assert tool.digest != catalog.tool_from(row, {**schema, "models": []}).digest
    assert catalog.tool_from({"name": "x", "blocked_models": ["*"]}, {"models": ["A"]}).blocked


@pytest.mark.parametrize(
    ("row", "models", "blocked"),
    [
        ({"blocked": True, "blocked_models": ["A"]}, ["A", "B"], False),
        ({"blocked": True, "blocked_models": ["A", "B"]}, ["A", "B"], True),
        ({"blocked": True, "blocked_models": ["*"]}, ["A", "B"], True),
        ({"blocked": True}, ["A", "B"], True),
        ({"blocked": True, "blocked_models": []}, [], True),
        ({"blocked": False, "blocked_models": ["A"]}, ["A", "B"], False),
    ],
)
def test_one_blocked_model_leaves_the_tool_open(row: dict[str, Any], models: list[str], blocked: bool) -> None:
    tool = catalog.tool_from({"name": "x", **row}, {"models": models})
    assert tool.blocked is blocked
    kept = tool_from_document(
        document_of(tool), blocked=tool.blocked, blocked_models=[m.value for m in tool.models if m.blocked]
    )
    assert kept.blocked is blocked


@pytest.mark.parametrize("text", ["Swaps faces \N{LOCK}", "Swaps faces (Trusted)", "Needs trust (trusted only)"])
def test_a_mark_in_the_text_asks_for_trust_as_a_flag_does(text: str) -> None:
    marked = catalog.tool_from({"name": "x", "description": text}, {"models": [{"value": "A", "notes": text}]})
    assert marked.trusted_only and marked.models[0].trusted_only
    assert catalog.tool_from({"name": "x"}, {"trusted_only": True}).trusted_only
    assert not catalog.tool_from({"name": "x", "description": "trusted by all"}, {}).trusted_only


def test_a_model_without_a_guide_has_none() -> None:
    told = Told(text="No dedicated guide for X. Models that have one: A, B", is_error=True)
    assert asyncio.run(catalog.model_guide(told, "X")) is None
    assert asyncio.run(catalog.model_guide(Told({"prompt_guide": "g"}), "X")) == "g"


def test_a_result_keeps_its_output_verbatim() -> None:
    result = asyncio.run(jobs.call_result(Told({"output": {"text": "hi"}, "asset_ids": None}), "c"))
    assert (result.call_id, result.output, result.asset_ids) == ("c", {"text": "hi"}, ())
