"""Names of tests are short sentences: at most 60 characters."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
MOST = 60


def _long_names(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("test_") and len(node.name) > MOST:
            yield node.name


def test_names_of_tests_have_at_most_60_characters() -> None:
    found = {
        f"{path.relative_to(TESTS)}::{name}"
        for path in TESTS.rglob("*.py")
        for name in _long_names(path.read_text("utf-8"))
    }
    assert not found, "\n".join(sorted(found))


def test_a_long_name_is_found() -> None:
    assert list(_long_names(f"async def test_{'x' * 56}(): ...\ndef test_{'y' * 55}(): ...")) == [f"test_{'x' * 56}"]
