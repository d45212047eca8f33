"""Hold the README to its two commands, its length, its links and what its commands print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.walkthrough import walk

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = [line for line in README.splitlines() if line.startswith("python3 -m venv")]


def test_offers_one_command_for_the_job_and_one_for_tests() -> None:
    assert len(COMMANDS) == 2
    assert COMMANDS[0].endswith("zenflow run recipes/photoshoot.yaml")
    assert COMMANDS[1].endswith("pytest -n 2")


def test_ci_calls_the_readmes_test_command_word_for_word() -> None:
    assert COMMANDS[1] in (ROOT / ".ci" / "run").read_text()


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    missing = [link for link in links if not link.startswith("http") and not (ROOT / link).exists()]
    assert not missing


def test_the_readmes_recipe_validates(tmp_path: Path) -> None:
    from zenflow.problems import Problems
    from zenflow.recipe.load import load_recipe

    text = re.search(r"```yaml\n(zenflow: 1.*?)```", README, re.DOTALL)
    assert text is not None
    (tmp_path / "portrait.yaml").write_text(text[1])
    problems = Problems()
    recipe = load_recipe(tmp_path / "portrait.yaml", problems)
    assert recipe is not None and not list(problems)


def test_is_under_120_lines() -> None:
    assert len(README.splitlines()) < 120


def test_links_every_page_of_the_documents() -> None:
    docs = ROOT / "docs"
    pages = [*docs.glob("*.md"), *docs.glob("how-to/*.md")]  # docs/index.md is the site's README
    linked = set(re.findall(r"\]\(([^)#]+)", README))
    assert [page.name for page in pages if page.name != "index.md" and str(page.relative_to(ROOT)) not in linked] == []


@pytest.mark.slow
def test_prints_what_it_shows(tmp_path: Path) -> None:
    one = walk(ROOT / "README.md", tmp_path)
    one.run()
    assert not one.differences, "\n\n".join([*one.differences, "python -m tests.support.walkthrough README.md"])
