"""The service's tools as `Catalog` values: `list_tools`, `get_tool_schema`, and the MCP listing (docs/service.md,
“Generation”).

Decides which models count as adult, from the model's row alone; knows nothing of recipes or prices.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any

from zenflow.catalog.model import Account, Catalog, Model, Tool
from zenflow.catalog.parser import is_blocked, is_trusted_only
from zenflow.clock import Clock
from zenflow.credits import credits_from, price_from
from zenflow.ids import digest_of
from zenflow.providers.base import ServiceError
from zenflow.providers.mcp.session.answers import first, object_at, rows_at, text_at, texts_at, truth_at
from zenflow.providers.mcp.session.call import PREFIX, Caller, ask
from zenflow.providers.mcp.session.session import Session

# The service has no single mark for adult models (docs/service.md, “Generation”, models[]); by name (GENERAL_NSFW,
# wan@2.7-nsfw) or by a
# flag of its own. “Uncensored” in a description is no mark: the facts say it of SEEDREAM_5, used for everything.
_ADULT_NAME = re.compile(r"(?:^|[^a-z0-9])nsfw(?:$|[^a-z0-9])", re.I)
_ADULT_WORDS = re.compile(r"\b(?:nsfw|adult)[- ](?:only|content only)\b", re.I)
_ADULT_KEYS = ("is_nsfw", "nsfw", "adult", "is_adult", "nsfw_only", "requires_nsfw", "adult_only")


async def catalog(
    session: Session, server: str, clock: Clock, names: Iterable[str] | None, heard: dict[str, Any] | None = None
) -> Catalog:
    """The list, and full schemas of `names` (None: of all), asked for in parallel. Unknown names are left out.

    `heard` holds the answers of a reading that broke off, so that one begun again asks for the rest alone: a service that
    answers two requests a second would otherwise refuse every reading of a recipe with three tools.
    """
    heard = {} if heard is None else heard
    listing, service_tools = await _all(
        _once(heard, "tools", lambda: ask(session, "list_tools", {"include_blocked": True})),
        _once(heard, "listing", session.list_tools),
    )
    rows = {name: row for row in rows_at(listing, "tools", "items") if (name := text_at(row, "name", "tool_name"))}
    wanted = tuple(rows) if names is None else tuple(name for name in dict.fromkeys(names) if name in rows)
    schemas = await _all(*(_once(heard, f"schema {name}", partial(_schema, session, name)) for name in wanted))
    heard.clear()
    tools = {name: tool_from(rows[name], schema) for name, schema in zip(wanted, schemas, strict=True) if schema}
    return Catalog(server, clock.now(), tools, tuple(rows), _without_prefix(service_tools))


async def _once(heard: dict[str, Any], key: str, question: Callable[[], Awaitable[Any]]) -> Any:
    if key not in heard:
        heard[key] = await question()
    return heard[key]


async def _all(*questions: Awaitable[Any]) -> list[Any]:
    """Every answer; the first trouble is raised when all have come, so that none is asked for and thrown away."""
    answers = await asyncio.gather(*questions, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return answers


async def _schema(caller: Caller, name: str) -> Mapping[str, Any]:
    try:
        return await ask(caller, "get_tool_schema", {"tool_name": name})
    except ServiceError as no:
        if no.trouble == "not_found":
            return {}
        raise


def tool_from(row: Mapping[str, Any], schema: Mapping[str, Any]) -> Tool:
    """One tool of the list's row and its schema; where both say something the schema is newer."""
    blocked = frozenset(texts_at(row, "blocked_models")) | frozenset(texts_at(schema, "blocked_models"))
    input_schema, output_schema = object_at(schema, "input_schema"), object_at(schema, "output_schema")
    models = tuple(model_from(m, blocked) for m in _model_rows(schema))
    questions = first(schema, "format_questions")
    return Tool(
        name=text_at(row, "name", "tool_name") or text_at(schema, "name") or "",
        description=text_at(schema, "description") or text_at(row, "description") or "",
        input_schema=input_schema,
        output_schema=output_schema,
        models=models,
        base_price=price_from(first(schema, "price") if first(schema, "price") is not None else first(row, "price")),
        blocked=is_blocked(
            truth_at(row, "blocked") or truth_at(schema, "blocked"), blocked, [model.value for model in models]
        ),
        trusted_only=is_trusted_only(row, schema),
        prompt_guide=text_at(schema, "prompt_guide"),
        model_selection_guide=text_at(schema, "model_selection_guide"),
        format_questions=tuple(questions) if isinstance(questions, list) else (),
        digest=digest_of([input_schema, output_schema, [dict(m.row) for m in models]]),
    )


def model_from(row: Mapping[str, Any], blocked: frozenset[str]) -> Model:
    value = text_at(row, "value", "name", "model", "id") or ""
    return Model(
        value=value,
        description=text_at(row, "description", "label") or "",
        is_default=truth_at(row, "is_default", "default"),
        trusted_only=is_trusted_only(row),
        adult=_is_adult(value, row),
        blocked=truth_at(row, "blocked", "is_blocked") or value in blocked or "*" in blocked,
        row=row,
    )


def _model_rows(schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """`models[]`; a server that lists bare names is read too."""
    rows = rows_at(schema, "models")
    return rows or tuple({"value": name} for name in texts_at(schema, "models"))


def _is_adult(value: str, row: Mapping[str, Any]) -> bool:
    if _ADULT_NAME.search(value.replace("_", " ")) or any(truth_at(row, key) for key in _ADULT_KEYS):
        return True
    return any(_ADULT_WORDS.search(text_at(row, key) or "") for key in ("description", "notes"))


def _without_prefix(tools: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(str(tool["name"]).removeprefix(PREFIX) for tool in tools if tool.get("name"))


async def model_guide(caller: Caller, model: str) -> str | None:
    """The model's prompt guide, None where it has none (an `isError` that lists those that do: docs/service.md,
    “Generation”)."""
    try:
        content = await ask(caller, "get_model_prompt_guide", {"model": model})
    except ServiceError as no:
        if no.trouble in ("not_found", "invalid", "absent") or (no.trouble == "server" and no.status is None):
            return None
        raise
    return text_at(content, "prompt_guide", "guide")


async def account(caller: Caller) -> Account:
    """`get_me` (docs/service.md, “Account”)."""
    me = await ask(caller, "get_me", {})
    row = object_at(me, "user", "account") or me
    return Account(
        account_id=text_at(row, "id", "user_id", "account_id") or "",
        credits=credits_from(first(row, "credits", "balance", "credit_balance")),
        email=text_at(row, "email"),
        nsfw_allowed=truth_at(row, "nsfw_allowed"),
        is_trusted=truth_at(row, "is_trusted", "trusted"),
        is_blocked=truth_at(row, "is_blocked", "blocked"),
        is_active=first(row, "active", "is_active") is not False,
        out_of_credits=truth_at(row, "out_of_credits"),
        purchase_url=text_at(row, "purchase_url"),
        row=row,
    )
