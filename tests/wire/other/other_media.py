"""Bodies that the other service gives out: small real pictures, and the least box structure that is an MP4."""

from __future__ import annotations

import hashlib
import io
import struct

from PIL import Image

PILLOW = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}


def picture(seed: str, media_type: str = "image/png", size: tuple[int, int] = (24, 32)) -> bytes:
    """A picture unlike every other seed's."""
    digest = hashlib.sha256(seed.encode()).digest()
    image = Image.new("RGB", size, (digest[0], digest[1], digest[2]))
    for at, value in enumerate(digest[3:]):
        image.putpixel((at % size[0], at // size[0] + 1), (value, digest[at], 255 - value))
    file = io.BytesIO()
    image.save(file, PILLOW[media_type])
    return file.getvalue()


def clip(seed: str) -> bytes:
    """ftyp, moov with one empty video track, mdat with bytes of its own."""
    digest = hashlib.sha256(seed.encode()).digest()
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    mvhd = _box(b"mvhd", struct.pack(">IIIIIIH10x", 0, 0, 0, 1000, 1000, 0x10000, 0x100) + matrix + bytes(24) + _n(2))
    tkhd = _box(
        b"tkhd", struct.pack(">IIIIII8xHHHH", 7, 0, 0, 1, 0, 1000, 0, 0, 0, 0) + matrix + _n(16 << 16, 16 << 16)
    )
    mdhd = _box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, 1000, 1000, 0x55C4, 0))
    hdlr = _box(b"hdlr", bytes(8) + b"vide" + bytes(12) + b"video\0")
    dinf = _box(b"dinf", _box(b"dref", _n(0, 1) + _box(b"url ", _n(1))))
    tables = b"".join(_box(name, _n(0, 0)) for name in (b"stsd", b"stts", b"stsc", b"stco")) + _box(
        b"stsz", _n(0, 0, 0)
    )
    minf = _box(b"minf", _box(b"vmhd", struct.pack(">IHHHH", 1, 0, 0, 0, 0)) + dinf + _box(b"stbl", tables))
    trak = _box(b"trak", tkhd + _box(b"mdia", mdhd + hdlr + minf))
    return _box(b"ftyp", b"isom" + _n(512) + b"isomiso2mp41") + _box(b"moov", mvhd + trak) + _box(b"mdat", digest * 40)


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + name + body


def _n(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)
