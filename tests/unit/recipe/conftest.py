"""What the tests of this room share: a recipe's text in, what is said about it out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.findings import problems_of, short

Findings = Callable[[str], list[str]]

ROOT = Path(__file__).parents[3]


@pytest.fixture
def photoshoot() -> str:
    return (ROOT / "recipes/photoshoot.yaml").read_text("utf-8")


@pytest.fixture
def findings() -> Findings:
    """`CODE LINE:COLUMN-ENDCOLUMN` of every error."""

    def said(text: str) -> list[str]:
        return [short(problem) for problem in problems_of(text) if problem.severity == "error"]

    return said


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def writing(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writing
