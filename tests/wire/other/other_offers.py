"""What the other service offers: tools, schemas in a style of its own, models, prices. All but the names is invented."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

UUID = {"type": "string", "format": "uuid"}


@dataclass(frozen=True)
class Offer:
    """One generation tool."""

    schema: dict[str, Any]
    each: dict[str, float]  # credits by model; "" for a tool without models
    gives: str = "image"  # image | video | text
    many: str | None = None  # the parameter that says how many
    models: tuple[dict[str, Any], ...] = ()
    output: dict[str, Any] = field(default_factory=lambda: {"type": "object"})


def _maybe(schema: dict[str, Any], default: Any = None, **more: Any) -> dict[str, Any]:
    """As pydantic writes `X | None`."""
    return {"anyOf": [schema, {"type": "null"}], "default": default, **more}


def _pydantic(name: str, properties: dict[str, Any], required: list[str], defs: dict[str, Any]) -> dict[str, Any]:
    return {
        "$defs": {"ModelName": {"type": "string", "title": "ModelName"}, **defs},
        "type": "object",
        "title": name,
        "properties": {key: {"title": key.title(), **value} for key, value in properties.items()},
        "required": required,
        "additionalProperties": False,
    }


IMAGE_MODELS = (
    {"value": "SEEDREAM_5", "description": "All-round"},
    {"value": "QWEN_IMAGE_PRO", "description": "Sharp", "notes": ["slow"]},
    {"value": "NANO_BANANA", "description": "Text in pictures", "input_constraints": {"max_references": 8}},
    {"value": "GENERAL_NSFW", "description": "Adult (NSFW)", "trusted_only": True},
)
IMAGE_PRICES = {"SEEDREAM_5": 1.0, "QWEN_IMAGE_PRO": 2.0, "NANO_BANANA": 4.0, "GENERAL_NSFW": 1.0}

OFFERS: dict[str, Offer] = {
    "image_editor": Offer(
        _pydantic(
            "ImageEditorInput",
            {
                "prompt": {"type": "string", "minLength": 1, "maxLength": 5000},
                "image_assets": {"type": "array", "items": {"$ref": "#/$defs/AssetId"}, "minItems": 1, "maxItems": 10},
                "model": _maybe({"$ref": "#/$defs/ModelName"}),
                "ratio": _maybe({"$ref": "#/$defs/Ratio"}),
                "number_of_images": _maybe({"type": "integer", "minimum": 1, "maximum": 4}, 1),
                "seed": _maybe({"type": "integer"}),
            },
            ["prompt", "image_assets"],
            {"AssetId": UUID, "Ratio": {"enum": ["1:1", "3:4", "16:9"], "type": "string"}},
        ),
        IMAGE_PRICES,
        many="number_of_images",
        models=IMAGE_MODELS,
    ),
    "by_prompt": Offer(
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "definitions": {"count": {"type": "integer", "minimum": 1, "maximum": 8}},
            "type": "object",
            "properties": {
                "positive_prompt": {"type": "string", "maxLength": 5000},
                "model": {"type": "string", "enum": sorted(IMAGE_PRICES)},
                "batch_size": {"allOf": [{"$ref": "#/definitions/count"}], "default": 1},
                "tier": {"type": ["string", "null"], "enum": ["1K", "2K", None]},
            },
            "required": ["positive_prompt", "model"],
            "additionalProperties": False,
        },
        IMAGE_PRICES,
        many="batch_size",
        models=IMAGE_MODELS,
    ),
    "upscaler": Offer(
        _pydantic(
            "Upscale",
            {
                "image_asset_id": UUID,
                "output_format": {"type": "string", "enum": ["png", "jpeg", "webp"]},
                "scale": _maybe({"type": "number", "minimum": 1, "maximum": 8}, 2),
            },
            ["image_asset_id", "output_format"],
            {},
        ),
        {"": 2.0},
    ),
    "background_remover": Offer(
        {"type": "object", "properties": {"image_asset_id": UUID}, "required": ["image_asset_id"]},
        {"": 0.5},
    ),
    "photoshoot": Offer(
        _pydantic(
            "Photoshoot",
            {
                "face": {"$ref": "#/$defs/Face"},
                "themes": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 10},
                "resolution": {"type": "string", "enum": ["1K", "2K"]},
            },
            ["face", "themes", "resolution"],
            {
                "Face": {
                    "type": "object",
                    "properties": {"asset_id": UUID, "weight": {"type": "number", "default": 1.0}},
                    "required": ["asset_id"],
                    "additionalProperties": False,
                }
            },
        ),
        {"": 3.0},
    ),
    "videogen": Offer(
        _pydantic(
            "Video",
            {
                "ref_asset": UUID,
                "prompt": {"type": "string"},
                "model": {"type": "string"},
                "resolution": {"type": "string", "enum": ["480p", "720p"]},
                "duration": _maybe({"type": "integer", "enum": [5, 10]}, 5),
            },
            ["ref_asset", "prompt", "resolution"],
            {},
        ),
        {"wan@2.6-flash": 3.0, "kling@2.6": 10.0},
        gives="video",
        models=({"value": "wan@2.6-flash", "is_default": True}, {"value": "kling@2.6", "is_default": False}),
    ),
    "video_upscaler": Offer(
        _pydantic(
            "VideoUpscale",
            {"video_asset_id": UUID, "resolution": {"enum": ["1080p", "4K"]}},
            ["video_asset_id", "resolution"],
            {},
        ),
        {"": 5.0},
        gives="video",
    ),
    "run_any_llm": Offer(
        {
            "type": "object",
            "properties": {
                "prompt": {"type": "string"},
                "model": {"type": "string"},
                "max_tokens": {"type": "integer"},
            },
            "required": ["prompt"],
            "additionalProperties": False,
        },
        {"grok": 1.0},
        gives="text",
        models=({"value": "grok"},),
    ),
}
