"""Templates (presets): a generation tool with a ready input. List, search, show; never `use_template`.

Whether `use_template` submits, and charges, by itself is not known (docs/service.md, “Templates”), so it is not called: what it
could give is made here from the template's own input. Fields beyond those read below are kept verbatim in `row`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from zenflow.providers.base import ServiceError, ServiceTemplate
from zenflow.providers.mcp.session.answers import first, next_offset, object_at, rows_at, text_at, texts_at, truth_at
from zenflow.providers.mcp.session.call import Caller, ask

PAGE_LIMIT = 100  # the service's lists: 1..100


async def templates(
    caller: Caller, *, query: str | None, tool: str | None, tags: Sequence[str], limit: int, offset: int
) -> tuple[tuple[ServiceTemplate, ...], int | None]:
    """One page. With `query` by meaning (`search_templates`), which takes no filters: they are applied here."""
    page = {"limit": min(max(limit, 1), PAGE_LIMIT), "offset": offset}
    if query:
        content = await ask(caller, "search_templates", {"query": query, **page})
    else:
        content = await ask(caller, "list_templates", {"tool_name": tool, "tags": list(tags) or None, **page})
    rows = rows_at(content, "items", "templates", "results")
    found = tuple(template_from(row) for row in rows)
    return tuple(one for one in found if _suits(one, tool, tags)), next_offset(
        content, offset, len(rows), page["limit"]
    )


async def template(caller: Caller, template_id: str) -> ServiceTemplate:
    """One template with its input, and which assets it wants where the card says so."""
    whole, card = await asyncio.gather(
        ask(caller, "get_template", {"template_id": template_id}), _card(caller, template_id)
    )
    row = object_at(whole, "template") or whole
    return template_from({**card, **row})


async def _card(caller: Caller, template_id: str) -> Mapping[str, Any]:
    """The card is a convenience: a deployment without it must not hide the template."""
    try:
        content = await ask(caller, "get_template_card", {"template_id": template_id})
    except ServiceError as no:
        if no.trouble in ("absent", "not_found", "invalid", "server"):
            return {}
        raise
    return object_at(content, "card", "template") or content


def template_from(row: Mapping[str, Any]) -> ServiceTemplate:
    """Every spelling that is plausible; the documentation of these fields is cut (docs/service.md, “Templates”)."""
    given = first(row, "input", "inputs", "params")
    if isinstance(given, list):
        given = given[0] if given else None
    tags = (*texts_at(row, "tool_tags"), *texts_at(row, "purpose_tags"), *texts_at(row, "tags"))
    return ServiceTemplate(
        template_id=text_at(row, "id", "template_id", "uuid") or "",
        title=text_at(row, "title", "name", "label") or "",
        tool=text_at(row, "tool_name", "tool") or "",
        description=text_at(row, "description", "summary") or "",
        tags=tuple(dict.fromkeys(tags)),
        adult=truth_at(row, "is_nsfw", "nsfw", "adult"),
        params=given if isinstance(given, Mapping) else None,
        wants=texts_at(row, "required_assets", "missing"),
        row=row,
    )


def _suits(one: ServiceTemplate, tool: str | None, tags: Sequence[str]) -> bool:
    """The filters of `list_templates`: the tool exactly, any of the tags."""
    if tool is not None and one.tool and one.tool != tool:
        return False
    return not tags or not one.tags or bool(set(tags) & set(one.tags))
