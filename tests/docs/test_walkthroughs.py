"""The tutorial and every how-to page work as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.walkthrough import ROOT, walk

ELSEWHERE = {"share-recipes"}  # test_share_recipes.py runs it
HOW_TO = [page for page in sorted((ROOT / "docs/how-to").glob("*.md")) if page.stem not in ELSEWHERE]
PAGES = [ROOT / "docs/tutorial.md", *HOW_TO]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_page_works_as_written(page: Path, tmp_path: Path) -> None:
    one = walk(page, tmp_path)
    one.run()
    again = f"python -m tests.support.walkthrough {page.relative_to(ROOT)}"
    assert not one.differences, "\n\n".join([*one.differences, f"When the new output is right: {again}"])
