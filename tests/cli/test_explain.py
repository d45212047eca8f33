"""`zenflow explain`: every code that the source can say has its page, and every page is of a code that is said."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zenflow.cli.views.pages import pages, whole_page

Zenflow = Callable[..., Any]
ROOT = Path(__file__).parents[2]


def said() -> set[str]:
    """The codes in the source, wherever they are made."""
    found: set[str] = set()
    for file in (ROOT / "zenflow").rglob("*.py"):
        found.update(re.findall(r"[\"'](ZF\d{3})[\"']", file.read_text("utf-8")))
    return found


def test_every_code_that_is_said_has_a_page() -> None:
    assert sorted(said() - set(pages())) == []


def test_every_page_is_of_a_code_that_is_said() -> None:
    assert sorted(set(pages()) - said()) == []


def test_pages_stand_in_order_and_say_something() -> None:
    assert list(pages()) == sorted(pages())
    assert [page.code for page in pages().values() if len(page.text) < 12 or len(page.title) > 72] == []


def test_the_page_of_problems_is_the_pages_of_the_codes() -> None:
    assert (ROOT / "docs/problems.md").read_text("utf-8") == whole_page()


def test_a_code_is_explained_with_its_example(zenflow: Zenflow) -> None:
    answer = zenflow("explain", "zf107")
    assert answer.status == 0
    assert answer.out.splitlines()[0] == "ZF107 A line that is no `key: value`"
    assert "    prompt: hello" in answer.out.splitlines()
    assert zenflow("explain", "107").out == answer.out
    assert zenflow("explain", "ZF107", "--json").document["code"] == "ZF107"


def test_a_code_that_is_none_is_said_with_the_nearest(zenflow: Zenflow) -> None:
    answer = zenflow("explain", "ZF199")
    assert answer.status == 2
    assert answer.err.startswith("error: There is no code `ZF199`. [ZF074]\n")


def test_all_codes_are_listed_by_range(zenflow: Zenflow) -> None:
    answer = zenflow("explain")
    assert "  ZF203  A value of the wrong type" in answer.out.splitlines()
