"""The door to where results are kept: files, verified, that are either whole under their name or not there at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from zenflow.errors import ZenflowError


class ArtifactError(ZenflowError):
    """A file could not be written, or what came is not what was announced. `retry`: asking again can help."""

    exit_status = 4

    def __init__(self, code: str, message: str, hint: str | None = None, *, retry: bool = False) -> None:
        super().__init__(code, message, hint)
        self.retry = retry


@dataclass(frozen=True, slots=True)
class Expected:
    """What a body must be: verified before the file gets its name. Unknown is None and is not checked."""

    media_type: str | None
    total_bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class SavedFile:
    """`path` is relative to the store's folder, with `/`."""

    path: str
    asset_id: str
    media_type: str
    bytes: int
    sha256: str


class ArtifactStore(Protocol):
    folder: Path

    async def save(self, name: str, asset_id: str, chunks: AsyncIterator[bytes], expected: Expected) -> SavedFile:
        """Write to a temporary file, verify, sync, rename into place.

        `name` has no ending (it comes from the media type found) and may hold `/`; it is made portable part by part.
        An existing file with the same bytes is left and returned; with others, `-` and 8 digits of its id are added.
        Never overwrites, never leaves the folder. Raises ArtifactError.
        """
        ...

    async def verify(self, saved: SavedFile) -> bool:
        """Whether the file is still there, whole."""
        ...
