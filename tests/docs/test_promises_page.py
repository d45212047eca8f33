"""Hold `docs/promises.md` to its tests and the tables of `docs/money.md` to the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from zenflow.engine.assumptions import ASSUMPTIONS
from zenflow.engine.model.response_class import TABLE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
MONEY = (ROOT / "docs" / "money.md").read_text(encoding="utf-8")
REFERENCES = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)


def table_under(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its head."""
    below = MONEY.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in below.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    return found | {target.id for node in assigned for target in node.targets if isinstance(target, ast.Name)}


@pytest.mark.parametrize(("file", "name"), sorted(set(REFERENCES)))
def test_every_test_that_is_named_exists(file: str, name: str) -> None:
    path = ROOT / file
    assert path.is_file(), file
    assert not name or name in names_in(path), f"{file} has no {name}"


def test_each_promise_names_tests() -> None:
    promises = re.split(r"\n### ", PAGE.split("## What the simulation checks")[0])[1:]
    assert len(promises) == 6
    for promise in promises:
        assert len(re.findall(r"`tests/", promise)) >= 4, promise.splitlines()[0]


def test_the_table_of_outcomes_is_that_of_the_code() -> None:
    assert table_under("What an answer means") == [[row.outcome.value, row.exactly, row.then] for row in TABLE]


def test_the_assumptions_are_those_of_the_code() -> None:
    assert table_under("What is assumed of the service") == [
        [f"{one.name}{'*' if one.measured else ''}", one.said, one.otherwise] for one in ASSUMPTIONS
    ]
    assert [one.name for one in ASSUMPTIONS] == [f"A{number}" for number in range(1, 9)]
