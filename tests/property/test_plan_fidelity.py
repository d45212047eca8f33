"""A plan is a price: on random recipes, the calls and charges that it says are those that a run makes.

Exact where it says so, inside its interval where it does not; and after each single failure the plan of the rest is what the
resume does. Dry runs elsewhere count too little; here that is a failing test.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from tests.support.build import Harness, recipe_of
from tests.support.fidelity import calls_by_path, hold_against, hold_exactly, rest_plan
from tests.support.recipes import random_recipe
from tests.support.service import Fate
from zenflow.app.running.remaining_work import preview_remaining
from zenflow.engine.reporting.replay import look_at
from zenflow.plan.model import Plan

pytestmark = pytest.mark.slow

RECIPES = 300
GROUPS = 15


def stage_for(seed: int) -> Harness:
    """A random recipe that no check refuses."""
    found = random_recipe(seed)
    stage = Harness(recipe_of(found.text, found.others), seed=seed, budget=100_000)
    stage.service.credits = Decimal(100_000)
    return stage


@pytest.mark.parametrize("group", range(GROUPS))
def test_a_run_does_what_its_plan_says(group: int) -> None:
    for seed in range(group, RECIPES, GROUPS):
        stage = stage_for(seed)
        report = stage.finished()
        assert stage.plan is not None
        hold_against(stage.plan, calls_by_path(stage.state()), report.state.totals.spent, f"recipe {seed}")
        if not stopped_at_its_own_max(stage):
            assert report.status == "done", f"recipe {seed}: {report.reason} {report.reasons}"
            hold_exactly(stage.plan, calls_by_path(stage.state()), f"recipe {seed}")


@pytest.mark.parametrize("group", range(GROUPS))
def test_keeps_a_run_without_results_inside_its_interval(group: int) -> None:
    for seed in range(group, RECIPES // 3, GROUPS):
        stage = stage_for(seed)
        stage.service.fate = lambda tool, params, number: Fate(missing=int(params.get("number_of_images", 1) > 1))
        report = stage.finished()
        assert stage.plan is not None
        hold_against(stage.plan, calls_by_path(stage.state()), report.state.totals.spent, f"recipe {seed}")


@pytest.mark.parametrize("group", range(GROUPS))
def test_plans_after_each_failure_what_the_resume_does(group: int) -> None:
    for seed in range(group, RECIPES // 3, GROUPS):
        for failing in range(12):
            stage = stage_for(seed)
            failed = [False]

            def fate(
                tool: str, params: Mapping[str, Any], number: int, failing: int = failing, failed: list[bool] = failed
            ) -> Fate:
                if number == failing and not failed[0]:
                    failed[0] = True
                    return Fate(error="a mishap")
                return Fate()

            stage.service.fate = fate
            report = stage.finished()
            if not failed[0]:
                break  # so many calls it does not make
            if report.status == "done":
                continue
            rest = rest_of(stage)
            before, spent = calls_by_path(stage.state()), report.state.totals.spent
            again = stage.finished()
            made = calls_by_path(stage.state())
            made.subtract(before)
            hold_against(
                rest,
                {p: n for p, n in made.items() if n},
                again.state.totals.spent - spent,
                f"recipe {seed} after {failing}",
            )


def rest_of(stage: Harness) -> Plan:
    """What a resume shows before it goes on."""
    started = stage.state().started
    assert started is not None and stage.plan is not None
    return rest_plan(
        stage,
        preview_remaining(stage.recipe, started, stage.events(), {}, stage.plan.catalog, stage.journal).by_path(),
    )


def test_the_generator_makes_recipes_of_every_kind() -> None:
    texts = "\n".join(random_recipe(seed).text for seed in range(RECIPES))
    for word in (
        "foreach: {a:",
        "range(",
        "inner.yaml",
        "retry: 1",
        "max: 3",
        "if: ${{ index",
        "length > 1",
        "videogen",
    ):
        assert word in texts
    assert random_recipe(7) == random_recipe(7) != random_recipe(8)


def stopped_at_its_own_max(stage: Harness) -> bool:
    """A `max` that its author wrote and that is too small: such a run stops, resumable, whatever its plan says."""
    return any(code == "ZF623" and "max: " in stage_text(stage) for code, _, _ in look_at(stage.events()).reasons)


def stage_text(stage: Harness) -> str:
    return "\n".join(stage.recipe.files.values())
