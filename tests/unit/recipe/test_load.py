"""Loading recipes: from disk, from stored texts, with recipes inside recipes, and by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.findings import HEAD, problems_of, short
from zenflow.errors import InvalidRecipe, UsageError
from zenflow.problems import Problems
from zenflow.recipe.load import find_recipe, load_recipe, load_recipe_texts

Write = Callable[[str, str | bytes], Path]
INNER = (
    HEAD.replace("name: t", "name: look")
    + "inputs: {photo: image, size: {type: integer, default: 2}}\n"
    + "steps:\n  up: {uses: upload, with: {source: '${{ inputs.photo }}'}}\n"
    + "  pick: {uses: pick, with: {asset_ids: ['${{ steps.up.asset_id }}'], count: '${{ inputs.size }}'}}\n"
    + "outputs: {ids: '${{ steps.pick.asset_ids }}', first: '${{ steps.pick.asset_id }}'}\n"
)
OUTER = (
    HEAD
    + "inputs: {photo: image}\n"
    + "steps:\n  look: {uses: ./parts/look.yaml, with: {photo: '${{ inputs.photo }}'}}\n"
    + "  see: {uses: describe, with: {asset_id: '${{ steps.look.first }}'}}\n"
)


def loaded_problems(path: Path) -> list[str]:
    problems = Problems()
    assert load_recipe(path, problems) is None
    return [short(problem) for problem in problems.in_order() if problem.severity == "error"]


def test_the_recipe_of_the_language_page_loads(photoshoot: str, write: Write) -> None:
    problems = Problems()
    recipe = load_recipe(write("photoshoot.yaml", photoshoot), problems)
    assert recipe is not None and not list(problems)
    assert list(recipe.steps) == ["upload", "describe", "craft_prompt", "generate", "upscale", "download"]
    assert [step.kind for step in recipe.steps.values()] == ["action", "action", "action", "tool", "tool", "action"]
    assert recipe.budget == 60 and recipe.steps["upscale"].max == 8 and recipe.inputs["photo"].type == "image"
    assert recipe.version == "1.0.0" and len(recipe.digest) == 64
    assert str(recipe.steps["generate"].places.value("with", "image_assets", 0)).endswith(":43:11")


def test_every_key_of_a_step_is_read() -> None:
    body = (
        "steps:\n  a: {uses: x}\n  b:\n    uses: y\n    foreach: {c: [1, 2], d: '${{ inputs.l }}'}\n    max: ${{ inputs.n }}\n"
        "    if: ${{ item.c == 1 }}\n    needs: a\n    retry: 2\n    timeout: 1.5m\n    on_error: continue\n"
        "    reuse: false\n    max_credits: 2.5\n    x-mine: {a: ${nothing}}\n    with: {p: '${{ item.d }}'}\n"
    )
    text = HEAD + "inputs: {n: integer, l: {type: array}}\nx-top: [1]\n" + body.replace("${nothing}", "1")
    step = load_recipe_texts({"r.yaml": text}, "r.yaml").steps["b"]
    assert (step.needs, step.retry, step.timeout_s, step.on_error) == (("a",), 2, 90.0, "continue")
    assert (step.reuse, step.max_credits, step.fans_out) == (False, 2.5, True)
    assert list(step.foreach) == ["c", "d"] and "x-mine" not in step.with_


def test_a_recipe_inside_a_recipe_is_loaded_with_it(write: Write) -> None:
    path = write("outer.yaml", OUTER)
    write("parts/look.yaml", INNER)
    problems = Problems()
    recipe = load_recipe(path, problems)
    assert recipe is not None, list(problems)
    inner = recipe.steps["look"].recipe
    assert inner is not None and inner.name == "look" and list(inner.outputs) == ["ids", "first"]
    assert list(recipe.files) == ["outer.yaml", "parts/look.yaml"]


def test_a_stored_recipe_loads_again_with_the_same_digest(write: Write) -> None:
    path = write("outer.yaml", OUTER)
    write("parts/look.yaml", INNER)
    recipe = load_recipe(path, Problems())
    assert recipe is not None
    again = load_recipe_texts(recipe.files, "outer.yaml")
    assert again.digest == recipe.digest and again.steps.keys() == recipe.steps.keys()


def test_the_digest_changes_with_the_text_of_an_inner_recipe(write: Write) -> None:
    path = write("outer.yaml", OUTER)
    write("parts/look.yaml", INNER)
    first = load_recipe(path, Problems())
    write("parts/look.yaml", INNER + "# a comment\n")
    second = load_recipe(path, Problems())
    assert first is not None and second is not None and first.digest != second.digest


@pytest.mark.parametrize(
    ("outer", "expected", "says"),
    [
        (OUTER.replace("photo: '${{ inputs.photo }}'}", "foto: '${{ inputs.photo }}'}"), "ZF220 5:42-46", "`photo`"),
        (OUTER.replace("with: {photo: '${{ inputs.photo }}'}", "with: {}"), "ZF221 5:16-33", "`photo`"),
        (
            OUTER.replace("{photo: '${{ inputs.photo }}'}", "{photo: '${{ inputs.photo }}', size: big}"),
            "ZF222 5:78-81",
            "integer",
        ),
        (OUTER.replace("steps.look.first", "steps.look.frist"), "ZF310 6:58-63", "`first`"),
        (OUTER.replace("steps.look.first", "steps.look.ids"), "ZF222 6:42-65", "a list"),
        (OUTER.replace("./parts/look.yaml", "./parts/lok.yaml"), "ZF228 5:16-32", ""),
        (OUTER.replace("./parts/look.yaml", "../look.yaml"), "ZF231 5:16-28", "folder"),
        (OUTER.replace("./parts/look.yaml", "/etc/look.yaml"), "ZF231 5:16-30", "relative"),
    ],
)
def test_a_recipe_as_step_is_checked_like_an_action(outer: str, expected: str, says: str) -> None:
    with pytest.raises(InvalidRecipe) as caught:
        load_recipe_texts(
            {"r.yaml": outer.replace("inputs: {photo", "inputs: {photo"), "parts/look.yaml": INNER}, "r.yaml"
        )
    errors = [problem for problem in caught.value.problems if problem.severity == "error"]
    assert [short(problem) for problem in errors] == [expected], errors
    assert says in f"{errors[0].message} {errors[0].hint}"


def test_a_problem_of_an_inner_recipe_is_shown_in_its_own_file() -> None:
    with pytest.raises(InvalidRecipe) as caught:
        load_recipe_texts({"r.yaml": OUTER, "parts/look.yaml": INNER.replace("source:", "sorce:")}, "r.yaml")
    places = [problem.place for problem in caught.value.problems if problem.severity == "error"]
    assert [place.file for place in places if place] == ["parts/look.yaml"]


def test_a_recipe_that_uses_itself_is_refused_with_its_path() -> None:
    a = HEAD + "steps: {s: {uses: ./b.yaml}}\n"
    b = HEAD + "steps: {s: {uses: ./r.yaml}}\n"
    (problem,) = problems_of(a, b=b)
    assert problem.code == "ZF229" and "r.yaml → b.yaml → r.yaml" in problem.message
    assert problem.place is not None and problem.place.file == "b.yaml"


def test_nine_levels_of_recipes_are_refused_and_eight_are_not() -> None:
    def chain(levels: int) -> dict[str, str]:
        files = {f"l{n}.yaml": HEAD + f"steps: {{s: {{uses: ./l{n + 1}.yaml}}}}\n" for n in range(levels)}
        return files | {f"l{levels}.yaml": HEAD + "steps: {s: {uses: x}}\n"}

    assert load_recipe_texts(chain(8), "l0.yaml").name == "t"
    with pytest.raises(InvalidRecipe) as caught:
        load_recipe_texts(chain(9), "l0.yaml")
    assert [problem.code for problem in caught.value.problems] == ["ZF230"]


def test_a_link_is_no_way_out_of_the_folder(write: Write, tmp_path: Path) -> None:
    write("away/look.yaml", INNER)
    path = write("home/r.yaml", OUTER)
    (tmp_path / "home/parts").symlink_to(tmp_path / "away")
    assert loaded_problems(path) == ["ZF231 5:16-33"]


@pytest.mark.parametrize(
    ("content", "expected"), [(b"\x89PNG\0", "ZF102 1:1-2"), (b"x: \xff", "ZF101 1:4-5"), (b"", "ZF104 1:1-2")]
)
def test_a_file_that_is_no_recipe_is_a_problem(write: Write, content: bytes, expected: str) -> None:
    assert loaded_problems(write("r.yaml", content)) == [expected]


def test_a_huge_file_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    with path.open("wb") as file:
        file.truncate(2 << 30)
    assert loaded_problems(path) == ["ZF103 1:1-2"]


def test_a_missing_file_names_what_is_there(write: Write, tmp_path: Path) -> None:
    write("photoshoot.yaml", HEAD)
    with pytest.raises(UsageError) as caught:
        load_recipe(tmp_path / "photoshot.yaml", Problems())
    assert caught.value.code == "ZF011" and "`photoshoot.yaml`" in str(caught.value.hint)


def test_a_folder_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_recipe(tmp_path, Problems())
    assert caught.value.code == "ZF012"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_a_usage_error(write: Write) -> None:
    path = write("r.yaml", HEAD)
    path.chmod(0)
    with pytest.raises(UsageError) as caught:
        load_recipe(path, Problems())
    assert caught.value.code == "ZF013"


def test_a_word_finds_a_recipe_of_the_workspace_and_a_path_wins(write: Write, tmp_path: Path) -> None:
    named = write("recipes/shoot.yaml", HEAD)
    deep = tmp_path / "a/b"
    deep.mkdir(parents=True)
    assert find_recipe("shoot", tmp_path) == named
    assert find_recipe("shoot", deep) == named
    here = write("shoot", HEAD)
    assert find_recipe("shoot", tmp_path) == here
    assert find_recipe("recipes/shoot.yaml", tmp_path) == named


@pytest.mark.parametrize(
    ("word", "code"), [("shot", "ZF011"), ("no/such.yaml", "ZF011"), ("recipes", "ZF012"), ("a\0b", "ZF011")]
)
def test_a_word_that_finds_nothing_says_what_there_is(write: Write, tmp_path: Path, word: str, code: str) -> None:
    write("recipes/shoot.yaml", HEAD)
    with pytest.raises(UsageError) as caught:
        find_recipe(word, tmp_path)
    assert caught.value.code == code
    if word == "shot":
        assert "shoot" in str(caught.value.hint)
