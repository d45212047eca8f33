"""docs/architecture.md names every room, and no file that is not there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
PACKAGE = ROOT / "zenflow"


def test_every_room_has_its_row() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    rows = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert rooms == rows


def test_every_file_that_is_named_exists() -> None:
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_.]+)`", PAGE))
    missing = [name for name in named if not _exists(name)]
    assert not missing


def test_every_file_of_a_row_exists() -> None:
    missing = []
    for room, cell in re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE):
        for name in re.findall(r"`([a-z_/.]+)`", cell):
            here = PACKAGE / room
            if not any((base / tail).exists() for base in (here, here / "mcp") for tail in (name, f"{name}.py")):
                missing.append(f"{room}: {name}")
    assert not missing


def _exists(name: str) -> bool:
    return any((base / tail).exists() for base in (PACKAGE, ROOT) for tail in (name, f"{name}.py", name.rstrip("/")))
