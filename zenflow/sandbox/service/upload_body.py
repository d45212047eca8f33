"""Bytes from outside: where an upload comes from, what it is, and whether it is that.

Limits, media types and their order of precedence are the asset page's. It does not know assets.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from zenflow.sandbox.media.inspect import unreadable_because
from zenflow.sandbox.refusals import Refusal
from zenflow.sandbox.service.arguments import MEDIA_TYPES

MAX_BYTES = 50 * 1024 * 1024
FETCH_TIMEOUT_S = 30.0

_BY_EXTENSION = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heif",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "m4a": "audio/x-m4a",
}


@dataclass(frozen=True, slots=True)
class Received:
    body: bytes
    media_type: str
    size: tuple[int, int] | None  # of a picture


@dataclass(frozen=True, slots=True)
class _Raw:
    body: bytes
    stated_type: str | None = None  # by the HTTP answer or the data: URL
    name: str | None = None  # the last part of a URL's path


async def received(args: dict[str, Any]) -> Received:
    """The upload that the arguments describe; raises Refusal."""
    source_url, data = args.get("source_url"), args.get("data_base64")
    if (source_url is None) == (data is None):
        raise Refusal(400, "pass exactly one of 'source_url' or 'data_base64'")
    raw = _Raw(_decoded(data)) if data is not None else await _from_url(str(source_url))
    _refuse_size(len(raw.body))
    media_type = _media_type(args, raw)
    problem, size = unreadable_because(raw.body, media_type)
    if problem is not None:
        raise Refusal(400, problem)
    return Received(raw.body, media_type, size)


def _decoded(text: str) -> bytes:
    try:
        body = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(400, "data_base64 is not valid base64") from None
    if not body:
        raise Refusal(400, "data_base64 decoded to zero bytes")
    return body


async def _from_url(url: str) -> _Raw:
    scheme = url.partition(":")[0].lower()
    if scheme == "data":
        return _from_data_url(url)
    if scheme not in ("http", "https"):
        raise Refusal(400, f"unsupported scheme {scheme!r}: use http(s):// or data: only")
    return await _fetched(url)


def _from_data_url(url: str) -> _Raw:
    header, comma, payload = url[5:].partition(",")
    if not comma:
        raise Refusal(400, "malformed data: URL")
    media_type, *parameters = header.split(";")
    try:
        body = base64.b64decode(payload, validate=True) if "base64" in parameters else unquote_to_bytes(payload)
    except (binascii.Error, ValueError):
        raise Refusal(400, "malformed data: URL") from None
    if not body:
        raise Refusal(400, "malformed data: URL: it holds no bytes")
    return _Raw(body, media_type or None)


async def _fetched(url: str) -> _Raw:
    import anyio
    import httpx2  # lazy: most sandboxes never fetch anything

    body = bytearray()
    try:
        with anyio.fail_after(FETCH_TIMEOUT_S):
            async with (
                httpx2.AsyncClient(follow_redirects=True, timeout=FETCH_TIMEOUT_S) as client,
                client.stream("GET", url) as response,
            ):
                if response.status_code != 200:
                    raise Refusal(400, f"could not fetch source_url: HTTP {response.status_code}")
                async for chunk in response.aiter_bytes():
                    body += chunk
                    _refuse_size(len(body))
                stated = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
        raise Refusal(400, f"could not fetch source_url: {error or type(error).__name__}") from None
    return _Raw(bytes(body), stated or None, urlsplit(url).path.rpartition("/")[2])


def _refuse_size(size: int) -> None:
    if size > MAX_BYTES:
        raise Refusal(400, f"payload of {size} bytes > 50 MB cap: resize or compress before uploading")


def _media_type(args: dict[str, Any], raw: _Raw) -> str:
    """Explicit, then the HTTP answer or the data: URL, then the name's ending."""
    by_name = _by_extension(args.get("filename")) or _by_extension(raw.name)
    for candidate in (args.get("media_type"), raw.stated_type, by_name):
        if candidate in MEDIA_TYPES:
            return str(candidate)
    raise Refusal(400, "could not determine an allowed media_type: pass media_type explicitly")


def _by_extension(name: str | None) -> str | None:
    return _BY_EXTENSION.get(name.rpartition(".")[2].lower()) if name else None
