"""The door to where results are kept: files, verified, that are either whole under their name or not there at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from zenflow.errors import ZenflowError


class ArtifactError(ZenflowError):
    """A file could not be written, or what came is not what was announced. `retry`: asking again can help.

    `sha256` is of a body that came whole and only looks wrong (`Insisted`).
    """

    exit_status = 4

    def __init__(self, code: str, message: str, hint: str | None = None, *, retry: bool = False) -> None:
        super().__init__(code, message, hint)
        self.retry = retry
        self.sha256: str | None = None


@dataclass(frozen=True, slots=True)
class ExpectedFile:
    """What a body must be: verified before the file gets its name. Unknown is None and is not checked.

    `as_it_is`: the digest of bytes that are taken although they look damaged.
    """

    media_type: str | None
    total_bytes: int | None = None
    sha256: str | None = None
    as_it_is: str | None = None


SAME_BEFORE = 3


@dataclass(slots=True)
class Insisted:
    """Whole bodies of one asset that looked damaged. The same bytes every time are all that the service has: they are
    paid for, and kept as they are rather than lost.
    """

    seen: list[str] = field(default_factory=list)

    def take(self, error: ArtifactError) -> None:
        if error.sha256 is not None:
            self.seen.append(error.sha256)

    @property
    def as_it_is(self) -> str | None:
        return self.seen[0] if len(self.seen) >= SAME_BEFORE and len(set(self.seen)) == 1 else None


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

    async def save(self, name: str, asset_id: str, chunks: AsyncIterator[bytes], expected: ExpectedFile) -> SavedFile:
        """Write to a temporary file, verify, sync, rename into place.

        `name` has no ending (it comes from the media type found) and may hold `/`; it is made portable part by part.
        An existing file with the same bytes is left and returned; with others, `-` and 8 digits of its id are added.
        Never overwrites, never leaves the folder. Raises ArtifactError.
        """
        ...

    async def verify(self, saved: SavedFile) -> bool:
        """Whether the file is still there, whole."""
        ...
