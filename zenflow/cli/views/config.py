"""The settings in force. The token is told as there or not there, never as text."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from zenflow.app.config.setting_specs import KEYS
from zenflow.app.config.settings import TOKEN_VARIABLE, Settings
from zenflow.cli.terminal.headings import relative_path
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.table import Column, table
from zenflow.credits import as_number

_COLUMNS = (Column("setting"), Column("value", shrinks=True, least=10), Column("from"), Column("in the environment"))


def draw_config(settings: Settings, style: Style, width: int) -> str:
    file = settings.workspace.file
    head = f"workspace {relative_path(settings.workspace.root)}" + ("" if file else " (no zenflow.toml here or above)")
    rows = [
        [key.name, _shown(settings.value(key.name)), settings.by_key[key.name].origin, key.variable] for key in KEYS
    ]
    token = ("set", TOKEN_VARIABLE) if settings.token else ("not set", "–")
    rows.append(["token", *token, TOKEN_VARIABLE])
    return "\n".join([style.strong(head), "", *table(_COLUMNS, rows, width, style)])


def config_document(settings: Settings) -> dict[str, Any]:
    return {
        "workspace": str(settings.workspace.root),
        "file": None if settings.workspace.file is None else str(settings.workspace.file),
        "settings": {
            key.name: {
                "value": _plain(settings.value(key.name)),
                "origin": settings.by_key[key.name].origin,
                "environment": key.variable,
                "meaning": key.meaning,
            }
            for key in KEYS
        },
        "token": settings.token is not None,
    }


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return relative_path(value) if isinstance(value, Path) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return as_number(value)
    return str(value) if isinstance(value, Path) else value
