"""Files kept in memory: whole under their name, or not there at all. Survives the death of whoever writes them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from zenflow.artifacts.base import ArtifactError, ExpectedFile, SavedFile

_ENDINGS = {"image/png": ".png", "video/mp4": ".mp4"}


class MemoryStore:
    """An `artifacts.base.ArtifactStore`. `full`: the disk takes nothing more."""

    def __init__(self, folder: Path = Path("out")) -> None:
        self.folder = folder
        self.files: dict[str, bytes] = {}
        self.full = False

    async def save(self, name: str, asset_id: str, chunks: AsyncIterator[bytes], expected: ExpectedFile) -> SavedFile:
        body = b"".join([chunk async for chunk in chunks])
        if self.full:
            raise ArtifactError("ZF830", "the disk is full", "Free some space.")
        if expected.total_bytes is not None and len(body) != expected.total_bytes:
            raise ArtifactError("ZF831", f"{len(body)} bytes of {expected.total_bytes} came", retry=True)
        media_type, digest = expected.media_type or "application/octet-stream", hashlib.sha256(body).hexdigest()
        if body and not any(body) and expected.as_it_is != digest:
            error = ArtifactError("ZF866", "what came is blank", retry=True)
            error.sha256 = digest
            raise error
        path = self._free_path(name, asset_id, _ENDINGS.get(media_type, ""), body)
        self.files[path] = body
        return SavedFile(path, asset_id, media_type, len(body), digest)

    def _free_path(self, name: str, asset_id: str, ending: str, body: bytes) -> str:
        path = name + ending
        return path if self.files.get(path, body) == body else f"{name}-{asset_id[:8]}{ending}"

    async def verify(self, saved: SavedFile) -> bool:
        body = self.files.get(saved.path)
        return body is not None and hashlib.sha256(body).hexdigest() == saved.sha256
