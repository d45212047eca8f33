"""Input and output JSON Schemas of the generation tools.

Recorded field names are followed (docs/service.md, “Recorded answers”); limits, defaults and enums are chosen by us
unless a line says
otherwise. `model` carries no enum, `resolution` and `output_format` are required where they exist (tools/generation
page).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

RESOLUTIONS = ("480p", "720p", "1080p")
RATIOS = ["1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"]
_UUID = {"type": "string", "format": "uuid"}
_PROMPT = {"type": "string", "minLength": 1, "description": "What to make."}  # no maxLength, as recorded
_SIDE = {"type": "integer", "minimum": 64, "maximum": 4096}
_SEED = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
_MODEL = {"type": "string", "description": "A value of models[]."}
_COUNT = {"type": "integer", "minimum": 1, "maximum": 4, "default": 1}
_RATIO = {"type": "string", "enum": RATIOS}


def _asset(what: str) -> Schema:
    return {**_UUID, "description": f"Asset id of {what}."}


def _inputs(required: tuple[str, ...], **properties: Schema) -> Schema:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _outputs(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


IMAGES_OUT = _outputs(image_assets={"type": "array", "items": _UUID})  # recorded for image_editor
VIDEO_OUT = _outputs(video_asset=_UUID)  # named in the generation page
TEXT_OUT = _outputs(text={"type": "string"})

_PICTURE: dict[str, Schema] = {
    "model": _MODEL,
    "ratio": _RATIO,
    "width": _SIDE,
    "height": _SIDE,
    "seed": _SEED,
    "tier": {"type": "string", "enum": ["1K", "2K", "4K"], "default": "1K"},
    "rewrite_prompt": {"type": "boolean", "default": False},
}

BY_PROMPT = _inputs(
    ("positive_prompt",),
    positive_prompt=_PROMPT,
    mode={"type": "string", "enum": ["fast", "quality"], "default": "fast"},
    batch_size=_COUNT,
    **_PICTURE,
)

IMAGE_EDITOR = _inputs(
    ("prompt", "image_assets"),  # required by the live schema, as recorded
    prompt=_PROMPT,
    image_assets={
        "type": "array",
        "items": _asset("a picture"),
        "minItems": 1,
        "maxItems": 14,
        "description": "References in order; the first one leads composition and style.",
    },
    number_of_images=_COUNT,
    batch_mode={"type": "boolean", "default": False},
    sequential_generation={"type": "boolean", "default": False},
    loras={"type": "array", "items": {"type": "string"}, "description": "For FLUX_KLEIN_LORA only."},
    lora_id={"type": "string", "deprecated": True},
    **_PICTURE,
)

BY_REF = _inputs(
    ("ref_asset",),
    ref_asset=_asset("the reference picture"),
    prompt=_PROMPT,
    strength={"type": "integer", "minimum": 10, "maximum": 90, "default": 50},
    batch_size=_COUNT,
    **_PICTURE,
)

FACESWAP = _inputs(
    ("face_asset_id", "image_asset_id"),
    face_asset_id=_asset("a picture of the face: frontal and neutral works best"),
    image_asset_id=_asset("the picture that gets the face"),
    swap_type={"type": "string", "enum": ["face", "head"], "default": "face"},
    model=_MODEL,
)

UPSCALER = _inputs(
    ("image_asset_id", "output_format"),
    image_asset_id=_asset("the picture to enlarge"),
    output_format={"type": "string", "enum": ["png", "jpeg", "webp"]},
    scale={"type": "integer", "enum": [2, 4], "default": 2},
)

_DURATION = {"type": "integer", "minimum": 2, "maximum": 15, "description": "Seconds."}
_RESOLUTION = {"type": "string", "enum": list(RESOLUTIONS)}
_SOUND = {"type": "boolean", "default": False}

VIDEOGEN = _inputs(
    ("ref_asset", "prompt", "resolution"),
    ref_asset=_asset("the first frame"),
    prompt=_PROMPT,
    model=_MODEL,
    duration=_DURATION,
    resolution=_RESOLUTION,
    ratio=_RATIO,
    generate_audio=_SOUND,
    prompt_extend=_SOUND,
    seed=_SEED,
)

TEXT_TO_VIDEO = _inputs(
    ("prompt", "resolution"),
    prompt=_PROMPT,
    model=_MODEL,
    duration=_DURATION,
    resolution=_RESOLUTION,
    ratio=_RATIO,
    generate_audio=_SOUND,
    prompt_extend=_SOUND,
    seed=_SEED,
)

VIDEO2VIDEO = _inputs(
    ("video_asset_id", "prompt", "resolution"),
    video_asset_id=_asset("the clip to restyle"),
    prompt=_PROMPT,
    resolution=_RESOLUTION,
    seed=_SEED,
)

VIDEO_UPSCALER = _inputs(
    ("video_asset_id", "resolution"),
    video_asset_id=_asset("the clip to enlarge"),
    resolution={"type": "string", "enum": ["1080p", "1440p", "2160p"]},
)

LIPSYNC = _inputs(
    ("ref_asset", "audio_asset_id"),
    ref_asset=_asset("a portrait or a clip of the speaker"),
    audio_asset_id=_asset("the sound to speak"),
    model=_MODEL,
    prompt=_PROMPT,
)

RUN_ANY_LLM = _inputs(
    ("prompt",),
    prompt=_PROMPT,
    model=_MODEL,
    system_prompt={"type": "string"},
    max_tokens={"type": "integer", "minimum": 1, "maximum": 8192, "default": 1024},
)
