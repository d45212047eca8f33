"""The service's tools: the list, one of them, and the snapshot that recipes are checked against offline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zenflow.app.config.settings import Settings
from zenflow.app.config.workspace import SNAPSHOT
from zenflow.app.connection import wiring
from zenflow.app.connection.retry import with_retries
from zenflow.catalog.diff import CatalogChange, changes
from zenflow.catalog.locking import schema_digest
from zenflow.catalog.model import Account, Catalog, Model, Tool
from zenflow.catalog.snapshot import read_snapshot, write_snapshot
from zenflow.errors import UsageError
from zenflow.repos.locker import editing
from zenflow.repos.lockfile import Lock, read_lock, write_lock
from zenflow.suggest import did_you_mean


async def tools(settings: Settings) -> Catalog:
    """Every tool with its schema and models."""
    clock = wiring.clock()
    async with wiring.open_provider(settings, clock) as provider:
        return await with_retries(lambda: provider.catalog(None), clock)


async def tool(name: str, settings: Settings) -> tuple[Tool, Account]:
    """One tool, and the account whose gates its models are seen through."""
    clock = wiring.clock()
    async with wiring.open_provider(settings, clock) as provider:
        account = await with_retries(provider.account, clock)
        catalog = await with_retries(lambda: provider.catalog([name]), clock)
    found = catalog.tools.get(name)
    if found is None:
        raise no_such_tool(name, catalog, settings.server)
    return found, account


def no_such_tool(name: str, catalog: Catalog, server: str) -> UsageError:
    known = catalog.tool_names
    hint = did_you_mean(name, known) or f"There are: {', '.join(known)}."
    return UsageError("ZF050", f"{server} has no tool `{name}`.", hint)


@dataclass(frozen=True, slots=True)
class ModelView:
    """One model of a tool. `guide` is its own prompt guide, None where only the tool has one (or none)."""

    tool: Tool
    model: Model
    guide: str | None
    account: Account


async def model(name: str, value: str, settings: Settings) -> ModelView:
    """One model with its prompt guide. Raises UsageError for a tool or a model that is not there."""
    clock = wiring.clock()
    async with wiring.open_provider(settings, clock) as provider:
        account = await with_retries(provider.account, clock)
        catalog = await with_retries(lambda: provider.catalog([name]), clock)
        tool = catalog.tools.get(name)
        if tool is None:
            raise no_such_tool(name, catalog, settings.server)
        found = tool.model(value)
        if found is None:
            known = [one.value for one in tool.models]
            hint = did_you_mean(value, known) or (f"It has: {', '.join(known)}." if known else "It has no models.")
            raise UsageError("ZF052", f"`{name}` has no model `{value}`.", hint)
        guide = await with_retries(lambda: provider.model_guide(value), clock)
    return ModelView(tool, found, guide, account)


@dataclass(frozen=True, slots=True)
class Synced:
    """The snapshot beside what the server offers now. `changes` None: there was no snapshot that could be read."""

    folder: Path
    catalog: Catalog
    taken_from: str | None  # the server of the snapshot before
    changes: tuple[CatalogChange, ...] | None
    written: bool

    @property
    def is_current(self) -> bool:
        return self.changes == ()


async def sync(folder: Path | None, settings: Settings, *, check: bool = False) -> Synced:
    """Write the snapshot of every tool, by default into the workspace, and say what has changed. `check`: write nothing."""
    place = settings.workspace.root / SNAPSHOT if folder is None else folder
    before = _snapshot_in(place, strict=check)
    catalog = await tools(settings)
    if not check:
        try:
            write_snapshot(place, catalog)
        except OSError as error:
            raise UsageError("ZF051", f"The snapshot cannot be written to {place}: {error.strerror}.") from error
        _lock_schemas(catalog, settings)
    found = None if before is None else changes(before, catalog)
    return Synced(place, catalog, None if before is None else before.server, found, not check)


def _lock_schemas(catalog: Catalog, settings: Settings) -> None:
    """Write the digest of every tool into `zenflow.lock`: `run --locked` and warnings go by it."""
    root = settings.workspace.root
    with editing(root):
        lock = read_lock(root)
        held = {name: schema_digest(tool) for name, tool in catalog.tools.items()}
        if lock.tools.get(settings.server) != held:
            write_lock(root, Lock(lock.repos, {**lock.tools, settings.server: held}))


def _snapshot_in(place: Path, *, strict: bool) -> Catalog | None:
    """What lies there. A damaged one is an error only where it is not about to be written anew."""
    if not any(place.glob("*.json")):
        return None
    try:
        return read_snapshot(place)
    except UsageError:
        if strict:
            raise
        return None
