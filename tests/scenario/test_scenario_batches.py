"""In which batches paid calls go out, how many at once, and how few requests it takes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.crash.test_every_append import RECIPES, recipe_at, stage_for
from tests.support import response_faults
from tests.support.build import harness_of
from tests.support.service import Fate
from zenflow.engine.model.ports import Limits
from zenflow.history import events as e


def many(count, **parts):
    return harness_of(
        f"""
        steps:
          draw:
            foreach: ${{{{ range({count}) }}}}
            uses: image_editor
            with: {{prompt: "picture ${{{{ item }}}}"}}
          up:
            foreach: ${{{{ steps.draw.asset_ids }}}}
            uses: upscaler
            with: {{image_asset_id: "${{{{ item }}}}"}}
          save:
            uses: download
            with: {{asset_ids: "${{{{ steps.up.asset_ids }}}}"}}
        """,
        budget=10_000,
        **parts,
    )


def sizes(stage):
    return [len(intent.calls) for intent in stage.intents()]


def most_at_once(stage):
    """The most calls that ran at the service at any one time."""
    edges = sorted(
        edge
        for task in stage.service.tasks.values()
        for call in task.calls
        for edge in ((task.created_s, 1), (call.ends_s, -1))
    )
    running = peak = 0
    for _, step in edges:
        running += step
        peak = max(peak, running)
    return peak


def test_sends_a_fan_out_of_fifty_as_one_batch_per_tool():
    stage = many(50)
    assert stage.finished().status == "done"
    assert sizes(stage) == [50, 50]
    requests = sum(stage.provider.asked.values()) - stage.provider.asked["download"] + stage.service.posts
    assert requests <= 2 * 100, stage.provider.asked


def test_keeps_batches_within_fifty_and_the_in_flight_limit():
    stage = many(120)
    assert stage.finished().status == "done"
    assert max(sizes(stage)) <= 50 and most_at_once(stage) <= 50
    narrow = many(30, limits=Limits(in_flight=7))
    assert narrow.finished().status == "done"
    assert most_at_once(narrow) <= 7 and max(sizes(narrow)) <= 7


def test_a_batch_is_of_one_tool():
    stage = harness_of("""
    steps:
      draw: {uses: image_editor, with: {prompt: x}}
      film: {uses: videogen, with: {prompt: y}}
    """)
    stage.finished()
    assert sorted((intent.tool, len(intent.calls)) for intent in stage.intents()) == [
        ("image_editor", 1),
        ("videogen", 1),
    ]


def test_no_submission_costs_more_than_the_bound():
    stage = many(20, limits=Limits(max_submission=Decimal(10)))
    assert stage.finished().status == "done"
    assert all(intent.quote <= 10 for intent in stage.intents())


@pytest.mark.parametrize("budget", [8, 20, 1000])
def test_four_variations_are_one_task_with_four_calls(budget):
    text = """
    steps:
      draw: {foreach: [a, b, c, d], uses: image_editor, with: {prompt: "${{ item }}"}}
    """
    stage = harness_of(text, budget=budget)
    assert stage.finished().status == "done" and sizes(stage) == [4]


def test_the_default_bound_applies_to_large_amounts_only():
    stage = many(50)
    stage.budget = 480
    stage.service.price_factor = Decimal(2)
    assert stage.finished().status == "done"
    assert max(intent.quote for intent in stage.intents()) <= 120, "a quarter of the budget"
    assert len(stage.intents()) > 2


def test_shipped_recipes_send_one_task_for_each_paid_step():
    for path in RECIPES:
        stage = stage_for(recipe_at(path))
        stage.service.fate = lambda tool, params, number: Fate(30.0)
        assert stage.finished().status == "done", path.name
        steps = {call.instance.partition(".")[0] for intent in stage.intents() for call in intent.calls}
        tools = {intent.tool for intent in stage.intents()}
        assert stage.service.posts == len(stage.intents()) <= max(len(steps), len(tools)), (path.name, sizes(stage))


def test_a_call_dearer_than_the_bound_still_goes_alone():
    stage = many(2, limits=Limits(max_submission=Decimal(1)))
    assert stage.finished().status == "done" and set(sizes(stage)) == {1}


def test_equal_price_questions_are_asked_once():
    stage = many(50)
    stage.finished()
    assert stage.provider.asked["quote"] == 3, "of the one, of what follows with a stand-in, of that in truth"


def test_polls_keep_their_distance():
    stage = many(1)
    stage.service.fate = lambda tool, params, number: Fate(200.0)
    stage.finished()
    assert stage.provider.asked["list_tasks"] <= 2 * 200 / 2 + 5


def test_requests_keep_to_the_rate():
    stage = many(50, limits=Limits(requests_per_second=2.0))
    assert stage.finished().status == "done"
    asked = sum(stage.provider.asked.values()) - stage.provider.asked["download"] + stage.service.posts
    assert asked <= 2.0 * stage.clock.monotonic_s() + 3


def test_a_chain_takes_little_more_than_its_longest_way():
    stage = many(50)
    stage.service.fate = lambda tool, params, number: Fate(40.0 if tool == "image_editor" else 10.0)
    stage.finished()
    assert stage.clock.monotonic_s() < 50 * 1.05 + 2 * 2.0 + 10, "two paid levels, half a round each, and the rate"


def test_asks_again_for_a_quote_that_grew_old_in_the_queue():
    stage = many(2, limits=Limits(batch=1))
    stage.script.submits.append(response_faults.over_http(429, retry_after_s=59))
    stage.service.later(20.0, lambda: setattr(stage.service, "price_factor", Decimal(3)))
    report = stage.finished()
    prices = {intent.quote for intent in stage.intents() if intent.tool == "image_editor"}
    assert report.exit_status == 4 and prices == {Decimal(2)}
    charged = [task.charged for task in stage.service.tasks.values() if task.tool == "image_editor"]
    assert charged == [2], "nothing was paid at the new price"
    assert stage.moment_of(e.Intended, "draw.0") < 5


def test_in_flight_counts_what_rests_no_longer():
    stage = many(12, limits=replace(Limits(), in_flight=3))
    stage.service.fate = lambda tool, params, number: Fate(1e9 if params.get("prompt") == "picture 0" else 5.0)
    report = stage.finished()
    late = [one for one in report.steps["draw"].instances if one.status == "late"]
    assert len(late) == 1 and report.exit_status == 4
    assert sum(one.status == "done" for one in report.steps["up"].instances) == 11


def free_calls(surcharge):
    harness = harness_of(
        """
        steps:
          draw: {foreach: [a, b, c, d, e], uses: image_editor, with: {prompt: "${{ item }}"}}
        """,
        budget=20,
    )
    harness.service.price_factor = Decimal(0)
    harness.service.surcharge = Decimal(surcharge)
    return harness


def test_a_call_quoted_at_zero_goes_out_alone_first():
    harness = free_calls(0)
    assert harness.finished().status == "done" and sizes(harness) == [1, 4]


def test_after_a_hidden_charge_nothing_more_goes_out_at_zero():
    harness = free_calls(3)
    report = harness.finished()
    assert report.exit_status == 4 and sizes(harness) == [1]
    assert -sum(row.amount for row in harness.service.rows) == 3


def test_an_open_call_at_zero_stops_the_run():
    harness = free_calls(0)
    harness.script.submit = lambda one: response_faults.lost_before_the_charge
    harness.script.always["transactions"] = "server"
    report = harness.finished()
    assert report.exit_status == 4 and sizes(harness) == [1]
