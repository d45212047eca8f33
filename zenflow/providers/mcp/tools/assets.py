"""Assets, without their bytes: what they are, where to fetch them, what is on them, and prompts for them.

Sources: docs/service.md, “Assets” and “Generation” (prompt helpers). Bytes go up in `uploads` and come down in `downloads`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

from zenflow.providers.base import AssetInfo, AssetUrl, CraftedPrompts, Description, ServiceError
from zenflow.providers.mcp.session.answers import rows_at, text_at, texts_at
from zenflow.providers.mcp.session.call import Caller, ask, missing

BATCH_LIMIT = 50  # docs/service.md, “Assets”: 1..50 ids
ONE_BY_ONE_AT_ONCE = 8  # where there is no tool for a batch
_HELPER_DEADLINE_S = 120.0  # both helpers wait for an external model


async def asset(caller: Caller, asset_id: str) -> AssetInfo:
    content = await ask(caller, "get_asset", {"asset_id": asset_id})
    return AssetInfo(text_at(content, "id", "asset_id") or asset_id, text_at(content, "media_type") or "")


async def download_urls(caller: Caller, base: str, asset_ids: Sequence[str]) -> Sequence[AssetUrl]:
    """Addresses of the originals, in the order asked for. `base` is where a relative one begins."""
    return await _urls(caller, base, "get_asset_download_urls", asset_ids, "download_url", ("media_type",), {})


async def preview_urls(caller: Caller, base: str, asset_ids: Sequence[str]) -> Sequence[AssetUrl]:
    """Addresses of previews, each with the preview's own type. `inline` off: the bytes would come twice."""
    keys = ("preview_media_type",)
    return await _urls(caller, base, "get_asset_preview_urls", asset_ids, "preview_url", keys, {"inline": False})


async def _urls(
    caller: Caller,
    base: str,
    tool: str,
    asset_ids: Sequence[str],
    url_key: str,
    type_keys: Sequence[str],
    more: Mapping[str, Any],
) -> Sequence[AssetUrl]:
    found: list[AssetUrl] = []
    for start in range(0, len(asset_ids), BATCH_LIMIT):
        batch = list(asset_ids[start : start + BATCH_LIMIT])
        try:
            content = await ask(caller, tool, {"asset_ids": batch, **more})
        except ServiceError as no:
            if no.trouble != "absent":
                raise
            content = {"items": await _one_by_one(caller, tool.removesuffix("s"), batch, more)}
        rows = rows_at(content, "items", "assets", "urls")
        by_id = {asset_id.lower(): row for row in rows if (asset_id := text_at(row, "asset_id", "id"))}
        for asset_id in batch:
            found.append(_url(base, asset_id, by_id.get(asset_id.lower()), url_key, type_keys))
    return found


async def _one_by_one(
    caller: Caller, tool: str, asset_ids: Sequence[str], more: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """The rows of a batch from a deployment that has the tool for one asset alone; one asset's failure is its own."""
    gate = asyncio.Semaphore(ONE_BY_ONE_AT_ONCE)

    async def row(asset_id: str) -> Mapping[str, Any]:
        async with gate:
            try:
                return {**await ask(caller, tool, {"asset_id": asset_id, **more}), "asset_id": asset_id}
            except ServiceError as no:
                if no.trouble not in ("not_found", "forbidden", "invalid"):
                    raise
                return {"asset_id": asset_id, "error": no.message}

    return list(await asyncio.gather(*(row(asset_id) for asset_id in asset_ids)))


def _url(base: str, asset_id: str, row: Mapping[str, Any] | None, url_key: str, type_keys: Sequence[str]) -> AssetUrl:
    if row is None:
        return AssetUrl(asset_id, None, None, "the answer does not mention this asset")
    url = text_at(row, url_key, "url")
    if url is None:
        return AssetUrl(asset_id, None, None, text_at(row, "error", "error.message", "reason") or "no address given")
    whole = _whole_address(base, url)
    if whole is None:
        return AssetUrl(asset_id, None, None, "the address given is none of http or https")
    return AssetUrl(asset_id, whole, text_at(row, *type_keys))


def _whole_address(base: str, url: str) -> str | None:
    """An address without a host (RFC 3986, 4.2) is one of the service's own; anything but http and https is none."""
    try:
        whole = urljoin(base, url.strip())
        parts = urlsplit(whole)
    except ValueError:  # a port or an address in brackets that is none
        return None
    return whole if parts.scheme in ("http", "https") and parts.hostname else None


async def describe(caller: Caller, asset_id: str, force_refresh: bool) -> Description:
    content = await ask(
        caller,
        "describe_asset",
        {"asset_id": asset_id, "force_refresh": True if force_refresh else None},
        deadline_s=_HELPER_DEADLINE_S,
    )
    text = text_at(content, "description")
    if not text:
        raise missing("describe_asset", "description", content)
    return Description(text_at(content, "asset_id") or asset_id, text, text_at(content, "media_type"))


async def craft_prompt(caller: Caller, arguments: Mapping[str, Any]) -> CraftedPrompts:
    content = await ask(caller, "craft_prompt", arguments, deadline_s=_HELPER_DEADLINE_S)
    prompts: tuple[Mapping[str, Any], ...] = tuple(r for r in rows_at(content, "prompts") if text_at(r, "prompt"))
    if not prompts:  # bare texts, or a single one, from servers that take the page less literally
        texts = texts_at(content, "prompts") or tuple(t for t in (text_at(content, "prompt"),) if t)
        prompts = tuple({"prompt": text} for text in texts)
    if not prompts:
        raise ServiceError("server", "craft_prompt: the answer holds no prompt", payload=content)
    return CraftedPrompts(prompts)
