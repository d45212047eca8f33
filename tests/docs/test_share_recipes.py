"""docs/how-to/share-recipes.md, command by command, against the example repository."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/how-to/share-recipes.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def here(empty_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("ZENFLOW_CACHE", str(tmp_path / "cache"))
    return empty_folder


def commands() -> Iterator[tuple[str, list[str]]]:
    """Each command of the page, with the lines that the page shows of its output."""
    for kind, text in BLOCK.findall(PAGE):
        if kind == "console":
            for part in text.split("$ ")[1:]:
                command, *shown = part.strip().splitlines()
                yield command, shown
        elif kind == "yaml" and "name: campaign" in text:
            yield "save recipes/campaign.yaml", [text]


@pytest.mark.slow
def test_every_command_of_the_page_works(here: Path, zenflow: Callable[..., Any]) -> None:
    known = 0
    for command, shown in commands():
        words = shlex.split(command)
        if words[0] == "save":
            (here / "recipes").mkdir()
            (here / words[1]).write_text(shown[0])
            continue
        if words[0] == "python":
            program = [sys.executable, str(ROOT / words[1]), *words[2:]]
            subprocess.run(program, cwd=here.parent, check=True, capture_output=True)
            continue
        assert words[0] == "zenflow"
        answer = zenflow(*words[1:])
        assert answer.status == (10 if "--check" in words else 0), (command, answer)
        said = answer.out + answer.err
        for line in shown:
            assert line.strip() in said, (command, line, said)
        known += 1
    assert known >= 14


def test_the_rows_of_versions_are_those_of_the_check() -> None:
    assert "| a new optional input, a new output | minor |" in PAGE
