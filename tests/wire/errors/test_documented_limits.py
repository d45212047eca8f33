"""The limits of the pages, kept on the wire: inputs of a task, comments, ids, pages, media types, lengths."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from zenflow.ids import STAMP_LENGTH, STAMP_RUN_LENGTH
from zenflow.providers.mcp.provider import McpProvider

SIXTY = """\
zenflow: 1
name: sixty
budget: 90
steps:
  make:
    foreach: ${{ range(60) }}
    uses: by_prompt
    with: {positive_prompt: "hill ${{ item }}", model: SEEDREAM_5}
"""


def test_sends_fifty_inputs_with_a_stamp_first(zenflow: Any, here: Path, town: Any) -> None:
    (here / "sixty.yaml").write_text(SIXTY)
    (here / "zenflow.toml").write_text("[limits]\nin_flight = 100\n")
    assert zenflow("run", "sixty.yaml", "--server", town.url, "--yes", "--json").status == 0
    tasks = town.state["tasks"]
    sizes = [task["total"] for task in tasks]
    assert sum(sizes) == 60 and len(sizes) > 1 and max(sizes) <= 50  # one submission would be refused, sixty be slow
    assert len({task["comment"][:STAMP_RUN_LENGTH] for task in tasks}) == 1
    assert len({task["comment"][:STAMP_LENGTH] for task in tasks}) == len(tasks)
    assert all(len(task["comment"]) <= 500 for task in tasks)


def test_pages_are_asked_for_in_hundreds_at_most(zenflow: Any, town: Any) -> None:
    too_many = zenflow("tasks", "--limit", "101", "--server", town.url, "--json")
    assert (too_many.status, too_many.code) == (2, "ZF003")
    assert zenflow("tasks", "--limit", "100", "--server", town.url).status == 0

    async def ask_for_more() -> None:
        async with McpProvider(town.url) as provider:
            await provider.list_tasks(limit=5000)  # the sandbox, as the service, refuses more than a hundred
            await provider.transactions(limit=5000)
            await provider.templates(limit=5000)

    asyncio.run(ask_for_more())


def _picture(form: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 16), "teal").save(out, form)
    return out.getvalue()


BODIES = {
    "image/png": _picture("PNG"),
    "image/jpeg": _picture("JPEG"),
    "image/jpg": _picture("JPEG"),
    "image/webp": _picture("WEBP"),
    "image/heic": b"\0\0\0\x18ftypheic" + bytes(12),
    "image/heif": b"\0\0\0\x18ftypmif1" + bytes(12),
    "video/mp4": b"\0\0\0\x18ftypisom" + bytes(12),
    "video/mov": b"\0\0\0\x18ftypqt  " + bytes(12),
    "video/quicktime": b"\0\0\0\x18ftypqt  " + bytes(12),
    "audio/mpeg": b"ID3" + bytes(30),
    "audio/mp3": b"ID3" + bytes(30),
    "audio/wav": b"RIFF\x24\0\0\0WAVE" + bytes(30),
    "audio/x-wav": b"RIFF\x24\0\0\0WAVE" + bytes(30),
    "audio/x-m4a": b"\0\0\0\x18ftypM4A " + bytes(12),
}


def test_each_of_the_fourteen_media_types_is_taken_as_it_is(town: Any, tmp_path: Path) -> None:
    async def send_all() -> dict[str, tuple[str, int | None]]:
        found = {}
        async with McpProvider(town.url) as provider:
            for media_type, body in BODIES.items():
                path = tmp_path / "file.of-no-kind"
                path.write_bytes(body)
                sent = await provider.upload_file(path, media_type)
                found[media_type] = (sent.media_type, sent.size_bytes)
        return found

    sent = asyncio.run(send_all())
    assert len(BODIES) == 14
    assert sent == {media_type: (media_type, len(body)) for media_type, body in BODIES.items()}


@pytest.mark.parametrize(
    ("ending", "body", "expected"),
    [
        (".png", BODIES["image/png"], "image/png"),
        (".JPG", BODIES["image/jpeg"], "image/jpeg"),
        (".jpeg", BODIES["image/jpeg"], "image/jpeg"),
        (".webp", BODIES["image/webp"], "image/webp"),
        (".heic", BODIES["image/heic"], "image/heic"),
        (".heif", BODIES["image/heif"], "image/heif"),
        (".mp4", BODIES["video/mp4"], "video/mp4"),
        (".mov", BODIES["video/mov"], "video/quicktime"),
        (".mp3", BODIES["audio/mp3"], "audio/mpeg"),
        (".wav", BODIES["audio/wav"], "audio/wav"),
        (".m4a", BODIES["audio/x-m4a"], "audio/x-m4a"),
        (".m4a", BODIES["video/mp4"], "audio/x-m4a"),
        (".m4v", BODIES["video/mp4"], "video/mp4"),
        (".jfif", BODIES["image/jpeg"], "image/jpeg"),
        (".jpe", BODIES["image/jpeg"], "image/jpeg"),
        (".mpga", BODIES["audio/mp3"], "audio/mpeg"),
        (".jpg", BODIES["image/webp"], "image/webp"),
        (".png", BODIES["image/jpeg"], "image/jpeg"),
        (".jpg", BODIES["image/heic"], "image/heic"),
        ("", BODIES["image/jpeg"], "image/jpeg"),
    ],
)
def test_a_file_without_a_type_given_goes_by_its_bytes(
    town: Any, tmp_path: Path, ending: str, body: bytes, expected: str
) -> None:
    path = tmp_path / f"file{ending}"
    path.write_bytes(body)

    async def send() -> str:
        async with McpProvider(town.url) as provider:
            return (await provider.upload_file(path, None)).media_type

    assert asyncio.run(send()) == expected


CRAFTED = """\
zenflow: 1
name: crafted
budget: 5
steps:
  up:
    uses: upload
    with: {source: face.png}
  words:
    uses: craft_prompt
    with:
      brief: BRIEF
      tool_name: image_editor
      model: SEEDREAM_5
      count: COUNT
      references:
        - asset_id: ${{ steps.up.asset_id }}
          description: DESCRIPTION
outputs:
  prompts: ${{ steps.words.prompts }}
"""


@pytest.mark.parametrize(
    ("brief", "count", "description", "status"),
    [
        ("a hill", 4, "x" * 800, 0),
        ("b" * 4000, 1, "x", 0),
        ("b" * 4001, 1, "x", 2),
        ("a hill", 5, "x", 2),
        ("a hill", 1, "x" * 801, 2),
    ],
)
def test_what_a_helper_takes_is_checked_before_it_is_asked(
    zenflow: Any, here: Path, town: Any, brief: str, count: int, description: str, status: int
) -> None:
    Image.new("RGB", (16, 16), "teal").save(here / "face.png")
    text = CRAFTED.replace("BRIEF", brief).replace("COUNT", str(count)).replace("DESCRIPTION", description)
    (here / "crafted.yaml").write_text(text)
    said = zenflow("run", "crafted.yaml", "--server", town.url, "--yes", "--json")
    assert said.status == status, said.err
    assert town.state["requests"].get("craft_prompt", 0) == (0 if status else 1)
    if not status:
        assert len(said.document["outputs"]["prompts"]) == count
