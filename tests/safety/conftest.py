"""Commands are run in an empty folder, on a page of 80 columns."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def here(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "80")
    return empty_folder
