"""`validate`, `graph`, `init`, `config`: whole outputs, each form."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from zenflow.recipe.load import NO_RECIPES

Zenflow = Callable[..., Any]

INNER = """\
zenflow: 1
name: inner
inputs: {picture: {type: image}}
steps:
  edit: {uses: upscaler, with: {image_asset_id: "${{ inputs.picture }}", output_format: png}}
  enlarge: {uses: upscaler, with: {image_asset_id: "${{ steps.edit.asset_id }}", output_format: png}}
  apart: {uses: by_prompt, with: {positive_prompt: a lamp, model: QWEN_IMAGE}}
outputs: {picture: "${{ steps.enlarge.asset_ids }}"}
"""
OUTER = """\
zenflow: 1
name: outer
steps:
  first: {uses: by_prompt, with: {positive_prompt: a lamp, model: QWEN_IMAGE}}
  look: {uses: ./in.yaml, needs: [first], with: {picture: "${{ steps.first.asset_ids[0] }}"}}
  save: {uses: download, with: {asset_ids: "${{ steps.look.picture }}"}}
"""

BAD = """\
zenflow: 1
name: bad
steps:
  edit:
    uses: by_prompt
    with:
      promt: a portrait
      model: SEEDREAM_55
  save:
    uses: download
    with:
      asset_ids: ${{ steps.edit.asset_ids }}
"""


def schema(name: str) -> Any:
    return json.loads((Path(__file__).parents[2] / "schemas" / f"{name}.schema.json").read_text())


@pytest.fixture
def workspace(zenflow: Zenflow, here: Path) -> Path:
    assert zenflow("init").status == 0
    return here


def test_init_says_what_it_made_and_what_to_do_next(zenflow: Zenflow, here: Path) -> None:
    assert zenflow("init", "shoot").out.splitlines() == [
        "  made  zenflow.toml",
        "  made  .gitignore",
        "  made  recipes/first.yaml",
        "  made  recipes/photos/example.jpg",
        "",
        "→ cd shoot && zenflow run first",
        "  runs it on the sandbox: pictures are drawn, free of charge",
    ]
    again = zenflow("init", "shoot", "--json").document
    assert (again["made"], len(again["left"])) == ([], 4)


def test_a_right_recipe_is_one_line(zenflow: Zenflow, workspace: Path) -> None:
    answer = zenflow("validate", "first")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out == "recipes/first.yaml: valid · 4 steps, checked against the tools of sandbox\n"


def test_every_problem_is_told_at_once_with_its_place(zenflow: Zenflow, here: Path) -> None:
    (here / "bad.yaml").write_text(BAD)
    answer = zenflow("validate", "bad.yaml")
    assert answer.status == 2
    lines = answer.out.splitlines()
    heads = [line for line in lines if line.startswith("bad.yaml:")]
    assert [head.split(" ")[0] for head in heads] == ["bad.yaml:5:11:", "bad.yaml:7:7:", "bad.yaml:8:14:"]
    assert "8 |       model: SEEDREAM_55" in lines
    assert "  |              ^^^^^^^^^^^" in lines
    assert lines[-1] == "3 errors"


def test_wrong_references_and_wrong_parameters_are_told_together(zenflow: Zenflow, here: Path) -> None:
    text = BAD.replace("      promt: a portrait\n", "      positive_prompt: a portrait\n")
    (here / "bad.yaml").write_text(text.replace("steps.edit.asset_ids", "steps.edti.asset_ids"))
    rows = zenflow("validate", "bad.yaml", "--json").document["problems"]
    errors = [(row["line"], row["column"]) for row in rows if row["severity"] == "error"]
    assert errors == [(8, 14), (12, 28)]


def test_binary_rubbish_is_told_and_not_drawn(zenflow: Zenflow, here: Path) -> None:
    (here / "rubbish.yaml").write_bytes(bytes(range(256)))
    answer = zenflow("validate", "rubbish.yaml")
    assert (answer.status, len(answer.out.splitlines())) == (2, 4)


def test_validate_json_is_one_document_of_the_published_schema(zenflow: Zenflow, here: Path) -> None:
    (here / "bad.yaml").write_text(BAD)
    by_option, by_format = (
        zenflow("validate", "bad.yaml", "--json"),
        zenflow("validate", "bad.yaml", "--format", "json"),
    )
    assert by_option.document == by_format.document
    document = by_option.document
    jsonschema.validate(document, schema("validate"))
    assert list(document)[:3] == ["format", "status", "error"]
    assert (document["status"], len(document["problems"])) == ("invalid", 3)
    assert document["error"]["code"] == document["problems"][0]["code"]


def test_validate_for_github(zenflow: Zenflow, here: Path) -> None:
    (here / "bad.yaml").write_text(BAD)
    lines = zenflow("validate", "bad.yaml", "--format", "github").out.splitlines()
    assert [line.split(",endLine")[0] for line in lines] == [
        "::error file=bad.yaml,line=5",
        "::error file=bad.yaml,line=7",
        "::error file=bad.yaml,line=8",
    ]


def test_a_recipe_that_is_not_there_names_those_that_are(zenflow: Zenflow, workspace: Path) -> None:
    answer = zenflow("validate", "frist")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("error: there is no recipe `frist` [ZF011]\n→ Did you mean `first")


def test_finds_a_misspelt_recipe_from_below_the_workspace(
    zenflow: Zenflow, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace / "recipes" / "photos")
    assert "→ Did you mean `first" in zenflow("validate", "frist").err


@pytest.mark.parametrize("words", [("plan", "first"), ("plan",)])
def test_suggests_a_workspace_where_no_recipes_are(zenflow: Zenflow, here: Path, words: tuple[str, ...]) -> None:
    answer = zenflow(*words)
    said = " ".join(answer.err.split())
    assert answer.status == 2
    assert said.endswith("→ " + NO_RECIPES)


def test_falls_back_to_the_snapshot_without_a_live_server(zenflow: Zenflow, workspace: Path) -> None:
    answer = zenflow("validate", "first", "--server", "http://127.0.0.1:9/mcp")
    assert answer.status == 0
    assert "http://127.0.0.1:9/mcp could not be asked" in answer.err


def test_a_graph_is_mermaid(zenflow: Zenflow, workspace: Path) -> None:
    assert zenflow("graph", "first").out.splitlines() == [
        "flowchart TD",
        '  s0("upload<br/><small>upload</small>")',
        '  s1["edit × n<br/><small>image_editor</small>"]',
        '  s2["enlarge × n<br/><small>upscaler</small>"]',
        '  s3("save<br/><small>download</small>")',
        "  s0 -->|asset_id| s1",
        "  s1 ==>|asset_ids| s2",
        "  s2 -->|asset_ids| s3",
        "  s1 -->|origin| s3",
    ]
    document = zenflow("graph", "first", "--json").document
    assert document["edges"][1] == {"from": "edit", "to": "enlarge", "reads": "asset_ids", "streams": True}


def test_a_graph_is_drawn_within_80_columns(zenflow: Zenflow, workspace: Path) -> None:
    drawn = zenflow("graph", "first", "--format", "text").out
    assert [line.split()[1] for line in drawn.splitlines()[:4]] == ["upload", "edit", "enlarge", "save"]
    assert "Critical path by time" in drawn and "upload → edit → enlarge → save" in " ".join(drawn.split())
    assert max(len(line) for line in drawn.splitlines()) <= 80


@pytest.mark.parametrize("inner", [False, True])
def test_expand_opens_recipes_used_as_steps(zenflow: Zenflow, here: Path, inner: bool) -> None:
    (here / "in.yaml").write_text(INNER)
    (here / "out.yaml").write_text(OUTER)
    found = zenflow("graph", "out.yaml", "--json", *(["--expand"] if inner else [])).document
    edges = {(edge["from"], edge["to"], edge["reads"]) for edge in found["edges"]}
    if not inner:
        assert edges == {("first", "look", "asset_ids"), ("look", "save", "picture"), ("first", "look", "needs")}
        return
    assert edges == {
        ("first", "look/edit", "asset_ids"),
        ("look/edit", "look/enlarge", "asset_id"),
        ("look/enlarge", "save", "asset_ids"),
        ("first", "look/apart", "needs"),
    }
    assert found["layers"] == [["first"], ["look/edit", "look/apart"], ["look/enlarge"], ["save"]]
    assert found["critical_path"]["seconds"]["steps"] == ["first", "look/apart"]
    assert 'subgraph r1["look"]' in found["mermaid"]


def test_reduced_edges_leave_out_what_others_imply(zenflow: Zenflow, workspace: Path) -> None:
    found = zenflow("graph", "first", "--format", "json").document
    assert {"from": "edit", "to": "save", "reads": "origin", "streams": False} in found["edges"]
    assert {"from": "edit", "to": "save"} not in found["reduced_edges"]


def test_graphml_and_dot_name_every_step_and_edge(zenflow: Zenflow, workspace: Path) -> None:
    tree = ElementTree.fromstring(zenflow("graph", "first", "--format", "graphml").out)
    name = "{http://graphml.graphdrawing.org/xmlns}"
    assert [node.get("id") for node in tree.iter(f"{name}node")] == ["upload", "edit", "enlarge", "save"]
    assert len(list(tree.iter(f"{name}edge"))) == 4
    dot = zenflow("graph", "first", "--format", "dot").out
    assert '"edit" -> "enlarge" [label="asset_ids", style=bold];' in dot and dot.count("->") == 4


def test_config_shows_each_value_with_its_origin(
    zenflow: Zenflow, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENFLOW_IN_FLIGHT", "7")
    monkeypatch.setenv("ZENFLOW_TOKEN", "secret-word")
    answer = zenflow("config", "--server", "zencreator")
    rows = {line.split()[0]: line.split() for line in answer.out.splitlines()[3:]}
    assert rows["service.server"][1:3] == ["zencreator", "--server"]
    assert rows["limits.in_flight"][1:3] == ["7", "ZENFLOW_IN_FLIGHT"]
    assert rows["budget.per_run"][1:3] == ["100", "zenflow.toml:7"]
    assert rows["limits.batch"][1:3] == ["50", "default"]
    assert rows["token"][1:3] == ["set", "ZENFLOW_TOKEN"]
    assert "secret-word" not in answer.out + zenflow("config", "--json").out


def test_draws_invalid_settings_like_recipe_problems(zenflow: Zenflow, here: Path) -> None:
    (here / "zenflow.toml").write_text('[service]\nspeed = "fast"\n')
    answer = zenflow("config")
    assert answer.status == 2
    assert answer.err.splitlines() == [
        'zenflow.toml:2:9: error: `service.speed` is "fast": a number was expected [ZF023]',
        "  |",
        '2 | speed = "fast"',
        "  |         ^^^^^^",
        "  → For example: `10`.",
        "",
        "1 error",
    ]
