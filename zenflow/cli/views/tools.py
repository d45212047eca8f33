"""The service's tools: the list, and one tool with its parameters and models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from zenflow.catalog.model import Account, Catalog, Tool
from zenflow.cli.terminal.headings import relative_path, where_line
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.table import Column, table
from zenflow.cli.terminal.text_width import wrap, wrap_text
from zenflow.cli.views.model import draw_model, gates_of, model_document, price_of
from zenflow.credits import as_number, as_text

__all__ = [
    "draw_model",
    "draw_tool",
    "draw_tools",
    "model_document",
    "relative_path",
    "tool_document",
    "tools_document",
]

_LIST = (
    Column("tool"),
    Column("from", right=True),
    Column("models", right=True),
    Column("what it does", shrinks=True),
)
_PARAMETERS = (
    Column("parameter"),
    Column("type", wraps=True, least=12),
    Column("default", shrinks=True, least=7),
    Column("about", wraps=True, least=20),
)
_MODELS = (
    Column("model"),
    Column("price", wraps=True, least=6),
    Column("gate", wraps=True, least=12),
    Column("about", wraps=True, least=24),
)


def draw_tools(catalog: Catalog, style: Style, width: int) -> str:
    rows = [
        [tool.name, as_text(tool.base_price), _models(tool), _first_sentence(tool)] for tool in catalog.tools.values()
    ]
    lines = [style.strong(where_line(catalog.server)), "", *table(_LIST, rows, width, style)]
    lines += ["", "`from` is the base price in credits; `zenflow plan` asks for the exact one.", "→ zenflow tools NAME"]
    return "\n".join(lines)


def tools_document(catalog: Catalog) -> dict[str, Any]:
    return {"server": catalog.server, "tools": [_short(tool) for tool in catalog.tools.values()]}


def draw_tool(tool: Tool, account: Account, style: Style, width: int) -> str:
    blocked = style.bad(" (blocked at the moment)") if tool.blocked else ""
    lines = [style.strong(tool.name) + blocked, *wrap(tool.description, width), ""]
    required = set(tool.required)
    rows = [
        [name + (" *" if name in required else ""), _type(schema), _default(schema), str(schema.get("description", ""))]
        for name, schema in tool.parameters.items()
        if isinstance(schema, Mapping)
    ]
    lines += table(_PARAMETERS, rows, width, style)
    lines.append(style.faint("  * required"))
    if tool.models:
        models = [[m.value, price_of(m), gates_of(m, account), m.description] for m in tool.models]
        lines += ["", *table(_MODELS, models, width, style)]
        lines.append(style.faint(f"  → zenflow tools {tool.name} --model M · zenflow prices {tool.name}"))
    if tool.prompt_guide:
        lines += ["", style.strong("How to write for it"), "", *wrap_text(tool.prompt_guide.strip(), width)]
    return "\n".join(lines)


def tool_document(tool: Tool) -> dict[str, Any]:
    return {
        **_short(tool),
        "digest": tool.digest,
        "input_schema": tool.input_schema,
        "output_schema": tool.output_schema,
        "models": [{"value": m.value, "default": m.is_default, "blocked": m.blocked, **m.row} for m in tool.models],
        "format_questions": list(tool.format_questions),
        "prompt_guide": tool.prompt_guide,
        "model_selection_guide": tool.model_selection_guide,
    }


def _short(tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "base_price": as_number(tool.base_price),
        "blocked": tool.blocked,
        "model_names": [model.value for model in tool.models],
        "blocked_models": [model.value for model in tool.models if model.blocked],
    }


def _models(tool: Tool) -> str:
    """How many, and that some or all of them are switched off at the moment."""
    if tool.blocked and (not tool.models or all(model.blocked for model in tool.models)):
        return "blocked"
    off = sum(1 for model in tool.models if model.blocked)
    return f"{len(tool.models)}, {off} blocked" if off else str(len(tool.models) or "–")


def _first_sentence(tool: Tool) -> str:
    return tool.description.split("\n")[0].split(". ")[0]


def _type(schema: Mapping[str, Any]) -> str:
    """In a few letters: `string (uuid)`, `integer 1–4`, `png | jpeg`."""
    options = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(options, list):
        shown = [_type(option) for option in options if isinstance(option, Mapping) and option.get("type") != "null"]
        return " | ".join(dict.fromkeys(shown)) or "any"
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        items = schema.get("items")
        return f"list of {_type(items) if isinstance(items, Mapping) else 'any'}"
    span = _span(schema)
    form = f" ({schema['format']})" if "format" in schema else ""
    return f"{kind}{form}{span}"


def _span(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None and high is None:
        return f", ≤ {schema['maxLength']} chars" if "maxLength" in schema else ""
    return f" {'' if low is None else low}–{'' if high is None else high}"


def _default(schema: Mapping[str, Any]) -> str:
    return "" if schema.get("default") is None else json.dumps(schema["default"], ensure_ascii=False)
