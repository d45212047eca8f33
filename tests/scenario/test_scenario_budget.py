"""What a run may spend while it goes: never over the budget, tails before heads, prices that move, caps, resumes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.support import response_faults
from tests.support.build import harness_of
from tests.support.service import Fate
from zenflow.engine.model.ports import Limits
from zenflow.engine.run import Changes
from zenflow.history import events as e
from zenflow.history.fold import apply
from zenflow.history.state import RunState

CHAINS = """
inputs:
  n: {type: integer, default: 6}
steps:
  write:
    uses: craft_prompt
    with: {brief: a, tool_name: image_editor, model: any, count: 4}
  draw:
    foreach: ${{ range(inputs.n) }}
    retry: 1
    uses: image_editor
    with: {prompt: "picture ${{ item }}"}
  up:
    foreach: ${{ steps.draw.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}"}
  film:
    foreach: ${{ steps.up.asset_ids }}
    uses: videogen
    with: {prompt: x, image_assets: ["${{ item }}"]}
  save:
    uses: download
    with: {asset_ids: "${{ steps.film.asset_ids }}"}
"""
EACH = 2 + 1 + 5
ALONE = """
steps:
  draw:
    uses: image_editor
    with: {prompt: alone}
"""


def highest_commitment(stage):
    """The most that the books ever held against the budget, over every prefix of the facts."""
    state, most = RunState(), Decimal(0)
    for event in stage.events():
        apply(state, event)
        assert state.totals.balanced
        most = max(most, state.totals.committed)
    return most


def fails_once(*prompts):
    """The first call with each of these prompts fails."""
    left = set(prompts)

    def fate(tool, params, number):
        prompt = params.get("prompt")
        if prompt not in left:
            return Fate()
        left.remove(prompt)
        return Fate(error="no")

    return fate


@pytest.mark.parametrize("budget", range(EACH * 6, EACH * 6 + 13, 4))
def test_finishes_every_chain_within_the_budget(budget):
    stage = harness_of(CHAINS, budget=budget)
    report = stage.finished()
    assert report.status == "done" and len(stage.contents()) == 6
    assert highest_commitment(stage) <= budget


@pytest.mark.parametrize("failing", range(1, 6))
def test_finishes_affordable_chains_despite_failures(failing):
    """Each failure costs a head; what is left pays for whole chains first."""
    budget = EACH * 6
    stage = harness_of(CHAINS, budget=budget)
    stage.service.fate = fails_once(*(f"picture {n}" for n in range(failing)))
    stage.finished()
    assert highest_commitment(stage) <= budget
    affordable = (budget - 2 * failing) // EACH
    assert len(stage.contents()) >= affordable, "k complete chains were affordable"


def test_resumes_a_run_out_of_budget_with_a_higher_one():
    stage = harness_of(CHAINS, budget=EACH * 6)
    first = []
    stage.service.fate = lambda tool, params, number: Fate(
        error="no"
        if tool == "image_editor" and params["prompt"] == "picture 5" and not first.append(1) and len(first) < 2
        else None
    )
    report = stage.finished()
    assert (report.status, report.exit_status) == ("stopped", 4)
    assert any("--budget" in hint for _, _, hint in report.reasons)
    assert stage.state().totals.open == stage.state().totals.unknown == 0, "a paused run holds no reservation"
    again = stage.finished(changes=Changes(budget=Decimal(60)))
    assert again.status == "done" and len(stage.contents()) == 6
    assert set(stage.charges().values()) == {1}
    assert any(isinstance(event, e.BudgetChanged) for event in stage.events())


def test_books_and_names_a_surcharge_and_soon_stops():
    stage = harness_of(CHAINS, budget=EACH * 6, limits=Limits(max_submission=Decimal(4)))
    stage.service.surcharge = Decimal(2)
    report = stage.finished()
    assert report.exit_status == 4 and any(code == "ZF634" for code, _, _ in report.reasons)
    spent = -sum(row.amount for row in stage.service.rows)
    assert stage.state().totals.spent == spent, "what the list says is what the books say"
    assert spent < EACH * 6 * 1.5


MANY = """
steps:
  draw:
    foreach: ${{ range(12) }}
    uses: image_editor
    with: {prompt: "picture ${{ item }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.draw.asset_ids }}"}
"""


@pytest.mark.parametrize("in_flight", [1, 3])
def test_stops_a_tool_after_its_first_charge_above_quote(in_flight):
    stage = harness_of(MANY, budget=24, limits=Limits(batch=1, in_flight=in_flight))
    stage.service.surcharge = Decimal(2)  # twice what it quotes
    report = stage.finished()
    assert report.exit_status == 4 and "ZF635" in [code for code, _, _ in report.reasons]
    assert stage.service.posts == in_flight, "what was in flight when the first row was seen, and no more"
    assert "ZF634" in [note.code for note in stage.state().notes]


@pytest.mark.parametrize(("surcharge", "made"), [(Decimal(2), 6), (Decimal(1), 8)])
def test_keeps_a_resume_within_the_budget_at_real_charges(surcharge, made):
    stage = harness_of(MANY, budget=24, limits=Limits(batch=1, in_flight=1))
    stage.service.surcharge = surcharge
    stage.finished()
    report = stage.finished()
    spent = -sum(row.amount for row in stage.service.rows)
    assert report.exit_status == 4 and (spent, stage.service.posts) == (24, made)
    assert stage.state().totals.spent == spent


def test_trusts_a_service_again_that_charges_its_quote():
    stage = harness_of(MANY, budget=60, limits=Limits(batch=1, in_flight=1))
    stage.service.surcharge = Decimal(2)
    stage.finished()
    stage.service.surcharge = Decimal(0)
    assert stage.finished().status == "done"
    assert [intent.quote for intent in stage.intents()][:3] == [2, 4, 2]


def test_a_price_that_rose_since_the_plan_holds_the_step():
    stage = harness_of(CHAINS)
    stage.service.later(1.5, lambda: setattr(stage.service, "price_factor", Decimal(2)))
    stage.script.latency_s = lambda method: 2.0 if method == "craft_prompt" else 0.1
    stage.finished()
    assert highest_commitment(stage) <= stage.state().budget


def test_stops_before_402_when_others_spend_the_balance():
    stage = harness_of(CHAINS)
    stage.service.credits = Decimal(EACH * 6)
    stage.service.later(3.0, lambda: setattr(stage.service, "credits", stage.service.credits - 40))
    report = stage.finished()
    assert report.exit_status == 4 and stage.service.credits >= -40
    assert {code for code, _, _ in report.reasons} <= {"ZF621", "ZF705"}
    stage.service.credits += 1000
    assert stage.finished().status == "done" and set(stage.charges().values()) == {1}


def test_pauses_on_402_as_the_last_line_of_defence():
    stage = harness_of(CHAINS)
    stage.script.submits.append(response_faults.says(402))
    assert stage.finished().exit_status == 4
    assert stage.finished().status == "done" and set(stage.charges().values()) == {1}


def test_a_day_s_cap_holds_and_a_resume_on_the_next_day_goes_on():
    stage = harness_of(CHAINS, per_day=Decimal(20), limits=Limits(batch=1))
    report = stage.finished()
    assert report.exit_status == 4 and -sum(row.amount for row in stage.service.rows) <= 20
    for _ in range(3):
        stage.clock.advance(86_400)
        report = stage.finished()
    assert report.status == "done" and set(stage.charges().values()) == {1}


def test_a_call_above_its_max_credits_is_not_sent():
    stage = harness_of("""
    steps:
      draw:
        uses: image_editor
        max_credits: 3
        with: {prompt: x, number_of_images: 1}
    """)
    stage.service.later(0.05, lambda: setattr(stage.service, "price_factor", Decimal(2)))
    report = stage.finished()
    assert report.exit_status == 4 and stage.service.posts == 0
    assert report.reasons[0][0] in ("ZF632", "ZF633")


def test_pays_a_declared_retry_as_an_intent_of_its_own():
    stage = harness_of(CHAINS, budget=100)
    stage.service.fate = fails_once("picture 0")
    report = stage.finished()
    assert report.status == "done"
    assert stage.charges()["draw.0", 1] == stage.charges()["draw.0", 2] == 1 and ("draw.0", 3) not in stage.charges()


def test_fails_an_instance_when_its_retry_fails_too():
    stage = harness_of(CHAINS, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(error="no" if params.get("prompt") == "picture 0" else None)
    report = stage.finished()
    assert report.exit_status == 1 and ("draw.0", 3) not in stage.charges()


@pytest.mark.parametrize("after", [0.0, 5.0])
def test_a_refund_is_taken_in_as_an_event_of_its_own(after):
    stage = harness_of(CHAINS, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(
        error="no" if params.get("prompt") == "picture 0" else None, refund_after_s=after
    )
    stage.finished()
    assert stage.state().totals.refunded == 4
    assert stage.state().totals.spent == -sum(row.amount for row in stage.service.rows)


@pytest.mark.parametrize(
    ("after", "said"), [(None, "counts as charged until a refund is seen"), (0.0, "nothing stays charged for it")]
)
def test_counts_a_failed_call_as_charged_until_refunded(after, said):
    stage = harness_of(ALONE, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(error="no", refund_after_s=after)
    report = stage.finished()
    ((code, _, hint),) = report.reasons
    assert code == "ZF720" and said in hint
    assert said in report.steps["draw"].instances[0].hint


def test_takes_in_a_refund_an_hour_later_on_resume():
    stage = harness_of(CHAINS, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(
        error="no" if params.get("prompt") == "picture 0" else None, refund_after_s=3600.0
    )
    stage.finished()
    assert stage.state().totals.refunded == 0
    stage.clock.advance(7200)
    stage.service.fate = lambda tool, params, number: Fate()
    stage.finished()
    assert stage.state().totals.refunded == 4
    assert stage.state().totals.spent == -sum(row.amount for row in stage.service.rows)


def test_does_not_resend_while_over_the_budget():
    stage = harness_of("steps: {draw: {foreach: [a, b], uses: image_editor, with: {prompt: '${{ item }}'}}}", budget=4)
    stage.limits = Limits(batch=1)
    stage.script.submits.append(response_faults.lost_before_the_charge)
    assert stage.run(dies_at_s=20.0) is None
    assert (stage.service.posts, stage.state().totals.committed) == (1, 4)
    report = stage.finished(changes=Changes(budget=Decimal(3)))
    assert stage.service.posts == 1 and "ZF620" in [code for code, _, _ in report.reasons]
    assert stage.finished(changes=Changes(budget=Decimal(4))).status == "done"
    assert stage.service.posts == 2 and set(stage.charges().values()) == {1}
