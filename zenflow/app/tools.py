"""The service's tools: the list, one of them, and the snapshot that recipes are checked against offline."""

from __future__ import annotations

from pathlib import Path

from zenflow.app import wiring
from zenflow.app.asking import patiently
from zenflow.app.settings import Settings
from zenflow.catalog.model import Account, Catalog, Tool
from zenflow.catalog.snapshot import write_snapshot
from zenflow.errors import UsageError
from zenflow.suggest import did_you_mean

SNAPSHOT = Path("schemas") / "tools"


async def tools(settings: Settings) -> Catalog:
    """Every tool with its schema and models."""
    clock = wiring.clock()
    async with wiring.open_provider(settings, clock) as provider:
        return await patiently(lambda: provider.catalog(None), clock)


async def tool(name: str, settings: Settings) -> tuple[Tool, Account]:
    """One tool, and the account whose gates its models are seen through."""
    clock = wiring.clock()
    async with wiring.open_provider(settings, clock) as provider:
        account = await patiently(provider.account, clock)
        catalog = await patiently(lambda: provider.catalog([name]), clock)
    found = catalog.tools.get(name)
    if found is None:
        known = catalog.tool_names
        hint = did_you_mean(name, known) or f"There are: {', '.join(known)}."
        raise UsageError("ZF050", f"{settings.server} has no tool `{name}`.", hint)
    return found, account


async def sync(folder: Path | None, settings: Settings) -> tuple[Path, Catalog]:
    """Write the snapshot of every tool; by default into the workspace."""
    catalog = await tools(settings)
    place = settings.workspace.root / SNAPSHOT if folder is None else folder
    try:
        write_snapshot(place, catalog)
    except OSError as error:
        raise UsageError("ZF051", f"The snapshot cannot be written to {place}: {error.strerror}.") from error
    return place, catalog
