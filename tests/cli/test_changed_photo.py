"""A photo that is replaced between a run and its resume is noticed before anything is paid for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from zenflow.app.config.settings import Settings
from zenflow.app.connection import wiring
from zenflow.clock import Clock
from zenflow.providers.base import Provider
from zenflow.providers.mcp.provider import McpProvider
from zenflow.providers.mcp.wire.http import in_process
from zenflow.sandbox.server import build_app
from zenflow.sandbox.settings import SandboxSettings

pytestmark = pytest.mark.slow

Zenflow = Callable[..., Any]

RECIPE = """\
zenflow: 1
name: chg
inputs: {photo: {type: image}, looks: {type: array, items: {type: string}, default: [one, two]}}
steps:
  up: {uses: upload, with: {source: "${{ inputs.photo }}"}}
  edit:
    foreach: ${{ inputs.looks }}
    uses: image_editor
    with: {prompt: "${{ item }}", image_assets: ["${{ steps.up.asset_id }}"], model: SEEDREAM_5}
  s: {uses: download, with: {asset_ids: "${{ steps.edit.asset_ids }}", name: "${{ origin.edit.item }}"}}
"""


def picture(path: Path, color: str) -> None:
    Image.new("RGB", (640, 640), color).save(path)


@pytest.fixture
def stopped(zenflow: Zenflow, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Begin a run that stops before its upload, and replace its photo."""
    faults = here / "faults.json"
    faults.write_text('[{"kind": "tool_error", "tool": "upload_asset", "status": 400, "message": "no", "times": 1}]')
    first = [True]

    @asynccontextmanager
    async def embedded(settings: Settings, clock: Clock) -> AsyncIterator[Provider]:
        state = here / ".world"
        state.mkdir(exist_ok=True)
        app = build_app(SandboxSettings(speed=2000.0, state_dir=state, faults=faults if first.pop() else None))
        first.append(False)
        async with McpProvider(wiring.IN_PROCESS_URL, clock=clock, http=in_process(app), server="sandbox") as provider:
            yield provider

    monkeypatch.setattr(wiring, "_embedded", embedded)
    (here / "chg.yaml").write_text(RECIPE)
    picture(here / "in.png", "red")
    assert zenflow("run", "chg.yaml", "-i", "photo=in.png", "-y").status == 1
    return here / "in.png"


def test_a_replaced_photo_is_refused_before_anything_is_paid(zenflow: Zenflow, stopped: Path) -> None:
    picture(stopped, "blue")
    answer = zenflow("resume", "-y")
    assert answer.status == 3 and "ZF676" in answer.err and "in.png" in answer.err
    picture(stopped, "red")
    assert zenflow("resume", "-y").status == 0


def test_a_corrected_run_takes_the_photo_as_it_is(zenflow: Zenflow, stopped: Path) -> None:
    picture(stopped, "blue")
    answer = zenflow("resume", "-y", "--recipe", "chg.yaml")
    assert answer.status == 0, answer.err


def test_an_unchanged_photo_resumes(zenflow: Zenflow, stopped: Path) -> None:
    assert zenflow("resume", "-y").status == 0
