"""The schemas of the tools that a recipe uses, held against `zenflow.lock`: what changed is named, never a surprise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from zenflow.app.config.settings import Settings
from zenflow.app.config.workspace import SNAPSHOT
from zenflow.catalog.locking import named_changes, schema_digest
from zenflow.catalog.model import Catalog
from zenflow.catalog.snapshot import read_snapshot
from zenflow.errors import Refused, UsageError
from zenflow.problems import Problem
from zenflow.repos.lockfile import read_lock

REFUSED, CHANGED = "ZF552", "ZF553"
SYNC = "`zenflow tools sync` locks the new schemas, once you have looked at them."
_SHOWN = 5


def schema_warnings(catalog: Catalog, tools: Iterable[str], settings: Settings, *, locked: bool) -> tuple[Problem, ...]:
    """Return a warning that names each change. `locked`: raise Refused instead, also where nothing is locked."""
    held = read_lock(settings.workspace.root).tools.get(settings.server, {})
    used = sorted(set(tools))
    missing = [name for name in used if name not in held]
    if locked and missing:
        what = f"tool schemas not locked: {', '.join(missing[:_SHOWN])} of {settings.server}"
        raise Refused(REFUSED, f"{what}. Nothing was spent", SYNC)
    changed = [
        name
        for name in used
        if name in held and (name not in catalog.tools or schema_digest(catalog.tools[name]) != held[name])
    ]
    if not changed:
        return ()
    found = list(named_changes(_snapshot_of(settings, held), catalog, changed))
    said = "; ".join(found[:_SHOWN]) + (f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")
    if locked:
        raise Refused(REFUSED, f"tool schemas differ from zenflow.lock: {said}. Nothing was spent", SYNC)
    return tuple(
        Problem(CHANGED, f"changed since it was locked: {one}", None, SYNC, "warning") for one in found[:_SHOWN]
    )


def _snapshot_of(settings: Settings, held: Mapping[str, str]) -> Catalog | None:
    """The snapshot in the workspace, as far as it is what was locked."""
    folder = settings.workspace.root / SNAPSHOT
    try:
        found = read_snapshot(folder) if any(folder.glob("*.json")) else None
    except (OSError, UsageError):
        return None
    if found is None:
        return None
    tools = {name: tool for name, tool in found.tools.items() if held.get(name) == schema_digest(tool)}
    return Catalog(found.server, found.taken_at, tools, tuple(tools), found.service_tools)
