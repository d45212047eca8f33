"""A person who signs in: a browser that follows every redirect, on this machine."""

from __future__ import annotations

import threading
import urllib.request
from typing import Any

import pytest

RECIPE = """\
zenflow: 1
name: two
budget: 20
steps:
  make:
    uses: by_prompt
    with:
      positive_prompt: a red hill
      model: SEEDREAM_5
  larger:
    uses: upscaler
    with:
      image_asset_id: ${{ steps.make.asset_id }}
      output_format: png
  save:
    uses: download
    with:
      asset_ids: ${{ steps.larger.asset_ids }}
"""


class Browser:
    """Opens an address in a thread of its own, as a real one would."""

    def __init__(self) -> None:
        self.pages: list[str] = []
        self.failed: list[Exception] = []

    def open(self, address: str) -> bool:
        def context() -> None:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            try:
                with opener.open(address, timeout=300) as page:
                    self.pages.append(page.read().decode())
            except Exception as no:
                self.failed.append(no)

        threading.Thread(target=context, daemon=True).start()
        return True


@pytest.fixture
def browser(here: Any, monkeypatch: pytest.MonkeyPatch) -> Browser:
    found = Browser()
    monkeypatch.setenv("BROWSER", "ours")
    monkeypatch.setattr("webbrowser.open", found.open)
    monkeypatch.setattr("zenflow.providers.mcp.tokens.store._keyring_here", lambda: None)
    (here / "two.yaml").write_text(RECIPE)
    return found


@pytest.fixture
def real_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens live by the real clock; looks need not."""
    from zenflow.clock import SystemClock

    monkeypatch.setattr("zenflow.app.connection.wiring.clock", SystemClock)
    monkeypatch.setattr("zenflow.app.connection.wiring.WATCH_LEAST_S", 0.05)
    monkeypatch.setenv("ZENFLOW_LOST_ANSWER_WAIT", "0.3")
    monkeypatch.setenv("ZENFLOW_REQUESTS_PER_SECOND", "200")
