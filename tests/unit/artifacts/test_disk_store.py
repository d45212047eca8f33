"""What only a real folder has: links, full disks, leftovers, memory."""

import asyncio
import errno
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.contracts.artifacts import ASSET, OTHER, body, png
from zenflow.artifacts import folders, part
from zenflow.artifacts.base import ArtifactError, ExpectedFile, SavedFile
from zenflow.artifacts.disk import DiskStore
from zenflow.artifacts.manifest import write_json

PNG = ExpectedFile("image/png")


def save(folder: Path, name: str, data: bytes, expected: ExpectedFile = PNG, asset_id: str = ASSET) -> SavedFile:
    return asyncio.run(DiskStore(folder).save(name, asset_id, body(data), expected))


def refused(folder: Path, name: str = "hero", data: bytes | None = None) -> ArtifactError:
    with pytest.raises(ArtifactError) as caught:
        save(folder, name, png() if data is None else data)
    assert caught.value.hint
    return caught.value


def files(folder: Path) -> list[str]:
    return sorted(found.relative_to(folder).as_posix() for found in folder.rglob("*") if not found.is_dir())


def test_no_folder_is_made_before_there_is_a_file(tmp_path: Path) -> None:
    DiskStore(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_link_that_leads_out_is_not_followed(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / "deep").symlink_to(elsewhere)
    assert refused(out, "deep/hero").code == "ZF874"
    assert refused(out, "deep/more/hero").code == "ZF874"
    assert list(elsewhere.iterdir()) == []
    assert files(out) == []


def test_allows_links_in_the_output_folder(tmp_path: Path) -> None:
    (tmp_path / "real" / "a").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "b").symlink_to(tmp_path / "real" / "a")
    save(tmp_path / "out", "b/hero", png())
    assert files(tmp_path / "real" / "a") == ["hero.png"]


def test_treats_a_link_under_the_name_as_another_file(tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    outside.write_bytes(png())
    out = tmp_path / "out"
    out.mkdir()
    (out / "hero.png").symlink_to(outside)
    assert save(out, "hero", png()).path == "hero-3f2b9a70.png"
    assert outside.read_bytes() == png()


def test_a_file_where_a_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("mine")
    assert refused(tmp_path, "deep/hero").code == "ZF862"
    assert (tmp_path / "deep").read_text() == "mine"
    assert refused(tmp_path / "deep").code == "ZF862"
    assert files(tmp_path) == ["deep"]


def test_a_folder_under_the_name_is_left(tmp_path: Path) -> None:
    (tmp_path / "hero.png").mkdir()
    assert save(tmp_path, "hero", png()).path == "hero-3f2b9a70.png"


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "ZF860"), (errno.EACCES, "ZF861"), (errno.EROFS, "ZF861"), (errno.EIO, "ZF863")]
)
@pytest.mark.parametrize("where", ["write", "sync", "name"])
def test_trouble_with_the_disk_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, number: int, code: str
) -> None:
    def trouble(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    if where == "write":
        monkeypatch.setattr(part.Part, "write", trouble)
    elif where == "sync":
        monkeypatch.setattr(os, "fsync", lambda handle: trouble() if os.fstat(handle).st_size else None)
    else:
        monkeypatch.setattr(os, "link", trouble)
    error = refused(tmp_path)
    assert (error.code, error.retry) == (code, False)
    monkeypatch.undo()
    assert files(tmp_path) == []


def test_a_real_full_disk(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")

    def full(folder: Path) -> "tuple[Path, object]":
        return folder / ".zenflow-part-x", Path("/dev/full").open("r+b", buffering=0)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(part, "_new_file", full)
        assert refused(tmp_path).code == "ZF860"


def test_reserves_a_name_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    assert save(tmp_path, "hero", png(1)).path == "hero.png"
    assert save(tmp_path, "hero", png(1)).path == "hero.png"
    assert save(tmp_path, "hero", png(2), asset_id=OTHER).path == "hero-a1b2c3d4.png"
    assert (tmp_path / "hero.png").read_bytes() == png(1)
    assert files(tmp_path) == ["hero-a1b2c3d4.png", "hero.png"]

    def fails(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "replace", fails)
    assert refused(tmp_path, "third").code == "ZF863"
    assert files(tmp_path) == ["hero-a1b2c3d4.png", "hero.png"]


def test_syncs_a_file_before_naming_it_and_then_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    sync, link, sync_folder = os.fsync, os.link, folders.sync_folder

    def note_sync(handle: int) -> None:
        order.append("file")
        sync(handle)

    def note_link(source: Path, target: Path) -> None:
        order.append("name")
        link(source, target)

    def note_folder(folder: Path) -> None:
        order.append(f"folder {folder.name}")

    (tmp_path / "out").mkdir()
    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "link", note_link)
    monkeypatch.setattr(folders, "sync_folder", note_folder)
    save(tmp_path / "out", "deep/hero", png())
    assert order == ["file", "folder out", "name", "folder deep"]
    assert callable(sync_folder)


def test_removes_leftovers_of_dead_processes_only(tmp_path: Path) -> None:
    alive = part.Part(tmp_path)
    alive.write(b"on its way")
    (tmp_path / ".zenflow-part-0123").write_bytes(b"half a picture")
    (tmp_path / "hero.png").write_bytes(png())
    DiskStore(tmp_path)
    assert files(tmp_path) == sorted([alive.path.name, "hero.png"])
    alive.discard()


def test_twenty_at_once_under_one_name_are_twenty_files(tmp_path: Path) -> None:
    async def story() -> list[SavedFile]:
        store = DiskStore(tmp_path)
        one = [store.save("hero", f"{number:08d}-aa", body(png(number)), PNG) for number in range(20)]
        return await asyncio.gather(*one)

    saved = asyncio.run(story())
    assert len({one.path for one in saved}) == 20
    for number, one in enumerate(saved):
        assert (tmp_path / one.path).read_bytes() == png(number)
    assert len(files(tmp_path)) == 20


def test_a_cancelled_download_leaves_nothing(tmp_path: Path) -> None:
    started = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * (1 << 19)
            started.set()
            await asyncio.sleep(0)

    async def story() -> None:
        task = asyncio.ensure_future(DiskStore(tmp_path).save("hero", ASSET, endless(), ExpectedFile(None)))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())
    assert files(tmp_path) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc/self/status")
def test_a_body_of_200_mb_does_not_grow_the_process(tmp_path: Path) -> None:
    chunk = b"\0" * (1 << 16)

    async def large() -> AsyncIterator[bytes]:
        for _ in range(3200):
            yield chunk

    save(tmp_path, "small", png())
    before = _memory_kib("VmHWM")
    saved = asyncio.run(DiskStore(tmp_path).save("large", ASSET, large(), ExpectedFile(None, 3200 << 16)))
    assert saved.bytes == 3200 << 16
    assert _memory_kib("VmHWM") - before < 30_000


def _memory_kib(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise AssertionError(name)


def test_verify_does_not_look_outside(tmp_path: Path) -> None:
    out = tmp_path / "out"
    saved = save(out, "hero", png())
    (tmp_path / "outside.png").write_bytes(png())
    outside = SavedFile("../outside.png", ASSET, saved.media_type, saved.bytes, saved.sha256)
    assert not asyncio.run(DiskStore(out).verify(outside))
    assert asyncio.run(DiskStore(out).verify(saved))


def test_replaces_a_document_whole_or_keeps_the_old_one(tmp_path: Path) -> None:
    path = write_json(tmp_path / "out", "manifest.json", {"files": ["ü"], "half": "x"})
    assert path.read_text(encoding="utf-8") == '{\n  "files": [\n    "ü"\n  ],\n  "half": "x"\n}\n'
    write_json(tmp_path / "out", "manifest.json", {"half": "\ud83d"})
    assert path.read_text() == '{\n  "half": "\\ud83d"\n}\n'
    with pytest.raises(TypeError):
        write_json(tmp_path / "out", "manifest.json", {"what": object()})
    with pytest.MonkeyPatch.context() as patched:

        def fails(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        patched.setattr(os, "replace", fails)
        with pytest.raises(ArtifactError) as caught:
            write_json(tmp_path / "out", "manifest.json", {})
    assert caught.value.code == "ZF860"
    assert files(tmp_path / "out") == ["manifest.json"]
    assert path.read_text() == '{\n  "half": "\\ud83d"\n}\n'
