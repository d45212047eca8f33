"""What a hostile server answers (findings H2, L10, L11, M1, M4 of the attack of November 2026).

No test here looks at a clock: an answer that takes more than linear time would never end at these sizes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from tests.support.clock import VirtualClock
from tests.support.hostile import SERVER, Answer, hostile, hostile_parts, structured
from zenflow.catalog.call_shapes import check_key
from zenflow.catalog.check import check_call, form_of
from zenflow.catalog.model import Tool
from zenflow.catalog.parser import tool_from_document
from zenflow.catalog.price_requests import price_request_for
from zenflow.catalog.prices import PriceRequest
from zenflow.catalog.schema import MOST_FIELDS, fields_of, required_of
from zenflow.credits import as_text, credits_from, price_from
from zenflow.ids import digest_of
from zenflow.providers.base import ServiceError, Submission
from zenflow.providers.mcp.provider import McpProvider
from zenflow.providers.mcp.session.answers import json_object_in, whole_at
from zenflow.providers.mcp.tools.downloads import LEAST_BYTES, DownloadPolicy, download
from zenflow.providers.mcp.wire.exchange import retry_after_s

SUBMISSION = Submission("by_prompt", ({"positive_prompt": "a cup"},), "zfstamp")
TASK = "00000000-0000-4000-8000-000000000001"


def _asked(answer: Answer, price_request: Callable[[McpProvider], Any]) -> Any:
    """What a question comes to when every tool answers the same: a value or a `ServiceError`, never anything else."""

    async def run() -> Any:
        async with hostile(lambda name: answer) as provider:
            try:
                return await price_request(provider)
            except ServiceError as no:
                return no

    return asyncio.run(run())


DEEP = '{"a":' * 5000
ODD_CONTENT: dict[str, Any] = {
    "infinity": '{"total": Infinity, "done": -Infinity, "next_offset": Infinity, "size_bytes": 1e999, "id": "x"}',
    "huge": '{"total": 1e308, "id": "x", "next_offset": 1e308, "created_at": 1e308, "items": [{"id": "x"}]}',
    "not a number": '{"total": NaN, "id": "x", "amount": NaN, "items": [{"id": "x", "amount": NaN}]}',
    "half a character": '{"id": "\\ud800", "asset_id": "\\udfff", "items": [{"id": "\\ud800", "download_url": "\\ud800"}]}',
    "wrong kinds": '{"id": [], "items": {"a": 1}, "inputs": 7, "calls": [[], 7, null], "tools": "x", "status": {}}',
    "rows of nothing": '{"items": [null, 7, "x", []], "tasks": null, "tools": [{"name": 7}], "id": true}',
    "deep": '{"id": "x", "items": ' + "[" * 300 + "]" * 300 + "}",
}
QUESTIONS: dict[str, Callable[[McpProvider], Any]] = {
    "account": lambda p: p.account(),
    "catalog": lambda p: p.catalog(["by_prompt"]),
    "quote": lambda p: p.quote(PriceRequest("by_prompt", {"positive_prompt": "x"}, "key")),
    "compare": lambda p: p.compare("by_prompt", {}),
    "list_tasks": lambda p: p.list_tasks(),
    "get_task": lambda p: p.get_task(TASK),
    "processing": lambda p: p.processing_tools(),
    "call_result": lambda p: p.call_result(TASK),
    "asset": lambda p: p.asset(TASK),
    "urls": lambda p: p.download_urls([TASK]),
    "previews": lambda p: p.preview_urls([TASK]),
    "describe": lambda p: p.describe(TASK, False),
    "craft_prompt": lambda p: p.craft_prompt({"brief": "x"}),
    "transactions": lambda p: p.transactions(),
    "templates": lambda p: p.templates(),
    "template": lambda p: p.template(TASK),
    "upload": lambda p: p.upload_url("https://a.example/x.png", "image/png"),
    "submit": lambda p: p.submit(SUBMISSION),
}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("content", ODD_CONTENT)
def test_odd_content_never_raises_anything_else(question: str, content: str) -> None:
    text = ODD_CONTENT[content]
    _asked(f'{{"jsonrpc":"2.0","id":1,"result":{{"content":[],"structuredContent":{text}}}}}', QUESTIONS[question])
    _asked({"content": [{"type": "text", "text": text}]}, QUESTIONS[question])
    _asked({"content": [{"type": "text", "text": text}], "isError": True}, QUESTIONS[question])


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    "answer",
    [DEEP, f'{{"result": {DEEP}', "[" * 100_000, '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":7}}', "\ud7ff"],
)
def test_a_body_that_cannot_be_read_is_said_to_be_one(question: str, answer: str) -> None:
    found = _asked(answer.encode(), QUESTIONS[question])
    assert isinstance(found, ServiceError) or found.task_id is None


@pytest.mark.parametrize("is_error", [False, True])
@pytest.mark.parametrize("text", [DEEP, "```json\n" + DEEP, f"Done.\n{DEEP}\n", "x\n" + '{"a":\n' * 20_000])
def test_deep_text_in_an_answer_to_a_paid_request_is_survived(text: str, is_error: bool) -> None:
    answer = _asked({"content": [{"type": "text", "text": text}], "isError": is_error}, QUESTIONS["submit"])
    assert (answer.facts.reached, answer.task_id) == ("answered", None)


@pytest.mark.parametrize(
    "text",
    ["```" + "\n" * 60_000, "```\n" * 30_000, "``` " * 60_000, "```json" + " \n" * 60_000 + "x", '{"a":[\n' * 30_000],
)  # fmt: skip
def test_fences_and_braces_are_searched_in_linear_time(text: str) -> None:
    assert json_object_in(text) == {}


def test_a_fenced_object_is_still_found() -> None:
    assert json_object_in('Here:\n```json\n{"id": 1}\n```\nBye.') == {"id": 1}
    assert json_object_in('```\n\n{"id": 2}\n\n   ```') == {"id": 2}
    assert json_object_in('one\n{"id": 1}\ntwo\n{"id": 3, "more": true}') == {"id": 3, "more": True}


@pytest.mark.parametrize("text", ["asset " * 100_000, "no such " * 100_000, "retry " * 100_000, "\n- " * 100_000])
def test_a_long_refusal_is_read_up_to_a_bound(text: str) -> None:
    price_request = PriceRequest("by_prompt", {"image_asset_id": TASK}, "key")
    _asked({"content": [{"type": "text", "text": text}], "isError": True}, lambda p: p.quote(price_request))


# ------------------------------------------------------------------------------------------------------------ money


@pytest.mark.parametrize(
    "price", [-5, "-5", -0.01, "1e400", "1e999999999", 10**30, float("inf"), "NaN", [3, -1], {"max": -2}]
)
def test_what_is_no_price_is_none(price: Any) -> None:
    quote = _asked(structured({"price": price}), QUESTIONS["quote"])
    assert quote.credits is None and quote.refusal


def test_a_price_is_a_price() -> None:
    assert _asked(structured({"price": 0}), QUESTIONS["quote"]).credits == 0
    assert _asked(structured({"price": "2.5"}), QUESTIONS["quote"]).credits == Decimal("2.5")
    assert _asked(structured({"price": {"min": 1, "max": 4}}), QUESTIONS["quote"]).credits == 4


def test_amounts_beyond_what_an_account_holds_are_none() -> None:
    assert credits_from(10**15) == 10**15 and credits_from(-(10**15)) == -(10**15)
    assert credits_from(10**15 + 1) is credits_from("1e5000") is credits_from("-1e999999999") is None
    assert price_from(-1) is None
    assert as_text(_asked(structured({"id": "me", "credits": "1e5000"}), QUESTIONS["account"]).credits) == "?"


@pytest.mark.parametrize("number", ["1e999", float("inf"), float("nan"), 10**16, "1" * 5000, 1e300])
def test_a_count_without_end_is_none(number: Any) -> None:
    assert whole_at({"total": number}, "total") is None


@pytest.mark.parametrize(
    "header", ["Sun, 31 Dec 99999999999 00:00:00 GMT", "1e400", "Sun, 31 Dec 0000 00:00:00 GMT", "x" * 9000]
)
def test_any_retry_after_is_survived(header: str) -> None:
    wait_s = retry_after_s(header, datetime(2026, 11, 28, tzinfo=UTC))
    assert wait_s is None or wait_s >= 0
    response = httpx2.Response(503, headers={"retry-after": header})
    assert _asked(response, QUESTIONS["submit"]).facts.status == 503


# ---------------------------------------------------------------------------------------------------------- schemas


def _tool(schema: Any) -> Tool:
    return tool_from_document({"name": "t", "input_schema": schema})


RINGS = [
    {"anyOf": [{"$ref": "#"}, {"$ref": "#"}, {"$ref": "#"}]},
    {"allOf": [{"$ref": "#"}, {"$ref": "#"}, {"$ref": "#"}], "required": ["a"]},
    {"properties": {"a": {"type": "array", "items": {"$ref": "#/properties/a"}}}},
    {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
]


@pytest.mark.parametrize("schema", RINGS)
def test_references_that_lead_in_rings_are_followed_once(schema: Any) -> None:
    fields_of(schema)
    required_of(schema)
    check_call(_tool(schema), {"a": ["x"]})


def test_fields_of_branches_keep_their_order_and_weight() -> None:
    schema = {
        "properties": {"own": {"type": "string"}, "both": {"type": "string"}},
        "allOf": [{"properties": {"first": {}, "both": {"type": "integer"}}}, {"properties": {"second": {}}}],
        "required": ["own"],
    }
    assert list(fields_of(schema)) == ["first", "both", "second", "own"]
    assert fields_of(schema)["both"] == {"type": "string"}
    assert required_of({"required": ["a"], "allOf": [{"required": ["b"]}, {"required": ["c"]}]}) == ("a", "b", "c")


def test_of_very_many_fields_a_thousand_are_read() -> None:
    tool = _tool({"properties": {f"f{number}": {"type": "string"} for number in range(20_000)}})
    assert len(form_of(tool).fields) == MOST_FIELDS
    check_call(tool, {"f0": 7})


@pytest.mark.parametrize("pattern", [r"^(\w+\s?)+$", r"(a+)+$", r"(a|a)*b", r"(?=a)b", "(", "a{9999}"])
@pytest.mark.parametrize("where", ["pattern", "patternProperties", "additionalProperties"])
def test_a_servers_pattern_never_runs_away(pattern: str, where: str) -> None:
    text = "a" * 60 + "!"
    if where == "pattern":
        schema: Any = {"properties": {"p": {"type": "string", "pattern": pattern}}}
        check_call(_tool(schema), {"p": text})
    elif where == "patternProperties":
        check_call(_tool({"properties": {"p": {"patternProperties": {pattern: {"type": "string"}}}}}), {"p": {text: 1}})
    else:
        closed = {"patternProperties": {pattern: {}}, "additionalProperties": False}
        check_call(_tool({"properties": {"p": closed}}), {"p": {text: 1}})


def test_a_pattern_that_can_be_told_is_told() -> None:
    tool = _tool({"properties": {"p": {"type": "string", "pattern": "^[a-z]+$"}}})
    assert [problem.code for problem in check_call(tool, {"p": "A1"})] == ["ZF406"]
    assert check_call(tool, {"p": "abc"}) == []


ODD_FIELDS: list[Any] = [
    False,
    True,
    7,
    {"type": "string", "maxLength": "5"},
    {"type": "string", "minLength": 10**12},
    {"type": "array", "minItems": 10**12, "items": {"type": "string"}},
    {"type": "array", "items": {"$ref": "#/properties/prompt"}},
    {"type": "integer", "minimum": "x", "maximum": []},
    {"type": "string", "enum": "abc", "examples": 7},
    {"type": "object", "properties": [], "required": "x"},
    {"type": ["string", 7, None], "description": "\ud800"},
]


@pytest.mark.parametrize("field", ODD_FIELDS)
@pytest.mark.parametrize("value", ["text", 7, [], {"a": 1}, None])
def test_odd_fields_of_a_schema_cost_no_more_than_themselves(field: Any, value: Any) -> None:
    from zenflow.expr.values import Pending

    tool = _tool({"type": "object", "properties": {"prompt": field, "seed": field, "image_asset_id": field}})
    for params in ({"prompt": value, "seed": value}, {"prompt": Pending(), "image_asset_id": value}):
        check_call(tool, params)
        check_key(tool, params)
        price_request_for(tool, params)


def test_half_a_character_has_a_digest_and_reaches_nobody() -> None:
    assert digest_of(["\ud800"]) != digest_of(["\ud801"])
    found = _asked(b'{"jsonrpc":"2.0","id":1,"result":{"structuredContent":{"id":"\\ud800"}}}', QUESTIONS["account"])
    found.account_id.encode()


@pytest.mark.parametrize("text", ["\udcff", "a\ud800b"])
def test_half_a_character_in_a_parameter_is_refused_alone(text: str) -> None:
    async def run() -> None:
        provider = hostile(lambda name: structured({"id": "me", "price": 1}))
        async with provider:
            with pytest.raises(ServiceError) as no:
                await provider.quote(PriceRequest("by_prompt", {"positive_prompt": text}, "key"))
            assert no.value.trouble == "invalid"
            assert (await provider.account()).account_id == "me"  # the connection is as good as before
            answer = await provider.submit(Submission("by_prompt", ({"p": text},), "zf"))
            assert answer.facts.reached == "not_connected"

    asyncio.run(run())


# -------------------------------------------------------------------------------------------------------- downloads


async def _fetch(provider: McpProvider, url: str) -> bytes:
    async with provider.download(url) as found:
        return b"".join([chunk async for chunk in found.chunks])


PRIVATE = [
    "http://127.0.0.1:8000/x",
    "http://localhost/x",
    "http://[::1]/x",
    "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.1/x",
    "https://192.168.1.1/x",
    "http://[::ffff:10.0.0.1]/x",
    "http://[fe80::1]/x",
    "http://0.0.0.0/x",
    "http://printer.local/x",
    "http://2130706433.localhost/x",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_a_public_service_names_no_address_of_your_own_network(url: str) -> None:
    async def run() -> None:
        parts = hostile_parts(lambda name: httpx2.Response(200, content=b"secret"))
        async with McpProvider(SERVER, http=parts) as provider:
            with pytest.raises(ServiceError) as no:
                await _fetch(provider, url)
            assert no.value.trouble == "forbidden"
        assert parts.seen == []

    asyncio.run(run())


@pytest.mark.parametrize("url", PRIVATE[:5])
def test_a_redirect_leads_to_no_address_of_your_own_network(url: str) -> None:
    async def run() -> None:
        parts = hostile_parts(lambda name: httpx2.Response(302, headers={"location": url}))
        async with McpProvider("http://storage.example/mcp", http=parts) as provider:
            with pytest.raises(ServiceError):
                await _fetch(provider, "http://storage.example/x")
        assert [request.url.host for request in parts.seen] == ["storage.example"]

    asyncio.run(run())


def test_a_name_that_leads_to_a_private_address_is_refused() -> None:
    """The trace of the connection shows where a name has led; here a transport reports it as httpcore does."""
    written: list[str] = []

    class Stream:
        def __init__(self, address: str) -> None:
            self.address = address

        def get_extra_info(self, name: str) -> Any:
            return (self.address, 443) if name == "server_addr" else None

    class Resolving(httpx2.AsyncBaseTransport):
        def __init__(self, address: str) -> None:
            self.address = address

        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            trace = request.extensions["trace"]
            await trace("connection.connect_tcp.complete", {"return_value": Stream(self.address)})
            written.append(str(request.url))
            return httpx2.Response(200, content=b"bytes")

    async def fetch(address: str, public_only: bool, is_direct: bool = True) -> bytes:
        policy = DownloadPolicy(VirtualClock(), public_only, lambda url: is_direct)
        async with download(Resolving(address), "https://rebound.example/x", 0, policy) as found:
            return b"".join([chunk async for chunk in found.chunks])

    with pytest.raises(ServiceError):
        asyncio.run(fetch("192.168.0.7", True))
    assert written == []
    assert asyncio.run(fetch("93.184.216.34", True)) == b"bytes"
    assert asyncio.run(fetch("192.168.0.7", False)) == b"bytes"  # the service is on that network itself
    assert asyncio.run(fetch("10.0.0.1", True, is_direct=False)) == b"bytes"  # the proxy's address


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/\x00",
        "https://a.example:99999/",
        "http://[::1",
        "https://a.example/\n",
        "https://\ud800.example/",
    ],
)
def test_an_address_that_is_none_is_an_error_of_the_service(url: str) -> None:
    async def run(provider: McpProvider) -> Any:
        return await _fetch(provider, url)

    found = _asked(httpx2.Response(200, content=b"x"), run)
    assert isinstance(found, ServiceError) or found == b"x"
    rows = _asked(structured({"items": [{"asset_id": TASK, "download_url": url}]}), QUESTIONS["urls"])
    assert len(rows) == 1


@pytest.mark.parametrize(
    "location", ["http://[::1", "https://a.example/\x00", "", "javascript:alert(1)", "file:///etc/passwd"]
)
def test_a_redirect_to_nowhere_is_an_error_of_the_service(location: str) -> None:
    response = httpx2.Response(302, headers={"location": location})
    found = _asked(response, lambda provider: _fetch(provider, "https://storage.example/x"))
    assert isinstance(found, ServiceError)


class _Trickle(httpx2.AsyncByteStream):
    """A body that lets a clock run before each of its chunks."""

    def __init__(self, clock: VirtualClock, chunk: bytes, every_s: float) -> None:
        self.clock, self.chunk, self.every_s, self.given = clock, chunk, every_s, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.given < 1000:
            self.clock.advance(self.every_s)
            self.given += 1
            yield self.chunk

    async def aclose(self) -> None:
        return


@pytest.mark.parametrize(("chunk", "whole"), [(b"x", False), (b"x" * (LEAST_BYTES // 30), True)])
def test_a_body_of_one_byte_a_second_is_given_up(chunk: bytes, whole: bool) -> None:
    clock = VirtualClock()
    body = _Trickle(clock, chunk, 1.0)

    async def run() -> int:
        transport = httpx2.MockTransport(lambda request: httpx2.Response(200, stream=body))
        async with download(transport, "https://a.example/x", 0, DownloadPolicy(clock, True)) as found:
            return sum([len(part) async for part in found.chunks])

    if whole:
        assert asyncio.run(run()) == 1000 * len(chunk)
    else:
        with pytest.raises(ServiceError) as no:
            asyncio.run(run())
        assert no.value.trouble == "unreachable" and body.given <= 61


def test_json_of_an_answer_is_bounded_in_depth() -> None:
    deep = json.loads("[" * 90 + "]" * 90)
    assert _asked(structured({"id": "me", "x": deep}), QUESTIONS["account"]).account_id == "me"
