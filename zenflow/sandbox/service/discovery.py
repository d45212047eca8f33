"""Tools that tell what there is: list_tools, get_tool_schema, get_model_prompt_guide."""

from __future__ import annotations

from typing import Any

from zenflow.sandbox.checks import blocked_models, offer_named
from zenflow.sandbox.offers.catalogue import OFFERS
from zenflow.sandbox.offers.guides import MODEL_GUIDES, TOOL_CHOICE
from zenflow.sandbox.offers.model import Offer, model_row
from zenflow.sandbox.refusals import Refusal
from zenflow.sandbox.service.answers import Answer
from zenflow.sandbox.service.request_context import Arguments, RequestContext


def list_tools(context: RequestContext, args: Arguments) -> Answer:
    rows = []
    for offer in OFFERS:
        blocked = blocked_models(offer, context.services.settings)
        all_blocked = blocked == ["*"] or (bool(blocked) and len(blocked) == len(offer.models))
        if all_blocked and not args["include_blocked"]:
            continue
        row: dict[str, Any] = {
            "name": offer.name,
            "description": offer.description,
            "price": offer.base_price,
            "blocked": bool(blocked),
        }
        if blocked:
            row["blocked_models"] = ["*"] if all_blocked else blocked
        rows.append(row)
    return Answer(data={"count": len(rows), "tools": rows}, title="Generation tools", remark=TOOL_CHOICE)


def get_tool_schema(context: RequestContext, args: Arguments) -> Answer:
    offer = offer_named(args["tool_name"])
    return Answer(data=_described(offer), title=offer.name)


def _described(offer: Offer) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": offer.name,
        "description": offer.description,
        "price": offer.base_price,
        "input_schema": offer.input_schema,
        "output_schema": offer.output_schema,
    }
    optional = {
        "models": [model_row(model) for model in offer.models],
        "prompt_guide": offer.prompt_guide,
        "model_selection_guide": offer.model_selection_guide,
        "format_questions": list(offer.format_questions),
    }
    return data | {name: value for name, value in optional.items() if value}


def get_model_prompt_guide(context: RequestContext, args: Arguments) -> Answer:
    guide = MODEL_GUIDES.get(args["model"])
    if guide is None:
        covered = ", ".join(MODEL_GUIDES)
        raise Refusal(
            404,
            f"model {args['model']!r} has no prompt guide of its own. Models that do: {covered}. "
            "For any other, use prompt_guide of zencreator_get_tool_schema.",
            models=list(MODEL_GUIDES),
        )
    return Answer(data={"model": args["model"], "prompt_guide": guide}, title=args["model"], remark=guide)
