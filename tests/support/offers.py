"""What the scripted service offers: a few generation tools with small schemas and round prices.

The names are the service's, the schemas are cut to what tests need; nothing here says what a call gives or how long it takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from zenflow.catalog.model import Catalog, Tool
from zenflow.ids import digest_of

TEXT = {"type": "string"}
ASSET = {"type": "string", "format": "uuid"}


@dataclass(frozen=True, slots=True)
class Offer:
    """One generation tool. `each` is the price of one result; `results` the parameter that asks for more than one."""

    name: str
    fields: Mapping[str, Any]
    required: tuple[str, ...]
    gives: str  # the key of its output: image_assets, video_assets, text
    media_type: str
    each: Decimal
    results: str | None = None

    @property
    def tool(self) -> Tool:
        inputs = {
            "type": "object",
            "properties": dict(self.fields),
            "required": list(self.required),
            "additionalProperties": False,
        }
        outputs = {"type": "object", "properties": {self.gives: {"type": "array", "items": ASSET}}}
        return Tool(self.name, self.name, inputs, outputs, base_price=self.each, digest=digest_of([self.name, inputs]))


OFFERS: Mapping[str, Offer] = {
    offer.name: offer
    for offer in (
        Offer(
            "image_editor",
            {
                "prompt": TEXT,
                "image_assets": {"type": "array", "items": ASSET},
                "number_of_images": {"type": "integer", "minimum": 1, "maximum": 8, "default": 1},
                "quality": {"type": "string", "enum": ["plain", "fine"], "default": "plain"},
            },
            ("prompt",),
            "image_assets",
            "image/png",
            Decimal(2),
            "number_of_images",
        ),
        Offer(
            "upscaler",
            {"image_asset_id": ASSET, "factor": {"type": "integer", "enum": [2, 4], "default": 2}},
            ("image_asset_id",),
            "image_assets",
            "image/png",
            Decimal(1),
        ),
        Offer(
            "videogen",
            {"prompt": TEXT, "image_assets": {"type": "array", "items": ASSET}},
            ("prompt",),
            "video_assets",
            "video/mp4",
            Decimal(5),
        ),
        Offer("run_any_llm", {"prompt": TEXT}, ("prompt",), "text", "text/plain", Decimal(1)),
    )
}
HELPERS = frozenset({"craft_prompt", "describe_asset"})


def catalog_of(offers: Mapping[str, Offer] = OFFERS, helpers: frozenset[str] = HELPERS) -> Catalog:
    """The catalogue that a plan is made with."""
    tools = {name: offer.tool for name, offer in offers.items()}
    return Catalog("scripted", None, tools, tuple(tools), helpers)
