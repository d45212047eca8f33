"""What is asked for prices, and what comes of the answers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from zenflow.credits import Credits, Estimate
from zenflow.errors import InvalidRecipe
from zenflow.plan.model import BudgetLine, Plan, Verdict

Planner = Callable[..., Plan]

CHAIN = """
inputs: {looks: {type: array, items: {type: string}, default: [a, b, c, d]}, model: {type: string, default: SEEDREAM_5}}
steps:
  gen:
    uses: by_prompt
    foreach: ${{ inputs.looks }}
    with: {positive_prompt: "a ${{ item }}", model: "${{ inputs.model }}"}
  up:
    uses: upscaler
    foreach: ${{ steps.gen.asset_ids }}
    with: {image_asset_id: "${{ item }}", output_format: png}
  save: {uses: download, with: {asset_ids: "${{ steps.up.asset_ids }}"}}
"""


def test_equal_questions_are_asked_once(plan: Planner, prices: Any) -> None:
    plan(CHAIN)
    assert [price_request.tool for price_request in prices.asked] == ["by_prompt", "upscaler"]


def test_a_plan_with_problems_asks_for_no_price(plan: Planner, prices: Any) -> None:
    with pytest.raises(InvalidRecipe):
        plan(CHAIN, {"model": "NO_SUCH"})
    assert prices.asked == []


def test_a_price_with_a_stand_in_is_marked(plan: Planner) -> None:
    made = plan(CHAIN)
    assert not made.steps["gen"].placeholder
    assert made.steps["up"].placeholder


def test_retries_count_in_the_worst_case_only(plan: Planner) -> None:
    made = plan(CHAIN.replace("uses: by_prompt", "uses: by_prompt\n    retry: 2"))
    assert made.steps["gen"].credits == Estimate(Decimal(4), Decimal(4), Decimal(12))
    assert made.steps["gen"].retries == 2


def test_instances_with_different_models_are_priced_apart(plan: Planner) -> None:
    made = plan(
        """
        steps:
          gen:
            uses: by_prompt
            foreach: [SEEDREAM_5, NANO_BANANA, NANO_BANANA]
            with: {positive_prompt: x, model: "${{ item }}"}
          save: {uses: download, with: {asset_ids: "${{ steps.gen.asset_ids }}"}}
        """
    )
    step = made.steps["gen"]
    assert step.credits.expected == 9
    assert (step.credits_each, step.credits_each_range) == (None, (1, 4))
    assert step.model == "SEEDREAM_5, NANO_BANANA"


def test_without_a_price_the_plan_is_unpriced_and_names_the_step(plan: Planner, prices: Any) -> None:
    prices.silent = ("upscaler",)
    made = plan(CHAIN)
    assert made.unpriced == ("up",)
    assert made.steps["up"].unpriced == "no price for this"
    assert made.steps["up"].credits_each is None
    assert made.judgement.verdict is Verdict.UNPRICED
    assert "max_credits" in made.judgement.ways_out[0]


def test_uses_max_credits_as_a_price_and_names_the_step(plan: Planner, prices: Any) -> None:
    prices.silent = ("upscaler",)
    made = plan(CHAIN.replace("uses: upscaler", "uses: upscaler\n    max_credits: 2.5"))
    assert made.unpriced == ("up",)
    assert made.steps["up"].credits.worst == 10
    assert made.judgement.verdict is Verdict.FITS


def test_a_declined_call_is_a_problem_at_its_line(plan: Planner, prices: Any) -> None:
    prices.declines = {"by_prompt": "params.model: model SEEDREAM_5 allows at most 2"}
    with pytest.raises(InvalidRecipe) as no:
        plan(CHAIN.replace("uses: by_prompt", "uses: by_prompt\n    max_credits: 5"))
    (problem,) = no.value.problems
    assert (problem.code, problem.refuses) == ("ZF428", False)
    assert problem.place is not None and problem.place.line == 11 and "at most 2" in problem.message
    assert "max_credits" not in str(problem.hint)


def test_a_gate_of_the_service_refuses_the_plan(plan: Planner, prices: Any) -> None:
    prices.declines, prices.status = {"upscaler": "this tool is for trusted accounts"}, 403
    with pytest.raises(InvalidRecipe) as no:
        plan(CHAIN)
    assert [(one.code, one.refuses) for one in no.value.problems] == [("ZF428", True)]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("params.image_asset_id: no such asset", False),
        ("the call cannot be priced", False),
        ("params.output_format: png is not offered", True),
    ],
)
def test_what_a_stand_in_may_have_caused_is_no_problem(plan: Planner, prices: Any, said: str, told: bool) -> None:
    prices.declines = {"upscaler": said}
    if told:
        with pytest.raises(InvalidRecipe):
            plan(CHAIN)
    else:
        assert plan(CHAIN).judgement.verdict is Verdict.UNPRICED


def test_a_quote_above_max_credits_is_a_warning(plan: Planner) -> None:
    made = plan(CHAIN.replace("uses: upscaler", "uses: upscaler\n    max_credits: 1"))
    assert [problem.code for problem in made.warnings] == ["ZF602"]


# --- verdicts -------------------------------------------------------------------------------------------------------


def judged(plan: Planner, *budgets: int, balance: int | None = 1000, elsewhere: int = 0, body: str = CHAIN) -> Plan:
    lines = [BudgetLine(Credits(amount), f"line {amount}") for amount in budgets]
    known = None if balance is None else Credits(balance)
    return plan(body, bounds=lines, balance=known, committed_elsewhere=Credits(elsewhere))


def test_the_chain_costs_four_for_sure_and_twelve_as_asked_for(plan: Planner) -> None:
    assert judged(plan).credits == Estimate(Decimal(4), Decimal(12), Decimal(12))


def test_without_a_budget_the_worst_case_is_the_budget(plan: Planner) -> None:
    made = judged(plan)
    assert made.judgement.budget == BudgetLine(Credits(12), "the plan's worst case")
    assert made.judgement.verdict is Verdict.FITS


def test_the_smallest_of_the_bounds_holds(plan: Planner) -> None:
    made = judged(plan, 40, 15, 20)
    assert made.budget == 15
    assert made.judgement.budget.origin == "line 15"


def test_counts_the_recipes_own_budget_with_inputs(plan: Planner) -> None:
    body = CHAIN.replace("steps:", "budget: ${{ inputs.looks | length * 5 }}\nsteps:")
    assert judged(plan, 90, body=body).judgement.budget == BudgetLine(Credits(20), "recipe")


def test_over_says_by_how_much_and_what_would_fit(plan: Planner) -> None:
    judgement = judged(plan, 7).judgement
    assert (judgement.verdict, judgement.short_by, judgement.bound) == (Verdict.OVER, 5, "budget")
    assert judgement.ways_out == (
        "2 instances of `gen` instead of 4: `max: 2`, or a shorter list",
        "a budget of 12, now 7 (from line 7)",
    )


def test_over_names_the_cheaper_model_first(plan: Planner) -> None:
    judgement = judged(plan, 13, body=CHAIN.replace("default: SEEDREAM_5", "default: NANO_BANANA")).judgement
    assert judgement.verdict is Verdict.OVER
    assert "instead of NANO_BANANA in `gen`: 1 a call, saves 12, and fits" in judgement.ways_out[0]


def test_a_cheaper_model_that_the_policy_denies_is_not_offered(plan: Planner) -> None:
    judgement = judged(plan, 13, body=CHAIN.replace("default: SEEDREAM_5", "default: NANO_BANANA")).judgement
    assert not any("NSFW" in way for way in judgement.ways_out)


def test_a_balance_too_low_is_over_whatever_the_budget(plan: Planner) -> None:
    judgement = judged(plan, 100, balance=10).judgement
    assert (judgement.verdict, judgement.bound, judgement.short_by) == (Verdict.OVER, "balance", 2)
    assert "top up" in judgement.ways_out[-1]


def test_what_other_runs_have_reserved_is_not_there(plan: Planner) -> None:
    assert judged(plan, balance=20, elsewhere=8).judgement.verdict is Verdict.FITS
    assert judged(plan, balance=20, elsewhere=9).judgement.verdict is Verdict.OVER


def test_an_unknown_balance_is_not_judged(plan: Planner) -> None:
    assert judged(plan, 12, balance=None).judgement.verdict is Verdict.FITS


def test_may_stop_says_where_and_what_would_be_finished(plan: Planner) -> None:
    body = CHAIN.replace("foreach: ${{ steps.gen.asset_ids }}", "foreach: ${{ steps.gen.asset_ids }}\n    max: 8")
    judgement = judged(plan, 14, body=body).judgement
    assert (judgement.verdict, judgement.short_by) == (Verdict.MAY_STOP, 6)
    assert judgement.stops_at == "up"
    assert judgement.finished_by_then == "gen, 5 of at most 8 of up"


def test_what_a_way_out_names_really_fits(plan: Planner) -> None:
    """The later step is capped, so that cutting the list saves less than the shares say."""
    body = CHAIN.replace("foreach: ${{ steps.gen.asset_ids }}", "foreach: ${{ steps.gen.asset_ids }}\n    max: 3")
    judgement = judged(plan, 8, body=body).judgement
    assert judgement.ways_out[0].startswith("2 instances of `gen`")


# --- tails ----------------------------------------------------------------------------------------------------------


def test_a_tail_is_the_share_of_what_follows_one_instance(plan: Planner) -> None:
    made = plan(CHAIN)
    assert made.steps["gen"].downstream_credits == 2
    assert made.steps["up"].downstream_credits == 0


def test_keeps_shares_within_what_follows(plan: Planner) -> None:
    body = CHAIN.replace("foreach: ${{ steps.gen.asset_ids }}", "foreach: ${{ steps.gen.asset_ids }}\n    max: 1")
    made = plan(body, {"looks": ["a", "b", "c"]})
    step = made.steps["gen"]
    assert 0 < step.downstream_credits * step.instances.expected <= made.steps["up"].credits.expected


def test_the_longest_way_runs_to_the_end_of_the_recipe(plan: Planner) -> None:
    made = plan(CHAIN, durations=lambda tool, model: {"by_prompt": 50.0, "upscaler": 7.0, "download": 1.0}[tool])
    assert [step.downstream_seconds for step in made.steps.values()] == [58.0, 8.0, 1.0]
    assert made.expected_s == 58.0


def test_keeps_only_direct_readers_of_a_long_recipe_free(plan: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    body = CHAIN.replace(
        "  save:",
        '  again: {uses: upscaler, foreach: "${{ steps.up }}", '
        'with: {image_asset_id: "${{ item.asset_id }}", output_format: png}}\n  save:',
    ).replace("steps.up.asset_ids", "steps.again.asset_ids")
    assert plan(body).steps["gen"].downstream_credits == 4
    monkeypatch.setattr("zenflow.plan.pricing.critical_path._MOST_STEPS", 1)
    assert plan(body).steps["gen"].downstream_credits == 2
