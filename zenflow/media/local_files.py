"""Whether a local file can be uploaded: the one answer for inputs, recipes, plans and the upload itself.

Looks at its size, its first bytes and whether its end is there. Nothing is uploaded or changed.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from zenflow.media.containers import cut_off
from zenflow.media.sniff import HEAD_BYTES, type_of
from zenflow.media.types import (
    FILE_LIMIT_BYTES,
    UPLOAD_TYPES,
    URL_LIMIT_BYTES,
    can_be_uploaded,
    kind_of,
    taken_for,
    words_for,
)

Trouble = Literal["empty", "too_large", "other_media", "damaged"]
_ODD_AND_WHOLE = frozenset({"audio/mpeg"})  # players skip what they do not know in it
_WITH_A_DECODER = frozenset({"image/png", "image/jpeg", "image/webp"})


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a file cannot be uploaded, in words that follow its name, and what to do."""

    trouble: Trouble
    said: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """A file that can be uploaded."""

    media_type: str
    size_bytes: int


def examine(path: Path, kind: str | None = None, *, to_the_end: bool = True) -> Fit | Unfit:
    """Look at a regular file; `kind`: what it must show; `to_the_end` False: its first bytes alone. Raises OSError."""
    size = path.stat().st_size
    if size == 0:
        return Unfit("empty", "is empty", "Check the path.")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        media_type = type_of(head, path.name)
        wrong = why_not(media_type, kind) or too_large(size)
        if wrong is not None:
            return wrong
        assert media_type is not None
        damage = _damage(file, head, media_type) if to_the_end else None
    if damage is not None:
        return Unfit("damaged", f"is damaged: {damage}", "Save or copy the file again.")
    return Fit(media_type, size)


def why_not(media_type: str | None, kind: str | None) -> Unfit | None:
    """Say why a type cannot be uploaded where `kind` is wanted; None when it can."""
    wanted = f", and {article(kind)} is wanted" if kind else ""
    takes = f"The service takes {taken_for(kind) if kind else ', '.join(UPLOAD_TYPES)}."
    if media_type is None:
        return Unfit("other_media", f"is no file that the service takes{wanted}", takes)
    if not can_be_uploaded(media_type):
        return Unfit("other_media", f"is {words_for(media_type)}{wanted or ', which the service does not take'}", takes)
    if kind is not None and kind_of(media_type) != kind:
        return Unfit("other_media", f"is {article(kind_of(media_type))} ({media_type}){wanted}", takes)
    return None


def too_large(size: int) -> Unfit | None:
    """Say that a file, or a `data:` URL of these many bytes, is too large to send; None when it is not."""
    if size <= FILE_LIMIT_BYTES:
        return None
    web = f" (up to {URL_LIMIT_BYTES // 1_000_000} MB)" if size <= URL_LIMIT_BYTES else ""
    address = f"Give a public http(s) address instead{web}, or upload" if web else "Upload"
    return Unfit(
        "too_large",
        f"has {size / 1_000_000:,.1f} MB; a file can be sent up to {FILE_LIMIT_BYTES // 1_000_000} MB",
        f"{address} it in the web app and use its asset id. zenflow never shrinks a file.",
    )


def article(kind: str) -> str:
    """Name a kind of media in words."""
    return {"image": "an image", "video": "a video", "audio": "a sound"}.get(kind, kind)


def _damage(stream: IO[bytes], head: bytes, media_type: str) -> str | None:
    """What is missing. A picture counts as damaged only when a decoder agrees: some end oddly and are whole."""
    if type_of(head, "") is None:  # the name alone says what it is; every picture has a beginning of its own
        return f"it does not begin as {media_type} does" if kind_of(media_type) == "image" else None
    found = None if media_type in _ODD_AND_WHOLE else cut_off(stream, media_type)
    if found is None or media_type not in _WITH_A_DECODER:
        return found
    return found if not _decodes(stream) else None


def _decodes(stream: IO[bytes]) -> bool:
    from PIL import Image  # only here: costs 30 ms at import, and few files come this far

    stream.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(stream) as picture:
                picture.load()
    except Exception:  # decoders of damaged data raise what they come upon
        return False
    return True
