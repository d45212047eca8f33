"""Whatever events a journal holds: manifest, show, report, ledger and fetch give an answer, and it is JSON."""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.test_fold_properties import AT, histories, instances, numbers, positions, rows, words
from tests.support.build import RUN_ID, harness_of
from tests.support.maintenance import maintenance_session
from zenflow.app.running.manifest import instance_items
from zenflow.cli.terminal.style import Style
from zenflow.cli.views.run import draw_run
from zenflow.engine.maintenance.fetch_all import collect, take_in
from zenflow.engine.reporting.replay import look_at
from zenflow.history import codec
from zenflow.history import events as e
from zenflow.report.build_run_view import run_view
from zenflow.report.ledger import call_rows, ledger_rows
from zenflow.report.manifest import manifest_document
from zenflow.report.run_document import run_document
from zenflow.report.run_view_document import run_view_document

RECIPE = """
inputs: {looks: {type: array, items: {type: string}, default: [a, b]}}
steps:
  upload: {uses: image_editor, with: {prompt: "${{ inputs.looks[0] }}"}}
  generate:
    foreach: ${{ inputs.looks }}
    on_error: continue
    uses: image_editor
    with: {prompt: "${{ item }}"}
  upscale:
    foreach: ${{ steps.generate }}
    uses: upscaler
    with: {image_asset_id: "${{ item.asset_id | default(steps.upload.asset_id) }}"}
  save: {uses: download, with: {asset_ids: "${{ steps.upscale.asset_ids }}", name: "${{ origin.generate.item }}"}}
outputs: {all: "${{ steps.generate.asset_ids }}", files: "${{ steps.save.files }}"}
"""
RESULTS = st.sampled_from(
    [{}, {"x": 1}, {"asset_id": None, "asset_ids": []}, {"asset_id": "a", "asset_ids": ["a", None], "credits": 1.5}]
)
made = st.builds(e.Produced, st.just(AT), instances, RESULTS, st.none() | numbers, st.none() | positions)
files = st.builds(
    e.FileSaved,
    st.just(AT),
    st.just("save"),
    st.integers(0, 2),
    words,
    rows,
    words,
    st.integers(0, 9),
    words,
    instances,
)
more = st.one_of(
    made,
    files,
    st.builds(e.ResultAwaited, st.just(AT), instances, numbers, positions),
    st.builds(e.NotRetrievable, st.just(AT), instances, numbers, positions, words, st.just({"text": ["x"]})),
    st.builds(e.Picked, st.just(AT), instances, st.just(("a",))),
    st.builds(e.Noted, st.just(AT), st.just("ZF640"), words),
    st.builds(e.Contradicted, st.just(AT), numbers, words, st.booleans()),
    st.builds(e.BudgetChanged, st.just(AT), st.just(Decimal(5))),
)
any_history = st.builds(lambda first, then: [*first, *then], histories, st.lists(more, max_size=10))


def begun():
    """The first event of a real run."""
    stage = harness_of(RECIPE, budget=100)
    stage.run(dies_at_s=0.05)
    (started,) = [event for event in stage.events() if isinstance(event, e.RunStarted)]
    return stage, started


STARTED = begun()[1]


def test_the_histories_hold_every_kind_of_event():
    kinds = set(codec.TAGS.values()) - {e.RunStarted, e.RecipeChanged}
    found = set()

    @settings(max_examples=1500, deadline=None, database=None, derandomize=True)
    @given(any_history)
    def draw(history):
        found.update(type(event) for event in history)

    draw()
    assert kinds <= found, kinds - found


@settings(max_examples=100, deadline=None)
@given(any_history)
def test_every_view_of_any_history_is_json(history):
    events = [STARTED, *history]
    report = look_at(events)
    json.dumps(manifest_document(report, instance_items(report)))
    json.dumps(run_document(report))
    json.dumps(run_view_document(run_view(events)))
    call_rows(report.state), ledger_rows(report.state)
    assert draw_run(report, Style(False), 80)


@settings(max_examples=25, deadline=None)
@given(any_history)
def test_fetch_takes_any_history(history):
    stage, started = begun()
    run = stage.journal._store.runs[RUN_ID]
    run.lines[:] = [codec.encode(event) for event in [started, *history]]
    run.read.clear()

    async def fetch(session):
        await take_in(session)
        await collect(session)

    maintenance_session(stage, fetch)
