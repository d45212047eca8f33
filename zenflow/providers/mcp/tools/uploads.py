"""Bytes up: `upload_asset` from a file, streamed as base64 inside the request's JSON, or from an address
(docs/service.md, “Assets”).

A picture is never resized or re-encoded to fit. Decides the media type and what is too large; reads a file in pieces,
so that memory does not grow with it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from zenflow.errors import UsageError
from zenflow.providers.base import ServiceError, UploadedAsset
from zenflow.providers.mcp.session.answers import text_at, whole_at
from zenflow.providers.mcp.session.call import PREFIX, arguments_of, ask, content_of, missing
from zenflow.providers.mcp.session.session import Session, tool_answer

FILE_LIMIT_BYTES = 18_000_000  # docs/service.md, “Assets”: a request body of ~25 MB holds about 18 MB as base64
URL_LIMIT_BYTES = 50_000_000  # docs/service.md, “Assets”: the cap when the service fetches the bytes itself
_DEADLINE_S = 300.0
_PIECE_BYTES = 3 * 64 * 1024  # a multiple of three, so that the pieces' base64 can be joined
_STAND_IN = "zenflow-bytes-go-here"

ALLOWED_TYPES = (
    "image/png", "image/jpeg", "image/jpg", "image/webp", "image/heic", "image/heif",
    "video/mp4", "video/mov", "video/quicktime",
    "audio/mpeg", "audio/mp3", "audio/wav", "audio/x-wav", "audio/x-m4a",
)  # fmt: skip

_BY_EXTENSION: Mapping[str, str] = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".m4a": "audio/x-m4a",
}


def media_type_of(path: Path, given: str | None) -> str:
    """The type to send: what is given, else by the name's extension. Raises `UsageError` (ZF851)."""
    chosen = (given or _BY_EXTENSION.get(path.suffix.lower(), "")).lower()
    if chosen in ALLOWED_TYPES:
        return chosen
    found = f"{chosen!r} is not allowed" if chosen else f"its name ends in {path.suffix or 'nothing'!r}"
    raise UsageError(
        "ZF851",
        f"{path.name}: no media type that the service takes: {found}",
        f"give media_type, one of: {', '.join(ALLOWED_TYPES)}",
    )


async def upload_file(session: Session, path: Path, media_type: str | None) -> UploadedAsset:
    """Send a local file. Raises `UsageError` before anything is sent when it cannot be taken."""
    chosen = media_type_of(path, media_type)
    size = _size_of(path)
    given = {"data_base64": _STAND_IN, "filename": path.name[-255:], "media_type": chosen}
    content = await _post_file(session, path, size, arguments_of(given))
    return _uploaded(content, chosen, size)


async def upload_url(session: Session, url: str, media_type: str | None) -> UploadedAsset:
    """Let the service fetch an address, or read a `data:` URL. Its cap of 50 MB is checked there."""
    scheme = url.partition(":")[0].lower()
    if scheme not in ("http", "https", "data"):
        raise UsageError("ZF853", f"the service fetches http, https and data addresses, not {scheme}:", None)
    if scheme == "data" and len(url) * 3 // 4 > FILE_LIMIT_BYTES:
        raise _too_large("the data: address", len(url) * 3 // 4)
    if media_type is not None and media_type.lower() not in ALLOWED_TYPES:
        raise UsageError(
            "ZF851", f"{media_type!r} is not a media type that the service takes", ", ".join(ALLOWED_TYPES)
        )
    arguments = {"source_url": url, "media_type": media_type}
    return _uploaded(await ask(session, "upload_asset", arguments, deadline_s=_DEADLINE_S), media_type or "", None)


def _size_of(path: Path) -> int:
    try:
        if not path.is_file():
            raise UsageError("ZF852", f"{path}: {'not a file' if path.exists() else 'no such file'}", "check the path")
        size = path.stat().st_size
    except OSError as no:
        raise UsageError("ZF852", f"{path}: cannot be read: {no.strerror}", "check the file's permissions") from no
    if size == 0:
        raise UsageError("ZF852", f"{path}: the file is empty", "check the path")
    if size > FILE_LIMIT_BYTES:
        raise _too_large(str(path), size)
    return size


def _too_large(what: str, size: int) -> UsageError:
    url_too = f" (up to {URL_LIMIT_BYTES // 1_000_000} MB)" if size <= URL_LIMIT_BYTES else ""
    return UsageError(
        "ZF850",
        f"{what} has {size / 1e6:.1f} MB; a file can be sent up to {FILE_LIMIT_BYTES // 1_000_000} MB",
        f"give a public http(s) address instead{url_too}, or upload it in the web app and use its asset id; "
        "nothing is ever shrunk to fit",
    )


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
