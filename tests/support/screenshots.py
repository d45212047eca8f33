"""Make screenshots of every page, light and dark, wide and narrow: `python -m tests.support.screenshots FOLDER`.

Runs the shipped catalogue and a recipe with a choice on the embedded sandbox, in a folder of its own, and serves it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CHOOSE = """\
zenflow: 1
name: choose
description: Draw three lamps, pick the best one, enlarge it.
inputs:
  what: {type: string, default: a red lamp on a table, description: What to draw.}
  style: {type: string, enum: [photo, drawing], default: photo}
budget: 30
steps:
  draw: {uses: by_prompt, with: {positive_prompt: "${{ inputs.what }}, ${{ inputs.style }}", model: SEEDREAM_5, batch_size: 3}}
  best: {uses: pick, with: {asset_ids: "${{ steps.draw.asset_ids }}", question: Which lamp?}}
  big: {uses: upscaler, with: {image_asset_id: "${{ steps.best.asset_id }}", output_format: png}}
  save: {uses: download, with: {asset_ids: "${{ steps.big.asset_ids }}", name: lamp}}
"""


def main() -> None:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        studio = Path(name) / "studio"
        shutil.copytree(ROOT / "recipes", studio / "recipes")
        (studio / "recipes/choose.yaml").write_text(CHOOSE)
        environment = {**os.environ, "ZENFLOW_SPEED": "50", "ZENFLOW_CONFIG": str(Path(name) / "config")}
        for recipe in ("catalogue", "photoshoot", "choose"):
            zenflow(studio, environment, "run", recipe, "--yes", "--quiet", "--label", "client=acme")
        serve = subprocess.Popen(
            [sys.executable, "-m", "zenflow", "ui"], cwd=studio, env=environment, stdout=subprocess.PIPE, text=True
        )
        assert serve.stdout is not None
        try:
            for path in shots(serve.stdout.readline().split()[1], studio, target):
                print(path)
        finally:
            serve.terminate()
            serve.wait(60)


def zenflow(folder: Path, environment: dict[str, str], *words: str, check: bool = True) -> None:
    done = subprocess.run([sys.executable, "-m", "zenflow", *words], cwd=folder, env=environment, capture_output=True)
    assert not check or done.returncode in (0, 4), done.stderr.decode()


def shots(url: str, studio: Path, target: Path) -> Iterator[Path]:
    """Yield each picture as it is written."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    base = url.split("/?")[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        for width in (1280, 400):
            for scheme in ("light", "dark"):
                context = browser.new_context(viewport={"width": width, "height": 860}, color_scheme=scheme)
                page = context.new_page()
                page.goto(url)
                for name, address in pages(page, base):
                    page.goto(address)
                    page.wait_for_load_state("load")
                    page.wait_for_timeout(400)
                    path = target / f"{name}-{width}-{scheme}.png"
                    page.screenshot(path=path)
                    yield path
                context.close()
        browser.close()


def pages(page: Any, base: str) -> list[tuple[str, str]]:
    """Return the pages by name; the runs are found in the list."""
    links = {row.inner_text(): row.get_attribute("href") for row in page.locator("tbody tr td:first-child a").all()}
    runs = list(links.values())
    newest, oldest = f"{base}{runs[0]}", f"{base}{runs[-1]}"
    return [
        ("runs", f"{base}/"),
        ("run", oldest),
        ("pick", f"{newest}/pick"),
        ("recipes", f"{base}/plan"),
        ("form", f"{base}/plan/choose"),
        ("ledger", f"{base}/ledger?by=model"),
    ]


if __name__ == "__main__":
    main()
