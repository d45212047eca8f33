"""Bytes of every kind: real ones, cut ones, and what pretends."""

import io
import random
import struct
import wave
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from tests.support.contracts.artifacts import png
from zenflow.artifacts import media
from zenflow.artifacts.base import ArtifactError
from zenflow.media import containers


def noise(size: tuple[int, int], seed: int) -> Image.Image:
    """The same every time."""
    return Image.frombytes("L", size, random.Random(seed).randbytes(size[0] * size[1]))


def picture(kind: str, **options: object) -> bytes:
    made = io.BytesIO()
    noise((64, 48), 1).convert("RGB").save(made, kind, **options)
    return made.getvalue()


def animation() -> bytes:
    made = io.BytesIO()
    frames = [noise((32, 32), seed).convert("P") for seed in range(4)]
    frames[0].save(made, "GIF", save_all=True, append_images=frames[1:])
    return made.getvalue()


def box(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def clip(brand: bytes = b"isom") -> bytes:
    return box(b"ftyp", brand + b"\0\0\0\0mp42") + box(b"moov", b"m" * 40) + box(b"mdat", b"d" * 400)


def large_clip() -> bytes:
    """A box with a length of 64 bits, and one that reaches to the end."""
    moov = struct.pack(">I", 1) + b"moov" + struct.pack(">Q", 16 + 30) + b"m" * 30
    return box(b"ftyp", b"isom\0\0\0\0") + moov + struct.pack(">I", 0) + b"mdat" + b"d" * 99


def heic() -> bytes:
    return box(b"ftyp", b"mif1\0\0\0\0mif1heic") + box(b"meta", b"x" * 20) + box(b"mdat", b"d" * 50)


def sound() -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"\0\1" * 800)
    return made.getvalue()


def webm() -> bytes:
    return b"\x1a\x45\xdf\xa3\x84abcd" + b"\x18\x53\x80\x67" + b"\x40\xc8" + b"c" * 200


def endless_webm() -> bytes:
    return b"\x1a\x45\xdf\xa3\x84abcd" + b"\x18\x53\x80\x67" + b"\x01" + b"\xff" * 7 + b"c" * 200


def mp3() -> bytes:
    return b"ID3\x04\0\0\0\0\x02\x01" + b"t" * 257 + b"\xff\xfb\x90\x00" + b"\0" * 413


def bare_mp3() -> bytes:
    return b"\xff\xfb\x90\x00" + b"\0" * 413


KINDS: list[tuple[str, Callable[[], bytes]]] = [
    ("image/png", lambda: picture("PNG")),
    ("image/jpeg", lambda: picture("JPEG", progressive=True)),
    ("image/webp", lambda: picture("WEBP")),
    ("image/gif", animation),
    ("image/heic", heic),
    ("image/avif", lambda: box(b"ftyp", b"avif\0\0\0\0") + box(b"meta", b"x" * 20) + box(b"mdat", b"d" * 50)),
    ("video/mp4", clip),
    ("video/mp4", large_clip),
    ("video/quicktime", lambda: clip(b"qt  ")),
    ("video/quicktime", lambda: box(b"moov", b"m" * 40) + box(b"mdat", b"d" * 400)),
    ("audio/x-m4a", lambda: clip(b"M4A ")),
    ("video/webm", webm),
    ("video/webm", endless_webm),
    ("audio/wav", sound),
    ("audio/mpeg", mp3),
    ("audio/mpeg", bare_mp3),
    ("audio/ogg", lambda: b"OggS" + b"\0" * 60),
    ("application/json", lambda: b' \n{"a": "\xc3\xa9"}'),
    ("text/plain", lambda: "ein Wort, zwei Wörter".encode()),
    ("text/html", lambda: b"\xef\xbb\xbf  <!DOCTYPE HTML><p>x"),
    ("application/xml", lambda: b"<?xml version='1.0'?><Error>AccessDenied</Error>"),
]
CUTTABLE = [
    (kind, make) for kind, make in KINDS if kind.partition("/")[0] in ("image", "video") and make is not endless_webm
] + [("audio/wav", sound), ("audio/x-m4a", lambda: clip(b"M4A "))]


@pytest.mark.parametrize(("media_type", "make"), KINDS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_kind_is_known_by_its_bytes_whatever_was_announced(media_type: str, make: Callable[[], bytes]) -> None:
    assert media.check(io.BytesIO(make()), None) == media_type
    assert media.check(io.BytesIO(make()), media_type) == media_type
    if media_type.partition("/")[0] in ("image", "video", "audio"):
        assert media.check(io.BytesIO(make()), "image/x-new") == media_type


@pytest.mark.parametrize(("media_type", "make"), CUTTABLE, ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("part", [0.5, 0.9])
def test_a_file_that_was_cut_off_is_refused_and_asked_for_again(
    media_type: str, make: Callable[[], bytes], part: float
) -> None:
    data = make()
    if make is large_clip:  # its last box reaches to the end, wherever that is: only the index can be missing
        data, part = data, 0.3
    with pytest.raises(ArtifactError) as caught:
        media.check(io.BytesIO(data[: int(len(data) * part)]), media_type)
    assert (caught.value.code, caught.value.retry) == ("ZF866", True)


def test_an_animation_that_ends_between_two_frames_is_refused() -> None:
    data = animation()
    for end in range(13, len(data)):  # wherever it was cut off; a decoder takes what it got for all there is
        assert containers.cut_off(io.BytesIO(data[:end]), "image/gif") == "its end is missing"
    assert containers.cut_off(io.BytesIO(data), "image/gif") is None
    assert containers.cut_off(io.BytesIO(data + b"\0\0"), "image/gif") is None


def test_a_picture_with_a_damaged_middle_is_refused() -> None:
    data = bytearray(picture("PNG"))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(ArtifactError) as caught:
        media.check(io.BytesIO(bytes(data)), "image/png")
    assert caught.value.code == "ZF866"


@pytest.mark.parametrize(
    "page", [b"<html>Sign in</html>", b'{"error": 1}', b"<Error><Code>X</Code></Error>", b"\0\1\2"]
)
def test_an_error_page_instead_of_media_is_asked_for_again(page: bytes) -> None:
    for announced in ("image/png", "video/mp4", "audio/mpeg"):
        with pytest.raises(ArtifactError) as caught:
            media.check(io.BytesIO(page), announced)
        assert (caught.value.code, caught.value.retry) == ("ZF865", True)


@pytest.mark.parametrize(
    "data",
    [
        box(b"ftyp", b"isom\0\0\0\0") + box(b"mdat", b"d" * 400),
        box(b"ftyp", b"isom\0\0\0\0") + struct.pack(">I", 3) + b"moov",
        box(b"ftyp", b"heic\0\0\0\0") + box(b"mdat", b"d" * 400),
        b"RIFF\x24\0\0\0WAVEfmt \x04\0\0\0abcd",
        b"ID3\x04\0\0\0\0\x00\x05" + b"t" * 5,
        b"ID3\x04\0\0\0\0\x00\x05" + b"t" * 5 + b"no sound at all",
        b"\x1a\x45\xdf\xa3\x84abcdEFGH",
        b"\x1a\x45\xdf\xa3",
    ],
)
def test_a_shell_without_content_is_refused(data: bytes) -> None:
    with pytest.raises(ArtifactError) as caught:
        media.check(io.BytesIO(data), None)
    assert caught.value.code == "ZF866"


def test_refuses_a_picture_too_large_to_decode() -> None:
    for width, height in ((20_000, 20_000), (13_100, 13_000)):  # beyond Pillow's own bound, and below it beyond ours
        data = bytearray(png())
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
        with pytest.raises(ArtifactError) as caught:
            media.check(io.BytesIO(bytes(data)), "image/png")
        assert (caught.value.code, caught.value.retry) == ("ZF867", False)


def test_accepts_text_cut_inside_a_character() -> None:
    text = ("x" * (media.HEAD_BYTES - 1) + "é" * 10).encode()
    assert media.check(io.BytesIO(text), None) == "text/plain"
    assert media.sniff(b"\xff\xfe\xfd no text" * 100) is None
