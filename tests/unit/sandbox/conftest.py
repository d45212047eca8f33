"""A world on a clock that tests move by hand."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from zenflow.sandbox.clock import ManualClock
from zenflow.sandbox.settings import SandboxSettings
from zenflow.sandbox.store import Store
from zenflow.sandbox.world import World


@dataclass
class Scene:
    world: World
    time: ManualClock

    def photo(self) -> str:
        return self.world.upload(jpeg(), "image/jpeg", (30, 40)).asset_id

    def edit(self, **more: Any) -> dict[str, Any]:
        return {"prompt": "a hill", "image_assets": [self.photo()], "model": "SEEDREAM_5", **more}


def jpeg(width: int = 30, height: int = 40, colour: str = "teal") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "JPEG")
    return out.getvalue()


MakeScene = Callable[..., Scene]


@pytest.fixture
def make_scene() -> Iterator[MakeScene]:
    opened: list[World] = []

    def make(time: ManualClock | None = None, state_dir: Path | None = None, **settings: Any) -> Scene:
        clock = time or ManualClock()
        store = Store(state_dir)
        # Durations follow from these two: the same each time.
        store.meta("account_id", "5b0c0f4e-6f0e-4f0e-8d11-3c7b0f0e6f0e")
        store.meta("secret", "the secret of every world in these tests")
        world = World(SandboxSettings(state_dir=state_dir, **settings), store, lambda: clock.now().timestamp())
        opened.append(world)
        return Scene(world, clock)

    yield make
    for world in opened:
        world.close()
