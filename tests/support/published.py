"""The tools that the service publishes, offered by the scripted service: shipped recipes run on the virtual clock.

Schemas and models are those of the packaged snapshot; the price of one result is the tool's base price. It says nothing of how
prices depend on models and resolutions: the sandbox does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from tests.support.offers import Offer
from zenflow.catalog.model import Tool
from zenflow.catalog.outputs import count_field, media_of
from zenflow.catalog.snapshot import read_snapshot

_MEDIA = {
    "image": ("image_assets", "image/png"),
    "video": ("video_assets", "video/mp4"),
    "text": ("text", "text/plain"),
}


@dataclass(frozen=True, slots=True)
class PublishedOffer(Offer):
    """A tool as it was published, whole."""

    published: Tool | None = None

    @property
    def tool(self) -> Tool:
        assert self.published is not None
        return self.published


@lru_cache(maxsize=1)
def published_offers() -> Mapping[str, Offer]:
    """Every tool of the packaged snapshot, by name."""
    return {name: _offer(tool) for name, tool in read_snapshot().tools.items()}


def _offer(tool: Tool) -> Offer:
    gives, media_type = _MEDIA[media_of(tool) or "image"]
    fields = tool.input_schema.get("properties", {})
    each = tool.base_price or Decimal(1)
    return PublishedOffer(tool.name, fields, tuple(tool.required), gives, media_type, each, count_field(tool), tool)
