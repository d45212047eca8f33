"""The digest of what would be uploaded: of a file's bytes, of those in a `data:` URL."""

from __future__ import annotations

import hashlib
from pathlib import Path

from zenflow.media.data_urls import is_data_url, parse_data_url

_CHUNK = 1 << 20


def file_digest(path: Path) -> str:
    """SHA-256 of a file, read in parts. Raises OSError."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def data_url_digest(source: str) -> str | None:
    """SHA-256 of the bytes in a `data:` URL; None for anything else."""
    if not is_data_url(source):
        return None
    try:
        return hashlib.sha256(parse_data_url(source).data).hexdigest()
    except ValueError:
        return None
