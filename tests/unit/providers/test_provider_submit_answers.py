"""What is read from the answer to a submission: an id wherever it stands, a no only where it is clear."""

from __future__ import annotations

from typing import Any

import pytest

from zenflow.providers.base import SubmitAnswer, WireFacts
from zenflow.providers.mcp.tools.submit import read_answer
from zenflow.providers.mcp.wire.exchange import Exchange

TASK = "0f6b3c1e-7a0f-4f6e-9d7e-3b1a9f1c2d3e"
OTHER = "11111111-7a0f-4f6e-9d7e-3b1a9f1c2d3e"


def _read(
    structured: Any = None, text: str = "", *, is_error: bool = False, status: int = 200, **result: Any
) -> SubmitAnswer:
    full: dict[str, Any] = {"content": [{"type": "text", "text": text}], "isError": is_error, **result}
    if structured is not None:
        full["structuredContent"] = structured
    return read_answer(Exchange(WireFacts("answered", status), {"id": 1, "result": full}))


@pytest.mark.parametrize(
    ("structured", "text"),
    [
        ({"id": TASK, "status": "created", "total": 2}, ""),
        ({"total": 2, "extra": {}, "id": TASK}, ""),
        ({"task_id": TASK, "id": OTHER}, ""),
        ({"task": {"id": TASK, "total": 2}}, ""),
        ({"task": TASK}, ""),
        ({"data": {"id": TASK}}, ""),
        ({"result": {"id": TASK}}, ""),
        ({"id": TASK, "error_code": None}, ""),
        (None, f'{{"id": "{TASK}"}}'),
        (None, f'```json\n{{"task_id": "{TASK}"}}\n```'),
        (None, f"**Task submitted**\n- **id**: `{TASK}`\n- status: created"),
        (None, f"Created task `{TASK}` with 2 calls"),
        (None, f"Request id: {OTHER}\nTask ID: {TASK}"),
    ],
)
def test_an_id_is_found_wherever_it_stands(structured: Any, text: str) -> None:
    answer = _read(structured, text)
    assert answer.task_id == TASK
    assert not answer.is_tool_error and answer.tool_status is None


def test_an_id_in_prose_is_taken_as_it_is_spelt() -> None:
    assert _read(None, f"Task ID: {TASK.upper()}").task_id == TASK.upper()


def test_an_id_that_is_no_uuid_is_an_id() -> None:
    assert _read({"id": "task-17"}).task_id == "task-17"
    assert _read({"id": 17}).task_id == "17"


@pytest.mark.parametrize(
    ("structured", "text"),
    [
        ({"request_id": TASK}, ""),
        ({"asset_ids": [TASK]}, ""),
        ({"id": None}, ""),
        ({"id": ""}, ""),
        (None, f"Request id: {TASK}"),
        (None, f"asset {TASK} was used"),
        (None, "done"),
        ({}, ""),
    ],
)
def test_an_id_of_something_else_is_not_a_tasks(structured: Any, text: str) -> None:
    answer = _read(structured, text)
    assert answer.task_id is None
    assert not answer.is_tool_error and answer.tool_status is None and not answer.refused_by_protocol


def test_a_refusal_that_names_a_task_is_still_told_with_its_task() -> None:
    answer = _read({"task_id": TASK, "status": 500}, is_error=True)
    assert (answer.task_id, answer.is_tool_error, answer.tool_status) == (TASK, True, 500)
    assert _read(None, f"HTTP 504 after task id {TASK} was made", is_error=True).task_id == TASK


def test_the_id_of_an_error_is_no_task() -> None:
    answer = _read({"id": OTHER, "error_code": "insufficient_credits", "out_of_credits": True}, is_error=True)
    assert (answer.task_id, answer.tool_status) == (None, 402)


def test_returns_status_violations_and_payload_of_a_refusal() -> None:
    violations = [{"path": "inputs[16].ratio", "message": "not allowed"}]
    answer = _read({"http_status": 422, "message": "no", "violations": violations}, "Validation error", is_error=True)
    assert (answer.tool_status, answer.message, answer.violations) == (422, "no", ("inputs[16].ratio: not allowed",))
    assert answer.payload["violations"] == violations


def test_an_unclear_no_stays_unclear() -> None:
    for text in ("Something went wrong", "the model was not found upstream", "internal error", "invalid"):
        answer = _read(None, text, is_error=True)
        assert answer.is_tool_error and answer.tool_status is None and not answer.refused_by_protocol


@pytest.mark.parametrize(
    "text",
    ["Unknown tool: zencreator_create_task", "MCP error -32602: Tool zencreator_create_task not found",
     "MCP error -32602: Input validation error: Invalid arguments for tool zencreator_create_task"],
)  # fmt: skip
def test_reads_a_protocol_refusal_from_a_tool_result(text: str) -> None:
    assert _read(None, text, is_error=True).refused_by_protocol


@pytest.mark.parametrize(
    "text",
    ["MCP error -32602: Output validation error: Tool zencreator_create_task has an output schema",
     "Output validation error: 'id' is a required property",
     "Validation error: 1 validation error for CreateTaskResponse (HTTP 422)",
     "Error executing tool zencreator_create_task: 2 validation errors for Task"],
)  # fmt: skip
def test_treats_a_complaint_after_the_charge_as_no_refusal(text: str) -> None:
    answer = _read(None, text, is_error=True)
    assert answer.tool_status is None and not answer.refused_by_protocol
    error = {"code": -32602, "message": text}
    assert not read_answer(Exchange(WireFacts("answered", 200), {"id": 1, "error": error})).refused_by_protocol


def test_an_unknown_generation_tool_is_not_the_protocols_refusal() -> None:
    answer = _read(None, "Unknown tool 'by_promt'. Valid names: by_prompt", is_error=True)
    assert not answer.refused_by_protocol and answer.tool_status is None


def test_a_server_that_asks_for_more_is_neither_a_yes_nor_a_no() -> None:
    answer = _read(resultType="input_required")
    assert answer.task_id is None and not answer.is_tool_error and "input" in answer.message


def test_a_task_id_in_an_answer_of_a_bad_status_counts() -> None:
    body = f'{{"detail": "timeout", "task_id": "{TASK}"}}'.encode()
    assert read_answer(Exchange(WireFacts("answered", 504), None, body=body)).task_id == TASK
    message = {"id": 1, "result": {"structuredContent": {"id": TASK}}}
    assert read_answer(Exchange(WireFacts("answered", 500), message)).task_id == TASK


@pytest.mark.parametrize("value", [None, "x", 3, [], {"content": "plain text"}, {"structuredContent": [1]}])
def test_no_shape_of_an_answer_raises(value: Any) -> None:
    answer = read_answer(Exchange(WireFacts("answered", 200), {"id": 1, "result": value}))
    assert answer.task_id is None
