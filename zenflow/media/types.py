"""Media types: the one table of the package. What the service takes, their endings, and what else a file may be.

The fourteen types and the limits are the service's (docs/service.md, “Assets”).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

FILE_LIMIT_BYTES = 18_000_000  # a request body of ~25 MB holds about 18 MB as base64
URL_LIMIT_BYTES = 50_000_000  # when the service fetches the bytes itself
UPLOAD_TYPES: tuple[str, ...] = (
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
KINDS = ("image", "video", "audio")
# Every ending of a type that is sent or saved; the first one names a new file.
_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif", "jif"),
    "image/webp": ("webp",),
    "image/heic": ("heic",),
    "image/heif": ("heif", "hif"),
    "image/gif": ("gif",),
    "image/avif": ("avif",),
    "video/mp4": ("mp4", "m4v"),
    "video/quicktime": ("mov", "qt"),
    "video/webm": ("webm",),
    "audio/mpeg": ("mp3", "mpga", "mp2"),
    "audio/wav": ("wav", "wave"),
    "audio/x-m4a": ("m4a", "m4b"),
    "audio/ogg": ("ogg", "oga"),
    "application/json": ("json",),
    "text/plain": ("txt",),
}
_BY_ENDING: Mapping[str, str] = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings}
UPLOAD_ENDINGS: tuple[str, ...] = tuple(
    f".{ending}" for kind, endings in _ENDINGS.items() if kind in UPLOAD_TYPES for ending in endings
)
_SAME: Mapping[str, str] = {  # names of one type
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "video/mov": "video/quicktime",
    "video/x-m4v": "video/mp4",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/m4a": "audio/x-m4a",
    "audio/mp4": "audio/x-m4a",
    "application/ogg": "audio/ogg",
}
_WORDS: Mapping[str, str] = {  # of types that cannot be uploaded
    "image/gif": "a GIF",
    "image/avif": "an AVIF picture",
    "image/bmp": "a BMP picture",
    "image/tiff": "a TIFF picture",
    "image/jp2": "a JPEG 2000 picture",
    "image/jxl": "a JPEG XL picture",
    "image/x-icon": "an icon",
    "image/x-raw": "a raw photo of a camera",
    "video/3gpp": "a 3GP video",
    "video/webm": "a Matroska or WebM video",
    "video/x-msvideo": "an AVI video",
    "audio/ogg": "an Ogg file",
    "audio/flac": "a FLAC sound",
    "audio/aac": "an AAC sound",
    "audio/amr": "an AMR sound",
    "application/pdf": "a PDF",
    "application/zip": "a ZIP archive or an office document",
    "application/gzip": "a gzip archive",
    "application/x-executable": "a program",
    "text/html": "an HTML, XML or SVG text",
    "text/plain": "a text file",
}


def canonical_type(media_type: str) -> str:
    """Give the one name of a media type: without parameters, in small letters."""
    bare = media_type.partition(";")[0].strip().lower()
    return _SAME.get(bare, bare)


def can_be_uploaded(media_type: str) -> bool:
    """Tell whether the service takes this type."""
    return media_type in UPLOAD_TYPES


def kind_of(media_type: str) -> str:
    """Give the first half of a type: `image`, `video` or `audio`."""
    return media_type.partition("/")[0]


def ending_for(media_type: str) -> str:
    """Give the ending of a new file, without the dot; `bin` for a type that is not in the table."""
    return _ENDINGS.get(canonical_type(media_type), ("bin",))[0]


def type_by_name(name: str) -> str | None:
    """Give the type that a file's ending stands for; None when it says nothing."""
    return _BY_ENDING.get(PurePath(name).suffix.lower().removeprefix("."))


def fitting_name(name: str, media_type: str) -> str:
    """Give the file's name with an ending that says its type: `w.jpg` that holds WebP becomes `w.webp`."""
    by_name = type_by_name(name)
    ending = ending_for(media_type)
    if by_name == canonical_type(media_type) and PurePath(name).suffix.lower() in _PLAIN_ENDINGS:
        return name
    return f"{PurePath(name).stem if by_name else name}.{ending}"


def words_for(media_type: str) -> str:
    """Name a type that cannot be uploaded in words."""
    return _WORDS.get(media_type, media_type)


def taken_for(kind: str) -> str:
    """List what the service takes for an input of a kind."""
    return ", ".join(dict.fromkeys(one.partition("/")[2] for one in UPLOAD_TYPES if kind_of(one) == kind))


# Endings by which every server tells the type: the page's own, and nothing that it does not name.
_PLAIN_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".heic", ".heif", ".mp4", ".mov", ".mp3", ".wav", ".m4a"})
