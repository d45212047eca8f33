"""The fourteen media types that the service takes (its documentation, “Allowed media types”), and how to tell them.

Only the first bytes are looked at; nothing is decoded.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import unquote_to_bytes

MAX_UPLOAD = 50 * 1024 * 1024
HEAD_BYTES = 64
MEDIA_TYPES: tuple[str, ...] = (
    "image/png",
    "image/jpeg",
    "image/jpg",
    "image/webp",
    "image/heic",
    "image/heif",
    "video/mp4",
    "video/mov",
    "video/quicktime",
    "audio/mpeg",
    "audio/mp3",
    "audio/wav",
    "audio/x-wav",
    "audio/x-m4a",
)
ENDINGS: Mapping[str, str] = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".m4a": "audio/x-m4a",
}
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
_OTHER_HEADS: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP picture"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (b"OggS", "an Ogg file"),
    (b"fLaC", "a FLAC sound"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)


def sniff_media_type(head: bytes, name: str) -> str | None:
    """The media type by the first bytes; where they tell nothing, by the ending; None when it is evidently another thing."""
    by_head = _type_of_head(head)
    if by_head is not None:
        return by_head
    if other_kind(head) is not None:
        return None
    return ENDINGS.get(PurePath(name).suffix.lower())


def other_kind(head: bytes) -> str | None:
    """What a file evidently is that the service does not take, in words; None when that is not evident."""
    for start, words in _OTHER_HEADS:
        if head.startswith(start):
            return words
    plain = head.lstrip().lower()
    if plain.startswith((b"<!doctype", b"<html", b"<?xml", b"<svg")):
        return "an HTML, XML or SVG text"
    if head and _is_text(head):
        return "a text file"
    return None


def _is_text(head: bytes) -> bool:
    return all(byte in (9, 10, 13) or 32 <= byte < 127 for byte in head)


def _type_of_head(head: bytes) -> str | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _type_of_brand(head[8:12])
    if head[4:8] in (b"moov", b"mdat", b"wide"):
        return "video/quicktime"
    if head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] in (0xFB, 0xFA, 0xF3, 0xF2)):
        return "audio/mpeg"
    return None


def _type_of_brand(brand: bytes) -> str:
    if brand in _HEIC:
        return "image/heic"
    if brand in (b"mif1", b"msf1"):
        return "image/heif"
    if brand == b"qt  ":
        return "video/quicktime"
    return "audio/x-m4a" if brand in (b"M4A ", b"M4B ") else "video/mp4"


def kind_of(media_type: str) -> str:
    """`image`, `video` or `audio`."""
    return media_type.partition("/")[0]


@dataclass(frozen=True, slots=True)
class DataUrl:
    """The contents of an RFC 2397 `data:` URL."""

    media_type: str
    data: bytes


def parse_data_url(url: str) -> DataUrl:
    """Raises `ValueError` with what is wrong, in words."""
    header, comma, body = url[len("data:") :].partition(",")
    if not comma:
        raise ValueError("a data: URL has a comma before its data")
    media_type, *options = header.split(";")
    if options and options[-1].strip().lower() == "base64":
        try:
            data = base64.b64decode(unquote_to_bytes(body), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("the data of the data: URL is not base64") from None
    else:
        data = unquote_to_bytes(body)
    return DataUrl(media_type.strip().lower() or "text/plain", data)
