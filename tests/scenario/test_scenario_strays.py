"""A task with the run's stamp that the journal does not know, on a server that does not tell what it was asked: nothing is
taken for anything by itself, and a person's word is taken only for what cannot be compared."""

from __future__ import annotations

import copy
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.support import response_faults
from tests.support.build import harness_of
from tests.support.maintenance import maintenance_session
from zenflow.engine.maintenance.evidence import gather
from zenflow.engine.maintenance.reconciler import Reconciler
from zenflow.engine.model.ports import Limits
from zenflow.engine.reconciliation.abandoned import settle_abandoned
from zenflow.errors import Refused, UsageError
from zenflow.history import events as e
from zenflow.history.state import InstanceStatus, Outcome

CHAIN = """
steps:
  draw:
    foreach: [a, b]
    uses: image_editor
    with: {prompt: "${{ item }}"}
  enlarge:
    foreach: ${{ steps.draw.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.enlarge.asset_ids }}"}
"""
TWO_OF_A_TOOL = """
steps:
  draw: {uses: image_editor, with: {prompt: a}}
  paint: {uses: image_editor, with: {prompt: b}}
"""


def restored(text=CHAIN, **parts):
    """Everything was made; then the journal is one of the time before the first intent, and no task tells its inputs."""
    stage = harness_of(text, **{"budget": 100, **parts})
    backup = {}

    async def keep(stage, stop):
        while not stage.events():
            await stage.clock.sleep(0.01)
        backup["journal"] = copy.deepcopy(stage.journal)

    stage.finished(meanwhile=keep)
    assert not any(isinstance(event, e.Intended) for event in backup["journal"].events("run-1"))
    stage.journal = backup["journal"].survives()
    stage.script.listing_faults.echoes_inputs = False
    return stage


def decide(stage, act):
    async def work(session):
        return await act(Reconciler(session), (await gather(session)).unrecognized_cases)

    return maintenance_session(stage, work)


def yes(said):
    return None


def no(said):
    raise Refused("ZF665", "Not agreed to. Nothing was recorded.")


def test_shows_candidate_calls_and_takes_nothing_itself():
    stage = restored()
    assert (stage.finished().exit_status, stage.service.posts) == (4, 2)
    first, second = maintenance_session(stage, gather).unrecognized_cases
    assert (first.size, [call.instance for call in first.waiting]) == (2, ["draw.0", "draw.1"])
    assert [call.params["prompt"] for call in first.waiting] == ["a", "b"]
    assert (second.task.tool, second.waiting) == ("upscaler", ())
    assert not any(isinstance(event, e.Accepted) for event in stage.events())


def test_assigns_it_on_the_operators_word_without_paying():
    stage = restored()
    stage.finished()
    asked = []
    done = decide(stage, lambda r, unrecognized_cases: r.assign_unrecognized(unrecognized_cases[0], (), asked.append))
    assert done.settled and "by your word" in done.said and "its inputs" in done.said
    assert "draw.0, draw.1" in asked[0] and "What cannot be compared: its inputs" in asked[0]
    (note,) = [event for event in stage.events() if isinstance(event, e.Noted)]
    assert note.code == "ZF648" and "by a person's word; not compared: its inputs" in note.message
    assert (stage.state().totals.charged, stage.state().totals.balanced) == (4, True)
    assert stage.finished().exit_status == 4  # the upscaler's task waits for its own word, now that its calls are known
    decide(stage, lambda r, unrecognized_cases: r.assign_unrecognized(unrecognized_cases[0], (), yes))
    assert stage.finished().status == "done"
    assert (stage.service.posts, len(stage.contents()), stage.state().totals.spent) == (2, 2, 6)


def test_who_does_not_agree_has_recorded_nothing():
    stage = restored()
    stage.finished()
    before = len(stage.events())
    with pytest.raises(Refused, match="Not agreed to"):
        decide(stage, lambda r, unrecognized_cases: r.assign_unrecognized(unrecognized_cases[0], (), no))
    with pytest.raises(Refused, match="cannot be compared"):
        decide(
            stage, lambda r, unrecognized_cases: r.assign_unrecognized(unrecognized_cases[0])
        )  # where nobody is asked
    assert len(stage.events()) == before


def test_calls_may_be_named_in_the_order_of_the_task_s_own():
    stage = restored()
    stage.finished()
    decide(stage, lambda r, unrecognized_cases: r.assign_unrecognized(unrecognized_cases[0], ("draw.1", "draw.0"), yes))
    (intended,) = [event for event in stage.events() if isinstance(event, e.Intended)]
    assert [call.instance for call in intended.calls] == ["draw.1", "draw.0"]
    assert stage.finished().steps["draw"].status == "done"


@pytest.mark.parametrize(
    ("named", "why"),
    [
        (("draw.0",), "It has 2 calls, and 1 are named"),
        (("draw.0", "draw.7"), "`draw.7` is no call of image_editor that waits"),
        (("draw.0", "draw.0"), "A call is named twice"),
        (("draw.0", "enlarge.0"), "`enlarge.0` is no call of image_editor that waits"),
    ],
)
def test_names_that_do_not_fit_are_told_and_nothing_is_recorded(named, why):
    stage = restored()
    stage.finished()
    before = len(stage.events())
    with pytest.raises((Refused, UsageError), match=why):
        decide(stage, lambda r, unrecognized_cases: r.assign_unrecognized(unrecognized_cases[0], named, yes))
    assert len(stage.events()) == before


def test_where_calls_of_several_steps_wait_they_must_be_named():
    stage = restored(TWO_OF_A_TOOL)
    stage.finished()
    with pytest.raises(Refused, match="calls of several steps wait: draw, paint") as refused:
        decide(stage, lambda r, unrecognized_cases: r.assign_unrecognized(unrecognized_cases[0], (), yes))
    unrecognized = maintenance_session(stage, gather).unrecognized_cases[0]
    assert f"--adopt 1={unrecognized.task.task_id}:draw,paint" in refused.value.hint
    decide(stage, lambda r, unrecognized_cases: r.assign_unrecognized(unrecognized_cases[0], ("draw", "paint"), yes))
    assert stage.finished().status == "done" and stage.service.posts == 1


def test_does_not_guess_among_more_waiting_calls():
    stage = restored()
    stage.finished()
    made = stage.service.tasks[maintenance_session(stage, gather).unrecognized_cases[0].task.task_id]
    made.calls, made.inputs = made.calls[:1], made.inputs[:1]
    with pytest.raises(Refused, match=r"It has 1 calls, and 2 calls of image_editor wait: draw\.0, draw\.1") as refused:
        decide(stage, lambda r, unrecognized_cases: r.assign_unrecognized(unrecognized_cases[0], (), yes))
    assert "--write-off 1" in refused.value.hint


def test_another_account_s_task_is_taken_on_nobody_s_word():
    stage = restored()
    stage.finished()
    for act in (lambda r, s: r.assign_unrecognized(s, (), yes), lambda r, s: r.write_off_unrecognized(s)):
        with pytest.raises(Refused, match="belongs to account another"):
            decide(
                stage,
                lambda r, unrecognized_cases, do=act: do(
                    r, replace(unrecognized_cases[0], task=replace(unrecognized_cases[0].task, owner_id="another"))
                ),
            )
    assert not any(isinstance(event, e.Accepted) for event in stage.events())


def test_what_is_booked_already_is_not_booked_twice():
    stage = restored()
    stage.finished()

    async def twice(reconciler, unrecognized_cases):
        await reconciler.assign_unrecognized(unrecognized_cases[0], (), yes)
        return await reconciler.assign_unrecognized(replace(unrecognized_cases[0], number=9), (), yes)

    with pytest.raises(Refused, match="it is already submission #1 of this run"):
        decide(stage, twice)
    assert stage.state().totals.charged == Decimal(4)


def test_books_an_abandoned_task_under_no_step():
    stage = restored(TWO_OF_A_TOOL)
    stage.finished()
    done = decide(stage, lambda r, unrecognized_cases: r.write_off_unrecognized(unrecognized_cases[0]))
    assert (done.act, done.settled, "no step of the run asks for it" in done.said) == ("give up", True, True)
    assert stage.state().totals.charged == 4
    assert stage.finished().status == "done" and stage.service.posts == 2
    assert stage.state().totals.spent == 8


def test_books_an_unseen_debit_at_the_dearest_call():
    stage = restored(TWO_OF_A_TOOL, budget=6, limits=Limits(batch=1))
    stage.script.always["transactions"] = "server"
    stage.finished()
    for _ in range(2):
        assert (
            "booked with 2 credits"
            in decide(stage, lambda r, unrecognized_cases: r.write_off_unrecognized(unrecognized_cases[0])).said
        )
    assert stage.finished().exit_status == 4
    assert -sum(row.amount for row in stage.service.rows) <= 6, "what is made anew fits beside it"


def test_what_nobody_can_say_a_price_of_is_not_called_free():
    stage = restored()
    stage.script.always["transactions"] = "server"
    stage.finished()
    assert (
        "without a price"
        in decide(stage, lambda r, unrecognized_cases: r.write_off_unrecognized(unrecognized_cases[1])).said
    )


INNER = """
budget: 4
steps:
  draw:
    foreach: [a, b]
    uses: image_editor
    with: {prompt: "${{ item }}"}
  enlarge:
    foreach: ${{ steps.draw.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}"}
"""


def test_counts_forgotten_tasks_against_their_recipes_budget():
    stage = restored("steps: {make: {uses: ./inner.yaml}}", others={"inner.yaml": INNER})
    stage.script.listing_faults.echoes_inputs = True
    assert stage.service.posts == 1
    report = stage.finished()
    assert {code for code, _, _ in report.reasons} == {"ZF622"} and stage.service.posts == 1


def test_one_that_turns_out_to_have_been_made_counts_there_too():
    """Given up, and found by the look that opens the resume."""
    stage = harness_of("steps: {make: {uses: ./inner.yaml}}", others={"inner.yaml": INNER}, budget=100)

    async def lost(line, submission):
        stage.script.always["transactions"] = "server"
        return await response_faults.lost_before_the_charge(line, submission)

    stage.script.submits.append(lost)
    stage.finished()
    del stage.script.always["transactions"]
    intent = stage.intents()[0]

    async def write_off(session):
        await gather(session)
        await Reconciler(session).write_off(1)
        await settle_abandoned(session.context, session.lookup, session.transactions)

    maintenance_session(stage, write_off)
    assert stage.state().submissions[1].outcome is Outcome.RELEASED
    stage.service.create("image_editor", [call.params for call in intent.calls], intent.comment, posted=False)
    assert {code for code, _, _ in stage.finished().reasons} == {"ZF622"} and stage.service.posts == 0


def test_does_not_take_over_a_task_without_a_price():
    """Its tool is priced no more, and the list of debits cannot be read: what follows would pass the budget."""
    stage = restored(budget=5)
    stage.script.listing_faults.echoes_inputs = True
    stage.service.refuses = lambda tool, params: "withdrawn" if tool == "image_editor" else None
    stage.script.always["transactions"] = "server"
    assert stage.finished().exit_status == 4
    assert -sum(row.amount for row in stage.service.rows) <= 5
    assert not any(isinstance(event, e.Accepted) for event in stage.events())
    del stage.script.always["transactions"]  # now their debits are seen
    stage.finished()
    assert {one.status for one in stage.state().instances.values()} >= {InstanceStatus.DONE}
    assert stage.state().totals.spent == -sum(row.amount for row in stage.service.rows) <= 5


def test_finds_debit_older_than_resend_watermark():
    stage = harness_of("steps: {draw: {uses: image_editor, with: {prompt: a}}}", budget=100)

    async def lost(line, submission):
        stage.script.always["transactions"] = "server"
        return await response_faults.lost_before_the_charge(line, submission)

    stage.script.submits.append(lost)
    stage.finished()
    del stage.script.always["transactions"]
    comment = stage.state().started.stamp_run + "z" * 12
    stage.service.create("image_editor", [{"prompt": "who?"}], comment, posted=False)
    stage.finished()
    assert stage.state().submissions[1].attempts == 2
    assert [unrecognized.debit for unrecognized in maintenance_session(stage, gather).unrecognized_cases] == [2]
    decide(stage, lambda r, unrecognized_cases: r.assign_unrecognized(unrecognized_cases[0], (), no))
    assert [s.debits for s in stage.state().submissions.values() if s.number != 1] == [{"row-1": 2}]


def test_one_that_tells_its_inputs_needs_no_word_and_no_naming():
    stage = harness_of(CHAIN, budget=100)
    stage.finished()
    run_part = stage.state().started.stamp_run
    stage.service.create("image_editor", [{"prompt": "who?"}], f"{run_part}zzzzzzzzzzzz", posted=False)
    with pytest.raises(UsageError, match="needs no naming"):
        decide(stage, lambda r, unrecognized_cases: r.assign_unrecognized(unrecognized_cases[0], ("draw.0",), no))
    assert decide(stage, lambda r, unrecognized_cases: r.assign_unrecognized(unrecognized_cases[0], (), no)).settled
