"""What a refusal of a batch is about: which of its inputs, in which words, with which code (docs/money.md, “The life
of a submission”)."""

from __future__ import annotations

from collections.abc import Sequence

from zenflow.engine.context import Context
from zenflow.engine.io.rate_limiter import Kind
from zenflow.engine.model.instances import Instance, StopReason
from zenflow.engine.payment.quotes import FreshQuotes
from zenflow.history import events as e
from zenflow.plan.analysis.source_map import with_source_location
from zenflow.providers.base import ServiceError

HINT = "Nothing was charged for it. `zenflow tools NAME` shows what the tool takes."
TOO_LARGE = 413  # half of the batch may be small enough
_CODES = {400: "ZF708", 403: "ZF706", 404: "ZF707", 422: "ZF708"}

Call = tuple[Instance, e.IntendedCall]


async def rejected_inputs(
    context: Context, quotes: FreshQuotes, tool_name: str, calls: Sequence[Call], no: e.SubmissionRefused
) -> set[int]:
    """Which inputs a refusal is about: those that it names, else those that have no price; empty when nobody can tell, and
    half of them may be tried. A no without a number is about all: what it means is not tried out with more requests."""
    everybody = set(range(len(calls)))
    if len(calls) == 1 or no.status == 403:
        return everybody
    named = {p for p in everybody if any(_names(p, text) for text in no.violations)}
    if named or no.status == TOO_LARGE:
        return named
    tool = context.catalog.tools[tool_name]
    provider, service = context.service.provider, context.service
    refused = set()
    for position, (_, call) in enumerate(calls):
        price_request = quotes.price_request(tool, call.params)
        try:
            quote = await service.ask(Kind.PRICE, lambda q=price_request: provider.quote(q))  # type: ignore[misc]
        except ServiceError:
            return set()
        if quote.credits is None:
            refused.add(position)
    return refused or (everybody if no.status is None else set())


def code_of(no: e.SubmissionRefused) -> str:
    return _CODES.get(no.status or 0, "ZF708")


def reason_for(instance: Instance, position: int, no: e.SubmissionRefused, count: int) -> str:
    """What was wrong with one input, with the place in the recipe that it was written at."""
    about = [text for text in no.violations if count == 1 or _names(position, text)]
    reason = "; ".join(about) or no.message or "the service refused this input"
    return with_source_location(instance.step.spec, reason) if no.status in (400, 422) else reason


def out_of_credits(no: e.SubmissionRefused) -> StopReason:
    where = no.payload.get("purchase_url")
    hint = (f"Top up at {where}, then " if isinstance(where, str) else "Top up, then ") + "`zenflow resume RUN`."
    return StopReason("ZF705", no.message or "the account is out of credits", hint)


def _names(position: int, violation: str) -> bool:
    """Whether a violation speaks of `inputs[position]`, in any of the ways in which validators write that."""
    marks = (f"inputs[{position}]", f"inputs.{position}.", f"inputs/{position}/", f"inputs -> {position} ")
    padded = violation + "."
    return any(mark in padded for mark in marks) or padded.startswith(f"[{position}]")
