"""Inputs as they are said on the command line, in recipes that run without a call that costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Zenflow = Callable[..., Any]
HEAD = "zenflow: 1\nname: t\ninputs:\n"
STEP = "steps:\n  g: {if: false, uses: by_prompt, with: {positive_prompt: x, model: SEEDREAM_5}}\n"


@pytest.fixture
def recipe(here: Path) -> Path:
    path = here / "r.yaml"
    path.write_text(HEAD + "  s: {type: string}\n" + STEP + "outputs: {s: '${{ inputs.s }}'}\n")
    (here / "b.yaml").write_text("s: b\n")
    return path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("-i", "s=a", "--inputs", "b.yaml"), "b"),
        (("--inputs", "b.yaml", "-i", "s=a"), "a"),
        (("-i", "s=a", "--inputs=b.yaml", "--input=s=c"), "c"),
    ],
)
def test_of_words_and_files_the_later_one_wins(
    zenflow: Zenflow, recipe: Path, words: tuple[str, ...], expected: str
) -> None:
    assert zenflow("run", *words, "r.yaml", "--json").document["outputs"] == {"s": expected}


@pytest.mark.parametrize("command", ["run", "plan", "validate"])
def test_a_file_of_inputs_that_cannot_be_read_is_told_alone(zenflow: Zenflow, recipe: Path, command: str) -> None:
    told = zenflow(command, "r.yaml", "--inputs", "nope.yaml", "--json").document
    errors = [problem["code"] for problem in told["problems"] if problem["severity"] == "error"]
    assert errors == ["ZF520"]


def test_expands_the_tilde_of_a_photo_at_home(
    zenflow: Zenflow, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert zenflow("init").status == 0
    monkeypatch.setenv("HOME", str(tmp_path))
    (here / "recipes" / "photos" / "example.jpg").rename(tmp_path / "me.jpg")
    assert zenflow("plan", "first", "-i", "photo=~/me.jpg").status == 0
    (tmp_path / "me.jpg").unlink()
    assert "there is no file" in zenflow("plan", "first", "-i", "photo=~/me.jpg").err


def test_an_at_before_a_folder_is_explained(zenflow: Zenflow, recipe: Path) -> None:
    for word in ("s=@", "s=@."):
        error = zenflow("run", "r.yaml", "-i", word, "--json").document["error"]
        assert error["code"] == "ZF521"
        assert "`@@`" in error["hint"]


def test_knows_the_size_of_an_upload_made_before(zenflow: Zenflow, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZENFLOW_SPEED", "2000")
    assert zenflow("init").status == 0
    (here / "r.yaml").write_text(
        "zenflow: 1\nname: t\nsteps:\n"
        "  u: {uses: upload, with: {source: recipes/photos/example.jpg}}\n"
        "outputs: {size: '${{ steps.u.size_bytes }}', text: '${{ steps.u.size_bytes }} bytes'}\n"
    )
    size = (here / "recipes/photos/example.jpg").stat().st_size
    for _ in range(2):
        done = zenflow("run", "r.yaml", "--json")
        assert done.document["outputs"] == {"size": size, "text": f"{size} bytes"}


PICK = (
    "steps:\n  g: {foreach: [a, b], uses: by_prompt, with: {positive_prompt: '${{ item }}', model: SEEDREAM_5}}\n"
    "  choose: {uses: pick, with: {asset_ids: '${{ steps.g.asset_ids }}'}}\n"
    "  d: {uses: download, with: {asset_ids: '${{ steps.choose.asset_ids }}'}}\n"
)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("chose=1", "Did you mean `choose`?"),
        ("g=1", "it uses `by_prompt`"),
        ("choose=1,2", "takes at most 1"),
        ("choose=1,1", "names 1 twice"),
    ],
)
def test_a_pick_that_cannot_be_is_said_before_anything_is_paid(
    zenflow: Zenflow, here: Path, word: str, said: str
) -> None:
    (here / "r.yaml").write_text("zenflow: 1\nname: t\n" + PICK)
    told = zenflow("run", "r.yaml", "--pick", word)
    assert told.status == 2
    assert said in " ".join(told.err.split())
    assert zenflow("runs", "--json").document["runs"] == []


def test_the_verdict_names_the_budget_of_the_recipe_that_is_used(zenflow: Zenflow, here: Path) -> None:
    (here / "part.yaml").write_text(
        "zenflow: 1\nname: part\nbudget: 3\n"
        "steps: {g: {uses: by_prompt, with: {positive_prompt: x, model: SEEDREAM_5, batch_size: 4}}}\n"
    )
    (here / "r.yaml").write_text("zenflow: 1\nname: t\nsteps: {p: {foreach: [1, 2], uses: ./part.yaml}}\n")
    error = zenflow("run", "r.yaml", "--json").document["error"]
    assert error["message"] == "Over: 4 credits are expected, 1 more than the budget of 3 (the recipe that `p` uses)."
    assert error["hint"] == "raise the budget of the recipe that `p` uses to 4"
