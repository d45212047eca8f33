"""Results in a folder: streamed to a hidden file, verified, synced, then given their name in one step.

It knows nothing of recipes or of where bytes come from. What can block runs in a thread; memory is one buffer a file.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from zenflow.artifacts import folders, media
from zenflow.artifacts.base import ArtifactError, ExpectedFile, SavedFile
from zenflow.artifacts.naming import id_digits, portable_path
from zenflow.artifacts.part import Part, digest_of_file, remove_leftovers
from zenflow.artifacts.received import Receiving
from zenflow.media.types import ending_for

T = TypeVar("T")

_BUFFER_BYTES = 1 << 20  # a hop into a thread costs as much as writing 100 kB


@dataclass(frozen=True, slots=True)
class _Whole:
    """What a finished part turned out to be."""

    media_type: str
    bytes: int
    sha256: str


class DiskStore:
    """A `artifacts.base.ArtifactStore`. The folder is made with the first file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        remove_leftovers(folder)

    async def save(self, name: str, asset_id: str, chunks: AsyncIterator[bytes], expected: ExpectedFile) -> SavedFile:
        path = portable_path(name)
        receiving = Receiving(expected)
        part = self._new_part()  # here and not in a thread: a cancellation could not lose it
        try:
            await self._receive(part, chunks, receiving)
            return await _in_thread(lambda: self._finish(part, path, asset_id, receiving))
        finally:
            await _in_thread(part.discard)

    async def verify(self, saved: SavedFile) -> bool:
        return await _in_thread(lambda: self._is_whole(saved))

    # ------------------------------------------------------------------------------------------------- in a thread

    def _new_part(self) -> Part:
        folders.make_inside(self.folder, self.folder)
        try:
            return Part(self.folder)
        except OSError as error:
            raise folders.from_system(error, self.folder) from error

    async def _receive(self, part: Part, chunks: AsyncIterator[bytes], receiving: Receiving) -> None:
        buffer = bytearray()
        async for chunk in chunks:
            receiving.take(len(chunk))
            buffer += chunk
            if len(buffer) >= _BUFFER_BYTES:
                full, buffer = bytes(buffer), bytearray()
                await _in_thread(lambda full=full: self._write(part, full))  # type: ignore[misc]
        if buffer:
            await _in_thread(lambda: self._write(part, bytes(buffer)))
        receiving.end()

    def _write(self, part: Part, data: bytes) -> None:
        try:
            part.write(data)
        except OSError as error:
            raise folders.from_system(error, self.folder) from error

    def _finish(self, part: Part, path: str, asset_id: str, receiving: Receiving) -> SavedFile:
        try:
            part.sync()
            receiving.compare(part.sha256)
            real_type = media.checked(part.stream, receiving.expected, part.sha256)
            whole = _Whole(real_type, part.size, part.sha256)
            given = self._give_name(part, path, asset_id, whole)
        except OSError as error:
            raise folders.from_system(error, self.folder / path) from error
        return SavedFile(given, asset_id, whole.media_type, whole.bytes, whole.sha256)

    def _give_name(self, part: Part, path: str, asset_id: str, whole: _Whole) -> str:
        """The plain name; taken by other bytes, with digits of the id, then with more of them."""
        folders.make_inside(self.folder, (self.folder / path).parent)
        ending = ending_for(whole.media_type)
        digits = id_digits(asset_id, 32) or whole.sha256[:32]
        for suffix in ("", f"-{digits[:8]}", f"-{digits}", f"-{whole.sha256[:32]}"):
            name = f"{path}{suffix}.{ending}"
            target = self.folder / name
            try:
                part.give_name(target)
                return name
            except FileExistsError:
                if _has_bytes(target, whole.bytes, whole.sha256):
                    folders.sync_folder(target.parent)  # who wrote it may have died before that
                    return name
        raise ArtifactError(
            "ZF862", f"Every name for {self.folder / path}.{ending} is taken", "Choose another folder with --out DIR."
        )

    def _is_whole(self, saved: SavedFile) -> bool:
        target = self.folder / saved.path
        root = self.folder.resolve()
        return root in target.resolve().parents and _has_bytes(target, saved.bytes, saved.sha256)


def _has_bytes(target: Path, size: int, sha256: str) -> bool:
    """Whether a file of our own kind, no link, lies there with just these bytes."""
    try:
        if target.is_symlink() or not target.is_file() or target.stat().st_size != size:
            return False
        with target.open("rb") as stream:
            return digest_of_file(stream) == sha256
    except OSError:
        return False


async def _in_thread(act: Callable[[], T]) -> T:
    """`act` in a thread; a cancellation waits for it, so that nothing is removed under its hands."""
    running = asyncio.ensure_future(asyncio.to_thread(act))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # looked at: the cancellation is what is told
        raise
