"""Small pictures of files: for reports, contact sheets and pages. A thumbnail is never the original.

Pillow is loaded here only when a thumbnail is made. Damaged files and kinds without a decoder give None: whoever shows
a run shows the rest of it all the same.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_SIDE = 320  # pixels
MOST_PIXELS = 170_000_000
_QUALITY = 72


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A WebP picture of at most `MOST_SIDE` pixels a side, and the size in pixels of the file that it shows."""

    webp: bytes
    width: int
    height: int
    original_width: int
    original_height: int

    @property
    def data_url(self) -> str:
        """Return the picture as a `data:` URL."""
        return "data:image/webp;base64," + base64.b64encode(self.webp).decode()


def thumbnail(path: Path, side: int = MOST_SIDE) -> Thumbnail | None:
    """Return a thumbnail of a picture file; None where the file is missing, damaged, too large or not a picture."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                return None
            picture.draft("RGB", (side * 2, side * 2))  # a JPEG is decoded at a fraction of its size
            small: Any = ImageOps.exif_transpose(picture)
            if small.mode not in ("RGB", "RGBA"):
                small = small.convert("RGBA" if "A" in small.getbands() or "transparency" in small.info else "RGB")
            small.thumbnail((side, side), Image.Resampling.BILINEAR, reducing_gap=1.5)
            body = io.BytesIO()
            small.save(body, "WEBP", quality=_QUALITY, method=1)
    except Exception:  # decoders of damaged data raise what they come upon
        return None
    return Thumbnail(body.getvalue(), small.width, small.height, width, height)


def thumbnails(paths: Iterable[Path], side: int = MOST_SIDE) -> Iterator[tuple[Path, Thumbnail | None]]:
    """Yield each path with its thumbnail, in order; several are made at once, because decoders release the lock."""
    wanted = list(paths)
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield from zip(wanted, pool.map(lambda path: thumbnail(path, side), wanted), strict=True)
