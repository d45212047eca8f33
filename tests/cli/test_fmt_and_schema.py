"""`zenflow fmt` and `zenflow schema` from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

Zenflow = Callable[..., Any]
ROOT = Path(__file__).parents[2]
UGLY = "zenflow: 1\nname: t   # kept\nsteps:\n    a:\n        uses: upload\n        with: {source: ${{x}} }\n"
NEAT = 'zenflow: 1\nname: t   # kept\nsteps:\n  a:\n    uses: upload\n    with: {source: "${{ x }}" }\n'


def test_fmt_writes_the_file_and_a_second_time_nothing(zenflow: Zenflow, here: Path) -> None:
    file = here / "ugly.yaml"
    file.write_text(UGLY)
    file.chmod(0o640)
    assert zenflow("fmt", "ugly.yaml").out == "ugly.yaml formatted\n"
    assert (file.read_text(), file.stat().st_mode & 0o777) == (NEAT, 0o640)
    assert zenflow("fmt", "ugly.yaml").out == ""
    assert [path.name for path in here.iterdir()] == ["ugly.yaml"]


def test_check_and_diff_write_nothing(zenflow: Zenflow, here: Path) -> None:
    (here / "ugly.yaml").write_text(UGLY)
    (here / "neat.yaml").write_text(NEAT)
    checked = zenflow("fmt", "--check", "ugly.yaml", "neat.yaml", "--json")
    assert (checked.status, checked.document["changed"]) == (1, ["ugly.yaml"])
    assert zenflow("fmt", "--check", "neat.yaml").status == 0
    shown = zenflow("fmt", "--diff", "ugly.yaml")
    assert shown.status == 0 and "+  a:" in shown.out.splitlines()
    assert (here / "ugly.yaml").read_text() == UGLY


def test_what_cannot_be_read_is_not_touched(zenflow: Zenflow, here: Path) -> None:
    (here / "bad.yaml").write_text("a: [1\nb: 2\n")
    answer = zenflow("fmt", "bad.yaml")
    assert (answer.status, (here / "bad.yaml").read_text()) == (2, "a: [1\nb: 2\n")
    assert answer.err.startswith("bad.yaml:")


def test_the_plain_schema_is_the_published_one(zenflow: Zenflow) -> None:
    published = json.loads((ROOT / "schemas/recipe.schema.json").read_text())
    assert json.loads(zenflow("schema", "--plain").out) == published


_woven: list[jsonschema.Draft202012Validator] = []  # the same for every test: made once


@pytest.fixture
def validator(zenflow: Zenflow) -> jsonschema.Draft202012Validator:
    if not _woven:
        schema = json.loads(zenflow("schema").out)
        jsonschema.Draft202012Validator.check_schema(schema)
        _woven.append(jsonschema.Draft202012Validator(schema))
    return _woven[0]


def recipe(step: str) -> Any:
    return yaml.safe_load("zenflow: 1\nname: t\nsteps:\n  s:\n" + step)


def test_the_woven_schema_takes_the_shipped_recipes(validator: jsonschema.Draft202012Validator) -> None:
    for path in sorted((ROOT / "recipes").rglob("*.yaml")):
        if ".test." not in path.name:
            validator.validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    ("step", "path"),
    [
        ("    uses: upscaler\n    with: {image_asset_id: '${{ x }}', output_format: gif}\n", "output_format"),
        ("    uses: upscaler\n    with: {image_asset_id: '${{ x }}'}\n", "with"),
        ("    uses: upscaler\n", "s"),
        ("    uses: image_editor\n    with: {promt: x}\n", "with"),
        ("    uses: image_editor\n    with: {prompt: x, model: SEEDREAM_55}\n", "model"),
        ("    uses: describe\n    with: {asset_id: 5}\n", "asset_id"),
        ("    uses: nonsense\n", "uses"),
    ],
)
def test_the_woven_schema_refuses_what_the_tools_refuse(
    validator: jsonschema.Draft202012Validator, step: str, path: str
) -> None:
    assert path in {list(error.absolute_path)[-1] for error in validator.iter_errors(recipe(step))}


def test_expressions_and_null_may_stand_for_every_parameter(validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(
        recipe(
            "    uses: image_editor\n    with: {prompt: '${{ a }} b', number_of_images: '${{ n }}', "
            "image_assets: ['${{ x }}'], ratio: null}\n"
        )
    )
    validator.validate(recipe("    uses: ./other.yaml\n    with: {anything: 1}\n"))


def test_a_schema_is_written_where_it_is_wanted(zenflow: Zenflow, here: Path) -> None:
    answer = zenflow("schema", "--offline", "-o", "recipe.schema.json")
    assert answer.out.startswith("Written to recipe.schema.json: begin a recipe with `# yaml-language-server: $schema=")
    assert "image_editor" in (here / "recipe.schema.json").read_text()
    assert zenflow("schema", "-o", "no/such/folder.json").status == 2
