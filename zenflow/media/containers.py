"""The outside of media files: which kind the first bytes show, and whether the end is missing. Pure reading.

Sources: ISO 14496-12 (boxes of mp4, mov, m4a, heic, avif), RFC 9559 (webm), the RIFF of wav and webp, RFC 3533 (ogg), GIF89a
(CompuServe).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import IO

_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
_HEIF = frozenset({b"mif1", b"msf1"})
_AVIF = frozenset({b"avif", b"avis"})
_SOUND = frozenset({b"M4A ", b"M4B ", b"M4P "})
_BRANDS = {
    b"crx ": "image/x-raw",
    b"jp2 ": "image/jp2",
    b"jpx ": "image/jp2",
    b"jpm ": "image/jp2",
    b"qt  ": "video/quicktime",
}
_JPEG_2000 = (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # inside the data of a JPEG: not stuffing, restart or fill
_NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_PNG_END = b"IEND"
_BOXES_OF_OLD_MOVIES = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_BOXED = frozenset({"video/mp4", "video/quicktime", "audio/x-m4a", "image/heic", "image/heif", "image/avif"})
_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = 0x18538067
_UNKNOWN_SIZE = 0xFFFFFFFF  # what a writer to a pipe puts into RIFF


def media_type(head: bytes) -> str | None:
    """By the first bytes."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(_JPEG_2000):
        return "image/jp2"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF"):
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _by_brand(head[8:12], head[16 : int.from_bytes(head[:4], "big")])
    if head[4:8] in _BOXES_OF_OLD_MOVIES and (head[:4] in (b"\0\0\0\0", b"\0\0\0\1") or head[:4] >= b"\0\0\0\x08"):
        return "video/quicktime"
    if head.startswith(_EBML):
        return "video/webm"
    if head.startswith(b"OggS"):
        return "audio/ogg"
    if head.startswith(b"ID3") or _is_mpeg_frame(head):
        return "audio/mpeg"
    return None


def cut_off(stream: IO[bytes], kind: str) -> str | None:
    """What is missing, in a few words; None when nothing is, as far as the structure tells."""
    size = stream.seek(0, os.SEEK_END)
    if kind in _BOXED:
        return _boxes_problem(stream, size, kind)
    if kind == "image/jpeg":
        return _jpeg_problem(stream, size)
    if kind == "image/png":
        return _png_problem(stream, size)
    if kind in ("audio/wav", "image/webp"):
        return _riff_problem(stream, size, kind)
    if kind == "video/webm":
        return _webm_problem(stream, size)
    if kind == "audio/mpeg":
        return _mpeg_problem(stream, size)
    if kind == "image/gif":
        return _gif_problem(stream)
    return None


def _by_brand(brand: bytes, compatible: bytes) -> str:
    if brand in _HEIC:
        return "image/heic"
    if brand in _AVIF:
        return "image/avif"
    if brand in _HEIF:
        others = {compatible[at : at + 4] for at in range(0, len(compatible) - 3, 4)}
        return "image/avif" if others & _AVIF else "image/heic" if others & _HEIC else "image/heif"
    if brand in _BRANDS:
        return _BRANDS[brand]
    if brand.startswith((b"3gp", b"3g2")):
        return "video/3gpp"
    return "audio/x-m4a" if brand in _SOUND else "video/mp4"


def _boxes(stream: IO[bytes], size: int) -> Iterator[tuple[bytes, int]]:
    """Kind and end of each outermost box. An end beyond the file is a box that was cut off."""
    at = 0
    while at + 8 <= size:
        stream.seek(at)
        head = stream.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0:
            length = size - at
        if length < 8:
            yield b"", size + 1
            return
        yield head[4:8], at + length
        at += length


def _boxes_problem(stream: IO[bytes], size: int, kind: str) -> str | None:
    seen, end = set(), 0
    for name, end in _boxes(stream, size):
        seen.add(name)
        if end > size:
            return "its end is missing"
    if end != size:
        return "its end is missing"
    needed = {b"meta"} if kind.startswith("image/") else {b"moov"}
    if not needed <= seen:
        return "it holds no picture" if kind.startswith("image/") else "it holds no index"
    return None


def _jpeg_problem(stream: IO[bytes], size: int) -> str | None:
    """Segments up to the scan, its data up to the end marker. What cameras append behind it is no matter."""
    stream.seek(max(0, size - 2))
    if stream.read(2) == b"\xff\xd9":
        return None
    stream.seek(0)
    data, at = stream.read(), 2
    while at + 4 <= size:
        marker = data[at + 1]
        if data[at] != 0xFF:
            return "its parts do not fit together"
        if marker == 0xD9:
            return None
        if marker == 0xFF:
            at += 1
            continue
        at += 2 if marker in _NO_LENGTH else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            found = _MARKER.search(data, at)
            if found is None:
                return "its end is missing"
            at = found.start()
    return None if data[at : at + 2] == b"\xff\xd9" else "its end is missing"


def _png_problem(stream: IO[bytes], size: int) -> str | None:
    at = 8
    while at + 12 <= size:
        stream.seek(at)
        head = stream.read(8)
        at += 12 + int.from_bytes(head[:4], "big")
        if head[4:] == _PNG_END:
            return None
    return "its end is missing"


def _riff_problem(stream: IO[bytes], size: int, kind: str) -> str | None:
    stream.seek(0)
    length = int.from_bytes(stream.read(12)[4:8], "little")
    if length not in (0, _UNKNOWN_SIZE) and length + 8 > size + 1:  # the last pad byte is often left out
        return "its end is missing"
    if kind == "image/webp":
        return None
    names, at = set(), 12
    while at + 8 <= size:
        stream.seek(at)
        head = stream.read(8)
        names.add(head[:4])
        if head[:4] == b"data":
            break
        at += 8 + int.from_bytes(head[4:8], "little") + int.from_bytes(head[4:8], "little") % 2
    return None if {b"fmt ", b"data"} <= names else "it holds no sound"


def _webm_problem(stream: IO[bytes], size: int) -> str | None:
    stream.seek(4)
    header = _ebml_size(stream)
    if header is None:
        return "its head is damaged"
    stream.seek(header, os.SEEK_CUR)
    if int.from_bytes(stream.read(4), "big") != _SEGMENT:
        return "it holds no segment"
    segment = _ebml_size(stream)
    if segment is not None and stream.tell() + segment > size:
        return "its end is missing"
    return None


def _ebml_size(stream: IO[bytes]) -> int | None:
    """A number of variable length; None for “unknown”, which live recordings use, and for no number."""
    first = stream.read(1)
    if not first or first[0] == 0:
        return None
    length = 9 - first[0].bit_length()
    number = int.from_bytes(bytes([first[0] & ((1 << (8 - length)) - 1)]) + stream.read(length - 1), "big")
    return None if number == (1 << (7 * length)) - 1 else number


def _gif_problem(stream: IO[bytes]) -> str | None:
    """Blocks up to the trailer: one that ends between two frames decodes without complaint, and lacks the rest."""
    stream.seek(0)
    head = stream.read(13)
    stream.seek(_colours(head[10:11]), os.SEEK_CUR)
    while (kind := stream.read(1)) != b";":
        if kind == b"!":
            stream.seek(1, os.SEEK_CUR)  # an extension's label
        elif kind == b",":
            picture = stream.read(9)
            stream.seek(_colours(picture[8:9]) + 1, os.SEEK_CUR)
        else:
            return "its end is missing"
        while length := stream.read(1):
            if length == b"\0":
                break
            stream.seek(length[0], os.SEEK_CUR)
        else:
            return "its end is missing"
    return None


def _colours(flags: bytes) -> int:
    """Bytes of the table of colours that follows, if one does."""
    return 3 * 2 ** ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _mpeg_problem(stream: IO[bytes], size: int) -> str | None:
    stream.seek(0)
    head = stream.read(10)
    at = 0
    if head.startswith(b"ID3") and len(head) == 10:  # id3.org, v2.4: seven bits a byte
        at = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    if at >= size:
        return "its sound is missing"
    stream.seek(at)
    frame = stream.read(4096).lstrip(b"\x00")  # padding after the tag
    return None if _is_mpeg_frame(frame) else "it holds no sound"


def _is_mpeg_frame(head: bytes) -> bool:
    """Eleven set bits, then a version, a layer, a bit rate and a sampling rate that exist."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    return version != 1 and layer != 0 and head[2] >> 4 != 0xF and head[2] >> 2 & 3 != 3
