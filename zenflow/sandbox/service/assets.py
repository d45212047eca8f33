"""Asset tools: upload, look up, and URLs of originals and previews."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from zenflow.sandbox.refusals import Refusal
from zenflow.sandbox.service.answers import Answer
from zenflow.sandbox.service.request_context import Arguments, RequestContext
from zenflow.sandbox.service.upload_body import received

INLINE_LIMIT = 2 * 1024 * 1024  # per picture
INLINE_TOTAL = 8 * 1024 * 1024  # per call
PREVIEW_TYPE = "image/webp"


async def upload_asset(context: RequestContext, args: Arguments) -> Answer:
    upload = await received(args)
    asset = context.world.upload(upload.body, upload.media_type, upload.size)
    data = {"asset_id": asset.asset_id, "media_type": asset.media_type, "size_bytes": len(upload.body)}
    return Answer(data=data, title=f"Uploaded {asset.asset_id}")


def get_asset(context: RequestContext, args: Arguments) -> Answer:
    asset = context.world.asset(args["asset_id"])
    return Answer(data={"id": asset.asset_id, "media_type": asset.media_type}, title=asset.media_type)


def get_asset_download_url(context: RequestContext, args: Arguments) -> Answer:
    data = _download(context, args["asset_id"])
    return Answer(data=data, title=f"Download ({data['media_type']})")


def get_asset_download_urls(context: RequestContext, args: Arguments) -> Answer:
    items = [_or_error(asset_id, lambda wanted: _download(context, wanted)) for asset_id in args["asset_ids"]]
    return Answer(data=_counted(items), title=f"{len(items)} downloads")


async def get_asset_preview_url(context: RequestContext, args: Arguments) -> Answer:
    item = _preview(context, args["asset_id"])
    pictures: tuple[tuple[str, str], ...] = ()
    if args["inline"]:
        body = await _inline(context, item, 0)
        pictures = ((PREVIEW_TYPE, body),) if body else ()
    return Answer(data=item, title="Preview, not the original", pictures=pictures)


async def get_asset_preview_urls(context: RequestContext, args: Arguments) -> Answer:
    items = [_or_error(asset_id, lambda wanted: _preview(context, wanted)) for asset_id in args["asset_ids"]]
    bodies: list[str] = []
    used = 0
    if args["inline"]:
        for item in items:
            body = await _inline(context, item, used) if "error" not in item else None
            if body:
                bodies.append(body)
                used += len(body) * 3 // 4
    counted = _counted(items)
    data = {name: counted[name] for name in ("count", "succeeded", "failed")}
    data |= {"inlined": len(bodies), "items": items}
    pictures = tuple((PREVIEW_TYPE, body) for body in bodies)
    return Answer(data=data, title=f"{len(items)} previews, not the originals", pictures=pictures)


def _download(context: RequestContext, asset_id: str) -> dict[str, Any]:
    asset = context.world.asset(asset_id)
    url = context.services.urls.sign(asset_id, "original")
    return {"asset_id": asset_id, "download_url": url, "media_type": asset.media_type}


def _preview(context: RequestContext, asset_id: str) -> dict[str, Any]:
    asset = context.world.asset(asset_id)
    return {
        "asset_id": asset_id,
        "preview_url": context.services.urls.sign(asset_id, "preview"),
        "preview_media_type": PREVIEW_TYPE,
        "media_type": asset.media_type,
    }


async def _inline(context: RequestContext, item: dict[str, Any], used: int) -> str | None:
    """The preview in base64, or a note in the item why not."""
    body = await context.services.renderer.preview(context.world.asset(item["asset_id"]))
    if len(body) > INLINE_LIMIT:
        item["inline_skipped"] = "image > 2 MB"
    elif used + len(body) > INLINE_TOTAL:
        item["inline_skipped"] = "batch 8 MB cap reached"
    else:
        return base64.b64encode(body).decode()
    return None


def _or_error(asset_id: str, found: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """One asset's failure does not fail the rest."""
    try:
        return found(asset_id)
    except Refusal as refusal:
        return {"asset_id": asset_id, "error": refusal.text}


def _counted(items: list[dict[str, Any]]) -> dict[str, Any]:
    failed = sum("error" in item for item in items)
    return {"count": len(items), "succeeded": len(items) - failed, "failed": failed, "items": items}
