"""Tools that tell what things cost: estimate_price, compare_prices. They spend nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zenflow.sandbox.checks import blocked_models, check_params, offer_named, shape_violations
from zenflow.sandbox.offers.model import Offer, OfferedModel
from zenflow.sandbox.offers.schemas import RESOLUTIONS
from zenflow.sandbox.refusals import Refusal, invalid
from zenflow.sandbox.service.answers import Answer
from zenflow.sandbox.service.request_context import Arguments, RequestContext


def estimate_price(context: RequestContext, args: Arguments) -> Answer:
    offer, params = _flat(args, "zencreator_estimate_price")
    check_params(offer, params, context.services.settings, context.world.media_type_of)
    price = offer.price(params, offer.model_named(params.get("model")))
    # `raw` holds just these two for the recorded answers.
    data = {"tool_name": offer.name, "price": price, "raw": {"tool_name": offer.name, "price": price}}
    return Answer(data=data, title=f"{offer.name}: {price} credits")


def compare_prices(context: RequestContext, args: Arguments) -> Answer:
    offer, given = _flat(args, "zencreator_compare_prices")
    if not offer.models:
        raise Refusal(400, f"{offer.name} has no known model catalog. Use zencreator_estimate_price instead.")
    params = {name: value for name, value in given.items() if name != "model"}
    resolutions = _resolutions(offer, params, args.get("resolutions"))
    asked = params | ({"resolution": resolutions[0]} if resolutions else {})
    if wrong := shape_violations(offer, asked, "params"):
        raise invalid(wrong, f"params do not satisfy the input_schema of {offer.name}")
    prices, errors = _rows(context, offer, params, resolutions)
    prices.sort(key=lambda row: (row["price"], row["model"]))
    data: dict[str, Any] = {"tool_name": offer.name, "count": len(prices)}
    if resolutions:
        shown = {row["resolution"] for row in prices}
        data["compared_resolutions"] = [name for name in resolutions if name in shown]
    data["prices"] = prices
    if errors:
        data["errors"] = errors
    return Answer(data=data, title=f"Prices of {offer.name}, cheapest first")


def _resolutions(offer: Offer, params: Mapping[str, Any], wanted: list[str] | None) -> list[str]:
    """Explicit ones, else the one in params, else all that exist; none where resolution does not matter."""
    if not offer.priced_by_resolution:
        return []
    if wanted:
        return list(dict.fromkeys(wanted))
    pinned = params.get("resolution")
    return [pinned] if pinned else list(RESOLUTIONS)


def _rows(
    context: RequestContext, offer: Offer, params: Mapping[str, Any], resolutions: list[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    blocked = blocked_models(offer, context.services.settings)
    prices, errors = [], []
    for model in offer.models:
        for resolution in resolutions or (None,):
            place = {"resolution": resolution} if resolution else {}
            reason = _cannot(model, resolution, blocked)
            if reason:
                errors.append({"model": model.value, **place, "reason": reason})
            else:
                prices.append(_price_row(offer, model, params, place))
    return prices, errors


def _cannot(model: OfferedModel, resolution: str | None, blocked: list[str]) -> str | None:
    if blocked == ["*"] or model.value in blocked:
        return "blocked"
    if resolution is not None and model.resolutions and resolution not in model.resolutions:
        return f"does not produce {resolution}; supports {', '.join(model.resolutions)}"
    return None


def _price_row(offer: Offer, model: OfferedModel, params: Mapping[str, Any], place: dict[str, str]) -> dict[str, Any]:
    price = offer.price({**params, **place}, model)
    row: dict[str, Any] = {"model": model.value, "description": model.description, "price": price, **place}
    if model.is_default:
        row["is_default"] = True  # present only when true, as recorded
    if model.trusted_only:
        row["trusted_only"] = True
    return row


def _flat(args: Arguments, tool: str) -> tuple[Offer, dict[str, Any]]:
    """The offer and its params; a wrapped payload is answered with the corrected one (generation page)."""
    params = args["params"]
    inner = params.get("inputs")
    if isinstance(inner, list) and inner and isinstance(inner[0], dict):
        _resend(tool, args["tool_name"], inner[0])
    if "tool_name" in params or isinstance(params.get("params"), dict):
        flat = params.get("params", {name: value for name, value in params.items() if name != "tool_name"})
        _resend(tool, args["tool_name"], flat)
    return offer_named(args["tool_name"]), dict(params)


def _resend(tool: str, tool_name: str, params: Mapping[str, Any]) -> None:
    corrected = {"tool_name": tool_name, "params": dict(params)}
    raise Refusal(
        400,
        f"params is the flat shape of ONE element of inputs[]. Resend {tool} with the corrected arguments: {corrected}",
        corrected=corrected,
    )
