"""Recovery from anything: clocks that jump, a day asleep, a journal that fails, a copy of it, assets that are gone."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import response_faults
from tests.support.build import Harness, harness_of
from tests.support.maintenance import maintenance_session
from tests.support.memory_journal import MemoryJournal
from tests.support.memory_store import MemoryStore
from tests.support.service import Fate
from zenflow.engine.maintenance.evidence import gather
from zenflow.engine.maintenance.reconciler import Reconciler
from zenflow.engine.model.ports import Limits, StopSignal
from zenflow.engine.run import Changes
from zenflow.history import events as e
from zenflow.history.state import Outcome

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
ALONE = "steps:\n  draw:\n    uses: image_editor\n    with: {prompt: alone}\n"


def when(condition, act):
    """Something that happens to a running stage once, as soon as a condition holds."""

    async def meanwhile(stage: Harness, stop: StopSignal) -> None:
        while not condition(stage):
            await stage.clock.sleep(0.25)
        act(stage, stop)

    return meanwhile


def has(kind, count=1):
    return lambda stage: sum(isinstance(event, kind) for event in stage.events()) >= count


# --------------------------------------------------------------------------------------------------------------- sign-in


def signed_in_as(account_id):
    """From then on requests carry another token, of that account."""

    def act(stage, _):
        stage.provider.account_id = account_id
        stage.provider.sign_in = 2

    return act


def test_notices_another_account_before_paying():
    stage = harness_of(CHAIN, budget=100)
    report = stage.finished(meanwhile=when(has(e.Accepted), signed_in_as("somebody-else")))
    assert report.exit_status == 4 and "ZF668" in [code for code, _, _ in report.reasons]
    assert {task.owner_id for task in stage.service.tasks.values()} == {"account-1"}
    assert stage.service.posts == 1
    assert stage.finished().status == "done" and set(stage.charges().values()) == {1}


def test_asks_no_other_account_about_a_lost_answer():
    stage = harness_of(ALONE, budget=10)
    stage.script.submits.append(response_faults.lost_after_the_charge)
    stage.service.lag_s = lambda number: 60.0  # not listed at once
    report = stage.finished(meanwhile=when(has(e.OutcomeUnknown), signed_in_as("somebody-else")))
    assert report.exit_status == 4 and stage.service.posts == 1
    looks = [event for event in stage.events() if isinstance(event, e.LookupRecorded)]
    assert len(looks) <= 1, "the one that was begun before"
    assert stage.finished().status == "done" and stage.service.posts == 1


def test_asks_once_about_a_new_token_of_the_same_account():
    asked = {}
    for number in (None, 2):
        stage = harness_of(CHAIN, budget=100)

        def renew(stage, _, number=number):
            stage.provider.sign_in = number

        assert stage.finished(meanwhile=when(has(e.Accepted), renew)).status == "done"
        asked[number] = stage.provider.asked["account"]
    assert asked[2] == asked[None] + 1


# ---------------------------------------------------------------------------------------------------------------- clocks


def test_waits_fully_for_a_lost_answer_despite_a_clock_jump():
    stage = harness_of(ALONE, budget=10)
    stage.script.submits.append(response_faults.takes_effect_after(100.0))
    report = stage.finished(meanwhile=when(has(e.OutcomeUnknown), lambda s, _: s.clock.shift_wall(7200)))
    assert report.status == "done"
    assert stage.service.posts == 1 and set(stage.charges().values()) == {1}


@pytest.mark.parametrize("seconds", [-7200.0, -86_400.0 * 3])
def test_keeps_wait_and_tasks_when_the_clock_jumps_back(seconds):
    stage = harness_of(ALONE, budget=10)
    stage.script.submits.append(response_faults.lost_before_the_charge)
    report = stage.finished(meanwhile=when(has(e.OutcomeUnknown), lambda s, _: s.clock.shift_wall(seconds)))
    assert report.status == "done" and stage.clock.monotonic_s() < 600
    assert set(stage.charges().values()) == {1}


def test_finds_a_task_unfiltered_when_the_clock_is_hours_ahead():
    stage = harness_of(ALONE, budget=10)
    stage.clock.shift_wall(6 * 3600)
    stage.script.listing_faults.query = "nothing"
    stage.script.submits.append(response_faults.lost_after_the_charge)
    for number in range(120):
        stage.service.spend_elsewhere(f"older {number}")
    assert stage.finished().status == "done"
    assert stage.service.posts == 1 and stage.state().submissions[1].adopted


def test_continues_after_a_day_asleep_with_fresh_addresses():
    stage = harness_of(CHAIN, budget=100)
    report = stage.finished(meanwhile=when(has(e.Accepted, 2), lambda s, _: s.clock.advance(86_400)))
    assert report.status == "done" or report.exit_status == 4
    report = report if report.status == "done" else stage.finished()
    assert report.status == "done" and stage.service.posts == 2 and len(stage.contents()) == 2


def test_does_not_write_an_intent_that_slept_too_long():
    stage = harness_of(ALONE, budget=10)

    async def late(line, submission):
        stage.clock.advance(3600)  # between the commit and the first byte
        if submission.send_by_s is not None and stage.clock.monotonic_s() > submission.send_by_s:
            return await response_faults.no_connection(line, submission)
        return await response_faults.as_it_should(line, submission)

    stage.script.submits.append(late)
    assert stage.finished().status == "done"
    assert stage.state().submissions[1].attempts == 2 and stage.service.posts == 1


def test_does_not_send_an_intent_after_sleeping_through_it(monkeypatch):
    stage = harness_of(ALONE, budget=10)
    reserve, naps = MemoryJournal.reserve_and_intend, [3600.0]

    def slow(self, lease, event, cap):
        if naps:
            stage.clock.advance(naps.pop())
        return reserve(self, lease, event, cap)

    monkeypatch.setattr(MemoryJournal, "reserve_and_intend", slow)
    assert stage.finished().status == "done"
    assert stage.state().submissions[1].attempts == 2 and stage.service.posts == 1


# --------------------------------------------------------------------------------------------------------------- journal


def test_names_accepted_calls_when_the_journal_fails():
    stage = harness_of(CHAIN, budget=100)
    stage.journal.fail_after(2)  # RunStarted and the intent; the acceptance cannot be written
    report = stage.finished()
    assert report.exit_status == 4 and report.journal_failed
    (code, said, _), *_ = report.reasons
    task_id = next(iter(stage.service.tasks))
    assert code == "ZF801" and task_id in said and "taken over" not in said
    assert stage.service.posts == 1
    stage.journal = stage.journal.survives()
    assert stage.finished().status == "done"
    assert stage.service.posts == 2 and set(stage.charges().values()) == {1}


def test_reports_an_answer_after_the_journal_has_failed():
    stage = harness_of(
        "steps:\n  draw:\n    foreach: [a, b]\n    uses: image_editor\n    with: {prompt: '${{ item }}'}\n"
    )
    stage.budget = 100
    stage.limits = replace(stage.limits, batch=1)
    stage.journal.fail_after(3)  # the start and two intents
    report = stage.finished()
    said = " ".join(text for _, text, _ in report.reasons)
    assert all(task_id in said for task_id in stage.service.tasks) and len(stage.service.tasks) == 2
    stage.journal = stage.journal.survives()
    assert stage.finished().status == "done" and stage.service.posts == 2


@pytest.mark.parametrize("writes", range(1, 9))
@pytest.mark.parametrize("late", [False, True])
def test_never_charges_twice_after_one_failed_commit(writes, late):
    stage = harness_of(CHAIN, budget=100)
    stage.journal.fail_after(writes, late=late)
    try:
        first = stage.run()
    except Exception:
        first = None
    posts = stage.service.posts
    stage.journal = stage.journal.survives()
    if stage.events():
        assert stage.finished().status == "done"
    else:
        assert posts == 0
        assert stage.finished().status == "done"
    assert set(stage.charges().values()) == {1} and stage.service.posts == 2, first


def test_writes_and_sends_nothing_after_a_take_over():
    stage = harness_of(CHAIN, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(100.0)

    def robbed(stage, _):
        other = stage.journal.beside()
        stage.journal._store.dead.add(stage.journal._me)  # it looks dead to the other one: a machine that stood still
        other.take_lease("run-1")

    report = stage.finished(meanwhile=when(has(e.Accepted), robbed))
    assert report.exit_status == 4 and report.reasons[0][0] == "ZF809"
    assert stage.service.posts == 1


def test_adopts_unknown_tasks_after_restoring_a_journal():
    stage = harness_of(CHAIN, budget=100)
    backup = {}

    def keep(stage, _):
        backup["journal"] = copy.deepcopy(stage.journal)

    stage.finished(meanwhile=when(has(e.RunStarted), keep))
    assert stage.service.posts == 2
    assert not any(isinstance(event, e.Accepted) for event in backup["journal"].events("run-1"))
    stage.journal = backup["journal"].survives()
    assert stage.finished().status == "done"
    assert stage.service.posts == 2, "nothing was sent a second time"
    assert sum(task.charged for task in stage.service.tasks.values()) == 6


def test_pays_nothing_twice_with_two_copies_of_a_journal():
    stage = harness_of(CHAIN, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(60.0)

    def leave(stage, stop):
        stop.request()
        stop.request()

    stage.run(meanwhile=when(has(e.Accepted), leave))
    copied = copy.deepcopy(stage.journal)
    assert stage.finished().status == "done" and stage.service.posts == 2
    stage.journal = copied.survives()
    assert stage.finished().status == "done"
    assert stage.service.posts == 2 and set(stage.charges().values()) == {1}


def test_reports_an_unmatched_unknown_task_and_continues():
    stage = harness_of(CHAIN, budget=100)
    backup = copy.deepcopy(stage.journal)
    stage.finished()
    run_part = stage.state().started.stamp_run
    stage.service.create("image_editor", [{"prompt": "strange"}], f"{run_part}zzzzzzzzzzzz", posted=False)
    report = stage.finished()
    assert report.exit_status == 4 and [code for code, _, _ in report.reasons] == ["ZF646"]
    assert backup.events("run-1") == ()


UPLOADED = """
steps:
  photo:
    uses: upload
    with: {source: "data:image/png;base64,aGVsbG8="}
  draw:
    uses: image_editor
    with: {prompt: drawn, image_assets: ["${{ steps.photo.asset_id }}"]}
  tell:
    uses: run_any_llm
    with: {prompt: told}
"""


def restored_without_its_upload():
    """All was made; then the journal is one of the time before: the upload is made anew, under another id."""
    stage = harness_of(UPLOADED, budget=100)
    stage.script.latency_s = lambda method: 5.0 if method == "upload" else 0.1
    backup = {}
    stage.finished(meanwhile=when(has(e.RunStarted), lambda stage, _: backup.update(j=copy.deepcopy(stage.journal))))
    assert stage.service.posts == 2
    stage.journal = backup["j"].survives()
    return stage


def test_holds_only_the_tool_of_an_unknown_upload_task():
    stage = restored_without_its_upload()
    report = stage.finished()
    assert (report.exit_status, stage.service.posts) == (4, 2), "nothing that could repeat it was sent"
    assert (report.steps["draw"].status, report.steps["tell"].status) == ("stopped", "done")
    assert all("zenflow reconcile RUN" in hint for code, _, hint in report.reasons if code == "ZF646")
    assert any(said.startswith("draw:") for code, said, _ in report.reasons if code == "ZF646")
    assert stage.finished().exit_status == 4 and stage.service.posts == 2, "nor by the next resume"


def test_releases_the_tool_once_the_task_is_booked():
    stage = restored_without_its_upload()
    stage.finished()

    async def adopt(session):
        evidence = await gather(session)
        return await Reconciler(session).assign_unrecognized(evidence.unrecognized_cases[0])

    maintenance_session(stage, adopt)
    assert stage.finished().status == "done" and stage.service.posts == 3


def test_releases_a_tool_when_a_late_call_is_recognized():
    stage = harness_of(
        """
        steps:
          write:
            uses: craft_prompt
            with: {brief: a, tool_name: image_editor, model: any}
          second:
            uses: image_editor
            with: {prompt: "${{ steps.write.prompt }}"}
          first:
            uses: image_editor
            with: {prompt: alone}
        """,
        budget=100,
        limits=Limits(batch=1),
    )
    stage.script.latency_s = lambda method: 10.0 if method == "craft_prompt" else 0.1
    stage.service.fate = lambda tool, params, number: Fate(2.0)
    backup = {}
    stage.finished(meanwhile=when(has(e.RunStarted), lambda stage, _: backup.update(j=copy.deepcopy(stage.journal))))
    only = next(task for task in stage.service.tasks.values() if task.inputs[0]["prompt"] == "alone")
    del stage.service.tasks[only.task_id]  # as if it had never been made
    stage.journal = backup["j"].survives()
    assert stage.finished().status == "done"
    assert stage.service.posts == 3, "the one that was not made; the other was recognised when it was ready"


def test_finds_a_request_left_on_the_wire_by_a_dead_run():
    stage = harness_of(ALONE, budget=10)
    assert stage.run(dies_at_s=0.55) is None
    assert stage.state().submissions[1].outcome is Outcome.OPEN
    assert stage.finished().status == "done"
    kinds = [type(event).__name__ for event in stage.events()]
    assert "OutcomeUnknown" in kinds and stage.service.posts == 1


# ---------------------------------------------------------------------------------------------------------------- assets


class FolderStore(MemoryStore):
    """A memory store whose files lie on a disk too."""

    async def save(self, name, asset_id, chunks, expected):
        saved = await super().save(name, asset_id, chunks, expected)
        path = self.folder / saved.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.files[saved.path])
        return saved


PHOTO = """
inputs: {photo: {type: string, default: photo.png}}
steps:
  upload:
    uses: upload
    with: {source: "${{ inputs.photo }}"}
  draw:
    uses: image_editor
    with: {prompt: a, image_assets: ["${{ steps.upload.asset_id }}"]}
  keep:
    uses: download
    with: {asset_ids: "${{ steps.draw.asset_ids }}"}
  enlarge:
    uses: upscaler
    with: {image_asset_id: "${{ steps.draw.asset_id }}"}
"""


def interrupted_after(kind, count, tmp_path: Path, text=PHOTO) -> Harness:
    """A run that was stopped when so many facts of a kind were there; then a night passes."""
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"a photo")
    stage = harness_of(text, budget=100, inputs={"photo": str(photo)}, store=FolderStore(tmp_path / "out"))
    stage.named_paths = (str(photo),)
    stage.finished(meanwhile=when(has(kind, count), lambda s, stop: stop.request()))
    return stage


def gone(stage, asset_id):
    del stage.service.assets[asset_id]


def test_uploads_a_vanished_upload_again_before_paying(tmp_path):
    stage = interrupted_after(e.Produced, 1, tmp_path)
    old = stage.state().instances["upload"].results["asset_id"]
    assert stage.service.posts == 0
    stage.clock.advance(86_400)
    gone(stage, old)
    assert stage.finished().status == "done"
    new = stage.state().instances["upload"].results["asset_id"]
    assert new != old and stage.intents()[0].calls[0].params["image_assets"] == [new]
    assert any(isinstance(event, e.Reopened) and event.instances == ("upload",) for event in stage.events())


def test_on_the_same_day_no_asset_is_asked_for(tmp_path):
    stage = interrupted_after(e.Produced, 1, tmp_path)
    assert stage.finished().status == "done"
    assert "asset" not in stage.provider.asked


def test_uploads_a_missing_generated_asset_from_disk(tmp_path):
    stage = interrupted_after(e.Produced, 2, tmp_path)
    (old,) = stage.state().instances["draw"].results["asset_ids"]
    posts = stage.service.posts
    stage.clock.advance(86_400)
    gone(stage, old)
    report = stage.finished()
    assert report.status == "done" and stage.service.posts == posts + 1
    (new,) = stage.state().instances["draw"].results["asset_ids"]
    assert new != old and stage.intents()[-1].calls[0].params == {"image_asset_id": new}
    assert stage.state().totals.charged == 3
    assert stage.finished().status == "done" and "download" not in stage.provider.asked


def test_prices_a_generated_asset_gone_for_good_and_pays_nothing(tmp_path):
    without_file = PHOTO.replace("keep:", "keep:\n    if: false")
    stage = interrupted_after(e.Produced, 2, tmp_path, without_file)
    (old,) = stage.state().instances["draw"].results["asset_ids"]
    posts = stage.service.posts
    stage.clock.advance(86_400)
    gone(stage, old)
    report = stage.finished()
    assert (report.exit_status, stage.service.posts) == (4, posts)
    code, said, hint = report.reasons[0]
    assert code == "ZF645" and "it must be made again, 2 credits" in said and "--again draw" in hint


def test_with_a_person_s_word_it_is_made_again_within_the_budget(tmp_path):
    without_file = PHOTO.replace("keep:", "keep:\n    if: false")
    stage = interrupted_after(e.Produced, 2, tmp_path, without_file)
    (old,) = stage.state().instances["draw"].results["asset_ids"]
    stage.clock.advance(86_400)
    gone(stage, old)
    stage.finished()
    assert stage.finished(changes=Changes(again=("draw",))).status == "done"
    (new,) = stage.state().instances["draw"].results["asset_ids"]
    assert new != old and stage.state().totals.charged == 5
    assert stage.charges() == {("draw", 1): 1, ("draw", 2): 1, ("enlarge", 1): 1}


def test_digests_of_saved_files_are_those_of_the_disk(tmp_path):
    stage = interrupted_after(e.FileSaved, 1, tmp_path)
    (file,) = stage.state().files["keep"].values()
    assert hashlib.sha256((tmp_path / "out" / file.path).read_bytes()).hexdigest() == file.sha256


def test_does_not_finish_a_run_with_something_unknown():
    """What an old intent was for has been made elsewhere meanwhile, by another copy of the journal: it may be charged too."""
    stage = harness_of(ALONE, budget=100)
    stage.script.submits.append(response_faults.lost_before_the_charge)
    stage.script.always["transactions"] = "server"  # no second witness: nothing is conclusive
    assert stage.finished().exit_status == 4
    results = {"asset_id": None, "asset_ids": []}
    made = e.Produced("2026-11-21T12:00:00Z", "draw", results)
    lease = stage.journal.take_lease("run-1")
    stage.journal.append(lease, [made])
    stage.journal.release_lease(lease)
    for _ in range(2):
        report = stage.finished()
        assert (report.status, report.exit_status, report.steps["draw"].status) == ("stopped", 4, "done")
        ((code, said, hint),) = report.reasons
        assert code == "ZF642" and said.startswith("#1 (image_editor for draw, 2 credits) is unknown")
        assert "zenflow reconcile RUN" in hint and said == report.reason
    assert stage.state().totals.unknown == 2 and stage.service.posts == 0


# ------------------------------------------------------------------------- what a restored journal does not know, and money

FORGOTTEN = """
steps:
  wait:
    uses: craft_prompt
    with: {brief: a, tool_name: image_editor, model: any}
  tell:
    foreach: [x, y, z]
    needs: [wait]
    uses: run_any_llm
    with: {prompt: "${{ item }}"}
"""


def forgotten(credits, *, budget, echoes=True, rows=True):
    """A journal put back from before anything was paid: a task of this run that it does not know, of another tool."""
    stage = harness_of(FORGOTTEN, budget=budget)
    stage.limits = Limits(batch=1)
    assert stage.run(dies_at_s=0.15) is None
    comment = f"{stage.state().started.stamp_run}zzzzzzzzzzzz zenflow"
    stage.service.create("image_editor", [{"prompt": "?", "number_of_images": credits // 2}], comment, posted=False)
    stage.script.listing_faults.echoes_inputs = echoes
    if not rows:
        stage.script.always["transactions"] = "server"
    return stage


@pytest.mark.parametrize("rows", [True, False], ids=["by its debit", "by its price"])
@pytest.mark.parametrize(("budget", "made"), [(10, 3), (9, 3), (8, 2), (6, 0)])
def test_counts_a_task_missing_from_the_journal(budget, made, rows):
    stage = forgotten(6, budget=budget, rows=rows)
    report = stage.finished()
    assert (stage.service.posts, report.exit_status) == (made, 4)
    assert -sum(row.amount for row in stage.service.rows) <= budget
    codes = {code for code, _, _ in report.reasons}
    assert codes == ({"ZF646"} if made == 3 else {"ZF646", "ZF620"})
    assert stage.finished().exit_status == 4 and stage.service.posts == made, "nor by the next resume"


def test_pays_nothing_while_a_task_has_an_unknown_cost():
    stage = forgotten(6, budget=100, echoes=False, rows=False)
    report = stage.finished()
    assert (stage.service.posts, report.exit_status) == (0, 4)
    assert {code for code, _, _ in report.reasons} == {"ZF646"}
    assert any("nobody can say what it has cost" in said for _, said, _ in report.reasons)
    del stage.script.always["transactions"]
    assert stage.finished().exit_status == 4 and stage.service.posts == 3, "its debit is seen now"


def test_counts_a_recognized_call_once_at_its_charge():
    stage = harness_of(CHAIN, budget=6)
    backup = {}
    stage.finished(meanwhile=when(has(e.RunStarted), lambda stage, _: backup.update(j=copy.deepcopy(stage.journal))))
    stage.journal, posts = backup["j"].survives(), stage.service.posts
    stage.service.price_factor = stage.service.price_factor / 2
    report = stage.finished()
    assert report.status == "done" and stage.service.posts == posts
    totals = stage.state().totals
    assert (totals.charged, totals.difference, totals.spent) == (6, 0, 6)


def test_holds_only_new_work_when_prices_fail():
    stage = forgotten(6, budget=100, rows=False)
    stage.script.always["quote"] = "server"
    report = stage.finished()
    assert (stage.service.posts, report.exit_status) == (0, 4)
    del stage.script.always["quote"]
    assert stage.finished().exit_status == 4 and stage.service.posts == 3
