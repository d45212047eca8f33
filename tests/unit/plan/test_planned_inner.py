"""Recipes used as steps: counted as often as they run, priced, judged by their own budget."""

from __future__ import annotations

from collections.abc import Callable

from zenflow.plan.model import Plan, Verdict
from zenflow.problems import Problem

Planner = Callable[..., Plan]
Finder = Callable[..., list[Problem]]

LOOK = """
budget: 5
inputs: {look: {type: string}, model: {type: string, default: SEEDREAM_5}, count: {type: integer, default: 1}}
steps:
  gen:
    uses: by_prompt
    with: {positive_prompt: "${{ inputs.look }}", model: "${{ inputs.model }}", batch_size: "${{ inputs.count }}"}
  up: {uses: upscaler, foreach: "${{ steps.gen.asset_ids }}", with: {image_asset_id: "${{ item }}", output_format: png}}
outputs: {pictures: "${{ steps.up.asset_ids }}", look: "${{ inputs.look }}"}
"""
OUTER = """
inputs: {looks: {type: array, items: {type: string}, default: [a, b, c]}}
steps:
  portrait:
    uses: ./look.yaml
    foreach: ${{ inputs.looks }}
    with: {look: "${{ item }}"%s}
  save: {uses: download, with: {asset_ids: "${{ steps.portrait.pictures }}"}}
"""
NOTHING_MORE = ""


def test_inner_steps_are_counted_per_outer_instance(plan: Planner) -> None:
    made = plan(OUTER % NOTHING_MORE, beside={"look": LOOK})
    assert list(made.steps) == ["portrait", "portrait/gen", "portrait/up", "save"]
    assert {path: step.instances.expected for path, step in made.steps.items()} == {
        "portrait": 3,
        "portrait/gen": 3,
        "portrait/up": 3,
        "save": 1,
    }
    assert made.credits.expected == 3 * (1 + 2)
    assert made.steps["portrait"].credits.worst == 0


def test_the_outputs_of_an_inner_recipe_can_be_fanned_out_over(plan: Planner) -> None:
    body = OUTER % ", count: 2" + (
        '  clip: {uses: videogen, foreach: "${{ steps.portrait.pictures }}", '
        'with: {ref_asset: "${{ item }}", prompt: "${{ origin.portrait.look }}", resolution: 720p}}\n'
        '  save2: {uses: download, with: {asset_ids: "${{ steps.clip.asset_ids }}"}}\n'
    )
    made = plan(body, beside={"look": LOOK})
    assert made.steps["clip"].instances.expected == 6
    assert made.steps["portrait/gen"].downstream_credits == 4 + 6


def test_the_budget_of_an_inner_recipe_holds_per_instance(plan: Planner) -> None:
    fits = plan(OUTER % NOTHING_MORE, beside={"look": LOOK}).judgement
    over = plan(OUTER % ", count: 2", beside={"look": LOOK}).judgement
    assert fits.verdict is Verdict.FITS
    assert (over.verdict, over.bound, over.short_by) == (Verdict.OVER, "budget of `portrait`", 1)


def test_known_inputs_reach_the_inner_checks(problems_of: Finder) -> None:
    found = problems_of(OUTER % ", model: NO_SUCH", beside={"look": LOOK})
    assert [(p.code, p.place.file if p.place else None) for p in found] == [("ZF420", "look.yaml")]


def test_values_that_only_some_instances_have_are_checked(problems_of: Finder) -> None:
    body = """
    inputs: {rows: {type: array, default: [{n: 1, look: a}, {n: many, look: b}, {n: 1, look: null}]}}
    steps:
      portrait:
        uses: ./look.yaml
        foreach: ${{ inputs.rows }}
        with: {count: "${{ item.n }}", look: "${{ item.look }}"}
    outputs: {x: "${{ steps.portrait.pictures }}"}
    """
    found = problems_of(body, beside={"look": LOOK})
    assert sorted(p.code for p in found if p.severity == "error") == ["ZF402", "ZF403"]


def test_policy_only_narrows(problems_of: Finder) -> None:
    inner = LOOK.replace("budget: 5", "policy: {nsfw: allow}")
    found = problems_of(OUTER % ", model: FLUX_KLEIN_NSFW", beside={"look": inner}, consent_nsfw=True)
    assert "ZF423" in [p.code for p in found]


def test_hundreds_of_different_inputs_are_planned_as_one(plan: Planner) -> None:
    made = plan(OUTER % NOTHING_MORE, {"looks": [f"look {n}" for n in range(500)]}, beside={"look": LOOK})
    assert made.steps["portrait/gen"].instances.expected == 500
    assert made.credits.expected == 1500


def test_an_if_decided_by_an_inner_input_is_decided_per_instance(plan: Planner) -> None:
    inner = LOOK.replace("gen:\n", "gen:\n    if: ${{ inputs.look != 'b' }}\n")
    made = plan(OUTER % NOTHING_MORE, beside={"look": inner})
    assert made.steps["portrait/gen"].instances.max == 2
