"""A plan is a price, for every recipe file that is shipped: with its defaults, with the inputs of each of its test cases, and
after the failure of each single call. A new file in `recipes/` is held here by itself, templates too.

On the scripted service with the tools as they are published, on a virtual clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.build import Harness
from tests.support.fidelity import calls_by_path, hold_against, hold_exactly, rest_plan
from tests.support.published import published_offers
from tests.support.service import Fate
from zenflow.app.planning.plan_file import word_of
from zenflow.app.running.remaining_work import preview_remaining
from zenflow.errors import InvalidRecipe
from zenflow.problems import Problems
from zenflow.recipe.inputs.bind import bind_inputs
from zenflow.recipe.load import load_recipe
from zenflow.recipe.model import Recipe
from zenflow.recipe.recipe_tests import load_cases

RECIPES = Path(__file__).parents[2] / "recipes"
PHOTO = RECIPES / "photos" / "portrait.jpg"
MOST_CALLS = 40  # of one run: each of them fails once


@dataclass(frozen=True)
class Given:
    """A recipe with inputs; `maxima` and `picks` as a command line would give them."""

    path: Path
    case: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    maxima: Mapping[str, int] = field(default_factory=dict)
    picks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.path.relative_to(RECIPES).as_posix()}: {self.case}"


def given() -> Iterator[Given]:
    for path in sorted(RECIPES.rglob("*.yaml")):
        if path.name.endswith(".test.yaml"):
            continue
        yield Given(path, "as it stands", required_of(loaded(path)))
        tests = path.with_name(f"{path.stem}.test.yaml")
        for case in load_cases(tests).cases if tests.is_file() else ():
            if case.expected.status not in ("invalid", "refused") and case.inputs:
                yield Given(path, case.name, case.inputs, case.maxima, case.picks)


def required_of(recipe: Recipe) -> dict[str, Any]:
    """Something for every input that has no default."""
    return {name: _some(spec.schema) for name, spec in recipe.inputs.items() if spec.required}


def _some(schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "array":
        return [_some(schema.get("items", {})), _some(schema.get("items", {}))]
    plain = {"image": str(PHOTO), "integer": schema.get("minimum", 1), "number": 1, "boolean": True}
    return (schema.get("enum") or [plain.get(str(kind), "a word")])[0]


def loaded(path: Path) -> Recipe:
    recipe = load_recipe(path, Problems())
    assert recipe is not None, path
    return recipe


def harness_of(one: Given) -> Harness:
    recipe = loaded(one.path)
    words = [(name, word_of(value)) for name, value in one.inputs.items()]
    bound = bind_inputs(recipe, words, one.path.parent)
    named = tuple(map(str, bound.named_paths))
    options = {"max": dict(one.maxima), "picks": {name: list(places) for name, places in one.picks.items()}}
    stage = Harness(recipe, bound.values, 100_000, maxima=one.maxima, named_paths=named, options=options)
    stage.service.offers = published_offers()
    stage.service.credits = Decimal(100_000)
    return stage


ALL = list(given())


@pytest.mark.parametrize("one", ALL, ids=str)
def test_a_run_of_a_shipped_recipe_does_what_its_plan_says(one: Given) -> None:
    stage = harness_of(one)
    report = stage.finished()
    assert report.status == "done", report.reason
    assert stage.plan is not None and stage.plan.calls.max > 0
    made = calls_by_path(stage.state())
    hold_against(stage.plan, made, report.state.totals.spent, str(one))
    hold_exactly(stage.plan, made, str(one))
    expected = {path: step.instances.expected for path, step in stage.plan.steps.items() if step.is_paid}
    assert {path: made[path] for path in expected} == expected  # every call gave what was asked of it


@pytest.mark.parametrize("one", ALL, ids=str)
def test_costs_after_each_failure_what_the_resume_shows(one: Given) -> None:
    whole = harness_of(one).finished()
    total = sum(len(submission.calls) for submission in whole.state.submissions.values())
    assert 0 < total <= MOST_CALLS
    for failing in range(total):
        stage = harness_of(one)
        stage.service.fate = failing_once(failing)
        try:
            report = stage.finished()
        except InvalidRecipe:
            pytest.fail(str(one))
        assert report.status != "done", failing
        started = stage.state().started
        assert started is not None and stage.plan is not None
        seen = preview_remaining(stage.recipe, started, stage.events(), one.maxima, stage.plan.catalog, stage.journal)
        rest = rest_plan(stage, seen.by_path())
        before, spent = calls_by_path(stage.state()), report.state.totals.spent
        again = stage.finished()
        assert again.status == "done", again.reason
        made = calls_by_path(stage.state())
        made.subtract(before)
        what = f"{one} after call {failing}"
        hold_against(rest, {p: n for p, n in made.items() if n}, again.state.totals.spent - spent, what)
        hold_exactly(rest, made, what)


def failing_once(failing: int) -> Any:
    """The fate of every call: one of them fails, once."""
    failed: list[int] = []

    def fate(tool: str, params: Mapping[str, Any], number: int) -> Fate:
        if number == failing and not failed:
            failed.append(number)
            return Fate(error="a mishap")
        return Fate()

    return fate


def test_ships_every_recipe_checked_and_tested() -> None:
    files = {path for path in RECIPES.rglob("*.yaml") if not path.name.endswith(".test.yaml")}
    assert {one.path for one in ALL} == files and len(files) >= 8
    for path in RECIPES.glob("*.yaml"):
        if not path.name.endswith(".test.yaml"):
            assert path.with_name(f"{path.stem}.test.yaml").is_file(), f"{path.name} has no tests"
