"""Hold docs/architecture.md to the packages, the layers and the files that exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
PACKAGE = ROOT / "zenflow"
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
LAYERED = [name.split(".", 1)[1] for one in CONTRACTS for name in one.get("containers", [])]


def test_every_package_has_its_row() -> None:
    packages = {path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    rows = set(re.findall(r"^\| `(\w+)` \|", PAGE.partition("## The packages")[2], re.MULTILINE))
    assert packages == rows


def test_layers_are_those_of_the_import_contract() -> None:
    lines = next(one for one in CONTRACTS if one["name"] == "Layers of the package")["layers"]
    contract = [set(re.findall(r"zenflow\.(\w+)", line)) - {"__main__"} for line in lines]
    table = PAGE.partition("## Layers")[2].partition("\n\nThe same rule")[0]
    shown = [set(re.findall(r"`(\w+)`", row)) for row in re.findall(r"^\| \d+ \|(.*)$", table, re.MULTILINE)]
    assert shown == [layer for layer in contract if layer]


@pytest.mark.parametrize("package", LAYERED)
def test_every_sub_package_is_named(package: str) -> None:
    folder = PACKAGE.joinpath(*package.split("."))
    packages = [path.name for path in folder.iterdir() if path.is_dir() and (path / "__init__.py").exists()]
    assert [name for name in packages if not re.search(rf"[`/]{name}[`/]", PAGE)] == []


def test_every_file_that_is_named_exists() -> None:
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_.]+)`", PAGE))
    assert [name for name in named if not _exists(name)] == []


def test_every_file_of_a_row_exists() -> None:
    missing = []
    for package, cell in re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE):
        for name in re.findall(r"`([a-z_/.]+)`", cell):
            if not any((PACKAGE / package / tail).exists() for tail in (name, f"{name}.py")):
                missing.append(f"{package}: {name}")
    assert missing == []


def _exists(name: str) -> bool:
    return any((base / tail).exists() for base in (PACKAGE, ROOT) for tail in (name, f"{name}.py", name.rstrip("/")))
