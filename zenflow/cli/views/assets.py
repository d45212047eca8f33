"""Assets that were fetched, and those that were not."""

from __future__ import annotations

from typing import Any

from zenflow.app.queries.assets import FetchedAssets
from zenflow.cli.terminal.headings import relative_path
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.table import Column, table
from zenflow.cli.terminal.text_width import wrap
from zenflow.cli.terminal.units import plural, size

_COLUMNS = (Column("file", shrinks=True, least=24), Column("type"), Column("size", right=True))


def draw_assets(found: FetchedAssets, style: Style, width: int) -> str:
    saved = [one.file for one in found.assets if one.file is not None]
    what = "preview" if found.preview else "original"
    lines = [f"Saved {plural(len(saved), what)} in {relative_path(found.folder)}"] if saved else []
    if saved:
        lines += table(_COLUMNS, [[file.path, file.media_type, size(file.bytes)] for file in saved], width, style)
    if found.preview and saved:
        lines.append(style.faint("  Reduced pictures, not the originals: `zenflow assets get ID…`"))
    for one in found.assets:
        if one.file is None:
            lines += wrap(f"{one.asset_id}: {one.error}", width, indent="  ", first=style.bad("✗ "))
    return "\n".join(lines)


def assets_document(found: FetchedAssets) -> dict[str, Any]:
    return {
        "server": found.server,
        "folder": str(found.folder),
        "preview": found.preview,
        "assets": [
            {"asset_id": one.asset_id, "path": None, "error": one.error}
            if one.file is None
            else {
                "asset_id": one.asset_id,
                "path": str(found.folder / one.file.path),
                "media_type": one.file.media_type,
                "bytes": one.file.bytes,
                "sha256": one.file.sha256,
                "error": None,
            }
            for one in found.assets
        ],
    }


def first_failure(found: FetchedAssets) -> dict[str, Any] | None:
    """The `error` of the document: the first that could not be fetched."""
    failed = next((one for one in found.assets if one.file is None), None)
    if failed is None:
        return None
    return {"code": "ZF840", "message": f"asset {failed.asset_id}: {failed.error}", "hint": None}
