"""What a file is, by its first bytes; by its name only where the bytes tell nothing, or leave two answers open."""

from __future__ import annotations

from zenflow.media.containers import media_type
from zenflow.media.types import type_by_name

HEAD_BYTES = 512
_OTHER_HEADS: tuple[tuple[bytes, str], ...] = (
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"IIRO", "image/x-raw"),
    (b"IIU\0", "image/x-raw"),
    (b"FUJIFILMCCD-RAW", "image/x-raw"),
    (b"FOVb", "image/x-raw"),
    (b"\xff\x0a", "image/jxl"),
    (b"\0\0\0\x0cJXL ", "image/jxl"),
    (b"\0\0\1\0", "image/x-icon"),
    (b"fLaC", "audio/flac"),
    (b"#!AMR", "audio/amr"),
    (b"ADIF", "audio/aac"),
    (b"\xff\xf1", "audio/aac"),
    (b"\xff\xf9", "audio/aac"),
    (b"%PDF", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ", "application/x-executable"),
)
_RAW_ENDINGS = (".cr2", ".nef", ".nrw", ".arw", ".sr2", ".dng", ".pef", ".orf", ".rw2", ".raf", ".srw", ".3fr", ".iiq")


def type_of(head: bytes, name: str) -> str | None:
    """Give the media type of a file; None when neither its bytes nor its ending say.

    An MP4 may hold a film or a sound alone; phones write both with the brand of a film, and the ending tells.
    """
    found = media_type(head)
    if found == "video/mp4" and type_by_name(name) == "audio/x-m4a":
        return "audio/x-m4a"
    if found is None and head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "video/x-msvideo"
    return found or _other(head, name) or type_by_name(name)


def _other(head: bytes, name: str) -> str | None:
    for start, kind in _OTHER_HEADS:
        if head.startswith(start):
            return "image/x-raw" if kind == "image/tiff" and name.lower().endswith(_RAW_ENDINGS) else kind
    plain = head.lstrip().lower()
    if plain.startswith((b"<!doctype", b"<html", b"<?xml", b"<svg")):
        return "text/html"
    return "text/plain" if head and _is_text(head) else None


def _is_text(head: bytes) -> bool:
    return all(byte in (9, 10, 13) or 32 <= byte < 127 for byte in head)
