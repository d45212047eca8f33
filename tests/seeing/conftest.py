"""Runs of a fast sandbox in an empty folder, and a browser where the machine has one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


@pytest.fixture
def here(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("ZENFLOW_SPEED", "2000")
    return empty_folder


@pytest.fixture
def run(zenflow: Callable[..., Any], here: Path) -> Callable[..., Any]:
    """Write a recipe, run it, and return the JSON document of the run."""

    def call(text: str, *words: str, name: str = "r.yaml") -> Any:
        (here / name).write_text(text)
        return zenflow("run", name, "--yes", "--json", *words).document

    return call


@pytest.fixture(scope="session")
def in_browser() -> Iterator[Callable[[Callable[[Any], Any]], Any]]:
    """Call a function with a headless Chromium, in a thread of its own: Playwright's loop must not be the test's.

    Tests that need it skip where there is no Chromium.
    """
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with ThreadPoolExecutor(max_workers=1) as thread:
        manager = sync_api.sync_playwright()
        playwright = thread.submit(manager.__enter__).result()
        opened = thread.submit(playwright.chromium.launch, executable_path=program, args=flags).result()
        yield lambda task: thread.submit(task, opened).result()
        thread.submit(opened.close).result()
        thread.submit(manager.__exit__, None, None, None).result()
