"""`zenflow test`: cases that hold, cases that do not and say why, wrong files, golden plans; and the shipped recipes' own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Zenflow = Callable[..., Any]
ROOT = Path(__file__).parents[2]

RECIPE = """\
zenflow: 1
name: one
version: 1.0.0
inputs:
  count: {type: integer, default: 1}
steps:
  make: {uses: by_prompt, with: {positive_prompt: a lamp, model: SEEDREAM_5, ratio: "1:1", batch_size: "${{ inputs.count }}"}}
  save: {uses: download, with: {asset_ids: "${{ steps.make.asset_ids }}"}}
outputs:
  files: ${{ steps.save.files }}
"""


@pytest.fixture
def folder(here: Path) -> Path:
    (here / "recipes").mkdir()
    (here / "recipes" / "one.yaml").write_text(RECIPE)
    return here / "recipes"


def write(folder: Path, cases: str) -> Path:
    path = folder / "one.test.yaml"
    path.write_text("zenflow-test: 1\ncases:\n" + cases)
    return path


def differences(document: dict[str, Any]) -> dict[str, list[str]]:
    return {case["name"]: case["differences"] for file in document["files"] for case in file["cases"]}


def test_cases_that_hold_give_0_and_leave_nothing_behind(zenflow: Zenflow, folder: Path, here: Path) -> None:
    write(
        folder,
        "  two: {inputs: {count: 2}, expect: {status: done, credits: 2, files: {image: 2}, calls: {by_prompt: 1}}}\n",
    )
    answer = zenflow("test")
    assert answer.status == 0, answer.err + answer.out
    assert "1 case: all hold. Nothing was spent." in answer.out
    assert sorted(path.name for path in here.iterdir()) == ["recipes"]


def test_each_difference_is_told_and_the_status_is_1(zenflow: Zenflow, folder: Path) -> None:
    write(
        folder,
        "  money: {expect: {credits: 5, planned: {worst: {at_most: 0}}}}\n"
        "  rest: {expect: {status: failed, calls: {by_prompt: 2}, files: 3, steps: {make: failed}, problem: ZF720}}\n"
        "  outputs: {expect: {outputs: {files: {count: 2}, absent: 1}}}\n",
    )
    answer = zenflow("test", "recipes/one.test.yaml", "--json")
    assert answer.status == 1
    assert differences(answer.document) == {
        "money": ["planned worst: expected at most 0, it is 1", "credits: expected 5, it is 1"],
        "rest": [
            "status: expected failed, it is done",
            "problem: expected ZF720, told were none",
            "calls of by_prompt: expected 2, it is 1",
            "make: expected failed, it is done",
            "files: expected 3, it is 1",
        ],
        "outputs": ["output files: expected 2 elements, it has 1", "output absent: there is none"],
    }
    assert "3 of 3 cases do not hold." in zenflow("test").out


def test_a_wrong_test_file_is_told_with_its_place(zenflow: Zenflow, folder: Path) -> None:
    write(folder, "  one: {expect: {credit: 5}}\n")
    answer = zenflow("test")
    assert answer.status == 2
    assert "one.test.yaml:3:18" in answer.err and "unknown key `credit`" in answer.err and "`credits`" in answer.err
    write(folder, "  one: {sandbox: {credits: 1}, faults: [{kind: bogus}], expect: {status: done}}\n")
    told = zenflow("test", "--json")
    assert told.status == 1 and "bogus" in json.dumps(told.document)
    assert zenflow("test", "elsewhere").status == 2


def test_golden_plans_are_kept_and_held_fast(zenflow: Zenflow, folder: Path) -> None:
    write(folder, "  plan: {plan_only: true, golden: true, expect: {status: done}}\n")
    before = zenflow("test", "--json")
    assert before.status == 1 and "--update" in differences(before.document)["plan"][0]
    assert zenflow("test", "--update").status == 0
    kept = json.loads((folder / "one.test.plans.json").read_text())
    assert kept["plan"]["credits"] == {"low": 1, "expected": 1, "worst": 1}
    assert zenflow("test").status == 0
    (folder / "one.yaml").write_text(RECIPE.replace("default: 1}", "default: 3}"))
    after = zenflow("test", "--json")
    assert "1 → 3 expected; make" in differences(after.document)["plan"][0]


def test_the_published_schema_is_the_one_that_is_used() -> None:
    own = (ROOT / "zenflow" / "recipe" / "test.schema.json").read_text()
    assert (ROOT / "schemas" / "test.schema.json").read_text() == own


def test_the_shipped_recipes_hold_their_tests(zenflow: Zenflow, here: Path) -> None:
    shutil.copytree(ROOT / "recipes", here / "recipes")
    answer = zenflow("test", "--json")
    assert answer.status == 0, differences(answer.document)
    files = {Path(file["path"]).name for file in answer.document["files"]}
    shipped = {path.name for path in (ROOT / "recipes").glob("*.yaml")} - files
    assert {name.replace(".yaml", ".test.yaml") for name in shipped} == files


def test_tests_are_found_by_the_name_of_their_recipe_too(zenflow: Zenflow, folder: Path) -> None:
    write(folder, "  plan: {plan_only: true, expect: {status: done}}\n")
    for word in ("one", "recipes/one.yaml", "recipes/one.test.yaml", "recipes"):
        answer = zenflow("test", word)
        assert answer.status == 0 and "1 case: all hold." in answer.out, word
    assert zenflow("test", "two").status == 2


def test_looks_only_here_without_a_recipes_folder(zenflow: Zenflow, here: Path) -> None:
    (here / "below").mkdir()
    (here / "below" / "somebody-elses.test.yaml").write_text("zenflow: 1\n")
    answer = zenflow("test")
    assert (answer.status, "There is no `*.test.yaml` at" in answer.err) == (2, True)


def test_mistakes_of_a_test_file_are_told_in_words(zenflow: Zenflow, folder: Path) -> None:
    write(
        folder,
        "  a: {expect: {status: don}}\n  b: {expect: {credits: {atmost: 3}}}\n  c: {}\n"
        "  d: {expect: {calls: {by_prompt: many}, problem: 720}}\n",
    )
    answer = zenflow("test")
    assert answer.status == 2
    text = " ".join(answer.err.split())
    assert '"don" is none of: done, failed, stopped, refused, invalid' in text and "Did you mean `done`?" in text
    assert "`expect` is missing" in text
    assert 'expected a number, or `{at_least: N, at_most: N}`; this is "many"' in text
    assert "expected string; this is 720" in text


def test_a_run_that_ends_otherwise_says_why(zenflow: Zenflow, folder: Path) -> None:
    write(
        folder,
        "  fails:\n    faults: [{kind: call_fails, tool_name: by_prompt, nth: 1, calls: [0], refund: now}]\n"
        "    expect: {status: done}\n",
    )
    told = differences(zenflow("test", "--json").document)["fails"]
    assert told[0].startswith("status: expected done, it is failed (") and len(told[0]) > 45
