"""How the service's no is read: every form the pages show and some they do not."""

from __future__ import annotations

from typing import Any

import pytest

from zenflow.providers.base import WireFacts
from zenflow.providers.mcp.session.answers import ToolAnswer, answer_from
from zenflow.providers.mcp.session.failures import No, error_of, exchange_error, no_in
from zenflow.providers.mcp.wire.exchange import Exchange

FACTS = WireFacts("answered", 200)
DOCUMENTED_402 = {  # docs/service.md, “Troubleshooting”, verbatim
    "error_code": "insufficient_credits",
    "out_of_credits": True,
    "purchase_url": "https://app.zencreator.pro/billing",
    "message": "You're out of ZenCreator credits. Top up at https://app.zencreator.pro/billing to keep generating.",
}


def _no(
    text: str = "", structured: dict[str, Any] | None = None, *, strictly: bool = False, error: bool = True
) -> No | None:
    return no_in(ToolAnswer(structured or {}, text, error, FACTS), strictly=strictly)


@pytest.mark.parametrize(
    ("structured", "status"),
    [
        (DOCUMENTED_402, 402),
        ({"status": 422, "message": "no"}, 422),
        ({"status_code": "404"}, 404),
        ({"http_status": 403, "error_code": "forbidden"}, 403),
        ({"error": {"code": 400, "message": "no"}}, 400),
        ({"error": {"code": "rate_limit_exceeded"}}, 429),
        ({"code": "VALIDATION_ERROR"}, 422),
        ({"detail": {"status": 404}}, 404),
        ({"error": "not_found"}, 404),
        ({"out_of_credits": True}, 402),
        ({"status": 422, "code": 500}, None),  # contradicts itself
        ({"status": "failed"}, None),
        ({"code": "E_SOMETHING"}, None),
        ({"status": 17}, None),
        ({"status": True}, None),
    ],
)
@pytest.mark.parametrize("strictly", [True, False])
def test_the_number_is_found_in_structured_content(
    structured: dict[str, Any], status: int | None, strictly: bool
) -> None:
    no = _no("", structured, strictly=strictly)
    assert no is not None and no.status == status


@pytest.mark.parametrize(
    ("text", "strict", "loose"),
    [
        ("Out of credits (HTTP 402)", 402, 402),
        ("HTTP 422: validation failed", 422, 422),
        ("Request failed with status code 404", 404, 404),
        ("**Error (422)**\n- inputs.0.prompt: required", 422, 422),
        ("404: task not found", 404, 404),
        ("Error 429 - slow down", 429, 429),
        ("You're out of ZenCreator credits. Top up.", 402, 402),
        ("Adult content is disabled for this account.", 403, 403),
        ("Validation error: prompt is required", 422, 422),
        ("The rate limit was exceeded. Back off.", 429, 429),
        ("Rate limited, retry after 7 seconds", 429, 429),
        ("HTTP 502 while asking for 422", 502, 502),
        ("HTTP 502 from upstream, which had answered HTTP 402", None, None),
        ("The model GENERAL_NSFW needs a trusted account", None, 403),
        ("task_id not recognised", None, 404),
        ("data_base64 is not valid base64: invalid", None, 400),
        ("pass exactly one of 'source_url' or 'data_base64'", None, 400),
        ("Upstream not found, try again", None, None),
        ("Validation error in an upstream answer", None, 422),
        ("Something went wrong", None, None),
        ("It took 4220 ms and 402 steps", None, None),
        ("", None, None),
    ],
)
def test_asks_consent_only_for_the_paid_question(text: str, strict: int | None, loose: int | None) -> None:
    paid, free = _no(text, strictly=True), _no(text)
    assert paid is not None and free is not None
    assert (paid.status, free.status) == (strict, loose)


@pytest.mark.parametrize(
    ("text", "structured", "trouble"),
    [
        ("", DOCUMENTED_402, "out_of_credits"),
        ("HTTP 401", {}, "sign_in"),
        ("please re-authorize with the ZenCreator MCP server", {}, "sign_in"),
        ("HTTP 403", {}, "forbidden"),
        ("HTTP 404", {}, "not_found"),
        ("HTTP 400", {}, "invalid"),
        ("HTTP 503", {}, "server"),
        ("it broke", {}, "server"),
        ("PROMPT_AGENT_API_KEY not configured", {}, "absent"),
        ("Unknown tool: zencreator_craft_prompt", {}, "absent"),
        ("MCP error -32602: Tool zencreator_craft_prompt not found", {}, "absent"),
        ("MCP error -32602: Input validation error: Invalid arguments", {}, "invalid"),
    ],
)
def test_each_no_has_the_trouble_that_a_caller_can_act_on(text: str, structured: dict[str, Any], trouble: str) -> None:
    no = _no(text, structured)
    assert no is not None
    assert error_of(no, "get_task", FACTS).trouble == trouble


@pytest.mark.parametrize(
    "structured",
    [DOCUMENTED_402, {"success": False, "message": "no"}, {"error": {"message": "no"}}, {"error": "no", "code": 500}],
)
def test_a_success_that_is_an_error_is_noticed(structured: dict[str, Any]) -> None:
    assert _no("", structured, error=False) is not None


@pytest.mark.parametrize(
    "structured",
    [
        {"id": "u", "credits": 0, "out_of_credits": True, "purchase_url": "x"},  # get_me of an account without credits
        {"id": "t", "status": "failed", "calls": [{"error": "x"}], "error": "x"},
        {"call_id": "c", "output": {"error_code": "E"}, "asset_ids": []},
        {},
    ],
)
def test_a_success_that_mentions_errors_stays_one(structured: dict[str, Any]) -> None:
    assert _no("", structured, error=False) is None


@pytest.mark.parametrize(
    ("structured", "text", "expected"),
    [
        (
            {"detail": [{"loc": ["body", "inputs", 16, "ratio"], "msg": "not one of 1:1, 3:4", "type": "enum"}]},
            "",
            ("inputs[16].ratio: not one of 1:1, 3:4",),
        ),
        (
            {"violations": [{"path": "inputs[0].prompt", "message": "is required"}]},
            "",
            ("inputs[0].prompt: is required",),
        ),
        ({"errors": ["prompt is required", "seed: too big"]}, "", ("prompt is required", "seed: too big")),
        ({"errors": {"prompt": ["is required"], "seed": "too big"}}, "", ("prompt: is required", "seed: too big")),
        ({"error": {"code": 422, "details": [{"field": "prompt", "message": "no"}]}}, "", ("prompt: no",)),
        ({"issues": [{"path": ["inputs", 2], "message": "no"}]}, "", ("inputs[2]: no",)),
        ({"errors": [{"pointer": "/inputs/3/seed", "message": "no"}]}, "", ("inputs[3].seed: no",)),
        (
            {},
            "Validation error:\n- inputs.1.prompt: required\n* seed: too big",
            ("inputs.1.prompt: required", "seed: too big"),
        ),
        ({}, "HTTP 422\ninputs[4].model: unknown model", ("inputs[4].model: unknown model",)),
        ({}, 'HTTP 422: {"detail": [{"loc": ["inputs", 1], "msg": "no"}]}', ("inputs[1]: no",)),
        ({"message": "no"}, "no", ()),
    ],
)
def test_violations_are_a_list_of_lines_with_their_place(structured: Any, text: str, expected: tuple[str, ...]) -> None:
    no = _no(text, structured)
    assert no is not None and no.violations == expected


def test_a_wait_is_read_from_the_payload_or_the_text() -> None:
    for structured, text, wait_s in [
        ({"retry_after": "5", "status": 429}, "", 5.0),
        ({}, "Rate limited. Retry in 2.5 seconds.", 2.5),
        ({"status": 429}, "", None),
    ]:
        no = _no(text, structured)
        assert no is not None and no.retry_after_s == wait_s


def _exchange(status: int, message: dict[str, Any] | None = None, body: bytes = b"") -> Exchange:
    return Exchange(WireFacts("answered", status, 3.0), message, body=body)


@pytest.mark.parametrize(
    ("exchange", "trouble", "status"),
    [
        (_exchange(200, {"error": {"code": -32601, "message": "Method not found"}}), "absent", None),
        (_exchange(200, {"error": {"code": -32602, "message": "Unknown tool: zencreator_x"}}), "absent", None),
        (_exchange(400, {"error": {"code": -32602, "message": "missing field"}}), "invalid", 400),
        (_exchange(200, {"error": {"code": -32603, "message": "Internal error"}}), "server", None),
        (_exchange(200, {"error": {"code": -32000, "message": "HTTP 429"}}), "rate_limited", None),
        (_exchange(401, {"error": {"code": -32001, "message": "no"}}), "sign_in", 401),
        (_exchange(402), "out_of_credits", 402),
        (_exchange(429), "rate_limited", 429),
        (_exchange(403, body=b"<html>"), "forbidden", 403),
        (_exchange(413), "invalid", 413),
        (_exchange(500), "server", 500),
        (_exchange(504, body=b"gateway"), "server", 504),
        (_exchange(200, body=b"hello"), "server", 200),
        (Exchange(WireFacts("sent", 200)), "unreachable", None),
        (Exchange(WireFacts("not_connected")), "unreachable", None),
    ],
)
def test_an_exchange_without_a_result_has_its_trouble(exchange: Exchange, trouble: str, status: int | None) -> None:
    no = exchange_error(exchange, "get_task")
    assert (no.trouble, no.status) == (trouble, status)
    assert no.retry_after_s == (exchange.facts.retry_after_s if no.trouble != "unreachable" else None)
    assert no.wire is exchange.facts


def test_reads_a_tool_result_with_or_without_structure() -> None:
    fenced = {"content": [{"type": "text", "text": 'Here:\n```json\n{"id": "a"}\n```'}]}
    plain = {"content": [{"type": "text", "text": '{"id": "a"}'}], "structuredContent": None}
    wrapped = {"content": [], "structuredContent": {"result": {"id": "a"}}}
    for result in (fenced, plain, wrapped):
        assert answer_from(result, FACTS).structured == {"id": "a"}
    for rest in (
        {},
        {"content": None},
        {"content": [{"type": "image"}]},
        {"content": [{"type": "text", "text": "[1]"}]},
    ):
        assert answer_from(rest, FACTS).structured == {}
