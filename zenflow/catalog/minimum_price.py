"""The least that one call can cost, by what a tool's published rows say. A bound, and never a price.

Seed 002 calls these numbers a base: “final cost varies by inputs”. What a shorter clip or a lower resolution could make
cheaper therefore counts only where the call is known to be no smaller than what the number is of; else it counts as nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zenflow.catalog.check import form_of
from zenflow.catalog.model import Model, Tool
from zenflow.catalog.once import once_per_tool
from zenflow.credits import ZERO, Credits, price_from

_SHRINKING = ("resolution", "duration", "seconds", "length")  # fields by which a call can be less than the base one


def least_credits(tool: Tool, params: Mapping[str, Any]) -> Credits:
    """Zero where nothing certain is said. A model that is not known yet may be the cheapest."""
    if not tool.models:
        return _of_base(tool)
    named = params.get("model") or tool.default_model
    if named is None:
        return ZERO
    models = [tool.model(named)] if isinstance(named, str) else list(tool.models)
    return min((ZERO if model is None else _of_row(model, params) for model in models), default=ZERO)


@once_per_tool
def _of_base(tool: Tool) -> Credits:
    fields = form_of(tool).fields
    return ZERO if any(name in fields for name in _SHRINKING) else max(tool.base_price or ZERO, ZERO)


def _of_row(model: Model, sent: Mapping[str, Any]) -> Credits:
    pricing = model.row.get("pricing")
    if not isinstance(pricing, Mapping):
        return ZERO
    credits = price_from(pricing.get("credits"))
    if credits is None or credits < 0:
        return ZERO
    return (
        credits if all(_no_smaller(name, value, sent) for name, value in pricing.items() if name != "credits") else ZERO
    )


def _no_smaller(name: str, base: Any, sent: Mapping[str, Any]) -> bool:
    """Whether the call is at least what the number is of. A length that is left out is the model's own, which the row says."""
    if name == "resolution":
        return bool(sent.get("resolution") == base)
    if name == "seconds":
        asked = sent.get("duration", base)
        return isinstance(asked, (int, float)) and isinstance(base, (int, float)) and asked >= base
    return False  # a condition that nobody here can read
