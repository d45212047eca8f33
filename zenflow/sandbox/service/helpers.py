"""The optional prompt helpers: craft_prompt from templates, describe_asset from the picture itself. Both are free.

The service asks a language model; the sandbox has none, so its texts are plain, always safe for work, and the same
for the same question.
"""

from __future__ import annotations

from zenflow.sandbox.checks import offer_named
from zenflow.sandbox.identity import share
from zenflow.sandbox.offers.model import Offer
from zenflow.sandbox.refusals import Refusal
from zenflow.sandbox.service.answers import Answer
from zenflow.sandbox.service.request_context import Arguments, RequestContext

AGENT_MODEL = "sandbox-prompt-writer"
VISION_MODEL = "sandbox-eye"

_LIGHT = (
    *("soft window light from the left", "warm light of the last hour", "a large softbox and a white wall"),
    *("overcast daylight", "one hard key light with deep shadows", "neon signs reflected in wet asphalt"),
)
_LENS = ("85 mm, shallow depth of field", "50 mm at eye level", "35 mm, slightly low", "medium format, fine grain")
_MOOD = ("calm", "confident", "playful", "pensive", "bright", "quiet and elegant")
_FRAME = ("half-length portrait", "close-up", "three-quarter figure", "environmental portrait")


def craft_prompt(context: RequestContext, args: Arguments) -> Answer:
    offer = offer_named(args["tool_name"])
    model = offer.model_named(args["model"])
    if model is None:
        raise Refusal(422, f"model: {args['model']!r} is not a model of {offer.name}")
    if args["nsfw"] and not (context.services.settings.nsfw_allowed and context.services.settings.trusted):
        raise Refusal(
            403, "adult prompts need both nsfw_allowed and is_trusted on the account.", reason="nsfw_disabled"
        )
    notes = [_reference_note(context, place, entry) for place, entry in enumerate(args.get("references", []), 1)]
    prompts = [_variant(offer, model.value, args["brief"], notes, number) for number in range(args["count"])]
    data = {"prompts": prompts, "model_used": model.value, "agent_model": AGENT_MODEL}
    return Answer(data=data, title=f"{len(prompts)} prompts for {model.value}")


def _reference_note(context: RequestContext, place: int, entry: dict[str, str]) -> str:
    """What is said about one reference; a reference without a description is looked at, as the service does."""
    asset = context.world.asset(entry["asset_id"])
    role = entry.get("role") or "subject"
    words = entry.get("description") or f"as in the {asset.kind} given"
    return f"{asset.kind} {place} ({role}): {_shortened(words, 160)}"


def _variant(offer: Offer, model: str, brief: str, notes: list[str], number: int) -> dict[str, str]:
    def chosen(options: tuple[str, ...], what: str) -> str:
        start = int(share(model, brief, *notes, what) * len(options))
        return options[(start + number) % len(options)]

    light, lens = chosen(_LIGHT, "light"), chosen(_LENS, "lens")
    mood, frame = chosen(_MOOD, "mood"), chosen(_FRAME, "frame")
    subject = brief.strip().rstrip(".")
    if offer.makes == "video":
        text = f"{subject}. Slow push in, {light}, {mood} mood, natural movement."
    else:
        text = f"{subject}. {frame.capitalize()}, {light}, {lens}, {mood} mood."
    if notes:
        text += " Keep " + "; ".join(notes) + "."
    return {"prompt": text, "rationale": f"{model} does well with {frame}, named light and one lens."}


async def describe_asset(context: RequestContext, args: Arguments) -> Answer:
    asset = context.world.asset(args["asset_id"])
    known = context.services.descriptions
    cached = asset.asset_id in known and not args["force_refresh"]
    if not cached:
        known[asset.asset_id] = await context.services.renderer.description(asset)
    data = {
        "asset_id": asset.asset_id,
        "description": known[asset.asset_id],
        "media_type": asset.media_type,
        "cached": cached,
        "vision_model": VISION_MODEL,
    }
    return Answer(data=data, title="Description")


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rsplit(" ", 1)[0] + "…"
