"""`-m "not slow"` leaves out the slow folders, and each test in them has the mark."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import SLOW, TESTS, pytest_collection_modifyitems, pytest_ignore_collect


@pytest.mark.parametrize("folder", SLOW)
def test_slow_folders_are_marked_and_left_out(folder: str) -> None:
    assert (TESTS / folder).is_dir()
    marks: list[Any] = []
    item: Any = SimpleNamespace(path=TESTS / folder / "test_x.py", add_marker=marks.append)
    pytest_collection_modifyitems([item])
    assert [mark.name for mark in marks] == ["slow"]
    assert _ignored(TESTS / folder, "not slow") is True
    assert _ignored(TESTS / folder, "") is None


def test_other_folders_are_not_slow() -> None:
    marks: list[Any] = []
    item: Any = SimpleNamespace(path=TESTS / "unit" / "test_x.py", add_marker=marks.append)
    pytest_collection_modifyitems([item])
    assert marks == [] and _ignored(TESTS / "unit", "not slow") is None


def _ignored(path: Path, expression: str) -> bool | None:
    config: Any = SimpleNamespace(getoption=lambda name: expression)
    return pytest_ignore_collect(path, config)
