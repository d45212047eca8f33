"""The books against the account's transaction list, row by row: matched, missing, different, doubled, nobody's."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.support import response_faults
from tests.support.build import harness_of
from tests.support.maintenance import maintenance_session
from tests.support.service import Fate
from zenflow.engine.maintenance.audit import check_transactions
from zenflow.report.ledger import call_rows

TWO = """
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


async def _check(session):
    await session.transactions.settle(from_start=True)
    return await check_transactions(session)


def checked(stage):
    return maintenance_session(stage, _check)


def a_done_stage(**parts):
    stage = harness_of(TWO, budget=100, **parts)
    stage.finished()
    return stage


def test_each_submission_has_exactly_one_debit_of_its_quote():
    stage = a_done_stage()
    found = checked(stage)
    assert [(one.found, one.quote, one.listed) for one in found.compared] == [
        ("matched", Decimal(4), Decimal(4)),
        ("matched", Decimal(2), Decimal(2)),
    ]
    assert found.agrees and found.unowned == () and found.others == (0, Decimal(0))


def test_other_clients_are_counted_and_are_no_difference():
    stage = a_done_stage()
    stage.service.spend_elsewhere()
    found = checked(stage)
    assert found.agrees and found.others == (1, Decimal(2))


def test_a_charge_above_its_quote_is_another_amount():
    stage = harness_of(TWO, budget=100)
    stage.service.surcharge = Decimal(1)
    stage.finished()
    found = checked(stage)
    assert found.compared[0].found == "another amount" and found.compared[0].listed == 6 and not found.agrees
    assert stage.state().totals.difference == 2 + (2 if len(found.compared) > 1 else 0)


def test_a_debit_that_is_not_listed_is_ours_without_a_row():
    stage = a_done_stage()
    stage.service.rows[:] = [row for row in stage.service.rows if row.amount != -2]
    found = checked(stage)
    assert [one.found for one in found.compared] == ["matched", "no row"] and not found.agrees


def test_a_second_debit_of_one_task_is_seen_booked_and_told():
    stage = a_done_stage()
    task_id = stage.state().submissions[1].task_id
    stage.service._book(Decimal(-4), task_id)
    found = checked(stage)
    assert (found.compared[0].found, found.compared[0].listed) == ("charged twice", Decimal(8))
    assert stage.state().totals.spent == 10 and not found.agrees


def test_lists_a_stamped_unknown_task_without_our_row():
    stage = a_done_stage()
    stage.service.create("image_editor", [{"prompt": "?"}], f"{stage.state().started.stamp_run}zzzzzzzzzzzz x")
    found = checked(stage)
    assert [(row.amount, row.ours) for row in found.unowned] == [(Decimal(2), True)] and not found.agrees


def test_a_debit_without_a_task_is_shown_and_is_not_called_ours():
    stage = a_done_stage()
    stage.service._book(Decimal(-7), None)
    found = checked(stage)
    assert [(row.amount, row.said, row.ours) for row in found.unowned] == [(Decimal(7), "names no task", False)]
    assert found.agrees


def test_shares_a_late_refund_among_failed_calls():
    stage = harness_of(TWO, budget=100)
    stage.service.fate = lambda tool, params, number: (
        Fate(10.0, error="no", refund_after_s=3600.0) if params.get("prompt") == "a" else Fate(10.0)
    )
    assert stage.finished().status == "failed"
    assert stage.state().totals.refunded == 0
    stage.clock.advance(4000)
    found = checked(stage)
    totals = stage.state().totals
    assert (totals.refunded, totals.spent) == (2, 3) and found.agrees
    rows = {row.instance: row for row in call_rows(stage.state())}
    assert (rows["draw.0"].charged, rows["draw.0"].refunded, rows["draw.0"].status) == (2, 2, "failed")
    assert (rows["draw.1"].charged, rows["draw.1"].refunded) == (2, 0)
    assert rows["draw.1"].task_id == rows["draw.0"].task_id and rows["draw.1"].call_id != rows["draw.0"].call_id


def test_a_second_refund_that_comes_much_later_is_taken_in_too():
    stage = harness_of(TWO.replace("[a, b]", "[a, c]"), budget=100)
    stage.service.fate = lambda tool, params, number: Fate(
        10.0, error="no", refund_after_s=100.0 if params.get("prompt") == "a" else 90_000.0
    )
    stage.finished()
    stage.clock.advance(200)
    checked(stage)
    assert stage.state().totals.refunded == 2
    stage.clock.advance(100_000)
    checked(stage)
    assert stage.state().totals.refunded == 4 and stage.state().totals.spent == 0


def test_discovers_a_charge_for_a_refused_request():
    async def charged_and_refused(line, submission):
        await response_faults.lost_after_the_charge(line, submission)
        return response_faults.refused(response_faults.Refusal(422, "no"))

    stage = harness_of("steps:\n  draw:\n    uses: image_editor\n    with: {prompt: a}\n", budget=100)
    stage.script.submits.append(charged_and_refused)
    stage.finished()
    found = checked(stage)  # the task carries our stamp, and the submission is released
    assert not found.agrees and found.unowned[0].ours
    stage.finished()  # a resume lists the run's tasks first: it is taken in, not made again
    assert stage.state().totals.charged == 2 and stage.service.posts == 1


def test_replaces_an_unlisted_watermark_by_the_time():
    stage = harness_of(TWO, budget=100)
    stage.service.spend_elsewhere()
    stage.finished()
    del stage.service.rows[0]
    found = checked(stage)
    assert found.complete and [one.found for one in found.compared] == ["matched", "matched"]


def test_debits_of_two_lost_answers_do_not_explain_each_other():
    """Each looks at the debit of the other, which carries a stamp of ours: that is no reason to send either again."""
    stage = harness_of(TWO, budget=100)
    stage.limits = replace(stage.limits, batch=1)
    stage.script.submits += [response_faults.lost_after_the_charge, response_faults.lost_after_the_charge]
    stage.service.lag_s = lambda number: 86_400.0
    assert stage.finished().exit_status == 4
    assert stage.service.posts == 2 and set(stage.charges().values()) == {1}
    stage.clock.advance(90_000)
    assert stage.finished().status == "done" and set(stage.charges().values()) == {1}


INNER = """
budget: 4
inputs: {looks: {type: array, items: {type: string}}}
steps:
  draw:
    foreach: ${{ inputs.looks }}
    uses: image_editor
    with: {prompt: "${{ item }}"}
"""
OUTER = """
steps:
  set:
    uses: ./inner.yaml
    with: {looks: [bad, a, b, c]}
"""


def test_what_a_refusal_gives_back_is_given_back_once():
    """A recipe used as a step has a budget of its own: two pictures, however often a third one is refused."""
    stage = harness_of(OUTER, {"inner.yaml": INNER}, budget=100)
    stage.limits = replace(stage.limits, batch=1, in_flight=1)
    stage.service.refuses = lambda tool, params: "not like this" if params.get("prompt") == "bad" else None
    stage.service.price_tells = False
    report = stage.finished()
    assert report.exit_status in (1, 4)
    assert sum(task.charged for task in stage.service.tasks.values()) == 4
    assert stage.state().totals.spent == 4


def _in_parts(monkeypatch, second_after_s):
    """The service writes one debit for each call, the second one later."""
    stage = harness_of(TWO, budget=100)
    book = type(stage.service)._book

    def booked(service, amount, task_id):
        if amount != -4:
            return book(service, amount, task_id)
        book(service, Decimal(-2), task_id)
        return service.later(second_after_s, lambda: book(service, Decimal(-2), task_id))

    monkeypatch.setattr(type(stage.service), "_book", booked)
    return stage


def test_one_debit_for_each_call_is_no_difference(monkeypatch):
    stage = _in_parts(monkeypatch, 5.0)
    report = stage.finished()
    assert report.state.totals.difference == 0 and not report.state.notes
    assert [one.found for one in checked(stage).compared] == ["matched", "matched"]


def test_frees_no_budget_from_partial_debits_during_the_run(monkeypatch):
    stage = _in_parts(monkeypatch, 15.0)
    seen = []
    record = type(stage.service).settle

    def settle(service):
        record(service)
        seen.append(stage.state().totals.difference)

    monkeypatch.setattr(type(stage.service), "settle", settle)
    assert stage.finished().status == "done"
    assert set(seen) == {Decimal(0)}


def test_a_part_of_the_debits_is_told_where_the_rest_never_comes(monkeypatch):
    stage = _in_parts(monkeypatch, 1e9)
    stage.finished()
    found = checked(stage)
    assert [(one.found, one.listed) for one in found.compared] == [("another amount", 2), ("matched", 2)]
    assert stage.state().totals.spent == 4


def test_finds_debits_older_than_a_resend():
    stage = harness_of(TWO, budget=100)
    stage.limits = replace(stage.limits, batch=1)
    stage.script.submits = [response_faults.lost_before_the_charge]
    report = stage.finished()
    assert report.status == "done" and max(one.attempts for one in report.state.submissions.values()) == 2
    assert {one.found for one in checked(stage).compared} == {"matched"}
