import asyncio
from pathlib import Path

import pytest

from tests.support.contracts.artifacts import CHECKS, Check, StoreBench, name_of
from tests.support.memory_store import MemoryStore
from zenflow.artifacts.base import ArtifactStore
from zenflow.artifacts.disk import DiskStore


class DiskBench:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self) -> ArtifactStore:
        return DiskStore(self._folder)

    def names(self) -> list[str]:
        return sorted(
            found.relative_to(self._folder).as_posix() for found in self._folder.rglob("*") if found.is_file()
        )

    def content(self, path: str) -> bytes:
        return (self._folder / path).read_bytes()

    def damage(self, path: str) -> None:
        data = bytearray(self.content(path))
        data[-1] ^= 1
        (self._folder / path).write_bytes(data)


class MemoryBench:
    def __init__(self) -> None:
        self._store = MemoryStore()

    def open(self) -> ArtifactStore:
        return self._store

    def names(self) -> list[str]:
        return sorted(self._store.files)

    def content(self, path: str) -> bytes:
        return self._store.files[path]

    def damage(self, path: str) -> None:
        self._store.files[path] += b"!"


@pytest.fixture(params=["disk", "memory"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> StoreBench:
    return DiskBench(tmp_path / "out") if request.param == "disk" else MemoryBench()


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_every_store(check: Check, bench: StoreBench) -> None:
    asyncio.run(check(bench))
