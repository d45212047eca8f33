"""What would one call of a tool cost, with each of its models, cheapest first? Asks only; nothing here can submit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.connection.retry import with_retries
from zenflow.app.queries.tools import no_such_tool
from zenflow.catalog.check import form_of
from zenflow.catalog.model import Catalog, Tool
from zenflow.catalog.price_requests import price_request_for
from zenflow.catalog.schema import item_of, types_of
from zenflow.credits import price_from
from zenflow.errors import UsageError
from zenflow.expr.values import Pending
from zenflow.providers.base import Provider, ServiceError
from zenflow.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class PriceRow:
    model: str | None  # None: the tool has no models
    resolution: str | None
    credits: Decimal | None
    is_default: bool = False
    trusted_only: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class NoPrice:
    """A model that cannot do what was asked for."""

    model: str
    resolution: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class PriceList:
    """`filled`: required parameters that were not given and that a stand-in was sent for."""

    server: str
    tool: str
    params: Mapping[str, Any]
    filled: tuple[str, ...]
    rows: tuple[PriceRow, ...]
    without: tuple[NoPrice, ...]


async def prices(
    name: str, words: Sequence[tuple[str, str]], resolutions: Sequence[str], settings: Settings
) -> PriceList:
    """Raises UsageError for a tool or a parameter that is not there, ServiceError when the service cannot answer."""
    clock = wiring.clock()
    async with wiring.open_provider(settings, clock) as provider:
        catalog = await with_retries(lambda: provider.catalog([name]), clock)
        tool = catalog.tools.get(name)
        if tool is None:
            raise no_such_tool(name, catalog, settings.server)
        given = {key: read_parameter(tool, key, text) for key, text in words}
        asked, filled = _filled(tool, given, bool(resolutions))
        one_by_one = "model" in given or not tool.models
        if one_by_one and resolutions:
            raise UsageError(
                "ZF056",
                f"`--resolutions` compares all models of {name}, and one is asked for.",
                "Leave `-p model=…` out, or give the resolution with `-p resolution=…`.",
            )
        try:
            rows, without = (
                (await _estimated(provider, tool, asked, catalog), ())
                if one_by_one
                else await with_retries(lambda: _compared(provider, name, asked, resolutions), clock)
            )
        except ServiceError as error:
            raise _as_usage(error, name) from error
    return PriceList(settings.server, name, given, filled, rows, without)


def read_parameter(tool: Tool, name: str, text: str) -> Any:
    """One `-p name=text`, by the type that the tool's schema declares. Raises UsageError."""
    fields = form_of(tool).fields
    if fields and name not in fields:
        hint = did_you_mean(name, fields) or f"It takes: {', '.join(fields)}."
        raise UsageError("ZF053", f"`{tool.name}` has no parameter `{name}`.", hint)
    field = fields.get(name, {})
    kinds = types_of(field)
    if "array" in kinds:
        found = _json(text)
        items = found if isinstance(found, list) else [part.strip() for part in text.split(",") if part.strip()]
        inner = types_of(item_of(field, tool.input_schema))
        return [_plain(inner, one) if isinstance(one, str) else one for one in items]
    return _plain(kinds, text)


def _plain(kinds: Sequence[str], text: str) -> Any:
    """Text stays text where text is wanted; numbers, booleans and objects are read as JSON."""
    if "string" in kinds:
        return text
    found = _json(text)
    return text if found is None and text != "null" else found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _filled(tool: Tool, given: Mapping[str, Any], sweeps: bool) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """What is sent: the given, and stand-ins for what is required and missing. A resolution left out is swept."""
    own = {"model"} | ({"resolution"} if tool.models and "model" not in given else set())
    missing = tuple(name for name in tool.required if name not in given and name not in own)
    price_request = price_request_for(tool, {**given, **{name: Pending() for name in missing}})
    sent = {key: value for key, value in price_request.params.items() if key != "model" or "model" in given}
    if sweeps:
        sent.pop("resolution", None)
    return sent, missing


async def _compared(
    provider: Provider, name: str, params: Mapping[str, Any], resolutions: Sequence[str]
) -> tuple[tuple[PriceRow, ...], tuple[NoPrice, ...]]:
    answer = await provider.compare(name, params, resolutions)
    rows = [_row(one) for one in answer.get("prices") or () if isinstance(one, Mapping)]
    rows.sort(key=lambda row: (row.credits is None, row.credits or Decimal(0)))  # stable: the server's order for ties
    without = tuple(
        NoPrice(str(one.get("model", "")), _text(one.get("resolution")), str(one.get("reason", "")))
        for one in answer.get("errors") or ()
        if isinstance(one, Mapping)
    )
    return tuple(rows), without


def _row(one: Mapping[str, Any]) -> PriceRow:
    return PriceRow(
        model=_text(one.get("model")),
        resolution=_text(one.get("resolution")),
        credits=price_from(one.get("price")),
        is_default=one.get("is_default") is True,
        trusted_only=one.get("trusted_only") is True,
        description=_text(one.get("description")) or "",
    )


async def _estimated(
    provider: Provider, tool: Tool, params: Mapping[str, Any], catalog: Catalog
) -> tuple[PriceRow, ...]:
    """`compare_prices` refuses tools without models (docs/service.md, “Generation”): one question, one row."""
    quote = await provider.quote(price_request_for(tool, params))
    if quote.credits is None:
        raise ServiceError("invalid", f"{tool.name}: {quote.refusal}", status=quote.refusal_status)
    name = params.get("model")
    model = tool.model(str(name)) if name is not None else None
    return (
        PriceRow(
            _text(name),
            _text(params.get("resolution")),
            quote.credits,
            model is not None and model.is_default,
            model is not None and model.trusted_only,
            model.description if model is not None else tool.description.split("\n")[0],
        ),
    )


def _as_usage(error: ServiceError, name: str) -> ServiceError | UsageError:
    """What the service refuses about the parameters is the caller's to mend."""
    if error.trouble not in ("invalid", "not_found") and error.status not in (400, 404, 422):
        return error
    more = [one for one in error.violations if one not in error.message]
    return UsageError("ZF054", "; ".join([error.message, *more]), f"`zenflow tools {name}` shows what it takes.")


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
