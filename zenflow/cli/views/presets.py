"""The service's presets: the list, and one with the step that it makes."""

from __future__ import annotations

from typing import Any

from zenflow.app.queries.presets import PresetList, PresetView
from zenflow.cli.terminal.headings import where_line
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.table import Column, table
from zenflow.cli.terminal.text_width import wrap
from zenflow.providers.base import ServiceTemplate

_COLUMNS = (
    Column("preset"),
    Column("title", wraps=True, least=10),
    Column("tool"),
    Column("tags", wraps=True, least=8),
)


def draw_presets(found: PresetList, style: Style, width: int) -> str:
    lines = [style.strong(where_line(found.server)), ""]
    if not found.presets:
        return "\n".join([*lines, f"No preset fits `{found.query}`." if found.query else "There are no presets."])
    cells = [[one.template_id, _title(one), one.tool, ", ".join(one.tags)] for one in found.presets]
    lines += table(_COLUMNS, cells, width, style)
    return "\n".join([*lines, "→ zenflow presets ID"])


def presets_document(found: PresetList) -> dict[str, Any]:
    return {"server": found.server, "query": found.query, "presets": [_document(one) for one in found.presets]}


def draw_preset(view: PresetView, style: Style, width: int) -> str:
    one = view.preset
    lines = [style.strong(_title(one)), *(wrap(one.description, width) if one.description else [])]
    lines.append(f"{one.tool} · {', '.join(one.tags) or 'no tags'}")
    return "\n".join([*lines, "", "As a step of a recipe:", "", view.step.rstrip("\n")])


def preset_document(view: PresetView) -> dict[str, Any]:
    return {
        "server": view.server,
        "preset": {**_document(view.preset), "row": dict(view.preset.row)},
        "step": view.step,
    }


def _title(one: ServiceTemplate) -> str:
    return one.title + (" (adult)" if one.adult else "")


def _document(one: ServiceTemplate) -> dict[str, Any]:
    return {
        "preset_id": one.template_id,
        "title": one.title,
        "description": one.description,
        "tool": one.tool,
        "tags": list(one.tags),
        "adult": one.adult,
        "params": None if one.params is None else dict(one.params),
        "wants": list(one.wants),
    }
