"""A task that took fewer inputs than were sent (A6): what is there is taken, the rest is unknown and is a person's."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.support import response_faults
from tests.support.build import harness_of
from tests.support.listing_faults import ListingFaults
from tests.support.maintenance import maintenance_session
from tests.support.service import Fate
from zenflow.app.running.remaining_work import correct
from zenflow.engine.maintenance.evidence import gather
from zenflow.engine.maintenance.reconciler import Reconciler
from zenflow.engine.maintenance.unassigned_results import unassigned_tasks
from zenflow.errors import Refused
from zenflow.history import events as e
from zenflow.history.allocation import allocate
from zenflow.providers.base import Task
from zenflow.report.ledger import call_rows

THREE = """
steps:
  draw:
    foreach: [a, b, c]
    uses: image_editor
    with: {prompt: "${{ item }}"}
  up:
    foreach: ${{ steps.draw }}
    uses: upscaler
    with: {image_asset_id: "${{ item.asset_id }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.up.asset_ids }}", name: "${{ origin.draw.item }}"}
"""


def a_part(count=2, text=THREE, **listing_faults):
    stage = harness_of(text, budget=100)
    stage.script.submits.append(response_faults.takes_a_part(count))
    for name, value in listing_faults.items():
        setattr(stage.script.listing_faults, name, value)
    return stage


def statuses(report, step="draw"):
    return [one.status for one in report.steps[step].instances]


def codes(report):
    return {code for code, _, _ in report.reasons} - {"ZF634"}


def drawn(stage):
    return [params["prompt"] for task in stage.service.tasks.values() for params in task.inputs if "prompt" in params]


def test_takes_what_is_there_and_marks_the_rest_unknown():
    stage = a_part()
    report = stage.finished()
    assert (report.exit_status, codes(report)) == (4, {"ZF642"})
    assert statuses(report) == ["done", "done", "unknown"] and sorted(stage.contents()) == ["a.png", "b.png"]
    (said, hint) = next((said, hint) for code, said, hint in report.reasons if code == "ZF642")
    task_id = next(iter(stage.service.tasks))
    assert said.startswith("draw.2:") and f"task {task_id} has 2 of the 3 calls" in said
    assert "zenflow reconcile RUN" in hint and "--write-off 1" in hint
    assert stage.clock.monotonic_s() < 120, "not by its timeout"
    assert [(one.address, one.why) for one in report.open_calls] == [("draw.2", "outcome unknown")]
    assert drawn(stage) == ["a", "b"]


def test_a_resume_comes_to_the_same_end_and_sends_nothing_again():
    stage = a_part()
    stage.finished()
    posts = stage.service.posts
    for _ in range(2):
        report = stage.finished()
        assert (report.exit_status, codes(report)) == (4, {"ZF642"})
        assert statuses(report) == ["done", "done", "unknown"] and stage.service.posts == posts
    assert sum(isinstance(event, e.TookPart) for event in stage.events()) == 1


@pytest.mark.parametrize("dies", [False, True])
def test_ends_the_same_when_a_process_dies_before_seeing_it(dies):
    stage = a_part()
    assert stage.run(dies_at_s=1.0 if dies else 8.0) is None
    report = stage.finished()
    assert statuses(report) == ["done", "done", "unknown"] and drawn(stage) == ["a", "b"]


def test_charges_present_calls_their_cost_and_no_others():
    stage = a_part()
    report = stage.finished()
    assert [one.credits for one in report.steps["draw"].instances] == [2, 2, 0]
    totals = stage.state().totals
    assert totals.balanced and totals.spent == -sum(row.amount for row in stage.service.rows)


def test_assigns_results_to_the_inputs_shown(monkeypatch):
    """The service left out the first one."""
    stage = a_part()

    async def the_last_two(line, submission):
        return await response_faults.as_it_should(line, replace(submission, inputs=submission.inputs[1:]))

    stage.script.submits[:] = [the_last_two]
    report = stage.finished()
    assert statuses(report) == ["unknown", "done", "done"] and sorted(stage.contents()) == ["b.png", "c.png"]


def test_without_the_inputs_nothing_is_guessed():
    stage = a_part(echoes_inputs=False)
    report = stage.finished()
    assert (report.exit_status, statuses(report)) == (4, ["unknown"] * 3) and stage.contents() == {}
    assert any("does not tell which" in said for _, said, _ in report.reasons)
    assert stage.finished().exit_status == 4 and stage.service.posts == 1


def test_inputs_that_are_all_alike_need_no_telling():
    text = THREE.replace('{prompt: "${{ item }}"}', "{prompt: the same}")
    stage = a_part(text=text, echoes_inputs=False)
    assert statuses(stage.finished()) == ["done", "done", "unknown"]


def test_giving_up_what_is_not_there_lets_a_resume_make_it_anew():
    stage = a_part()
    stage.finished()

    async def decide(session):
        evidence = await gather(session)
        assert [case.number for case in evidence.cases] == [1]
        with pytest.raises(Refused, match="has 2 of the 3 calls"):
            await Reconciler(session).adopt(1, next(iter(stage.service.tasks)))
        return await Reconciler(session).write_off(1)

    assert maintenance_session(stage, decide).settled
    report = stage.finished()
    assert report.status == "done" and sorted(stage.contents()) == ["a.png", "b.png", "c.png"]
    assert drawn(stage) == ["a", "b", "c"]
    assert stage.state().totals.spent == -sum(row.amount for row in stage.service.rows) == 9


def hides_calls(monkeypatch, until_s, total):
    """A task that is over and shows all of its calls but one for so long; `total`: whether it tells how many they are."""
    whole = ListingFaults.task

    def task(self, made, service) -> Task:
        shown = whole(self, made, service)
        late = service.clock.monotonic_s() < until_s and made.tool == "image_editor"
        told = shown.total if total else None
        return replace(shown, total=told, calls=shown.calls[:-1] if late else shown.calls)

    monkeypatch.setattr(ListingFaults, "task", task)


@pytest.mark.parametrize("total", [True, False])
def test_calls_that_are_shown_a_little_later_are_waited_for(monkeypatch, total):
    stage = harness_of(THREE, budget=100)
    hides_calls(monkeypatch, 40.0, total)
    assert stage.finished().status == "done" and not any(isinstance(x, e.TookPart) for x in stage.events())


def test_calls_that_are_shown_much_later_are_taken_by_a_resume(monkeypatch):
    stage = harness_of(THREE, budget=100)
    hides_calls(monkeypatch, 3600.0, total=True)
    report = stage.finished()
    assert report.exit_status == 4 and "unknown" in statuses(report) and stage.clock.monotonic_s() < 300
    stage.clock.advance(7200)
    assert stage.finished().status == "done" and stage.service.posts == 2


def test_shows_an_unassigned_result_with_its_candidates():
    stage = a_part(echoes_inputs=False)
    stage.finished()
    stage.clock.advance(60)
    (task,) = maintenance_session(stage, unassigned_tasks)
    assert task.submission == 1 and "2 of the 3 calls" in task.why
    assert [one.instance for one in task.may_belong] == ["draw.0", "draw.1", "draw.2"]
    assert len(task.calls) == 2 and all(call.asset_ids for call in task.calls)


def test_what_is_taken_is_not_shown_as_doubtful():
    stage = a_part()
    stage.finished()
    assert maintenance_session(stage, unassigned_tasks) == ()


def test_keeps_a_lost_part_unknown_until_the_operator_decides():
    stage = a_part()

    async def lost(line, submission):
        await response_faults.takes_a_part(2)(line, submission)
        return line.lost("reset after it was read")

    stage.script.submits[:] = [lost]
    report = stage.finished()
    assert (report.exit_status, statuses(report), stage.service.posts) == (4, ["unknown"] * 3, 1)
    task_id = next(iter(stage.service.tasks))

    async def decide(session):
        await gather(session)
        return await Reconciler(session).adopt(1, task_id)

    assert maintenance_session(stage, decide).settled
    report = stage.finished()
    assert (report.exit_status, statuses(report)) == (4, ["done", "done", "unknown"])
    assert drawn(stage) == ["a", "b"]


def test_sets_a_part_with_a_lost_answer_aside_once():
    stage = a_part()

    async def lost(line, submission):
        await response_faults.takes_a_part(2)(line, submission)
        return line.lost("reset after it was read")

    stage.script.submits[:] = [lost]
    stage.finished()

    async def show(session):
        evidence = await gather(session)
        return [case.number for case in evidence.cases], evidence.unrecognized_cases, session.context.ledger.committed

    assert maintenance_session(stage, show) == ([1], (), 6)


def test_leaves_a_task_with_hidden_calls_to_the_operator(monkeypatch):
    """Two of three were taken; one of them is never shown."""
    stage = a_part()
    whole = ListingFaults.task

    def task(self, made, service) -> Task:
        shown = whole(self, made, service)
        return replace(shown, calls=shown.calls[:1])

    monkeypatch.setattr(ListingFaults, "task", task)
    report = stage.finished()
    assert (report.exit_status, codes(report), statuses(report)) == (4, {"ZF642"}, ["unknown"] * 3)
    assert stage.clock.monotonic_s() < 300, "not by its timeout"


def test_keeps_costs_of_present_calls_when_abandoned():
    stage = a_part()
    stage.finished()

    async def decide(session):
        await gather(session)
        return await Reconciler(session).write_off(1)

    maintenance_session(stage, decide)
    report = stage.finished()
    assert [one.credits for one in report.steps["draw"].instances] == [2, 2, 2], "the third is made anew"


def test_refuses_another_recipe_before_a_decision():
    """A corrected recipe would ask for it anew: it may be paid already."""
    stage = a_part()
    stage.finished()
    loaded = SimpleNamespace(recipe=stage.recipe, inputs=SimpleNamespace(values={}, named_paths=()))
    to = SimpleNamespace(journal=stage.journal, clock=stage.clock)

    def change():
        state, plan = stage.state(), stage.plan
        return correct(loaded, state.started, stage.events(), {}, plan.catalog, plan.account, to)

    with pytest.raises(Refused, match="2 of the 3 calls") as refused:
        change()
    assert "zenflow reconcile run-1" in refused.value.hint

    async def decide(session):
        await gather(session)
        return await Reconciler(session).write_off(1)

    maintenance_session(stage, decide)
    assert set(change().event.moves) >= {"draw.0", "draw.1"}


@pytest.mark.parametrize("inputs", [["a", "x"], ["a", "a"], ["a", "b", "c", "a"]])
def test_excludes_a_stamped_task_that_differs(inputs):
    stage = a_part()
    stage.script.submits[:] = [response_faults.lost_before_the_charge]
    stage.script.always["transactions"] = "server"
    stage.finished()
    asked = [{"prompt": one} for one in inputs]
    made = stage.service.create("image_editor", asked, stage.intents()[0].comment, posted=False)

    async def decide(session):
        await gather(session)
        return await Reconciler(session).adopt(1, made.task_id)

    with pytest.raises(Refused):
        maintenance_session(stage, decide)


def test_report_ledger_and_results_share_a_charge_alike():
    """Of two inputs the task took one: it alone is charged, whoever tells it."""
    stage = a_part(1, text='steps:\n  draw: {foreach: [a, b], uses: image_editor, with: {prompt: "${{ item }}"}}\n')
    report = stage.finished()
    (submission,) = report.state.submissions.values()
    assert submission.confirmed == 2 and statuses(report) == ["done", "unknown"]
    assert [one.credits for one in report.steps["draw"].instances] == [2, 0]
    assert [(row.charged, row.refunded) for row in call_rows(report.state)] == [(2, 0), (0, 0)]
    assert [share.cost for share in allocate(submission)] == [2, 0]
    assert report.state.instances["draw.0"].results["credits"] == 2


def test_shares_add_up_to_the_ledger_totals():
    stage = harness_of(THREE, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(
        error="no" if params.get("prompt") == "b" else None, refund_after_s=0.0
    )
    report = stage.finished()
    every = [share for one in report.state.submissions.values() for share in allocate(one)]
    assert sum(share.cost for share in every) == report.state.totals.spent
    assert [one.credits for one in report.steps["draw"].instances] == [2, 0, 2]
