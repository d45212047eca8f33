"""The nouns of what the sandbox sells: a generation tool, a model, and how a call is priced and timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Inputs = Mapping[str, Any]
MediaKind = Literal["image", "video", "audio"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedModel:
    """One row of a tool's `models[]`."""

    value: str
    description: str
    credits: int  # one picture, or one clip of `seconds` at 720p
    seconds: int = 0  # the clip that `credits` pays for; 0 for pictures and text
    resolutions: tuple[str, ...] = ()
    is_default: bool = False
    trusted_only: bool = False
    adult: bool = False  # needs `nsfw_allowed`; read from the name, chosen by us
    notes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One generation tool: a `tool_name` with its schema, models, price and manners."""

    name: str
    description: str
    base_price: int
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    price: Callable[[Inputs, OfferedModel | None], int]
    seconds: tuple[float, float]  # how long a call takes at speed 1: shortest, longest
    makes: Literal["image", "video", "text"]
    models: tuple[OfferedModel, ...] = ()
    asset_fields: Mapping[str, tuple[MediaKind, ...]] = field(default_factory=dict)
    count_field: str | None = None  # the input that says how many results one call gives
    prompt_field: str | None = None
    prompt_guide: str | None = None
    model_selection_guide: str | None = None
    format_questions: Sequence[str] = ()

    @property
    def priced_by_resolution(self) -> bool:
        return "resolution" in self.input_schema["properties"]

    @property
    def default_model(self) -> OfferedModel | None:
        return next((model for model in self.models if model.is_default), None)

    def model_named(self, value: str | None) -> OfferedModel | None:
        """The model a call would use: the one named, else the default. None: no such model, or no models."""
        if value is None:
            return self.default_model
        return next((model for model in self.models if model.value == value), None)

    def result_count(self, inputs: Inputs) -> int:
        """How many assets one call gives."""
        if self.makes == "text":
            return 0
        return int(inputs.get(self.count_field, 1)) if self.count_field else 1


def model_row(model: OfferedModel) -> dict[str, Any]:
    """A model as `get_tool_schema` lists it; the inner shape of `pricing` is chosen by us."""
    row: dict[str, Any] = {"value": model.value, "description": model.description}
    if model.is_default:
        row["is_default"] = True
    if model.trusted_only:
        row["trusted_only"] = True
    if model.resolutions:
        row["input_constraints"] = {"resolution": list(model.resolutions)}
    if model.adult:
        row["output_traits"] = ["nsfw"]
    if model.seconds:
        row["pricing"] = {"credits": model.credits, "seconds": model.seconds, "resolution": "720p"}
    else:
        row["pricing"] = {"credits": model.credits}
    if model.notes:
        row["notes"] = model.notes
    return row
