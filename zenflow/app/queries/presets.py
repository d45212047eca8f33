"""The service's presets (templates): list, search, show, and write one out as a step of a recipe.

`use_template` is never called: whether it submits, and charges, by itself is not known (docs/service.md, “Templates”).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.app.connection.retry import with_retries
from zenflow.catalog.check import form_of
from zenflow.catalog.model import Tool
from zenflow.catalog.schema import is_asset_field, types_of
from zenflow.errors import UsageError
from zenflow.providers.base import ServiceError, ServiceTemplate
from zenflow.recipe.text.writer import StepText, Wanted, step_text

PAGES_MOST = 20


@dataclass(frozen=True, slots=True)
class PresetList:
    server: str
    query: str | None
    presets: tuple[ServiceTemplate, ...]


@dataclass(frozen=True, slots=True)
class PresetView:
    """One preset, and the step that it makes."""

    server: str
    preset: ServiceTemplate
    step: str


async def presets(
    query: str | None, tool: str | None, tags: Sequence[str], limit: int, settings: Settings
) -> PresetList:
    """Up to `limit` of them, in the service's order."""
    clock = wiring.clock()
    found: list[ServiceTemplate] = []
    offset: int | None = 0
    async with wiring.open_provider(settings, clock) as provider:
        for _ in range(PAGES_MOST):
            if offset is None or len(found) >= limit:
                break
            at = offset
            page, offset = await with_retries(
                lambda at=at: provider.templates(query=query, tool=tool, tags=tags, limit=limit, offset=at),  # type: ignore[misc]
                clock,
            )
            found += page
    return PresetList(settings.server, query, tuple(found[:limit]))


async def preset(template_id: str, settings: Settings) -> PresetView:
    """One of them. Raises UsageError when there is none of that id."""
    clock = wiring.clock()
    async with wiring.open_provider(settings, clock) as provider:
        try:
            found = await with_retries(lambda: provider.template(template_id), clock)
        except ServiceError as error:
            if error.trouble in ("not_found", "invalid", "forbidden"):
                hint = "`zenflow presets` lists them; adult ones are hidden until the account is trusted."
                raise UsageError("ZF058", f"There is no preset {template_id}: {error.message}", hint) from error
            raise
        catalog = await with_retries(lambda: provider.catalog([found.tool] if found.tool else []), clock)
    return PresetView(settings.server, found, step_of(found, catalog.tools.get(found.tool)))


def step_of(preset: ServiceTemplate, tool: Tool | None) -> str:
    """The preset as YAML of one step. What it leaves to the user becomes a reference to fill in."""
    params = dict(preset.params or {})
    wanted = {name: Wanted(name, _is_list(tool, name), True) for name in preset.wants if name not in params}
    for name in tool.required if tool is not None else ():
        if name not in params and name not in wanted:
            wanted[name] = Wanted(name, _is_list(tool, name), _is_asset(tool, name))
    notes = [f"Preset “{preset.title}” ({preset.template_id})"]
    if preset.adult:
        notes.append("An adult preset: the recipe needs `policy: {nsfw: allow}`")
    return step_text(StepText(preset.title or preset.tool, preset.tool, params, tuple(wanted.values()), tuple(notes)))


def _is_list(tool: Tool | None, name: str) -> bool:
    if tool is None:
        return name.endswith("s")
    return "array" in types_of(form_of(tool).fields.get(name, {}))


def _is_asset(tool: Tool | None, name: str) -> bool:
    return tool is not None and is_asset_field(name, form_of(tool).fields.get(name, {}), tool.input_schema)
