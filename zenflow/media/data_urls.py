"""RFC 2397 `data:` URLs: their media type and their bytes."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes


@dataclass(frozen=True, slots=True)
class DataUrl:
    """The contents of a `data:` URL."""

    media_type: str
    data: bytes


def is_data_url(text: str) -> bool:
    """Tell whether a text is a `data:` URL; the scheme may be in capitals."""
    return text[:5].lower() == "data:"


def is_web_url(text: str) -> bool:
    """Tell whether a text is an http(s) address; the scheme may be in capitals (RFC 3986)."""
    return text[:8].lower().startswith(("http://", "https://"))


def parse_data_url(url: str) -> DataUrl:
    """Read a `data:` URL. Raises `ValueError` with what is wrong, in words."""
    header, comma, body = url[len("data:") :].partition(",")
    if not comma:
        raise ValueError("a data: URL has a comma before its data")
    media_type, *options = header.split(";")
    if options and options[-1].strip().lower() == "base64":
        try:
            data = base64.b64decode(unquote_to_bytes(body), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("the data of the data: URL is not base64") from None
    else:
        data = unquote_to_bytes(body)
    return DataUrl(media_type.strip().lower() or "text/plain", data)
