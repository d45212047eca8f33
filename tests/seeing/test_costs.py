"""The cost history: `zenflow ledger --by`, labels, and servers kept apart."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.seeing.test_report import LOOKS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def test_groups_add_up_to_the_runs(run: Any, zenflow: Any) -> None:
    run(LOOKS, "--label", "client=acme")
    run(LOOKS, name="other.yaml")
    spent = sum(one["credits"] for one in zenflow("runs", "--json").document["runs"])
    found = {}
    for by in ("day", "week", "month", "recipe", "repository", "model", "tool", "label"):
        (server,) = zenflow("ledger", "--by", by, "--json").document["servers"]
        assert server["server"] == "sandbox"
        assert server["total"]["spent"] == spent == sum(row["spent"] for row in server["groups"]), by
        found[by] = {row["key"]: row["runs"] for row in server["groups"]}
    assert found["label"] == {"client=acme": 1, "(no label)": 1}
    assert found["tool"] == {"by_prompt": 2, "upscaler": 2}


def test_label_and_days_narrow_the_sum(run: Any, zenflow: Any) -> None:
    run(LOOKS, "--label", "client=acme")
    run(LOOKS)
    one = zenflow("ledger", "--label", "client=acme", "--json").document["servers"][0]["total"]
    assert one["runs"] == 1
    assert zenflow("ledger", "--by", "day", "--until", "2020-01-01", "--json").document["servers"] == []
    assert zenflow("ledger", "--by", "day", "--since", "2020-01-01", "--json").document["servers"] != []


def test_other_servers_are_left_out_when_one_is_named(run: Any, zenflow: Any) -> None:
    run(LOOKS)
    words = ("--server", "https://mcp.example.com/mcp", "--json")
    assert zenflow("ledger", "--by", "month", *words).document["servers"] == []
    assert zenflow("ledger", "--all", *words).document["revisions"] == []


def test_csv_has_server_labels_and_model(run: Any, zenflow: Any) -> None:
    run(LOOKS, "--label", "client=acme")
    rows = list(csv.DictReader(io.StringIO(zenflow("ledger", "--all", "--csv").out)))
    assert {row["server"] for row in rows} == {"sandbox"}
    assert {row["labels"] for row in rows} == {"client=acme"}
    assert "SEEDREAM_5" in {row["model"] for row in rows}


def test_runs_list_shows_credits_files_and_labels(run: Any, zenflow: Any) -> None:
    document = run(LOOKS, "--label", "client=acme")
    answer = zenflow("runs", "--json").document
    jsonschema.Draft202012Validator(json.loads((ROOT / "schemas/runs.schema.json").read_text())).validate(answer)
    (line,) = answer["runs"]
    assert (line["credits"], line["files"]) == (document["credits"]["charged"], 2)
    assert line["labels"] == {"client": "acme"} and line["duration_s"] >= 0
    assert "client=acme" in zenflow("runs").out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("ledger", "--by", "day", "--since", "yesterday"), "ZF027"),
        (("ledger", "--label", "acme"), "ZF026"),
        (("ledger", "last", "--by", "day"), "ZF003"),
    ],
)
def test_bad_words_have_a_clear_error(zenflow: Any, words: tuple[str, ...], code: str) -> None:
    answer = zenflow(*words, "--json")
    assert (answer.status, answer.code) == (2, code)
    assert answer.hint not in ("", "None")


def test_manifest_names_the_prompt_of_every_tool(run: Any) -> None:
    document = run(LOOKS)
    manifest = json.loads((Path(document["out"]) / "manifest.json").read_text())
    assert {one["prompt"] for one in manifest["files"]} == {"red lamp", "blue lamp"}
