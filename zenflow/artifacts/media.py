"""Whether bytes are what they were announced to be. The bytes are the truth: what they show themselves to be counts.

Works on any open binary file. Pictures are decoded wholly; clips and sounds are checked as far as their structure
tells that nothing is cut off. It knows nothing of names and folders.
"""

from __future__ import annotations

import threading
import warnings
from pathlib import Path
from typing import IO, Any

from zenflow.artifacts.base import ArtifactError, ExpectedFile
from zenflow.media import containers
from zenflow.media.types import KINDS, canonical_type

HEAD_BYTES = 4096
MOST_PIXELS = 170_000_000  # 13,000 × 13,000; Pillow itself refuses above 178 million
MOST_FRAMES = 2000
MOST_DRAWN = 4_200_000_000  # pixels of all frames together: 2,000 of 1080p

_ANYTHING = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_ALWAYS_DECODED = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}
_PAGES = frozenset({"text/html", "application/xml", "application/json"})  # what storages say instead of a file
_one_at_a_time = threading.Lock()  # a decoded picture is many times its file


def sniff(head: bytes) -> str | None:
    """The media type that the first bytes show; None for bytes of no kind that we know."""
    return containers.media_type(head) or _textual(head)


def checked(stream: IO[bytes], expected: ExpectedFile, sha256: str, *, decode: bool = True) -> str:
    """`check`, but for bytes that are to be taken as they are. `sha256` is theirs."""
    try:
        return check(stream, expected.media_type, decode=decode)
    except LooksWrong as error:
        if error.kept_as is None:
            raise
        if expected.as_it_is == sha256:
            return error.kept_as
        error.sha256 = sha256
        raise


class LooksWrong(ArtifactError):
    """A whole body that is not what it should be. `kept_as`: the media type where it may be it all the same."""

    def __init__(self, code: str, message: str, kept_as: str | None) -> None:
        super().__init__(code, message, _AGAIN, retry=True)
        self.kept_as = kept_as


def check(stream: IO[bytes], announced: str | None, *, decode: bool = True) -> str:
    """The real media type of the whole file. Raises ArtifactError with `retry` where asking again can help."""
    stream.seek(0)
    found = sniff(stream.read(HEAD_BYTES))
    expected = None if announced is None else canonical_type(announced)
    _refuse_other_kind(found, expected)
    if found is None:
        return expected if expected and expected not in _ANYTHING else "application/octet-stream"
    problem = containers.cut_off(stream, found)
    if problem is not None:
        raise _broken(found, problem)
    if decode and found.startswith("image/"):
        _decode(stream, found)
    return found


def _refuse_other_kind(found: str | None, expected: str | None) -> None:
    """An error page instead of a picture comes from a link that ran out or a storage with trouble: asked for again.

    A picture of another format than announced is a picture, and gets its own ending.
    """
    if expected is None or expected.partition("/")[0] not in KINDS:
        return
    if found is None or found.partition("/")[0] not in KINDS:
        what = found or "something else"
        kept_as = None if found in _PAGES else expected
        raise LooksWrong("ZF865", f"{what} came where {expected} was announced", kept_as)


def _textual(head: bytes) -> str | None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "text/html"
    if start.startswith((b"<?xml", b"<error")):
        return "application/xml"
    if b"\x00" in head:
        return None
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # else a character was cut by the end of the head
            return None
    return "application/json" if start.startswith((b"{", b"[")) else "text/plain"


def _decode(stream: IO[bytes], media_type: str) -> None:
    from PIL import Image, UnidentifiedImageError  # only here: costs 30 ms at import

    stream.seek(0)
    try:
        with _one_at_a_time, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own bound follows
            with Image.open(stream) as picture:
                _decode_frames(picture)
    except UnidentifiedImageError as error:
        if media_type in _ALWAYS_DECODED:
            raise _broken(media_type, "it cannot be decoded") from error
        # heic, heif and, with older Pillows, avif have no decoder here: their structure was checked
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except ArtifactError:
        raise
    except Exception as error:  # decoders of damaged data raise what they come upon: struct.error, zlib.error, …
        raise _broken(media_type, str(error) or "it cannot be decoded") from error


def _decode_frames(picture: Any) -> None:
    width, height = picture.size
    frames = int(getattr(picture, "n_frames", 1))
    if width * height > MOST_PIXELS or frames > MOST_FRAMES or width * height * frames > MOST_DRAWN:
        raise _too_large()
    if picture.format == "JPEG":
        picture.draft(None, (max(1, width // 8), max(1, height // 8)))  # reads all of it into an eighth of the memory
    for number in range(frames):
        picture.seek(number)
        picture.load()


def _broken(media_type: str, problem: str) -> LooksWrong:
    return LooksWrong("ZF866", f"The {media_type} that came is damaged: {problem}", media_type)


def _too_large() -> ArtifactError:
    return ArtifactError(
        "ZF867",
        f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels, {MOST_FRAMES} frames, or too much of both",
        "Ask for a smaller one, or fetch it with the service's own page.",
    )


_AGAIN = "It is fetched again; `zenflow resume` does so later, without paying for it again."


def pixels_of(path: Path) -> tuple[int, int] | None:
    """Width and height; None for what is no picture that can be read here."""
    from PIL import Image, UnidentifiedImageError  # only here: costs 30 ms at import

    try:
        with Image.open(path) as picture:
            return picture.size
    except (OSError, UnidentifiedImageError, ValueError):
        return None
