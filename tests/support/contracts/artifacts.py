"""What every store of results must do, as one body of checks; a test runs each of `CHECKS` against each store."""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from typing import Protocol

from zenflow.artifacts.base import SAME_BEFORE, ArtifactError, ArtifactStore, ExpectedFile, Insisted

ASSET = "3f2b9a70-1111-4222-8333-444455556666"
OTHER = "a1b2c3d4-1111-4222-8333-444455556666"


class StoreBench(Protocol):
    """One folder and the stores on it."""

    def open(self) -> ArtifactStore:
        """A store of its own with each call, all on one folder."""
        ...

    def names(self) -> list[str]:
        """Every file there, hidden ones too, sorted."""
        ...

    def content(self, path: str) -> bytes: ...

    def damage(self, path: str) -> None:
        """Change a byte of it."""
        ...


Check = Callable[[StoreBench], Awaitable[None]]


def name_of(check: Check) -> str:
    return getattr(check, "__name__", repr(check))


def png(shade: int = 0, width: int = 4, height: int = 4) -> bytes:
    """A real one."""
    rows = b"".join(b"\x00" + bytes([shade]) * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


async def body(data: bytes, step: int = 7) -> AsyncIterator[bytes]:
    """As it comes over the wire, in pieces."""
    for at in range(0, len(data), step):
        yield data[at : at + step]


async def a_file_is_whole_under_a_name_with_the_ending_of_its_type(bench: StoreBench) -> None:
    data = png()
    saved = await bench.open().save("hero-0", ASSET, body(data), ExpectedFile("image/png", len(data)))
    assert (saved.path, saved.asset_id, saved.media_type) == ("hero-0.png", ASSET, "image/png")
    assert (saved.bytes, saved.sha256) == (len(data), sha256(data).hexdigest())
    assert bench.content("hero-0.png") == data
    assert bench.names() == ["hero-0.png"]


async def a_slash_in_a_name_makes_folders_and_every_part_is_made_portable(bench: StoreBench) -> None:
    saved = await bench.open().save("Anna: 1/con/a?b.", ASSET, body(png()), ExpectedFile("image/png"))
    assert saved.path == "Anna- 1/con_/a-b.png"
    assert bench.names() == ["Anna- 1/con_/a-b.png"]


async def the_same_bytes_again_are_left_and_returned(bench: StoreBench) -> None:
    first = await bench.open().save("hero", ASSET, body(png()), ExpectedFile("image/png"))
    again = await bench.open().save("hero", ASSET, body(png()), ExpectedFile("image/png"))
    assert first == again
    assert bench.names() == ["hero.png"]


async def other_bytes_under_a_taken_name_get_eight_digits_of_their_id(bench: StoreBench) -> None:
    store = bench.open()
    await store.save("hero", ASSET, body(png(1)), ExpectedFile("image/png"))
    second = await store.save("hero", OTHER, body(png(2)), ExpectedFile("image/png"))
    third = await store.save("hero", OTHER, body(png(3)), ExpectedFile("image/png"))
    again = await store.save("hero", OTHER, body(png(2)), ExpectedFile("image/png"))
    assert second.path == again.path == "hero-a1b2c3d4.png"
    assert bench.content("hero.png") == png(1)
    assert bench.content(second.path) == png(2)
    assert bench.content(third.path) == png(3)
    assert len(bench.names()) == 3


async def an_id_cannot_lead_anywhere(bench: StoreBench) -> None:
    store = bench.open()
    await store.save("hero", "../../x", body(png(1)), ExpectedFile("image/png"))
    saved = await store.save("hero", "../../x/y", body(png(2)), ExpectedFile("image/png"))
    assert saved.path == "hero-xy.png"
    saved = await store.save("hero", "///", body(png(3)), ExpectedFile("image/png"))
    assert saved.path == f"hero-{sha256(png(3)).hexdigest()[:8]}.png"


async def what_is_cut_off_too_long_empty_or_another_file_is_refused_and_nothing_is_left(bench: StoreBench) -> None:
    data, store = png(), bench.open()
    wrong = [
        (data[:-5], ExpectedFile("image/png", len(data))),
        (data + b"more", ExpectedFile("image/png", len(data))),
        (b"", ExpectedFile("image/png")),
        (data, ExpectedFile("image/png", len(data), "0" * 64)),
        (b"<!DOCTYPE html><title>Expired</title>", ExpectedFile("image/png")),
        (b'{"detail": "expired"}', ExpectedFile("video/mp4")),
        (b"\x00\x01rubbish\xff", ExpectedFile("image/png")),
        (b"", ExpectedFile(None)),
    ]
    for came, expected in wrong:
        error = await _refused(store, "hero", came, expected)
        assert error.retry, error
        assert error.hint
        assert bench.names() == []


async def whole_bytes_that_look_damaged_are_taken_only_where_just_they_are_expected(bench: StoreBench) -> None:
    stub = b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x0cmdat" + b"clip"
    for data, announced, name in (
        (stub, "video/mp4", "clip.mp4"),
        (stub, None, "clip.mp4"),
        (b"no clip", "video/mp4", "clip.mp4"),
        (b"\x00\x01rubbish\xff", "image/png", "clip.png"),
    ):
        store, insisted = bench.open(), Insisted()
        for _ in range(SAME_BEFORE):
            assert insisted.as_it_is is None
            insisted.take(await _refused(store, "clip", data, ExpectedFile(announced, len(data), as_it_is="0" * 64)))
        saved = await store.save(
            "clip", ASSET, body(data), ExpectedFile(announced, len(data), as_it_is=insisted.as_it_is)
        )
        assert saved.path.partition("-")[0].partition(".")[0] == "clip" and saved.path.endswith(name[4:])
        assert await store.verify(saved)


async def what_is_cut_off_or_another_thing_each_time_or_a_page_is_never_taken(bench: StoreBench) -> None:
    store, insisted = bench.open(), Insisted()
    for data, total in ((png()[:-5], len(png())), (b"", 0), (b"<html>Sign in", 13), (b'{"error": 1}', 12)):
        insisted.take(await _refused(store, "hero", data, ExpectedFile("image/png", total)))
    assert insisted.seen == []
    for number in range(SAME_BEFORE + 2):
        insisted.take(await _refused(store, "hero", b"\0\1" + bytes([number]), ExpectedFile("image/png")))
    assert len(insisted.seen) == SAME_BEFORE + 2 and insisted.as_it_is is None and bench.names() == []


async def the_bytes_tell_the_type_whatever_was_announced(bench: StoreBench) -> None:
    store = bench.open()
    for announced in ("image/webp", "image/jpg", None, "application/octet-stream"):
        saved = await store.save("hero", ASSET, body(png()), ExpectedFile(announced))
        assert (saved.path, saved.media_type) == ("hero.png", "image/png")
    saved = await store.save("words", ASSET, body(b"a caption"), ExpectedFile("text/plain; charset=utf-8"))
    assert (saved.path, saved.media_type) == ("words.txt", "text/plain")
    saved = await store.save("data", ASSET, body(b'{"a": 1}'), ExpectedFile(None))
    assert (saved.path, saved.media_type) == ("data.json", "application/json")
    saved = await store.save("thing", ASSET, body(b"\x00\x01\x02\xff"), ExpectedFile(None))
    assert (saved.path, saved.media_type) == ("thing.bin", "application/octet-stream")


async def a_name_that_leads_out_is_an_error_before_anything_is_fetched(bench: StoreBench) -> None:
    asked = False

    async def never() -> AsyncIterator[bytes]:
        nonlocal asked
        asked = True
        yield png()

    for name in ("../hero", "a/../../hero", "/etc/hero", "C:\\hero", "", "a//b", "..", "..."):
        try:
            await bench.open().save(name, ASSET, never(), ExpectedFile("image/png"))
        except ArtifactError as error:
            assert not error.retry
        else:
            raise AssertionError(name)
    assert not asked
    assert bench.names() == []


async def a_body_that_breaks_off_leaves_nothing_and_tells_its_own_error(bench: StoreBench) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield png()[:20]
        raise ConnectionResetError("gone")

    try:
        await bench.open().save("hero", ASSET, breaking(), ExpectedFile("image/png"))
    except ConnectionResetError:
        pass
    else:
        raise AssertionError("no error")
    assert bench.names() == []


async def verify_sees_a_file_that_is_missing_or_changed(bench: StoreBench) -> None:
    store = bench.open()
    saved = await store.save("deep/hero", ASSET, body(png()), ExpectedFile("image/png"))
    assert await store.verify(saved)
    bench.damage(saved.path)
    assert not await store.verify(saved)
    other = await store.save("other", ASSET, body(png()), ExpectedFile("image/png"))
    assert not await store.verify(type(other)("gone.png", ASSET, "image/png", other.bytes, other.sha256))


CHECKS: tuple[Check, ...] = (
    a_file_is_whole_under_a_name_with_the_ending_of_its_type,
    a_slash_in_a_name_makes_folders_and_every_part_is_made_portable,
    the_same_bytes_again_are_left_and_returned,
    other_bytes_under_a_taken_name_get_eight_digits_of_their_id,
    an_id_cannot_lead_anywhere,
    what_is_cut_off_too_long_empty_or_another_file_is_refused_and_nothing_is_left,
    whole_bytes_that_look_damaged_are_taken_only_where_just_they_are_expected,
    what_is_cut_off_or_another_thing_each_time_or_a_page_is_never_taken,
    the_bytes_tell_the_type_whatever_was_announced,
    a_name_that_leads_out_is_an_error_before_anything_is_fetched,
    a_body_that_breaks_off_leaves_nothing_and_tells_its_own_error,
    verify_sees_a_file_that_is_missing_or_changed,
)


async def _refused(store: ArtifactStore, name: str, came: bytes, expected: ExpectedFile) -> ArtifactError:
    try:
        await store.save(name, ASSET, body(came), expected)
    except ArtifactError as error:
        return error
    raise AssertionError(f"{came[:20]!r} was taken for {expected}")
