"""Any recipe that validates is planned without an error, and any plan that fits runs to its end with what it planned.

On random recipes of the whole language, with inputs as they are typed. A run in which something fails stays inside its
interval, and no expression or parameter of it turns out to be wrong only when others are paid.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.build import Harness, recipe_of
from tests.support.offers import HELPERS, catalog_of
from tests.support.provider import Script
from tests.support.service import Fate
from tests.support.wide_recipes import WideRecipe, wide_recipe
from zenflow.history.state import Outcome
from zenflow.plan.build import PlanRequest, check_recipe
from zenflow.plan.model import Plan
from zenflow.problems import Problems
from zenflow.recipe.inputs.bind import bind_inputs

pytestmark = pytest.mark.slow

RECIPES = 192
GROUPS = 12
MAY_REST = {"ZF623"}  # more elements than `max`
FAILS_EARLY = ("ZF3", "ZF4")  # expressions and parameters: told before anything is paid
SAID_WHEN_INSIDE_FAILED = "ZF335"


def stage_for(seed: int, folder: Path) -> Harness:
    found = wide_recipe(seed, folder)
    recipe = recipe_of(found.text, found.others)  # raises where it is not valid by itself
    helpers = HELPERS if found.helpers else frozenset[str]()
    told = Problems()
    check_recipe(
        PlanRequest(recipe=recipe, inputs=_defaults(recipe), server="scripted", catalog=catalog_of(helpers=helpers)),
        told,
    )
    assert not told.has_errors, [(one.message, one.place) for one in told]
    bound = bind_inputs(recipe, found.words, folder)
    stage = Harness(
        recipe,
        inputs=bound.values,
        seed=seed,
        budget=100_000,
        named_paths=tuple(sorted(str(path) for path in bound.named_paths)),
        script=Script(helpers=helpers),
        options={"picks": found.picks},
    )
    stage.service.credits = Decimal(100_000)
    return stage


def _defaults(recipe: object) -> dict[str, object]:
    inputs = recipe.inputs  # type: ignore[attr-defined]
    return {name: spec.default for name, spec in inputs.items() if not spec.required}


def paid_by_path(stage: Harness) -> Counter[str]:
    made: Counter[str] = Counter()
    for one in stage.state().submissions.values():
        if one.outcome is Outcome.ACCEPTED:
            made.update("/".join(part.split(".")[0] for part in call.call.instance.split("/")) for call in one.calls)
    return made


def check(plan: Plan, made: Counter[str], charged: Decimal, what: str, *, whole: bool) -> None:
    for path, step in plan.steps.items():
        if step.is_paid:
            most = step.instances.max * (1 + step.retries)
            assert made[path] <= most, f"{what} {path}: {made[path]} calls, at most {most} planned"
            assert not whole or made[path] >= step.instances.min, (
                f"{what} {path}: {made[path]}, planned {step.instances}"
            )
            if whole and step.instances.exact and not step.retries:
                assert made[path] == step.instances.max, f"{what} {path}"
    assert not set(made) - set(plan.steps), f"{what}: calls of steps that the plan does not have"
    assert charged <= plan.credits.worst, f"{what}: {charged} charged, planned {plan.credits}"
    assert not whole or plan.credits.low <= charged, f"{what}: {charged} charged, planned {plan.credits}"
    if whole and plan.credits.exact:
        assert charged == plan.credits.expected, what


@pytest.mark.parametrize("group", range(GROUPS))
def test_what_validates_is_planned_and_what_is_planned_is_done(group: int, tmp_path: Path) -> None:
    for seed in range(group, RECIPES, GROUPS):
        stage = stage_for(seed, tmp_path / str(seed))
        report = stage.finished()
        what = f"recipe {seed}"
        rests = {code for code, _, _ in report.reasons} & MAY_REST
        assert report.status == ("stopped" if rests else "done"), f"{what}: {report.status}, {report.reasons}"
        assert stage.plan is not None
        check(stage.plan, paid_by_path(stage), report.state.totals.spent, what, whole=not rests)


@pytest.mark.parametrize("group", range(GROUPS))
def test_a_failure_makes_no_expression_wrong_and_nothing_dearer(group: int, tmp_path: Path) -> None:
    for seed in range(group, RECIPES // 2, GROUPS):
        stage = stage_for(seed, tmp_path / str(seed))
        stage.service.fate = lambda tool, params, number, seed=seed: Fate(  # type: ignore[misc]
            error="a mishap" if number % 3 == seed % 3 else None
        )
        report = stage.finished()
        assert stage.plan is not None
        check(stage.plan, paid_by_path(stage), report.state.totals.spent, f"recipe {seed}", whole=False)
        codes = {one.code for step in report.steps.values() for one in step.instances if one.status == "failed"}
        wrong = {code for code in codes if code.startswith(FAILS_EARLY)} - {SAID_WHEN_INSIDE_FAILED}
        assert not wrong, f"recipe {seed}: {report.reasons}"


def test_the_generator_writes_all_of_the_language(tmp_path: Path) -> None:
    made: list[WideRecipe] = [wide_recipe(seed, tmp_path / str(seed)) for seed in range(RECIPES)]
    texts = "\n".join(one.text for one in made)
    for word in (
        "foreach: {word:", "foreach: ${{ inputs.rows }}", "range(", "origin.", "previous.", "uses: pick", "uses: describe",
        "uses: craft_prompt", "uses: upload", "./inner.yaml", "if: false", "max: ${{", "retry: 1", "on_error: continue",
        "needs: ", "default(null)", "[-1]", "[7]", "run.id", "uses: preview", "recipe.name",
    ):  # fmt: skip
        assert word in texts, word
    assert {one.helpers for one in made} == {True, False}
    assert any("@" in text for one in made for _, text in one.words)
    assert wide_recipe(3, tmp_path / "again").text == made[3].text != made[4].text
