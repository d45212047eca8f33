"""The service's tools: the list, one of them, and the snapshot that recipes are checked against offline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zenflow.app import wiring
from zenflow.app.asking import patiently
from zenflow.app.settings import Settings
from zenflow.catalog.model import Account, Catalog, Model, Tool
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
        account = await patiently(provider.account, clock)
        catalog = await patiently(lambda: provider.catalog([name]), clock)
        tool = catalog.tools.get(name)
        if tool is None:
            raise no_such_tool(name, catalog, settings.server)
        found = tool.model(value)
        if found is None:
            known = [one.value for one in tool.models]
            hint = did_you_mean(value, known) or (f"It has: {', '.join(known)}." if known else "It has no models.")
            raise UsageError("ZF052", f"`{name}` has no model `{value}`.", hint)
        guide = await patiently(lambda: provider.model_guide(value), clock)
    return ModelView(tool, found, guide, account)


async def sync(folder: Path | None, settings: Settings) -> tuple[Path, Catalog]:
    """Write the snapshot of every tool; by default into the workspace."""
    catalog = await tools(settings)
    place = settings.workspace.root / SNAPSHOT if folder is None else folder
    try:
        write_snapshot(place, catalog)
    except OSError as error:
        raise UsageError("ZF051", f"The snapshot cannot be written to {place}: {error.strerror}.") from error
    return place, catalog
