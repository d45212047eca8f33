"""What is offered: names, prices and shapes as far as they are recorded."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from zenflow.sandbox.checks import shape_violations
from zenflow.sandbox.offers.catalogue import BY_NAME, OFFERS

ASSET = "7f0c1a52-3c0e-4f2a-9a53-0d8f6f1f2b11"


def price(tool: str, **inputs: Any) -> int:
    offer = BY_NAME[tool]
    return offer.price(inputs, offer.model_named(inputs.get("model")))


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.name)
def test_closes_every_schema_with_one_default_model_at_most(offer: Any) -> None:
    Draft202012Validator.check_schema(offer.input_schema)
    Draft202012Validator.check_schema(offer.output_schema)
    assert offer.input_schema["additionalProperties"] is False
    assert "enum" not in offer.input_schema["properties"].get("model", {})
    assert sum(model.is_default for model in offer.models) == (1 if offer.models else 0)
    for promoted in ("resolution", "output_format"):
        if promoted in offer.input_schema["properties"]:
            assert promoted in offer.input_schema["required"]
    for name in offer.asset_fields:
        field = offer.input_schema["properties"][name]
        assert field.get("items", field)["format"] == "uuid"


def test_image_editor_prices_are_the_recorded_quote() -> None:
    recorded = {
        "GENERAL_NSFW": 1,
        "FLUX_KLEIN_NSFW": 1,
        "QWEN_IMAGE": 1,
        "SEEDREAM_5": 1,
        "WAN_2_7_IMAGE": 1,
        "QWEN_IMAGE_PRO": 2,
        "WAN_2_7_IMAGE_PRO": 2,
        "FLUX_KLEIN_LORA": 3,
        "NANO_BANANA": 4,
    }
    assert {model.value: model.credits for model in BY_NAME["image_editor"].models} == recorded


def test_the_number_of_pictures_multiplies_the_price() -> None:
    assert price("image_editor", model="NANO_BANANA", number_of_images=3) == 12
    assert price("by_prompt", model="SEEDREAM_5_PRO", batch_size=2) == 6


def test_prices_a_clip_by_length_and_resolution() -> None:
    assert price("videogen", model="kling@2.6", resolution="720p") == 10
    assert price("videogen", model="kling@2.6", resolution="720p", duration=5) == 5
    assert price("videogen", model="kling@2.6", resolution="1080p") == 18
    assert price("videogen", model="wan@2.6-flash", resolution="480p", duration=2) == 1


@pytest.mark.parametrize(
    ("tool", "inputs"),
    [
        ("image_editor", {"prompt": "x", "image_assets": [ASSET], "model": "SEEDREAM_5", "number_of_images": 1}),
        ("upscaler", {"image_asset_id": ASSET, "output_format": "png"}),
        ("videogen", {"ref_asset": ASSET, "prompt": "x", "model": "kling@2.6", "duration": 5, "resolution": "720p"}),
        ("video_upscaler", {"video_asset_id": ASSET, "resolution": "1080p"}),
        ("by_prompt", {"positive_prompt": "x", "model": "QWEN_IMAGE", "ratio": "3:4", "tier": "2K", "mode": "fast"}),
        ("run_any_llm", {"prompt": "x", "model": "grok", "max_tokens": 4096, "system_prompt": "y"}),
    ],
)
def test_inputs_of_recorded_requests_are_valid(tool: str, inputs: dict[str, Any]) -> None:
    assert shape_violations(BY_NAME[tool], inputs, "inputs[0]") == []


def test_a_misspelt_field_is_named() -> None:
    found = shape_violations(BY_NAME["upscaler"], {"image_assetid": ASSET, "output_format": "gif"}, "inputs[2]")
    assert {path for path, _ in found} == {
        "inputs[2].image_asset_id",
        "inputs[2].image_assetid",
        "inputs[2].output_format",
    }
