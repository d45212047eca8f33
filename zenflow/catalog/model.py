"""What the service offers, as values: tools, schemas, models, prices. A provider makes them, the plan reads them.

Source of the shapes: docs/service.md, “Generation”, `zencreator_list_tools` and `zencreator_get_tool_schema`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from zenflow.credits import Credits


@dataclass(frozen=True, slots=True)
class Model:
    """One valid `model` value of a tool. `adult` is our reading of the row: the service has no single mark for it."""

    value: str
    description: str = ""
    is_default: bool = False
    trusted_only: bool = False
    adult: bool = False
    blocked: bool = False
    row: Mapping[str, Any] = field(default_factory=dict)  # verbatim: input_constraints, modes, pricing, notes, …


@dataclass(frozen=True, slots=True)
class Tool:
    """A generation tool (`tool_name`). `base_price` is a hint, never a quote (“final cost varies by inputs”)."""

    name: str
    description: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    models: tuple[Model, ...] = ()
    base_price: Credits | None = None
    blocked: bool = False  # every model of it is switched off, or it has none and is switched off
    trusted_only: bool = False
    prompt_guide: str | None = None
    model_selection_guide: str | None = None
    format_questions: tuple[Any, ...] = ()
    digest: str = ""  # of input_schema, output_schema and models

    @property
    def default_model(self) -> str | None:
        """The one that is marked, else the one that the schema names, else the only one there is; None: it must be named."""
        marked = next((m.value for m in self.models if m.is_default), None)
        if marked is not None or not self.models:
            return marked
        field = self.parameters.get("model")
        named = field.get("default") if isinstance(field, Mapping) else None
        if isinstance(named, str) and self.model(named) is not None:
            return named
        return self.models[0].value if len(self.models) == 1 else None

    def model(self, value: str) -> Model | None:
        return next((m for m in self.models if m.value == value), None)

    @property
    def parameters(self) -> Mapping[str, Any]:
        properties = self.input_schema.get("properties")
        return properties if isinstance(properties, Mapping) else {}

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(self.input_schema.get("required") or ())


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything known of one server's tools at one time. `tools` holds full schemas only for the names asked for."""

    server: str
    taken_at: datetime | None
    tools: Mapping[str, Tool]
    tool_names: tuple[str, ...]  # every generation tool the server lists
    service_tools: frozenset[str] = frozenset()  # MCP tools without the `zencreator_` prefix: `craft_prompt`, …

    @property
    def has_craft_prompt(self) -> bool:
        return "craft_prompt" in self.service_tools

    @property
    def has_describe(self) -> bool:
        return "describe_asset" in self.service_tools


@dataclass(frozen=True, slots=True)
class Account:
    """`zencreator_get_me`. `account_id` is what runs belong to (docs/money.md, “Resume”)."""

    account_id: str
    credits: Credits | None
    email: str | None = None
    nsfw_allowed: bool = False
    is_trusted: bool = False
    is_blocked: bool = False
    is_active: bool = True  # `active: false` closes the account as a block does
    out_of_credits: bool = False
    purchase_url: str | None = None
    row: Mapping[str, Any] = field(default_factory=dict)

    @property
    def closed(self) -> str:
        """Why the service takes no calls of it, in one word; empty when it takes them."""
        return "blocked" if self.is_blocked else "" if self.is_active else "inactive"
