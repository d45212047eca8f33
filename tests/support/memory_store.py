"""Results in a dictionary, for tests: the same names and the same refusals, only pictures are not decoded."""

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
    """A `artifacts.base.ArtifactStore`. `files` is what lies there, by path."""

    def __init__(self, folder: Path = Path("memory")) -> None:
        self.folder = folder
        self.files: dict[str, bytes] = {}

    async def save(self, name: str, asset_id: str, chunks: AsyncIterator[bytes], expected: ExpectedFile) -> SavedFile:
        path = portable_path(name)
        receiving = Receiving(expected)
        body = bytearray()
        async for chunk in chunks:
            receiving.take(len(chunk))
            body += chunk
        receiving.end()
        data = bytes(body)
        sha256 = hashlib.sha256(data).hexdigest()
        receiving.compare(sha256)
        media_type = media.checked(io.BytesIO(data), expected, sha256, decode=False)
        given = self._free_name(path, ending_for(media_type), asset_id, data, sha256)
        self.files[given] = data
        return SavedFile(given, asset_id, media_type, len(data), sha256)

    async def verify(self, saved: SavedFile) -> bool:
        data = self.files.get(saved.path)
        return data is not None and hashlib.sha256(data).hexdigest() == saved.sha256

    def _free_name(self, path: str, ending: str, asset_id: str, data: bytes, sha256: str) -> str:
        digits = id_digits(asset_id, 32) or sha256[:32]
        for suffix in ("", f"-{digits[:8]}", f"-{digits}", f"-{sha256[:32]}"):
            name = f"{path}{suffix}.{ending}"
            if self.files.get(name, data) == data:
                return name
        raise ArtifactError(
            "ZF862", f"Every name for {path}.{ending} is taken", "Choose another folder with --out DIR."
        )
