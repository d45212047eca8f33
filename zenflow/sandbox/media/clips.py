"""Clips: a slow camera over a picture, restyled or enlarged frames of a clip. Frames are JPEG, the file is MP4."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from PIL import Image, ImageDraw, ImageOps

from zenflow.sandbox.media.mp4 import Film, frames_in, written
from zenflow.sandbox.media.pictures import edited
from zenflow.sandbox.media.sound import RATE, chord

Size = tuple[int, int]
Lettered = Callable[[Image.Image], Image.Image]

_FRAMES_PER_SECOND = 8
_MOST_FRAMES = 48  # longer clips get fewer pictures per second, so that none takes long to draw


def camera_over(
    picture: Image.Image, size: Size, seconds: float, with_sound: bool, dice: random.Random, lettered: Lettered
) -> bytes:
    """The picture, slowly approached, with a caption that stands still and a thin bar for how far the clip is."""
    count = max(2, min(_MOST_FRAMES, round(seconds * _FRAMES_PER_SECOND)))
    scene = ImageOps.fit(picture.convert("RGB"), (round(size[0] * 1.15), round(size[1] * 1.15)))
    drift = dice.uniform(-0.5, 0.5)
    frames = tuple(_jpeg(_view(scene, size, step / (count - 1), drift, lettered)) for step in range(count))
    sound = chord(seconds, dice) if with_sound else b""
    return _film(frames, size, count / seconds, sound)


def _view(scene: Image.Image, size: Size, part: float, drift: float, lettered: Lettered) -> Image.Image:
    """The scene through a frame that closes in on it."""
    ease = (1 - math.cos(math.pi * part)) / 2
    zoom = 1.15 - 0.15 * ease
    # the scene's size is rounded, so that at some sizes the frame would reach a hair beyond it
    width, height = min(scene.width, size[0] * zoom), min(scene.height, size[1] * zoom)
    left = (scene.width - width) * (0.5 + drift * ease)
    top = (scene.height - height) / 2
    box = (left, top, min(scene.width, left + width), min(scene.height, top + height))
    frame = lettered(scene.resize(size, Image.Resampling.BILINEAR, box=box))
    bar = max(2, size[1] // 120)
    ImageDraw.Draw(frame).rectangle((0, size[1] - bar, round(size[0] * part), size[1]), fill=(255, 205, 120))
    return frame


def changed(body: bytes, size: Size, dice_for: random.Random, restyle: bool) -> bytes | None:
    """Every frame of a clip at another size, and in other colours if asked; None for a clip that is not ours."""
    film = frames_in(body)
    if film is None or not film.frames:
        return None
    seed = dice_for.random()
    frames = tuple(_jpeg(_changed_frame(frame, size, random.Random(seed), restyle)) for frame in _pictures(film.frames))
    return _film(frames, size, film.frames_per_second, film.sound)


def _changed_frame(frame: Image.Image, size: Size, dice: random.Random, restyle: bool) -> Image.Image:
    return edited([frame], size, dice) if restyle else frame.resize(size, Image.Resampling.LANCZOS)


def first_frame(body: bytes) -> Image.Image | None:
    """The opening picture of a clip of ours."""
    film = frames_in(body)
    return next(_pictures(film.frames), None) if film is not None else None


def seconds_of(inputs: dict[str, Any], model_seconds: int) -> float:
    return float(inputs.get("duration") or model_seconds or 5)


def _pictures(frames: Iterable[bytes]) -> Iterator[Image.Image]:
    for frame in frames:
        yield Image.open(io.BytesIO(frame)).convert("RGB")


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()


def _film(frames: tuple[bytes, ...], size: Size, frames_per_second: float, sound: bytes) -> bytes:
    return written(
        Film(
            frames=frames,
            width=size[0],
            height=size[1],
            frames_per_second=frames_per_second,
            sound=sound,
            sound_rate=RATE,
        )
    )
