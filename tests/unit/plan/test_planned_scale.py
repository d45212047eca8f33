"""A fan-out is one planned step: what is kept does not grow with its instances."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from zenflow.catalog.gates import Gates
from zenflow.catalog.model import Catalog
from zenflow.plan.analysis.draft import PlanContext
from zenflow.plan.analysis.walk import walk_recipe
from zenflow.plan.build import PlanRequest, build_plan
from zenflow.plan.pricing.price import walk
from zenflow.problems import Problems
from zenflow.recipe.load import load_recipe
from zenflow.recipe.model import Recipe

PHOTOSHOOT = Path(__file__).parents[3] / "recipes" / "photoshoot.yaml"
LOOKS = [f"look number {n} of many" for n in range(5000)]


def photoshoot() -> Recipe:
    recipe = load_recipe(PHOTOSHOOT, Problems())
    assert recipe is not None
    return recipe


def test_five_thousand_looks_have_a_handful_of_shapes(catalog: Catalog) -> None:
    draft = walk_recipe(photoshoot(), {"looks": LOOKS, "photo": "me.jpg"}, Gates(), PlanContext(catalog, Problems()))
    groups = {step.path: len(step.groups) for _, step in walk(draft)}
    assert groups["craft_prompt"] == 1
    assert max(groups.values()) <= 2
    assert draft.steps["generate"].count.expected == 5000


def test_a_large_plan_asks_two_questions(catalog: Catalog, prices: Any) -> None:
    request = PlanRequest(
        recipe=photoshoot(), inputs={"looks": LOOKS, "photo": "me.jpg"}, server="sandbox", catalog=catalog
    )
    made = asyncio.run(build_plan(request, prices))
    assert made.steps["generate"].credits.expected == 5000
    assert (
        len({price_request.key for price_request in prices.asked if price_request.params.get("model") == "SEEDREAM_5"})
        == 1
    )


def test_bad_elements_among_thousands_are_told_once(catalog: Catalog) -> None:
    problems = Problems()
    recipe = photoshoot()
    looks = [*LOOKS, *["x" * 4500] * 1000]
    from zenflow.plan.build import check_recipe

    check_recipe(PlanRequest(recipe=recipe, inputs={"looks": looks}, server="s", catalog=catalog), problems)
    assert [p.code for p in problems.in_order() if p.severity == "error"] == ["ZF406"]
