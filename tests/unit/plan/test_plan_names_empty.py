"""Names of which nothing would be left on a disk are told before anything is paid."""

from __future__ import annotations

import pytest

from zenflow.plan.analysis.file_names import why_unsafe


@pytest.mark.parametrize("name", ["", " ", ".", "  .", "a//b", "a/ ./b", "a/", " . / . "])
def test_a_name_with_an_empty_part_is_unsafe(name: str) -> None:
    assert why_unsafe(name)


@pytest.mark.parametrize("name", ["a", ".hidden", "a/b", "a.b/c", "x\\"])
def test_a_name_with_something_in_every_part_is_not(name: str) -> None:
    assert why_unsafe(name) is None
