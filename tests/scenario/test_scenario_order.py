"""`calls[]` in another order than `inputs[]` (A5 is false): seen by what the results tell, and not handed on."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.support.build import harness_of
from tests.support.maintenance import maintenance_session
from tests.support.offers import OFFERS, TEXT
from tests.support.service import Fate
from zenflow.engine.maintenance.evidence import gather
from zenflow.engine.maintenance.reconciler import Reconciler
from zenflow.engine.model.ports import Limits
from zenflow.errors import Refused, UsageError
from zenflow.history import events as e

TWO = """
steps:
  draw:
    foreach: ["16:9", "9:16"]
    uses: image_editor
    with: {prompt: a view, ratio: "${{ item }}"}
  up:
    foreach: ${{ steps.draw.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.up.asset_ids }}"}
"""
SIDES = {"16:9": (1344, 768), "9:16": (768, 1344), "1:1": (1024, 1024)}


def as_told(sides):
    return {} if sides is None else {"images": [{"width": sides[0], "height": sides[1]}]}


def a_stage(text=TWO, *, swapped, tells=lambda params: SIDES.get(params.get("ratio")), **parts):
    """The service makes what each call asks for and says how large it is; `swapped` lists the calls the other way round."""
    stage = harness_of("steps: {x: {uses: image_editor, with: {prompt: x}}}", budget=100, **parts)
    fields = {**OFFERS["image_editor"].fields, "ratio": TEXT}
    stage.service.offers = {**OFFERS, "image_editor": replace(OFFERS["image_editor"], fields=fields)}
    stage.recipe = harness_of(text).recipe
    if swapped:
        stage.script.listing_faults.calls = "shuffled"
        stage.script.listing_faults.is_bound = lambda task: True
    stage.service.tells = lambda params: as_told(tells(params))
    return stage


def decided(stage, act):
    async def work(session):
        evidence = await gather(session)
        return evidence, await act(Reconciler(session))

    return maintenance_session(stage, work)


def test_results_in_the_order_of_their_inputs_are_taken():
    stage = a_stage(swapped=False)
    assert stage.finished().status == "done"
    assert not any(isinstance(event, e.Contradicted) for event in stage.events())


def test_stops_the_step_on_contradicting_results():
    stage = a_stage(swapped=True)
    report = stage.finished()
    assert (report.exit_status, report.steps["draw"].status) == (4, "stopped")
    assert [intent.tool for intent in stage.intents()] == ["image_editor"], "no upscaler was paid for another's picture"
    said = [(text, hint) for code, text, hint in report.reasons if code == "ZF656"]
    assert any(
        "draw.1 asked for 0.56 wide by 1 high, and its result is 1.75 wide by 1 high" in text for text, _ in said
    )
    assert any("zenflow reconcile RUN" in hint and "batch = 1" in hint for _, hint in said)
    assert {call.why for call in report.open_calls} == {"its result may be another's"}


def test_holds_a_steps_calls_and_remembers_on_resume():
    text = TWO.replace('["16:9", "9:16"]', '["16:9", "9:16", "16:9", "9:16"]')
    stage = a_stage(text, swapped=True, limits=Limits(batch=2, in_flight=2))
    assert stage.finished().exit_status == 4 and stage.service.posts == 1
    assert stage.finished().exit_status == 4 and stage.service.posts == 1


@pytest.mark.parametrize(
    "tells",
    [
        lambda params: None,  # silent, as the service is known to be
        lambda params: (1024, 1024),  # the same whatever is asked
        lambda params: (1344, 768),  # one of both, whatever is asked
        lambda params: (1920, 1088) if params.get("ratio") == "16:9" else (1088, 1920),  # rounded
    ],
)
def test_infers_no_order_from_a_silent_or_odd_service(tells):
    stage = a_stage(swapped=False, tells=tells)
    assert stage.finished().status == "done"


def test_ignores_the_order_of_identical_calls():
    stage = a_stage(TWO.replace('["16:9", "9:16"]', '["16:9", "16:9"]'), swapped=True)
    assert stage.finished().status == "done"


def test_holds_a_result_that_fits_another_input():
    stage = a_stage(swapped=False, tells=lambda params: (1344, 768))
    stage.service.fate = lambda tool, params, number: Fate(90.0 if params.get("ratio") == "16:9" else 5.0)
    assert stage.finished().status == "done"
    produced = [event.instance for event in stage.events() if isinstance(event, e.Produced)]
    assert produced.index("draw.0") < produced.index("draw.1"), "the upright one came first, as wide as the wide one's"


def test_a_person_may_take_the_results_as_they_are():
    stage = a_stage(swapped=True)
    stage.finished()
    task_id = stage.state().submissions[1].task_id
    with pytest.raises(Refused, match="no other can be taken"):
        decided(stage, lambda r: r.adopt(1, "00000000-0000-4000-8000-000000000000"))
    with pytest.raises(UsageError, match="cannot be sent again"):
        decided(stage, lambda r: r.resubmit(1, lambda *_: None))
    evidence, done = decided(stage, lambda r: r.adopt(1, task_id))
    assert evidence.cases[0].submission.number == 1 and done.settled
    assert stage.finished().status == "done" and len(stage.contents()) == 2
    assert stage.service.posts == 2 and set(stage.charges().values()) == {1}


def test_makes_abandoned_calls_again_one_by_one_on_resume():
    stage = a_stage(swapped=True)
    stage.finished()
    _, done = decided(stage, lambda r: r.write_off(1))
    assert done.settled and stage.state().totals.charged == 4
    failed = [event for event in stage.events() if isinstance(event, e.InstanceFailed)]
    assert failed and all(event.paid for event in failed)
    stage.limits = Limits(batch=1)
    report = stage.finished()
    assert report.status == "done" and len(stage.contents()) == 2
    assert stage.state().totals.spent == Decimal(4 + 4 + 2)
