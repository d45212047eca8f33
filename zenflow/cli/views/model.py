"""One model of a tool: price, gates, limits, and how to write for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from zenflow.app.queries.tools import ModelView
from zenflow.catalog.model import Account, Model
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.text_width import wrap, wrap_text

_SHOWN_ELSEWHERE = ("value", "description", "is_default", "trusted_only", "pricing")
_PRICE_KEYS = ("price", "credits", "per_call", "base")


def draw_model(view: ModelView, style: Style, width: int) -> str:
    model = view.model
    lines = [style.strong(f"{view.tool.name} · {model.value}"), *wrap(model.description, width)]
    lines += ["", f"  price  {price_of(model)}   → zenflow prices {view.tool.name}"]
    gate = gates_of(model, view.account)
    if gate:
        lines.append(f"  gates  {gate}")
    for key, value in model.row.items():
        if key not in _SHOWN_ELSEWHERE and value not in (None, "", [], {}):
            lines += wrap(_shown(value), width, indent="         ", first=f"  {key}: ")
    guide, source = (view.guide, model.value) if view.guide else (view.tool.prompt_guide, view.tool.name)
    if guide:
        lines += ["", style.strong(f"How to write for {source}"), "", *wrap_text(guide.strip(), width)]
    return "\n".join(lines)


def model_document(view: ModelView) -> dict[str, Any]:
    return {
        "tool": view.tool.name,
        "model": {"default": view.model.is_default, "blocked": view.model.blocked, **view.model.row},
        "adult": view.model.adult,
        "prompt_guide": view.guide,
        "tool_prompt_guide": view.tool.prompt_guide,
    }


def price_of(model: Model) -> str:
    """What the row says, shortly; its form is the service's own and varies."""
    pricing = model.row.get("pricing")
    if isinstance(pricing, Mapping):
        found = next((pricing[key] for key in _PRICE_KEYS if isinstance(pricing.get(key), int | float)), None)
        return str(found) if found is not None else ", ".join(f"{key} {value}" for key, value in pricing.items())
    return "–" if pricing is None else str(pricing)


def gates_of(model: Model, account: Account) -> str:
    """What stands between an account and a model, in words."""
    marks = ["default"] if model.is_default else []
    if model.trusted_only:
        marks.append("trusted" if account.is_trusted else "trusted only")
    if model.adult:
        marks.append("adult" if account.nsfw_allowed else "adult: not allowed")
    if model.blocked:
        marks.append("blocked")
    return ", ".join(marks)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
