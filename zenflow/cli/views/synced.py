"""What `tools sync` found: the snapshot's place, and each change with its mark."""

from __future__ import annotations

from collections import Counter
from typing import Any

from zenflow.app.queries.tools import Synced
from zenflow.catalog.diff import CatalogChange
from zenflow.cli.terminal.headings import relative_path
from zenflow.cli.terminal.style import Style
from zenflow.cli.terminal.text_width import wrap
from zenflow.cli.terminal.units import plural

_MARKS = {"added": "+", "removed": "-", "changed": "~"}
STALE = "ZF078"


def draw_synced(synced: Synced, style: Style, width: int) -> str:
    lines = [_head(synced)]
    if synced.taken_from is not None and synced.taken_from != synced.catalog.server:
        lines.append(style.warn(f"The snapshot was of {synced.taken_from}."))
    for change in synced.changes or ():
        mark = _MARKS[change.how]
        paint = {"+": style.good, "-": style.bad, "~": style.warn}[mark]
        text = wrap(_line(change), width, "      ", f"  {mark} ")
        lines += [text[0].replace(mark, paint(mark), 1), *text[1:]]
    return "\n".join(lines)


def synced_document(synced: Synced) -> dict[str, Any]:
    """`changes` is null where there was no snapshot to compare with."""
    rows = None if synced.changes is None else [_row(change) for change in synced.changes]
    return {
        "server": synced.catalog.server,
        "folder": str(synced.folder),
        "written": synced.written,
        "snapshot_of": synced.taken_from,
        "tools": sorted(synced.catalog.tools),
        "changes": rows,
    }


def stale_error(synced: Synced) -> dict[str, Any]:
    said = "There is no snapshot to compare with" if synced.changes is None else _counted(synced.changes)
    return {"code": STALE, "message": f"{said}.", "hint": "`zenflow tools sync` takes it."}


def _head(synced: Synced) -> str:
    place, count = relative_path(synced.folder), plural(len(synced.catalog.tools), "tool")
    written = f"{count} of {synced.catalog.server} in {place}"
    if synced.changes is None:
        return written if synced.written else f"No snapshot in {place}. `zenflow tools sync` takes it."
    if not synced.changes:
        return f"{written}: nothing has changed"
    what = _counted(synced.changes)
    return (
        f"{written}: {what}" if synced.written else f"{place} is not up to date: {what}. `zenflow tools sync` takes it."
    )


def _counted(found: tuple[CatalogChange, ...]) -> str:
    """`3 changes, 1 of which may concern recipes`."""
    count = Counter(change.may_break for change in found)
    said = plural(len(found), "change")
    return f"{said}, {count[True]} of which may concern recipes" if count[True] else said


def _line(change: CatalogChange) -> str:
    named = "" if change.what == "tool" else f": {change.what}{f' {change.name}' if change.name else ''}"
    if change.how == "changed" and (change.before or change.after):
        return f"{change.tool}{named}: {change.before or 'nothing'} → {change.after or 'nothing'}"
    about = change.after or change.before
    return f"{change.tool}{named}{f' ({about})' if about else ''}"


def _row(change: CatalogChange) -> dict[str, Any]:
    return {
        "tool": change.tool,
        "what": change.what,
        "how": change.how,
        "name": change.name or None,
        "before": change.before or None,
        "after": change.after or None,
        "may_break": change.may_break,
    }
