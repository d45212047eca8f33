"""Hold docs/service.md to the code: the tools, parameters, files and tests that it names exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from zenflow.sandbox.service.registry import TOOLS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "service.md").read_text()
ROWS = {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)` \|.*$", PAGE, re.M)}


@pytest.mark.parametrize("name", [name.removeprefix("zencreator_") for name in TOOLS])
def test_every_tool_has_a_row_with_all_its_parameters(name: str) -> None:
    takes = set(TOOLS[f"zencreator_{name}"].input_schema["properties"]) - {"response_format"}
    assert [parameter for parameter in takes if f"`{parameter}`" not in ROWS[name]] == []


def test_no_row_is_about_a_tool_that_is_not_there() -> None:
    assert {f"zencreator_{name}" for name in ROWS} == set(TOOLS)


NAMED = sorted(set(re.findall(r"`((?:wire|unit|scenario|crash|cli|property|safety)/[\w/]+\.py)(?:::(\w+))?`", PAGE)))


@pytest.mark.parametrize(("file", "function"), NAMED)
def test_every_test_that_is_named_exists(file: str, function: str) -> None:
    text = (ROOT / "tests" / file).read_text()
    assert not function or f"def {function}(" in text


CODE = sorted(set(re.findall(r"`((?:app|cli|engine|providers|catalog|recipe)/[\w/]+)`", PAGE)))


@pytest.mark.parametrize("module", CODE)
def test_every_file_that_is_named_exists(module: str) -> None:
    assert (ROOT / "zenflow" / f"{module}.py").is_file()
