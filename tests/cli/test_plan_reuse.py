"""Edit and go on: what is kept, what is new, what an edit would orphan, and why; on the embedded sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Zenflow = Callable[..., Any]

RECIPE = """\
zenflow: 1
name: shoot
version: 1.0.0
inputs:
  photo: {type: image, default: photos/example.jpg}
  looks: {type: array, items: {type: string}, default: [red, blue]}
  model: {type: string, default: SEEDREAM_5}
budget: 60
steps:
  upload: {uses: upload, with: {source: "${{ inputs.photo }}"}}
  generate:
    foreach: ${{ inputs.looks }}
    uses: image_editor
    with:
      prompt: A portrait in ${{ item }}
      image_assets: ["${{ steps.upload.asset_id }}"]
      model: ${{ inputs.model }}
  upscale:
    foreach: ${{ steps.generate.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}", output_format: png}
  download:
    uses: download
    with: {asset_ids: "${{ steps.upscale.asset_ids }}", name: "picture-${{ index }}"}
outputs:
  images: ${{ steps.download.files }}
"""


@pytest.fixture
def recipe(zenflow: Zenflow, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZENFLOW_SPEED", "2000")
    assert zenflow("init").status == 0
    path = here / "recipes" / "shoot.yaml"
    path.write_text(RECIPE)
    return path


def planned(zenflow: Zenflow, *words: str) -> dict[str, Any]:
    answer = zenflow("plan", "shoot", "--json", *words)
    assert answer.status == 0, answer.err
    found: dict[str, Any] = answer.document
    return found


def ran(zenflow: Zenflow, *words: str) -> dict[str, Any]:
    answer = zenflow("run", "shoot", "--json", *words)
    assert answer.status == 0, answer.err
    found: dict[str, Any] = answer.document
    return found


def calls(document: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Per paid step: new calls (exact ones only), kept ones."""
    steps = {step["id"]: step for step in document["steps"] if step["kind"] == "tool"}
    return {name: (step["instances"]["expected"], step["kept"]) for name, step in steps.items()}


def test_keeps_everything_for_the_same_recipe(zenflow: Zenflow, recipe: Path) -> None:
    first = ran(zenflow)
    assert first["credits"]["charged"] == 6
    plan = planned(zenflow, "--reuse", "last")
    assert plan["credits"] == {"low": 0, "expected": 0, "worst": 0}
    assert calls(plan) == {"generate": (0, 2), "upscale": (0, 2)}
    assert (plan["reuse"]["kept_credits"], plan["reuse"]["orphaned"]) == (6, [])
    again = ran(zenflow, "--reuse")
    assert again["credits"]["charged"] == 0
    assert [file["sha256"] for file in again["files"]] == [file["sha256"] for file in first["files"]]


def test_makes_an_edited_prompt_and_its_readers_again(zenflow: Zenflow, recipe: Path) -> None:
    ran(zenflow)
    words = ("-i", 'looks=["red","green"]')
    plan = planned(zenflow, "--reuse", "last", *words)
    assert calls(plan) == {"generate": (1, 1), "upscale": (1, 1)}
    assert plan["credits"]["expected"] == 3
    assert [one["instance"] for one in plan["reuse"]["orphaned"]] == ["generate.1", "upscale.1.0"]
    assert plan["reuse"]["orphaned_credits"] == 3
    assert ran(zenflow, "--reuse", "last", *words)["credits"]["charged"] == 3


def test_makes_nothing_again_for_comments_and_step_names(zenflow: Zenflow, recipe: Path) -> None:
    ran(zenflow)
    text = (
        RECIPE.replace("generate", "make")
        .replace("[red, blue]", "[blue, red]")
        .replace("budget: 60", "budget: 50 # less")
    )
    recipe.write_text(text)
    plan = planned(zenflow, "--reuse", "last")
    assert calls(plan) == {"make": (0, 2), "upscale": (0, 2)}
    assert plan["reuse"]["orphaned"] == []


def test_keeps_nothing_paid_without_reuse(zenflow: Zenflow, recipe: Path) -> None:
    ran(zenflow)
    assert calls(planned(zenflow)) == {"generate": (2, 0), "upscale": (2, 0)}
    recipe.write_text(RECIPE.replace("    uses: image_editor\n", "    uses: image_editor\n    reuse: false\n"))
    assert calls(planned(zenflow, "--reuse"))["generate"] == (2, 0)


def test_reuse_true_in_a_step_keeps_it_without_an_option(zenflow: Zenflow, recipe: Path) -> None:
    ran(zenflow)
    recipe.write_text(RECIPE.replace("    uses: image_editor\n", "    uses: image_editor\n    reuse: true\n"))
    assert calls(planned(zenflow)) == {"generate": (0, 2), "upscale": (2, 0)}


def test_three_pictures_of_one_request_are_three_results(zenflow: Zenflow, recipe: Path) -> None:
    recipe.write_text(RECIPE.replace("A portrait in ${{ item }}", "A portrait"))
    words = ("-i", 'looks=["a","b","c"]')
    first = ran(zenflow, *words)
    again = ran(zenflow, "--reuse", "last", *words)
    assert again["credits"]["charged"] == 0
    made = [one["asset_ids"] for one in first["steps"]["generate"]["instances"]]
    kept = [one["asset_ids"] for one in again["steps"]["generate"]["instances"]]
    assert kept == made and len({ids[0] for ids in made}) == 3
    more = planned(zenflow, "--reuse", "last", "-i", 'looks=["a","b","c","d"]')
    assert calls(more)["generate"] == (1, 3)


EQUAL = """\
zenflow: 1
name: equal
inputs:
  n: {type: integer, default: 4}
  looks: {type: array, items: {type: string}, default: []}
steps:
  a: {foreach: "${{ ELEMENTS }}", uses: by_prompt, with: {positive_prompt: same, model: SEEDREAM_5}}
outputs: {ids: "${{ steps.a.asset_ids | unique | length }}"}
"""


@pytest.mark.parametrize("elements", ["range(inputs.n)", "inputs.looks"])
def test_a_reused_result_is_given_to_one_instance(zenflow: Zenflow, recipe: Path, elements: str) -> None:
    """Runs that reuse a result do not make it two: the third run keeps two and pays two."""
    written = EQUAL.replace("ELEMENTS", elements)
    (recipe.parent / "equal.yaml").write_text(written)

    def run(count: int, *words: str) -> dict[str, Any]:
        looks = "[" + ",".join(["same"] * count) + "]"
        answer = zenflow("run", "equal", "--json", "-i", f"n={count}", "-i", f"looks={looks}", *words)
        assert answer.status == 0, answer.err
        document: dict[str, Any] = answer.document
        return document

    assert run(2)["credits"]["charged"] == 2
    assert run(2, "--reuse")["credits"]["charged"] == 0
    third = run(4, "--reuse")
    assert third["credits"]["charged"] == 2 and third["outputs"] == {"ids": 4}
    fourth = run(4, "--reuse")
    assert fourth["credits"]["charged"] == 0 and fourth["outputs"] == {"ids": 4}


def test_redoes_one_instance_with_its_readers(zenflow: Zenflow, recipe: Path) -> None:
    ran(zenflow)
    assert calls(planned(zenflow, "--redo", "generate.1")) == {"generate": (1, 1), "upscale": (1, 1)}
    assert calls(planned(zenflow, "--from", "upscale")) == {"generate": (0, 2), "upscale": (2, 0)}
    answer = zenflow("plan", "shoot", "--redo", "bogus.1")
    assert answer.status == 2 and "no step `bogus`" in answer.err


def test_redo_of_what_is_not_there_pays_nothing(zenflow: Zenflow, recipe: Path) -> None:
    ran(zenflow)
    for name in ("generate.7", "generate.x", "upscale.9.9"):
        answer = zenflow("run", "shoot", "--redo", name, "--yes")
        assert answer.status == 2 and f"no instance `{name}`" in answer.err
    assert "generate.0, generate.1" in zenflow("plan", "shoot", "--redo", "generate.7").err
    other = zenflow("run", "shoot", "-i", 'looks=["x","y"]', "--redo", "generate.1", "--yes")
    assert other.status == 2 and "ZF082" in other.err


def test_another_photo_with_the_same_bytes_is_the_same_photo(zenflow: Zenflow, recipe: Path, here: Path) -> None:
    ran(zenflow)
    copy = here / "copy.jpg"
    copy.write_bytes((here / "recipes" / "photos" / "example.jpg").read_bytes())
    assert calls(planned(zenflow, "--reuse", "-i", "photo=copy.jpg"))["generate"] == (0, 2)


def test_why_names_the_part_that_differs_old_and_new(zenflow: Zenflow, recipe: Path) -> None:
    ran(zenflow)
    words = ("shoot", "-i", 'looks=["red","green"]')
    same = zenflow("why", "generate.0", *words, "--json").document
    assert (same["verdict"], same["differences"]) == ("kept", [])
    other = zenflow("why", "generate.1", *words, "--json").document
    assert other["differences"] == [{"where": "prompt", "old": "A portrait in blue", "new": "A portrait in green"}]
    text = zenflow("why", "upscale.1.0", *words)
    assert text.status == 0
    assert "generate.1 is made new" in text.out and '+ "A portrait in green"' in text.out
    recipe.write_text(RECIPE.replace("SEEDREAM_5", "QWEN_IMAGE"))
    changed = zenflow("why", "generate.0", "--json").document
    assert changed["differences"] == [{"where": "model", "old": "SEEDREAM_5", "new": "QWEN_IMAGE"}]


def test_explains_instances_of_a_fanned_out_step(zenflow: Zenflow, recipe: Path) -> None:
    ran(zenflow)
    assert zenflow("why", "generate").out == "generate is kept: all 2 of its instances are.\n"
    green = ("shoot", "-i", 'looks=["red","green"]')
    changed = zenflow("why", "generate", *green, "--json").document
    assert (changed["verdict"], changed["reason"]) == ("new", "1 of its 2 instances is")
    assert [one["instance"] for one in changed["because"]] == ["generate.1"]
    for address in ("upscale", "upscale.1"):
        waiting = zenflow("why", address, *green, "--json").document
        assert waiting["reason"] == "it goes over the results of generate.1, which is made new"
        assert [one["instance"] for one in waiting["because"]] == ["generate.1"]


def test_explains_a_missing_element_as_absent(zenflow: Zenflow, recipe: Path) -> None:
    ran(zenflow)
    for address in ("generate.7", "upscale.7"):
        answer = zenflow("why", address, "shoot", "-i", 'looks=["red","green"]')
        assert (answer.status, answer.out.partition(":")[0]) == (0, f"{address} is not there")


def test_why_of_a_step_that_is_a_recipe_tells_of_the_calls_in_it(zenflow: Zenflow, recipe: Path) -> None:
    (recipe.parent / "parts").mkdir()
    (recipe.parent / "parts" / "inner.yaml").write_text(RECIPE.replace("default: photos/example.jpg", "default: null"))
    recipe.write_text(
        RECIPE.partition("steps:")[0]
        + "steps:\n  one: {foreach: '${{ inputs.looks }}', uses: ./parts/inner.yaml, with: {looks: ['${{ item }}'], "
        + "photo: '${{ inputs.photo }}', model: '${{ inputs.model }}'}}\n"
    )
    ran(zenflow)
    assert zenflow("why", "one", "--json").document["verdict"] == "kept"
    assert zenflow("why", "one.0", "--json").document["verdict"] == "kept"
    changed = zenflow("why", "one", "shoot", "-i", 'looks=["red","green"]', "--json").document
    assert changed["verdict"] == "new"
    assert [one["instance"] for one in changed["because"]] == ["one.1/generate.0"]


def test_why_of_a_word_that_is_no_address_names_one(zenflow: Zenflow, recipe: Path) -> None:
    ran(zenflow)
    for word in ("generate.x", "generate.", "one/generate.x"):
        answer = zenflow("why", word)
        assert answer.status == 2 and "Did you mean `generate.0`?" in answer.err


def test_reports_unknown_runs_and_odd_run_names(zenflow: Zenflow, recipe: Path) -> None:
    ran(zenflow)
    answer = zenflow("plan", "shoot", "--reuse", "19990101-0")
    assert answer.status == 2 and "19990101-0" in answer.err


def test_makes_a_result_again_that_the_service_lost(zenflow: Zenflow, recipe: Path, here: Path) -> None:
    first = ran(zenflow)
    gone = first["steps"]["generate"]["instances"][1]["asset_ids"][0]
    import sqlite3

    [store] = list((here / ".zenflow" / "sandbox").rglob("*.db"))
    with sqlite3.connect(store) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        [table] = [name for name in tables if "asset" in name]
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        connection.execute(f"DELETE FROM {table} WHERE {columns[0]} = ?", (gone,))
    connection.close()
    plan = planned(zenflow, "--reuse", "last")
    assert plan["reuse"]["gone"] == ["generate.1"]
    assert calls(plan) == {"generate": (1, 1), "upscale": (1, 1)}


def test_the_plan_says_in_words_what_is_kept_and_orphaned(zenflow: Zenflow, recipe: Path) -> None:
    ran(zenflow)
    text = " ".join(zenflow("plan", "shoot", "--reuse", "last", "-i", 'looks=["red"]').out.split())
    assert "kept from run" in text and "orphaned: 2 paid results" in text


def test_suggests_fewer_instances_when_the_rest_is_too_dear(zenflow: Zenflow, recipe: Path) -> None:
    """Two of eight looks are kept: six new ones are too many, and the number that is named is one that fits."""
    ran(zenflow)
    words = ("-i", 'looks=["red","blue","c","d","e","f","g","h"]', "--reuse", "last", "--budget", "12")
    answer = zenflow("plan", "shoot", "--json", *words)
    assert (answer.status, answer.document["verdict"], answer.document["credits"]["expected"]) == (3, "over", 18)
    [way] = [way for way in answer.document["ways_out"] if "instances of `generate`" in way]
    most = re.search(r"`max: (\d+)`", way)
    assert most is not None and int(most[1]) > 2
    fitting = zenflow("plan", "shoot", "--json", *words, "--max", f"generate={most[1]}")
    assert fitting.status == 0 and fitting.document["credits"]["expected"] <= 12
    assert calls(fitting.document)["generate"] == (int(most[1]) - 2, 2)


def test_with_no_run_yet_the_plan_says_so(zenflow: Zenflow, recipe: Path) -> None:
    text = " ".join(zenflow("plan", "shoot", "--reuse", "last").out.split())
    assert "nothing of an earlier run is kept: there is no run of this recipe here yet" in text
    ran(zenflow)
    other = " ".join(zenflow("plan", "shoot", "--reuse", "last", "-i", 'looks=["green"]').out.split())
    assert "nothing of an earlier run is kept: no request is the same" in other


def test_max_names_a_step_that_fans_out(zenflow: Zenflow, recipe: Path) -> None:
    unknown = zenflow("plan", "shoot", "--max", "generat=2")
    assert unknown.status == 2 and "no step `generat`" in unknown.err and "`generate`" in unknown.err
    alone = zenflow("plan", "shoot", "--max", "upload=2")
    assert alone.status == 2 and "`upload` has no `foreach`" in alone.err
    assert zenflow("plan", "shoot", "--max", "generate=1", "--json").document["credits"]["expected"] == 3
