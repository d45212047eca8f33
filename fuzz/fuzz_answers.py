"""Answers of a server, mutated, against every reader of the client: `python fuzz/fuzz_answers.py --seconds 600`.

Takes good answers of each tool and breaks them: other kinds of values, missing keys, deep nesting, odd numbers, bytes
of noise, broken HTTP. A reader may return a value or raise `ServiceError`. Anything else is a finding; so is an answer
that takes longer than five seconds. Prints the seed of each finding; `--seed N --count 1` repeats it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.hostile import Answer, hostile
from zenflow.catalog.check import check_call
from zenflow.catalog.price_requests import price_request_for
from zenflow.catalog.prices import PriceRequest
from zenflow.errors import ZenflowError
from zenflow.providers.base import Submission
from zenflow.providers.mcp.provider import McpProvider

TASK = "00000000-0000-4000-8000-000000000001"
CALL = "00000000-0000-4000-8000-000000000002"
SLOW_S = 5.0

ROW: dict[str, Any] = {
    "id": TASK,
    "tool_name": "by_prompt",
    "status": "completed",
    "total": 1,
    "done": 1,
    "comment": "zf",
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["prompt"],
    "properties": {
        "prompt": {"type": "string", "maxLength": 50, "pattern": "^[a-z ]+$"},
        "model": {"type": "string", "enum": ["A", "B"]},
        "images": {"type": "array", "items": {"type": "string", "format": "uuid"}, "maxItems": 3},
        "seed": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]},
    },
}
GOOD: dict[str, Any] = {
    "get_me": {"id": "me", "credits": 12, "email": "a@b.example", "is_trusted": True},
    "list_tools": {"tools": [{"name": "by_prompt", "description": "x", "price": 1, "blocked_models": ["B"]}]},
    "get_tool_schema": {"name": "by_prompt", "input_schema": SCHEMA, "output_schema": {}, "models": [{"value": "A"}]},
    "estimate_price": {"price": 3, "raw": {"total_price": 3, "per_unit": "1.5", "units": 2}},
    "compare_prices": {"prices": [{"model": "A", "price": 1, "resolution": "1K"}]},
    "list_tasks": {"items": [ROW], "total": 1, "has_more": False, "next_offset": None},
    "get_task": {**ROW, "inputs": [{"prompt": "x"}], "calls": [{"id": CALL, "status": "completed", "index": 0}]},
    "get_processing_tasks": {"tools": [{"tool_name": "by_prompt", "processing": True}]},
    "get_call_result": {"call_id": CALL, "output": {"image_assets": []}, "asset_ids": [TASK]},
    "get_asset": {"id": TASK, "media_type": "image/png"},
    "get_asset_download_urls": {"items": [{"asset_id": TASK, "download_url": "https://s.example/x?sig=1"}]},
    "describe_asset": {"asset_id": TASK, "description": "a cup", "media_type": "image/png"},
    "craft_prompt": {"prompts": [{"prompt": "a cup", "rationale": "x"}]},
    "list_credit_transactions": {
        "items": [{"id": "t", "amount": -1, "task_id": TASK, "created_at": "2026-11-28T10:00:00Z"}]
    },
    "list_templates": {"items": [{"id": "p", "title": "x", "tool_name": "by_prompt", "input": {"prompt": "x"}}]},
    "get_template": {"id": "p", "title": "x", "tool_name": "by_prompt", "input": {"prompt": "x"}},
    "upload_asset": {"asset_id": TASK, "media_type": "image/png", "size_bytes": 10},
    "create_task": {"id": TASK, "status": "created", "total": 1},
}
Ask = Callable[[McpProvider], Awaitable[Any]]


async def _catalog(provider: McpProvider) -> None:
    """The tools, and what planning makes of them."""
    found = await provider.catalog(["by_prompt"])
    for tool in found.tools.values():
        for params in ({"prompt": "x", "images": [TASK], "seed": 1, "model": "A"}, {"prompt": 7}, {}):
            check_call(tool, params)
            price_request_for(tool, params)


QUESTIONS: tuple[Ask, ...] = (
    lambda p: p.account(),
    _catalog,
    lambda p: p.quote(PriceRequest("by_prompt", {"prompt": "x"}, "k")),
    lambda p: p.compare("by_prompt", {}),
    lambda p: p.list_tasks(),
    lambda p: p.get_task(TASK),
    lambda p: p.processing_tools(),
    lambda p: p.call_result(CALL),
    lambda p: p.asset(TASK),
    lambda p: p.download_urls([TASK]),
    lambda p: p.describe(TASK, False),
    lambda p: p.craft_prompt({"brief": "x"}),
    lambda p: p.transactions(),
    lambda p: p.templates(),
    lambda p: p.template("p"),
    lambda p: p.upload_url("https://a.example/x.png", "image/png"),
    lambda p: p.submit(Submission("by_prompt", ({"prompt": "x"},), "zf")),
)

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 7, 10**16, 10**400, -(10**30), 1e308, float("inf"), float("nan"), 0.1),
    *("", "x", "-5", "1e999", "1e999999999", "NaN", "\x00\x1b[2J", "\u202e", "\ud800", "```json\n{", "x" * 3000),
    *([], {}, [[]], [None], {"a": {"b": []}}, [1, "2", None], {"$ref": "#"}, {"anyOf": [{"$ref": "#"}] * 3}),
)


def mutated(value: Any, chance: random.Random, rate: float = 0.15) -> Any:
    """The value with some of its parts replaced, removed, repeated or nested."""
    if chance.random() < rate:
        kind = chance.randrange(4)
        if kind == 0:
            return chance.choice(ODD)
        if kind == 1:
            return [value] * chance.randrange(4)
        if kind == 2:
            return {chance.choice(("id", "items", "error", "status", "type", "result", "x")): value}
        nested: Any = value
        for _ in range(chance.choice((3, 60, 300, 2000))):
            nested = [nested] if chance.random() < 0.5 else {"a": nested}
        return nested
    if isinstance(value, dict):
        kept = {key: mutated(inner, chance, rate) for key, inner in value.items() if chance.random() > rate / 3}
        if chance.random() < rate:
            key = chance.choice(("error", "isError", "success", "status_code", "error_code", "$ref", "anyOf"))
            kept[key] = chance.choice(ODD)
        return kept
    if isinstance(value, list):
        return [mutated(inner, chance, rate) for inner in value]
    return value


def _text_of(value: Any) -> str:
    try:
        return json.dumps(value)
    except (RecursionError, ValueError):
        return '{"a":' * 3000


def answer_for(tool: str, chance: random.Random) -> Answer:
    """One answer of a tool: in structured content, in text, as an error, as noise, or as odd HTTP."""
    content = mutated(GOOD.get(tool, GOOD["get_me"]), chance)
    text = _text_of(content)
    kind = chance.randrange(8)
    if kind < 3:
        return f'{{"jsonrpc":"2.0","id":1,"result":{{"content":[],"structuredContent":{text}}}}}'
    if kind == 3:
        fence = chance.choice(("{}", "```json\n{}\n```", "Done.\n{}\nBye.", "\n" * 2000 + "```\n{}", "- {}\n* 422: no"))
        return {"content": [{"type": "text", "text": fence.replace("{}", text, 1)}], "isError": chance.random() < 0.5}
    if kind == 4:
        return f'{{"jsonrpc":"2.0","id":1,"error":{text}}}'
    if kind == 5:
        body = bytearray(f'{{"jsonrpc":"2.0","id":1,"result":{{"structuredContent":{text}}}}}'.encode())
        for _ in range(chance.randrange(1, 12)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        return bytes(body)
    if kind == 6:
        headers = {"retry-after": chance.choice(("1e400", "Sun, 31 Dec 99999999999 00:00:00 GMT", "-1", "x", "nan"))}
        status = chance.choice((200, 202, 302, 400, 401, 404, 429, 500, 503))
        return httpx2.Response(status, headers=headers, content=text.encode())
    events = f"event: message\ndata: {text}\n\ndata: {{\ndata: }}\n\n"
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=events.encode())


def trial(seed: int) -> str | None:
    """One question to one hostile server; what is wrong with how it ended, or None."""
    chance = random.Random(seed)
    question = chance.choice(QUESTIONS)

    async def run() -> None:
        async with hostile(lambda tool: answer_for(tool, chance)) as provider:
            await question(provider)

    began_s = time.process_time()
    try:
        asyncio.run(run())
    except ZenflowError:
        pass
    except Exception:
        return traceback.format_exc()
    took_s = time.process_time() - began_s
    return f"took {took_s:.1f} s of CPU" if took_s > SLOW_S else None


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--seconds", type=float, help="stop after this time")
    words.add_argument("--count", type=int, help="stop after so many answers")
    words.add_argument("--seed", type=int, default=1, help="the first seed")
    given = words.parse_args()
    until_s = time.monotonic() + (given.seconds or (60.0 if given.count is None else float("inf")))
    found, seed = 0, given.seed
    while time.monotonic() < until_s and (given.count is None or seed < given.seed + given.count):
        wrong = trial(seed)
        if wrong is not None:
            found += 1
            print(f"seed {seed}: {wrong}", file=sys.stderr)
        seed += 1
    print(f"{seed - given.seed} answers, {found} findings")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
