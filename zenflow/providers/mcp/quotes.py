"""Price questions: `estimate_price` and `compare_prices` (seed 002, Pricing). Neither spends anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zenflow.catalog.prices import Question, Quote
from zenflow.clock import Clock
from zenflow.credits import credits_from
from zenflow.providers.base import ServiceError
from zenflow.providers.mcp.answers import first
from zenflow.providers.mcp.asking import PREFIX, Caller, arguments_of, ask, content_of
from zenflow.providers.mcp.failures import error_of, no_in

_REFUSALS = (400, 403, 404, 422)


async def quote(caller: Caller, clock: Clock, question: Question) -> Quote:
    """The price of one call. A tool result that says no for a reason of its own is an answer; trouble raises."""
    asked_at = clock.now()
    answer = await caller.call(
        PREFIX + "estimate_price", arguments_of({"tool_name": question.tool, "params": dict(question.params)})
    )
    no = no_in(answer)
    if no is not None:
        # Without a number (“Unknown tool_name — …”) it is a refusal too: the same question gets the same answer.
        if no.status in _REFUSALS or (no.status is None and no.trouble != "absent"):
            words = "; ".join([no.message, *(v for v in no.violations if v not in no.message)])
            return Quote(None, asked_at, words, no.status, question.stand_in)
        raise error_of(no, "estimate_price", answer.facts)
    content = content_of(answer, "estimate_price")
    credits = credits_from(first(content, "price", "total_price", "raw.total_price", "raw.price", "credits"))
    refusal = None if credits is not None else "the answer holds no price"
    return Quote(credits, asked_at, refusal, None, question.stand_in)


async def compare(
    caller: Caller, tool: str, params: Mapping[str, Any], resolutions: Sequence[str]
) -> Mapping[str, Any]:
    """All models' prices, as the server gives them. `model` is stripped there; it is left out here already."""
    flat = {key: value for key, value in params.items() if key != "model"}
    try:
        return await ask(
            caller,
            "compare_prices",
            {"tool_name": tool, "params": flat, "resolutions": list(resolutions) or None},
        )
    except ServiceError as no:
        if no.trouble == "server" and no.status is None and no.wire is not None and no.wire.status == 200:
            raise ServiceError("invalid", no.message, payload=no.payload, facts=no.wire) from no
        raise
