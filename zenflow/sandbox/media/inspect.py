"""Whether uploaded bytes are what they are said to be, and how large a picture is.

Pillow is loaded when first needed.
"""

from __future__ import annotations

import io
import warnings

Size = tuple[int, int]

_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/jpg": "JPEG", "image/webp": "WEBP"}
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1", b"heif")
_MAX_PIXELS = 100_000_000  # "oversized image" is a documented 400; the number is chosen by us


def unreadable_because(body: bytes, media_type: str) -> tuple[str | None, Size | None]:
    """What is wrong with the bytes (None: nothing), and the picture's size where there is one.

    Only pictures are looked into, as documented; HEIC is known by its header, since Pillow cannot decode it.
    """
    if not media_type.startswith("image/"):
        return None, None
    if media_type in ("image/heic", "image/heif"):
        is_heif = body[4:8] == b"ftyp" and body[8:12] in _HEIF_BRANDS
        return (None if is_heif else f"the bytes are not a decodable {media_type}"), None
    return _looked_into(body, media_type)


def _looked_into(body: bytes, media_type: str) -> tuple[str | None, Size | None]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(body)) as picture:
                if picture.format != _FORMATS[media_type]:
                    return f"mime {media_type} does not match the bytes, which are {picture.format}", None
                if picture.width * picture.height > _MAX_PIXELS:
                    return f"oversized image: {picture.width}x{picture.height}", None
                picture.load()
                return None, ImageOps.exif_transpose(picture).size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return f"corrupt image: the bytes are not a decodable {media_type}", None
