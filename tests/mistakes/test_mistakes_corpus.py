"""Mistakes that people make, one file each, and word for word what is said about it: NAME.yaml, NAME.txt.

`pytest tests/mistakes --update` writes the texts anew. A first line `# plan …` says with which words it is planned instead of
validated. A text is right when somebody who has never seen zenflow knows what to change.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from zenflow.cli.main import run

HERE = Path(__file__).parent
RECIPES = sorted(HERE.glob("*.yaml"))
SHOWN = {0xA0: "·"}  # what cannot be seen is drawn
REFUSED = {"ZF423"}  # rightly written, and forbidden by a policy
PLACE = re.compile(r"^(\S+\.yaml):(\d+):(\d+): (error|warning): ", re.MULTILINE)


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    for name in [name for name in os.environ if name.startswith("ZENFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(HERE)

    def about(recipe: Path) -> tuple[int, str]:
        first = recipe.read_text("utf-8").partition("\n")[0]
        extra = first.removeprefix("# plan ").split() if first.startswith("# plan ") else None
        words = ["validate", recipe.name] if extra is None else ["plan", recipe.name, *extra, "--state", str(tmp_path)]
        capsys.readouterr()
        status = run(words)
        told = capsys.readouterr()
        return status, told.out if extra is None else told.err

    return about


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_mistake_is_told_like_this(recipe: Path, said: object, request: pytest.FixtureRequest) -> None:
    status, text = said(recipe)  # type: ignore[operator]
    text = text.replace(str(HERE), "HERE")  # no folder of this machine in a golden text
    golden = recipe.with_suffix(".txt")
    if request.config.getoption("--update"):
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")
    errors = set(re.findall(r" error: .*\[(ZF\d+)\]$", text, re.MULTILINE)) if "error: " in text else None
    assert status == (0 if errors is None else 3 if errors == REFUSED else 2)
    assert "error: " in text or "warning: " in text


def test_there_are_many_and_each_text_has_its_recipe() -> None:
    assert len(RECIPES) >= 170
    assert {path.stem for path in HERE.glob("*.txt")} == {path.stem for path in RECIPES}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_what_is_underlined_stands_there(recipe: Path) -> None:
    """Line and column are exact: the line that is quoted is that line, and the mark begins in that column."""
    lines = recipe.with_suffix(".txt").read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        match = PLACE.match(line)
        if match is None:
            continue
        source = (HERE / match[1]).read_text("utf-8").splitlines()
        block = lines[number + 1 :]
        at = next(
            i for i, one in enumerate(block) if re.match(rf"\s*{match[2]} \| ", one) or one.strip() == f"{match[2]} |"
        )
        quoted, mark = block[at].partition("| ")[2], block[at + 1].partition("| ")[2]
        if "\t" not in source[int(match[2]) - 1] and not quoted.startswith("…"):
            assert quoted.rstrip("…") in source[int(match[2]) - 1].translate(SHOWN)
            assert len(mark) - len(mark.lstrip()) == int(match[3]) - 1
