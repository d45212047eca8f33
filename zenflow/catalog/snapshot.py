"""Tools kept as files, so that a recipe can be checked without a service: one JSON file per tool.

Each holds exactly what `get_tool_schema` answered, plus `_snapshot` (server, taken_at, digest). A copy of the
sandbox's tools is part of the package (`catalog/tools/`) and published in `schemas/tools/`; a test holds the two equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from zenflow.catalog.model import Catalog, Tool
from zenflow.catalog.parser import document_of, is_trusted_only, tool_from_document
from zenflow.errors import UsageError
from zenflow.host.writing import replace_file

PACKAGED = Path(__file__).parent / "tools"
SERVICE_TOOLS = frozenset({"craft_prompt", "describe_asset"})  # the helpers; a snapshot supposes that they are there


def write_snapshot(folder: Path, catalog: Catalog) -> list[Path]:
    """Write every tool of the catalogue that has a schema; files of tools that are gone are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, tool in sorted(catalog.tools.items()):
        path = folder / f"{name}.json"
        replace_file(path, snapshot_text(tool, catalog))
        written.append(path)
    for stale in set(folder.glob("*.json")) - set(written):
        stale.unlink()
    return written


def snapshot_text(tool: Tool, catalog: Catalog) -> str:
    """One tool's file: readable, and the same for the same tool."""
    taken = None if catalog.taken_at is None else catalog.taken_at.isoformat()
    about: dict[str, Any] = {"server": catalog.server, "taken_at": taken, "digest": tool.digest}
    if tool.blocked:
        about["blocked"] = True
    closed = [model.value for model in tool.models if model.blocked]
    if closed:
        about["blocked_models"] = closed
    if tool.trusted_only and not is_trusted_only(document_of(tool)):
        about["trusted_only"] = True
    about["adult_models"] = [model.value for model in tool.models if model.adult]
    return json.dumps({**document_of(tool), "_snapshot": about}, indent=2, ensure_ascii=False) + "\n"


def read_snapshot(folder: Path = PACKAGED) -> Catalog:
    """The catalogue of a folder of snapshots; the packaged one by default."""
    tools: dict[str, Tool] = {}
    server, taken_at = "snapshot", None
    for path in sorted(folder.glob("*.json")):
        document = _document(path)
        about = document.get("_snapshot")
        about = about if isinstance(about, Mapping) else {}
        tool = tool_from_document(
            document,
            blocked=about.get("blocked") is True,
            blocked_models=about.get("blocked_models") or (),
            adult_models=about.get("adult_models"),
            trusted_only=about.get("trusted_only") is True,
        )
        tools[tool.name] = tool
        server = str(about.get("server", server))
        taken_at = _time(about.get("taken_at")) or taken_at
    return Catalog(server, taken_at, tools, tuple(tools), SERVICE_TOOLS)


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            "ZF431", f"{path} is no snapshot of a tool: {error}", "Take it again, or remove the file."
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get("name"), str):
        raise UsageError(
            "ZF431", f"{path} is no snapshot of a tool: it has no `name`", "Take it again, or remove the file."
        )
    return document


def _time(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
