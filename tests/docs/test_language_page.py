"""docs/language.md: every recipe on it is run, every row of its tables is true."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from zenflow.app.config.setting_specs import KEYS
from zenflow.cli.main import run
from zenflow.expr.evaluate import evaluate
from zenflow.expr.filters import FILTERS
from zenflow.expr.parse import parse_text
from zenflow.expr.template import Template
from zenflow.problems import Problems
from zenflow.recipe.actions import ACTION_PARAMETERS
from zenflow.recipe.schema.structure import recipe_schema
from zenflow.recipe.text.formatter import laid_out

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/language.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(zenflow: 1\b.*?)```", PAGE, re.DOTALL)
NAMES = [re.search(r"^name: (\S+)", text, re.MULTILINE)[1] for text in EXAMPLES]  # type: ignore[index]
ROWS = re.findall(
    r"^\| `(.+?)` \| `(.+?)` \|$", PAGE.partition("| expression |")[2].partition("## Steps")[0], re.MULTILINE
)


@pytest.mark.parametrize("text", EXAMPLES, ids=NAMES)
def test_an_example_is_run(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name.startswith("ZENFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ZENFLOW_SPEED", "1000")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    (tmp_path / "recipes/example.yaml").write_text(text, "utf-8")
    assert run(["validate", "example", "-q"]) == 0, capsys.readouterr().out
    assert run(["run", "example", "--yes", "--json"]) == 0, capsys.readouterr().err
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == "done"
    assert "outputs" not in text or document["outputs"]


@pytest.mark.parametrize("text", EXAMPLES, ids=NAMES)
def test_an_example_is_laid_out_as_fmt_would(text: str) -> None:
    assert laid_out(text, "example.yaml", Problems()) == text


@pytest.mark.parametrize(("expression", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_an_expression_gives_what_the_table_says(expression: str, expected: str) -> None:
    problems = Problems()
    template = parse_text("${{ " + expression.replace("\\|", "|") + " }}", None, None, problems)
    assert isinstance(template, Template) and not problems.has_errors
    assert json.dumps(evaluate(template, {})) == json.dumps(json.loads(expected))


def test_every_filter_every_key_and_every_action_is_on_the_page() -> None:
    shown = " ".join(expression for expression, _ in ROWS)
    assert [name for name in FILTERS if not re.search(rf"\\\| {name}\b", shown)] == []
    keys = recipe_schema()["$defs"]["step"]["properties"]
    assert [key for key in keys if f"`{key}`" not in PAGE] == []
    for action, form in ACTION_PARAMETERS.items():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{action}` |"))
        if action != "preview":
            assert [name for name in form["properties"] if name not in row] == []


def test_every_rule_has_its_number_once() -> None:
    assert re.findall(r"^(\d+)\. ", PAGE, re.MULTILINE) == [str(number) for number in range(1, 22)]


def test_documents_every_setting_with_its_default() -> None:
    rows = dict(
        re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| (.+?) \|", PAGE.partition("## The workspace")[2], re.MULTILINE)
    )
    kept = {key.name: key.default for key in KEYS if key.in_file}
    assert list(rows) == list(kept)
    said = {"none": None, "a quarter of the budget, at least 100": None}
    told = {name: said.get(text, text.strip("`")) for name, text in rows.items()}
    assert told == {name: None if default is None else str(default) for name, default in kept.items()}
