"""A crash at every journal write, before and after it is durable, for every shipped recipe: then a resume.

The final files are those of the undisturbed run, byte by byte, each call was charged once, and the service counted as many
POSTs as the journal has attempts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.build import Harness
from tests.support.crashing_journal import Death
from tests.support.offers import Offer
from zenflow.history import events as e
from zenflow.problems import Problems
from zenflow.recipe.inputs.bind import bind_inputs
from zenflow.recipe.load import load_recipe
from zenflow.recipe.model import Recipe
from zenflow.sandbox.offers.catalogue import OFFERS as SANDBOX

RECIPES = sorted(
    path for path in (Path(__file__).parents[2] / "recipes").glob("*.yaml") if ".test" not in path.suffixes
)
MOST_APPENDS = 400
_GIVES = {
    "image": ("image_assets", "image/png"),
    "video": ("video_assets", "video/mp4"),
    "text": ("text", "text/plain"),
}


def offers() -> Mapping[str, Offer]:
    """What the sandbox offers, in the scripted service's small words."""
    return {
        one.name: Offer(
            one.name,
            dict(one.input_schema["properties"]),
            tuple(one.input_schema.get("required", ())),
            *_GIVES[one.makes],
            Decimal(one.base_price),
            one.count_field,
        )
        for one in SANDBOX
    }


def recipe_at(path: Path) -> Recipe:
    problems = Problems()
    recipe = load_recipe(path, problems)
    assert recipe is not None and not problems.has_errors
    return recipe


def stage_for(recipe: Recipe) -> Harness:
    bound = bind_inputs(recipe, (), recipe.path.parent)
    named = tuple(sorted(str(path) for path in bound.named_paths))
    stage = Harness(recipe, inputs=bound.values, named_paths=named, budget=500)
    stage.service.offers = offers()
    stage.provider.service.offers = stage.service.offers
    return stage


def attempts(stage: Harness) -> int:
    return sum(isinstance(event, e.Intended | e.Attempted) for event in stage.events())


def check(stage: Harness, calm: Harness, what: str) -> None:
    assert stage.contents() == calm.contents(), f"{what}: other files"
    assert set(stage.charges().values()) == {1}, f"{what}: {stage.charges()}"
    assert stage.charges().keys() == calm.charges().keys(), f"{what}: other calls were charged"
    charged = sum(task.charged for task in stage.service.tasks.values())
    assert charged == sum(task.charged for task in calm.service.tasks.values()), f"{what}: {charged} credits"
    totals = stage.state().totals
    assert totals.balanced and totals.spent == charged, f"{what}: {totals}"
    assert stage.service.posts <= attempts(stage), f"{what}: more POSTs than attempts"


def test_every_shipped_recipe_and_template_is_crashed() -> None:
    shipped = {path for path in RECIPES[0].parent.rglob("*.yaml") if ".test" not in path.suffixes}
    crashed = {(path.parent / name).resolve() for path in RECIPES for name in recipe_at(path).files}
    assert {path.resolve() for path in shipped} <= crashed


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
@pytest.mark.parametrize("durable", [False, True], ids=["before", "after"])
def test_a_crash_at_every_write_is_resumed_to_the_same_end(path: Path, durable: bool) -> None:
    recipe = recipe_at(path)
    calm = stage_for(recipe)
    assert calm.finished().status == "done"
    assert calm.contents() and calm.service.posts
    at = 0
    while True:
        at += 1
        assert at < MOST_APPENDS
        stage = stage_for(recipe)
        if stage.run(crash=Death(at, durable)) is not None:
            break  # it ended before it could die: every write was visited
        assert stage.finished().status == "done", f"append {at}"
        check(stage, calm, f"append {at}, {'after' if durable else 'before'}")
    assert at > 8, "a run writes more than that"


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_dying_again_at_every_write_of_the_resume_ends_the_same(path: Path) -> None:
    recipe = recipe_at(path)
    calm = stage_for(recipe)
    calm.finished()
    first = Death(calm.appends // 2, durable=True)
    at = 0
    while True:
        at += 1
        stage = stage_for(recipe)
        assert stage.run(crash=first) is None
        if stage.run(crash=Death(at, durable=at % 2 == 0)) is not None:
            break
        assert stage.finished().status == "done", f"append {at} of the resume"
        check(stage, calm, f"append {at} of the resume")
    assert at > 2


def test_dying_at_every_write_in_turn_gets_there_in_the_end() -> None:
    """Each life writes one more fact than the last one did; nothing is paid twice on that long way."""
    recipe = recipe_at(next(path for path in RECIPES if path.stem == "photoshoot"))
    calm = stage_for(recipe)
    calm.finished()
    stage = stage_for(recipe)
    stage.limits = replace(stage.limits, lost_answer_wait_s=30.0)
    for life in range(1, 200):
        report = stage.run(crash=Death(life, durable=True))
        if report is not None and report.status == "done":
            break
    check(stage, calm, "one write at a time")
