"""Drawn media: decodable, of the size asked for, made from the inputs, and the same every time."""

from __future__ import annotations

import io
import random
import struct
import wave
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from zenflow.sandbox.assets import Asset
from zenflow.sandbox.media import mp4, pictures, sizes, sound
from zenflow.sandbox.media.clips import camera_over
from zenflow.sandbox.media.drawing import drawn, preview
from zenflow.sandbox.media.image_description import described
from zenflow.sandbox.media.inspect import unreadable_because


def photo_bytes(width: int = 90, height: int = 120) -> bytes:
    picture = pictures.background((width, height), random.Random(5))
    return pictures.saved(picture, "image/jpeg")


def results_of(scene: Any, tool: str, inputs: dict[str, Any]) -> list[Asset]:
    task = scene.world.submit(tool, [inputs], None)
    scene.time.advance(200)
    call_id = scene.world.task(task["id"])["calls"][0]["id"]
    return [scene.world.asset(asset_id) for asset_id in scene.world.call_result(call_id)["asset_ids"]]


def render(scene: Any, asset: Asset) -> bytes:
    bodies: dict[str, bytes] = {}
    for one in scene.world.drawn_from(asset):
        bodies[one.asset_id] = scene.world.uploaded_bytes(one) if one.recipe is None else drawn(one, bodies)
    return bodies[asset.asset_id]


def picture_of(body: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(body))
    picture.load()
    return picture


def difference(one: Image.Image, other: Image.Image) -> float:
    changed = ImageChops.difference(one.convert("L"), other.convert("L").resize(one.size))
    return sum(value * count for value, count in enumerate(changed.histogram())) / (one.width * one.height)


@pytest.mark.parametrize(
    ("inputs", "size"),
    [
        ({}, (1024, 1024)),
        ({"ratio": "3:4"}, (768, 1024)),
        ({"width": 1536, "height": 2048}, (1536, 2048)),
        ({"width": 640, "ratio": "16:9"}, (640, 360)),
        ({"ratio": "16:9", "tier": "2K"}, (2048, 1152)),
    ],
)
def test_a_new_picture_has_the_size_asked_for(make_scene: Any, inputs: dict[str, Any], size: tuple[int, int]) -> None:
    scene = make_scene()
    (asset,) = results_of(scene, "by_prompt", {"positive_prompt": "hills", **inputs})
    picture = picture_of(render(scene, asset))
    assert picture.format == "PNG" and picture.size == size == (asset.width, asset.height)


def test_another_prompt_model_or_seed_gives_another_picture(make_scene: Any) -> None:
    scene = make_scene()
    base = {"positive_prompt": "hills", "width": 256, "height": 256, "model": "QWEN_IMAGE", "seed": 1}
    variants = [base, {**base, "positive_prompt": "sea"}, {**base, "model": "SEEDREAM_5"}, {**base, "seed": 2}]
    bodies = {render(scene, results_of(scene, "by_prompt", inputs)[0]) for inputs in variants}
    assert len(bodies) == 4


def test_the_same_request_is_drawn_the_same_byte_for_byte(make_scene: Any) -> None:
    scene = make_scene()
    inputs = {"positive_prompt": "hills", "width": 200, "height": 200}
    first, second = (render(scene, results_of(scene, "by_prompt", inputs)[0]) for _ in range(2))
    assert first == second


def test_an_edit_comes_from_its_reference_and_differs_from_it(make_scene: Any) -> None:
    scene = make_scene()
    body = photo_bytes(300, 400)
    photo = scene.world.upload(body, "image/jpeg", (300, 400))
    inputs = {"prompt": "at dusk", "image_assets": [photo.asset_id], "model": "SEEDREAM_5", "number_of_images": 2}
    one, other = results_of(scene, "image_editor", inputs)
    assert (one.width, one.height) == (768, 1024)
    first, second = render(scene, one), render(scene, other)
    assert first != second
    assert difference(picture_of(first), picture_of(body)) > 5


def test_the_upscaler_really_enlarges_and_keeps_what_is_there(make_scene: Any) -> None:
    scene = make_scene()
    body = photo_bytes()
    photo = scene.world.upload(body, "image/jpeg", (90, 120))
    inputs = {"image_asset_id": photo.asset_id, "output_format": "webp", "scale": 4}
    (asset,) = results_of(scene, "upscaler", inputs)
    larger = picture_of(render(scene, asset))
    assert (larger.format, larger.size, asset.media_type) == ("WEBP", (360, 480), "image/webp")
    assert difference(larger, picture_of(body)) < 8


def test_an_enlargement_beyond_all_measure_fails_in_the_worker(make_scene: Any) -> None:
    scene = make_scene()
    photo = scene.world.upload(photo_bytes(), "image/jpeg", (6000, 6000))
    task = scene.world.submit("upscaler", [{"image_asset_id": photo.asset_id, "output_format": "png"}], None)
    scene.time.advance(60)
    assert scene.world.task(task["id"])["status"] == "failed"


def test_renders_a_real_film_and_larger_upscaled_frames(make_scene: Any) -> None:
    scene = make_scene(credits=100)
    photo = scene.world.upload(photo_bytes(), "image/jpeg", (90, 120))
    inputs = {"ref_asset": photo.asset_id, "prompt": "turn", "model": "wan@2.6-flash", "duration": 2}
    (clip,) = results_of(scene, "videogen", {**inputs, "resolution": "480p", "generate_audio": True})
    body = render(scene, clip)
    film = mp4.frames_in(body)
    assert film is not None and film.seconds == 2 and len(film.sound) == 2 * 16_000 * 2
    assert body[4:8] == b"ftyp" and clip.media_type == "video/mp4"
    frames = [picture_of(frame) for frame in film.frames]
    assert {frame.size for frame in frames} == {(480, 640)} and difference(frames[0], frames[-1]) > 1
    (larger,) = results_of(scene, "video_upscaler", {"video_asset_id": clip.asset_id, "resolution": "1080p"})
    enlarged = mp4.frames_in(render(scene, larger))
    assert enlarged is not None and picture_of(enlarged.frames[0]).size == (1080, 1440)
    assert len(enlarged.frames) == len(film.frames) and enlarged.sound == film.sound


def test_fills_a_film_file_exactly_with_boxes() -> None:
    frame = photo_bytes(64, 48)
    film = mp4.Film(frames=(frame, frame), width=64, height=48, frames_per_second=4, sound=b"\1\0" * 100)
    body = mp4.written(film)
    at, kinds = 0, []
    while at < len(body):
        size, kind = struct.unpack(">I4s", body[at : at + 8])
        kinds.append(kind)
        at += size
    assert at == len(body) and kinds == [b"ftyp", b"mdat", b"moov"]
    assert mp4.frames_in(body) == film


@pytest.mark.parametrize("body", [b"", b"nonsense", b"\0\0\0\x08ftyp\0\0\0\x03moov", bytes(100)])
def test_bytes_that_are_no_film_of_ours_are_none(body: bytes) -> None:
    assert mp4.frames_in(body) is None


def test_sound_is_a_wav_of_the_length_asked_for() -> None:
    with wave.open(io.BytesIO(sound.as_wav(sound.chord(1.5, random.Random(1))))) as read:
        assert read.getnframes() == 24_000 and read.getframerate() == 16_000


def test_a_preview_is_a_small_webp(make_scene: Any) -> None:
    scene = make_scene()
    (asset,) = results_of(scene, "by_prompt", {"positive_prompt": "hills"})
    small = picture_of(preview(asset, render(scene, asset)))
    assert small.format == "WEBP" and max(small.size) == 512


def test_sound_has_a_preview_too(make_scene: Any) -> None:
    scene = make_scene()
    asset = scene.world.upload(b"RIFF", "audio/wav", None)
    assert picture_of(preview(asset, b"RIFF")).format == "WEBP"


def test_a_description_says_what_is_in_the_pixels() -> None:
    words = described(Image.new("RGB", (300, 100), (200, 40, 40)), "image/png")
    assert "landscape" in words and "300 by 100" in words and "dominant colour is red" in words
    assert 80 <= len(words.split()) <= 200
    assert words != described(Image.new("RGB", (300, 100), (20, 20, 20)), "image/png")


@pytest.mark.parametrize(
    ("body", "media_type", "problem"),
    [
        (photo_bytes(), "image/jpeg", None),
        (photo_bytes(), "image/jpg", None),
        (photo_bytes(), "image/png", "does not match"),
        (photo_bytes()[:200], "image/jpeg", "corrupt"),
        (b"plain text", "image/webp", "corrupt"),
        (b"\0\0\0\x18ftypheic" + bytes(20), "image/heic", None),
        (b"plain text", "image/heic", "not a decodable"),
        (b"anything", "audio/wav", None),
    ],
)
def test_uploaded_pictures_must_be_what_they_are_said_to_be(body: bytes, media_type: str, problem: str | None) -> None:
    found, _ = unreadable_because(body, media_type)
    assert found is None if problem is None else problem in str(found)


def test_clip_sides_are_even() -> None:
    assert sizes.clip_size({"resolution": "720p"}, (1023, 1365)) == (720, 960)
    assert sizes.clip_size({"resolution": "1080p", "ratio": "21:9"}, None) == (2520, 1080)


def test_shipped_photos_are_decodable_and_small() -> None:
    folder = Path(__file__).parents[3] / "recipes" / "photos"
    for name, size in {
        "portrait": (1024, 1365),
        "mug": (1024, 1024),
        "lamp": (1024, 1024),
        "chair": (1024, 1024),
    }.items():
        body = (folder / f"{name}.jpg").read_bytes()
        assert picture_of(body).size == size and len(body) < 200_000


@pytest.mark.parametrize("size", [(854, 480), (853, 481), (321, 123), (65, 64), (1279, 719)])
def test_a_clip_of_any_size_can_be_drawn(size: tuple[int, int]) -> None:
    for seed in range(4):
        scene = Image.new("RGB", (200, 120), "teal")
        assert camera_over(scene, size, 0.3, False, random.Random(seed), lambda frame: frame)
