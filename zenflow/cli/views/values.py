"""The inputs, outputs and files of a run, for `zenflow show`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from zenflow.cli.terminal.headings import relative_path
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.units import size
from zenflow.report.run_view import RunView
from zenflow.report.run_view_document import plain_json

FILES_SHOWN = 20


def draw_values(view: RunView, style: Style, width: int) -> str:
    """Return the lines; the first line is empty where there is something to show."""
    lines = [*_values("Inputs", view.inputs, style, width), *_values("Outputs", view.outputs, style, width)]
    if view.files:
        lines += ["", style.strong("Files")]
        for file in view.files[:FILES_SHOWN]:
            kind = f"preview, {file.media_type}" if file.is_preview else file.media_type
            lines.append(f"  {relative_path(file.path)}  {kind}, {size(file.bytes)}")
        if len(view.files) > FILES_SHOWN:
            lines.append(f"  … and {len(view.files) - FILES_SHOWN} more: zenflow show {view.run_id} --json")
    return "\n".join(lines)


def _values(title: str, values: Mapping[str, Any], style: Style, width: int) -> list[str]:
    if not values:
        return []
    return [
        "",
        style.strong(title),
        *(f"  {name}: {_text(value, width - len(name) - 4)}" for name, value in values.items()),
    ]


def _text(value: Any, most: int) -> str:
    text = value if isinstance(value, str) else json.dumps(plain_json(value), ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= most else text[: max(most - 1, 10)] + "…"
