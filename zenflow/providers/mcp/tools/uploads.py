"""Bytes up: `upload_asset` from a file, streamed as base64 inside the request's JSON, or from an address
(docs/service.md, “Assets”).

A picture is never resized or re-encoded to fit. The bytes decide the media type (`media/local_files`); reads a file in pieces,
so that memory does not grow with it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from zenflow.errors import UsageError
from zenflow.media.local_files import Fit, Unfit, examine, too_large, why_not
from zenflow.media.types import UPLOAD_TYPES, can_be_uploaded, fitting_name
from zenflow.providers.base import ServiceError, UploadedAsset
from zenflow.providers.mcp.session.answers import text_at, whole_at
from zenflow.providers.mcp.session.call import PREFIX, arguments_of, ask, content_of, missing
from zenflow.providers.mcp.session.session import Session, tool_answer

_DEADLINE_S = 300.0
_PIECE_BYTES = 3 * 64 * 1024  # a multiple of three, so that the pieces' base64 can be joined
_STAND_IN = "zenflow-bytes-go-here"


_CODES: Mapping[str, str] = {"empty": "ZF852", "too_large": "ZF850", "other_media": "ZF851", "damaged": "ZF852"}


def upload_form(path: Path, given: str | None) -> Fit:
    """The type to send, by what is given, else by the bytes, and the size. Raises `UsageError` (ZF850 to ZF852)."""
    try:
        if not path.is_file():
            raise UsageError("ZF852", f"{path}: {'not a file' if path.exists() else 'no such file'}", "check the path")
        found: Fit | Unfit | None = examine(path, to_the_end=False) if given is None else None
        if given is not None:
            size = path.stat().st_size
            found = too_large(size) or (
                Fit(given.lower(), size) if can_be_uploaded(given.lower()) else why_not(given, None)
            )
    except OSError as no:
        raise UsageError("ZF852", f"{path}: cannot be read: {no.strerror}", "check the file's permissions") from no
    if isinstance(found, Fit) and found.size_bytes > 0:
        return found
    unfit = found if isinstance(found, Unfit) else Unfit("empty", "is empty", "Check the path.")
    raise UsageError(_CODES[unfit.trouble], f"{path} {unfit.said}", unfit.hint)


async def upload_file(session: Session, path: Path, media_type: str | None) -> UploadedAsset:
    """Send a local file. Raises `UsageError` before anything is sent when it cannot be taken."""
    form = upload_form(path, media_type)
    name = fitting_name(path.name, form.media_type)[-255:]
    given = {"data_base64": _STAND_IN, "filename": name, "media_type": form.media_type}
    content = await _post_file(session, path, form.size_bytes, arguments_of(given))
    return _uploaded(content, form.media_type, form.size_bytes)


async def upload_url(session: Session, url: str, media_type: str | None) -> UploadedAsset:
    """Let the service fetch an address, or read a `data:` URL. Its cap of 50 MB is checked there."""
    scheme = url.partition(":")[0].lower()
    if scheme not in ("http", "https", "data"):
        raise UsageError("ZF853", f"the service fetches http, https and data addresses, not {scheme}:", None)
    large = too_large(len(url) * 3 // 4) if scheme == "data" else None
    if large is not None:
        raise UsageError("ZF850", f"the data: address {large.said}", large.hint)
    if media_type is not None and not can_be_uploaded(media_type.lower()):
        hint = f"Give one of: {', '.join(UPLOAD_TYPES)}."
        raise UsageError("ZF851", f"the service takes no media type {media_type!r}", hint)
    arguments = {"source_url": url, "media_type": media_type}
    return _uploaded(await ask(session, "upload_asset", arguments, deadline_s=_DEADLINE_S), media_type or "", None)


async def _post_file(session: Session, path: Path, size: int, arguments: dict[str, Any]) -> Mapping[str, Any]:
    """One POST; a second one only when the session or the token had expired, so that the first was not looked at."""
    for attempt in (1, 2):
        used = await session.token()
        link = await session.ready_to_post()
        try:
            with path.open("rb") as file:
                body = _body(file, size)
                what = await session.post(link, PREFIX + "upload_asset", arguments, body, deadline_s=_DEADLINE_S)
        except OSError as no:
            raise UsageError("ZF852", f"{path}: cannot be read: {no.strerror}", "check the file's permissions") from no
        if what.facts.status == 401 and attempt == 1 and await session.refused(used):
            continue
        if not link.retired or attempt == 2 or what.ok:
            break
    if what.facts.status == 413:
        raise ServiceError(
            "invalid",
            f"the server takes no request as large as {path.name} ({size / 1e6:.1f} MB)",
            status=413,
            facts=what.facts,
            hint="give a public http(s) address instead, or upload it in the web app and use its asset id",
        )
    named = f"upload_asset of {path.name}"
    return content_of(tool_answer(what, named), named)


def _body(file: BinaryIO, size: int) -> Callable[[bytes], tuple[AsyncIterator[bytes], int]]:
    def around(message: bytes) -> tuple[AsyncIterator[bytes], int]:
        head, _, tail = message.partition(json.dumps(_STAND_IN).encode())
        length = len(head) + len(tail) + 2 + (size + 2) // 3 * 4
        return _stream(head + b'"', file, size, b'"' + tail), length

    return around


async def _stream(head: bytes, file: BinaryIO, size: int, tail: bytes) -> AsyncIterator[bytes]:
    """The message around the file's base64. Reading 192 KiB from a disk is shorter than a hop to a thread and back."""
    yield head
    left = size
    while left:
        piece = file.read(min(_PIECE_BYTES, left))
        if not piece:
            raise OSError(0, "the file became shorter while it was sent")
        left -= len(piece)
        yield base64.b64encode(piece)
    yield tail


def _uploaded(content: Mapping[str, Any], media_type: str, size: int | None) -> UploadedAsset:
    asset_id = text_at(content, "asset_id", "id", "asset.id", "asset.asset_id")
    if not asset_id:
        raise missing("upload_asset", "asset_id", content)
    return UploadedAsset(
        asset_id, text_at(content, "media_type") or media_type, whole_at(content, "size_bytes") or size
    )
