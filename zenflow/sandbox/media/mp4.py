"""A small MP4 (ISO base media file) with Motion-JPEG frames and, if wanted, PCM sound; written and read back.

Motion-JPEG in MP4 is registered: sample entry `mp4v` with object type 0x6C (JPEG, ISO 10918-1). ffmpeg, VLC and mpv
play it with no codec but JPEG; browsers do not. Sound is `sowt`, 16-bit little-endian PCM as QuickTime defines it. No
encoder is needed, and none is bundled.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_SCALE = 600  # ticks per second of the film and its pictures
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """Pictures of equal length, and the sound that goes with them."""

    frames: tuple[bytes, ...]  # JPEG files
    width: int
    height: int
    frames_per_second: float
    sound: bytes = b""  # 16-bit mono PCM
    sound_rate: int = 16_000

    @property
    def seconds(self) -> float:
        return len(self.frames) / self.frames_per_second


def written(film: Film) -> bytes:
    """The film as a file: header, media, index."""
    header = _box(b"ftyp", b"isom" + struct.pack(">I", 512) + b"isomiso2mp41")
    media = b"".join(film.frames) + film.sound
    mdat = _box(b"mdat", media)
    start = len(header) + 8
    tracks = [_video_track(film, start)]
    if film.sound:
        tracks.append(_sound_track(film, start + sum(map(len, film.frames))))
    duration = _ticks(film)
    movie = struct.pack(">IIIII", 0, 0, 0, _SCALE, duration) + struct.pack(">IH10x", 0x10000, 0x100)
    movie += _MATRIX + bytes(24) + struct.pack(">I", len(tracks) + 1)
    return header + mdat + _box(b"moov", _box(b"mvhd", movie), *tracks)


def frames_in(body: bytes) -> Film | None:
    """The film of a file that `written` made; None for any other video."""
    try:
        return _read(body)
    except (struct.error, KeyError, IndexError, ValueError, ZeroDivisionError):
        return None


def _ticks(film: Film) -> int:
    return round(_frame_ticks(film) * len(film.frames))


def _frame_ticks(film: Film) -> int:
    return max(1, round(_SCALE / film.frames_per_second))


def _video_track(film: Film, offset: int) -> bytes:
    count = len(film.frames)
    sizes = [len(frame) for frame in film.frames]
    stbl = _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1) + _picture_entry(film, max(sizes, default=0))),
        _full(b"stts", struct.pack(">III", 1, count, _frame_ticks(film))),
        _full(b"stsc", struct.pack(">IIII", 1, 1, count, 1)),
        _full(b"stsz", struct.pack(f">II{count}I", 0, count, *sizes)),
        _full(b"stco", struct.pack(">II", 1, offset)),
    )
    head = _full(b"vmhd", bytes(8), flags=1)
    return _track(1, _ticks(film), (film.width, film.height), 0, _SCALE, _ticks(film), b"vide", head, stbl)


def _picture_entry(film: Film, largest: int) -> bytes:
    decoder = struct.pack(">BB3sII", 0x6C, 0x11, largest.to_bytes(3, "big"), 0, 0)
    es = struct.pack(">HB", 1, 0) + _descriptor(4, decoder) + _descriptor(6, b"\x02")
    entry = bytes(6) + struct.pack(">H16xHHIIIH", 1, film.width, film.height, 0x480000, 0x480000, 0, 1)
    entry += b"\x0bzenflow box".ljust(32, b"\0") + struct.pack(">Hh", 24, -1)
    return _box(b"mp4v", entry, _full(b"esds", _descriptor(3, es)))


def _descriptor(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x80, 0x80, 0x80, len(content)]) + content


def _sound_track(film: Film, offset: int) -> bytes:
    samples = len(film.sound) // 2
    entry = bytes(6) + struct.pack(">H8xHHHHI", 1, 1, 16, 0, 0, film.sound_rate << 16)
    stbl = _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1) + _box(b"sowt", entry)),
        _full(b"stts", struct.pack(">III", 1, samples, 1)),
        _full(b"stsc", struct.pack(">IIII", 1, 1, samples, 1)),
        _full(b"stsz", struct.pack(">II", 2, samples)),
        _full(b"stco", struct.pack(">II", 1, offset)),
    )
    head = _full(b"smhd", bytes(4))
    length = round(samples / film.sound_rate * _SCALE)
    return _track(2, length, (0, 0), 0x100, film.sound_rate, samples, b"soun", head, stbl)


def _track(
    number: int,
    length: int,
    size: tuple[int, int],
    volume: int,
    scale: int,
    media_length: int,
    handler: bytes,
    head: bytes,
    stbl: bytes,
) -> bytes:
    tkhd = struct.pack(">IIIII8xHHHxx", 0, 0, number, 0, length, 0, 0, volume)
    tkhd += _MATRIX + struct.pack(">II", size[0] << 16, size[1] << 16)
    mdhd = struct.pack(">IIIIHH", 0, 0, scale, media_length, 0x55C4, 0)  # language: undetermined
    hdlr = bytes(4) + handler + bytes(12) + b"zenflow sandbox\0"
    source = _full(b"dref", struct.pack(">I", 1) + _full(b"url ", b"", flags=1))
    minf = _box(b"minf", head, _box(b"dinf", source), stbl)
    return _box(b"trak", _full(b"tkhd", tkhd, flags=3), _box(b"mdia", _full(b"mdhd", mdhd), _full(b"hdlr", hdlr), minf))


def _box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I", len(content) + 8) + kind + content


def _full(kind: bytes, content: bytes, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", flags) + content)


def _read(body: bytes) -> Film | None:
    tracks: list[dict[bytes, bytes]] = []
    for path, content in _boxes(body, ()):
        if path[-1] == b"tkhd":
            tracks.append({})
        if tracks and b"stbl" in path:
            tracks[-1][path[-1]] = content
    pictures = tracks[0] if tracks else {}
    if pictures.get(b"stsd", b"")[12:16] != b"mp4v":
        return None
    count = struct.unpack(">I", pictures[b"stsz"][8:12])[0]
    sizes = struct.unpack(f">{count}I", pictures[b"stsz"][12 : 12 + 4 * count])
    at = struct.unpack(">I", pictures[b"stco"][8:12])[0]
    frames = []
    for size in sizes:
        frames.append(body[at : at + size])
        at += size
    width, height = struct.unpack(">HH", pictures[b"stsd"][40:44])
    ticks = struct.unpack(">I", pictures[b"stts"][12:16])[0]
    rate, sound = 16_000, b""
    if len(tracks) > 1:
        rate = struct.unpack(">I", tracks[1][b"stsd"][40:44])[0] >> 16
        start, samples = (
            struct.unpack(">I", tracks[1][b"stco"][8:12])[0],
            struct.unpack(">I", tracks[1][b"stsz"][8:12])[0],
        )
        sound = body[start : start + 2 * samples]
    return Film(
        frames=tuple(frames), width=width, height=height, frames_per_second=_SCALE / ticks, sound=sound, sound_rate=rate
    )


def _boxes(body: bytes, path: tuple[bytes, ...]) -> Iterator[tuple[tuple[bytes, ...], bytes]]:
    at = 0
    while at + 8 <= len(body):
        size, kind = struct.unpack(">I4s", body[at : at + 8])
        if size < 8:
            raise ValueError("a box without a size")
        content = body[at + 8 : at + size]
        if kind in _CONTAINERS:
            yield from _boxes(content, (*path, kind))
        else:
            yield (*path, kind), content
        at += size
