"""Results in a dictionary, for tests: the same names and the same refusals as on disk. It survives whoever writes to it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path

from zenflow.artifacts import media
from zenflow.artifacts.base import ArtifactError, ExpectedFile, SavedFile
from zenflow.artifacts.naming import id_digits, portable_path
from zenflow.artifacts.received import Receiving
from zenflow.media.types import ending_for


class MemoryStore:
    """An `artifacts.base.ArtifactStore`. `files` holds the bodies by path; `full`: the disk takes nothing more.

    `reads_media`: look into the bytes for their type, but do not decode them. Without it, what was announced is believed.
    """

    def __init__(self, folder: Path = Path("memory"), *, reads_media: bool = True) -> None:
        self.folder = folder
        self.files: dict[str, bytes] = {}
        self.full = False
        self._reads_media = reads_media

    async def save(self, name: str, asset_id: str, chunks: AsyncIterator[bytes], expected: ExpectedFile) -> SavedFile:
        path = portable_path(name)
        receiving = Receiving(expected)
        body = bytearray()
        async for chunk in chunks:
            receiving.take(len(chunk))
            body += chunk
        receiving.end()
        if self.full:
            raise ArtifactError("ZF830", "the disk is full", "Free some space.")
        data = bytes(body)
        sha256 = hashlib.sha256(data).hexdigest()
        receiving.compare(sha256)
        media_type = self._media_type(data, expected, sha256)
        given = self._free_name(path, ending_for(media_type), asset_id, data, sha256)
        self.files[given] = data
        return SavedFile(given, asset_id, media_type, len(data), sha256)

    async def verify(self, saved: SavedFile) -> bool:
        data = self.files.get(saved.path)
        return data is not None and hashlib.sha256(data).hexdigest() == saved.sha256

    def _media_type(self, data: bytes, expected: ExpectedFile, sha256: str) -> str:
        if self._reads_media:
            return media.checked(io.BytesIO(data), expected, sha256, decode=False)
        if data and not any(data) and expected.as_it_is != sha256:
            error = ArtifactError("ZF866", "the file is blank", retry=True)
            error.sha256 = sha256
            raise error
        return expected.media_type or "application/octet-stream"

    def _free_name(self, path: str, ending: str, asset_id: str, data: bytes, sha256: str) -> str:
        digits = id_digits(asset_id, 32) or sha256[:32]
        for suffix in ("", f"-{digits[:8]}", f"-{digits}", f"-{sha256[:32]}"):
            name = f"{path}{suffix}.{ending}"
            if self.files.get(name, data) == data:
                return name
        raise ArtifactError(
            "ZF862", f"Every name for {path}.{ending} is taken", "Choose another folder with --out DIR."
        )
