"""A plan is a price: on random recipes, the calls and charges that it says are those that a run makes.

Exact where it says so, inside its interval where it does not; and after each single failure the plan of the rest is what the
resume does. Dry runs elsewhere count too little; here that is a failing test.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from zenflow.app.rest import foresee_rest
from zenflow.catalog.prices import Question, Quote
from zenflow.engine.result import RunReport
from zenflow.errors import InvalidRecipe
from zenflow.history.state import Outcome, RunState
from zenflow.plan.build import PlanRequest, build_plan
from zenflow.plan.model import BudgetLine, Count, Plan
from zenflow.problems import Problems
from zenflow.recipe.load import load_recipe
from zenflow.testing.build import ROOT, Stage, recipe_of
from zenflow.testing.provider import Script, ScriptedProvider
from zenflow.testing.recipes import random_recipe
from zenflow.testing.service import Fate

RECIPES = 300
GROUPS = 15
_KEY = re.compile(r"(\.\d+)+(?=/|$)")


def stage_for(seed: int) -> Stage | None:
    """None for the few that a check refuses (a reader of what can never be there)."""
    found = random_recipe(seed)
    stage = Stage(recipe_of(found.text, found.others), seed=seed, budget=100_000)
    stage.service.credits = Decimal(100_000)
    return stage


def calls_by_path(state: RunState) -> Counter[str]:
    made: Counter[str] = Counter()
    for submission in state.submissions.values():
        if submission.outcome is Outcome.ACCEPTED:
            made.update(_KEY.sub("", call.call.instance) for call in submission.calls)
    return made


def inside(made: int, count: Count, what: str) -> None:
    assert count.min <= made <= count.max, f"{what}: {made} calls, planned {count}"


def check(plan: Plan, made: Mapping[str, int], charged: Decimal, what: str) -> None:
    """The calls of every step and the charges of all lie where the plan says."""
    for path, step in plan.steps.items():
        if step.is_paid:
            most = Count(step.instances.min, step.instances.expected, step.instances.max * (1 + step.retries))
            inside(made.get(path, 0), most if step.retries else step.instances, f"{what} {path}")
    assert plan.credits.low <= charged <= plan.credits.worst, f"{what}: {charged} charged, planned {plan.credits}"
    if plan.credits.exact:
        assert charged == plan.credits.expected
    assert not set(made) - set(plan.steps), f"{what}: calls of steps that the plan does not have"


@pytest.mark.parametrize("group", range(GROUPS))
def test_a_run_does_what_its_plan_says(group: int) -> None:
    for seed in range(group, RECIPES, GROUPS):
        stage = stage_for(seed)
        assert stage is not None
        try:
            report = stage.finished()
        except InvalidRecipe:
            continue
        assert stage.plan is not None
        check(stage.plan, calls_by_path(stage.state()), report.state.books.spent, f"recipe {seed}")
        sure = {p: s for p, s in stage.plan.steps.items() if s.is_paid and s.instances.exact and not s.retries}
        if report.status == "done":
            made = calls_by_path(stage.state())
            assert {p: made[p] for p in sure} == {p: s.instances.max for p, s in sure.items()}, f"recipe {seed}"


@pytest.mark.parametrize("group", range(GROUPS))
def test_results_that_do_not_come_leave_a_run_inside_its_interval(group: int) -> None:
    for seed in range(group, RECIPES // 3, GROUPS):
        stage = stage_for(seed)
        assert stage is not None
        stage.service.fate = lambda tool, params, number: Fate(missing=int(params.get("number_of_images", 1) > 1))
        try:
            report = stage.finished()
        except InvalidRecipe:
            continue
        assert stage.plan is not None
        check(stage.plan, calls_by_path(stage.state()), report.state.books.spent, f"recipe {seed}")


@pytest.mark.parametrize("group", range(GROUPS))
def test_after_every_single_failure_the_plan_of_the_rest_is_what_the_resume_does(group: int) -> None:
    for seed in range(group, RECIPES // 3, GROUPS):
        for failing in range(12):
            stage = stage_for(seed)
            assert stage is not None
            failed = [False]

            def fate(
                tool: str, params: Mapping[str, Any], number: int, failing: int = failing, failed: list[bool] = failed
            ) -> Fate:
                if number == failing and not failed[0]:
                    failed[0] = True
                    return Fate(error="a mishap")
                return Fate()

            stage.service.fate = fate
            try:
                report = stage.finished()
            except InvalidRecipe:
                break
            if not failed[0]:
                break  # so many calls it does not make
            if report.status == "done":
                continue
            rest = rest_plan(stage)
            before, spent = calls_by_path(stage.state()), report.state.books.spent
            again = stage.finished()
            made = calls_by_path(stage.state())
            made.subtract(before)
            check(
                rest,
                {p: n for p, n in made.items() if n},
                again.state.books.spent - spent,
                f"recipe {seed} after {failing}",
            )


def rest_plan(stage: Stage) -> Plan:
    """What `zenflow resume` shows before it goes on."""
    assert stage.plan is not None
    started = stage.state().started
    assert started is not None
    asking = ScriptedProvider(stage.service, Script(latency_s=lambda method: 0.0))
    catalog = stage.plan.catalog
    seen = foresee_rest(stage.recipe, started, stage.events(), {}, catalog, stage.journal)

    async def ask(questions: Any) -> dict[str, Quote]:
        return {q.key: _quote(asking, q) for q in questions}

    request = PlanRequest(
        recipe=stage.recipe,
        inputs=stage.all_inputs(),
        server=asking.server,
        catalog=catalog,
        account=stage.plan.account,
        bounds=(BudgetLine(Decimal(100_000), "--budget"),),
        foresight=seen.by_path(),
    )
    return asyncio.run(build_plan(request, ask))


def _quote(asking: ScriptedProvider, question: Question) -> Quote:
    price = asking.service.price(question.tool, question.params)
    return Quote(price, asking.clock.now(), stand_in=question.stand_in)


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


def test_the_planner_holds_nothing_that_could_submit() -> None:
    """A provider whose `submit` raises is never asked to; and the door of planning has no such method."""
    import inspect

    from zenflow.catalog.prices import PriceSource
    from zenflow.plan import build

    assert not hasattr(PriceSource, "submit")
    assert set(inspect.signature(build.build_plan).parameters) == {"request", "ask"}
    fields = set(PlanRequest.__dataclass_fields__)
    assert not {name for name in fields if "provider" in name or "journal" in name}


def test_the_shipped_recipes_are_among_the_gated_ones() -> None:
    folder = Path(__file__).parents[2] / "recipes"
    names = sorted(p for p in folder.glob("*.yaml") if not p.name.endswith(".test.yaml"))
    for path in names:
        problems = Problems()
        assert load_recipe(path, problems) is not None
        tests = path.with_name(path.stem + ".test.yaml")
        assert tests.is_file(), f"{path.name} has no tests"
    assert ROOT == "recipe.yaml" and len(names) >= 3
    assert RunReport is not None
