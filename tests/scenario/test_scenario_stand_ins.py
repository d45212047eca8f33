"""Prices asked with a stand-in for what is not made yet: asked again before what leads there is paid (docs/money.md,
“Budget”)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.support.build import harness_of, recipe_of
from tests.support.offers import OFFERS, catalog_of
from tests.support.service import Fate, ScriptedService
from zenflow.catalog.price_requests import price_request_for
from zenflow.catalog.prices import PriceBook, Quote
from zenflow.engine.model.ports import Limits
from zenflow.expr.values import Pending
from zenflow.plan.build import PlanRequest, build_plan
from zenflow.plan.model import ReuseEstimate

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ASSET = "0b0b0b0b-0000-4000-8000-000000000001"
CHAIN = """
steps:
  wait:
    uses: craft_prompt
    with: {brief: a, tool_name: image_editor, model: any}
  draw:
    needs: [wait]
    uses: image_editor
    with: {prompt: drawn}
  up:
    uses: upscaler
    with: {image_asset_id: "${{ steps.draw.asset_id }}"}
  film:
    uses: videogen
    with: {prompt: film, image_assets: ["${{ steps.up.asset_id }}"]}
  save:
    uses: download
    with: {asset_ids: "${{ steps.film.asset_ids }}"}
"""
INNER = """
inputs: {picture: {type: string}}
steps:
  up:
    uses: upscaler
    with: {image_asset_id: "${{ inputs.picture }}"}
outputs: {picture: "${{ steps.up.asset_id }}"}
"""


def dearer(stage, tool, at_s, factor=2):
    """From a moment on one tool costs more, in quotes and charges alike."""
    offers = dict(stage.service.offers)
    offer = offers[tool]

    def rise():
        offers[tool] = replace(offer, each=offer.each * factor)
        stage.service.offers = offers

    stage.service.later(at_s, rise)


def codes(report):
    return [code for code, _, _ in report.reasons]


def slow_words(stage, seconds=5.0):
    """What is free takes its time: the plan is older than the first paid call."""
    stage.script.latency_s = lambda method: seconds if method == "craft_prompt" else 0.1


def test_stops_before_paying_towards_a_step_that_rose_in_price():
    stage = harness_of(CHAIN, budget=100)
    slow_words(stage)
    dearer(stage, "videogen", 2.0)
    report = stage.finished()
    assert (report.exit_status, stage.service.posts) == (4, 0)
    assert codes(report) == ["ZF633"]
    (_, said, _) = report.reasons[0]
    assert said.startswith("draw:") and "`film`" in said and "5 → 10 credits" in said


def test_a_resume_shows_the_new_price_and_goes_on_at_it():
    stage = harness_of(CHAIN, budget=100)
    slow_words(stage)
    dearer(stage, "videogen", 2.0)
    stage.finished()
    assert stage.finished().status == "done"
    assert -sum(row.amount for row in stage.service.rows) == 2 + 1 + 10


def test_stops_a_half_done_chain_when_its_next_price_rises():
    stage = harness_of(CHAIN, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(60.0)
    dearer(stage, "videogen", 30.0)
    report = stage.finished()
    assert (report.exit_status, codes(report)) == (4, ["ZF633"])
    assert [task.tool for task in stage.service.tasks.values()] == ["image_editor"]
    assert stage.finished().status == "done"


def test_does_not_pay_a_placeholder_price_that_rose():
    stage = harness_of(CHAIN, budget=100)
    stage.service.fate = lambda tool, params, number: Fate(60.0)
    dearer(stage, "videogen", 100.0)
    report = stage.finished()
    assert (report.exit_status, codes(report)) == (4, ["ZF633"])
    assert report.reasons[0][1].startswith("film:")
    assert [task.tool for task in stage.service.tasks.values()] == ["image_editor", "upscaler"]
    assert stage.finished().status == "done"


def test_a_price_that_fell_stops_nothing():
    stage = harness_of(CHAIN, budget=100)
    slow_words(stage)
    dearer(stage, "videogen", 2.0, Decimal("0.5"))
    assert stage.finished().status == "done"


def test_other_branches_go_on():
    stage = harness_of(
        CHAIN + "  alone:\n    needs: [wait]\n    uses: image_editor\n    with: {prompt: alone}\n", budget=100
    )
    slow_words(stage)
    dearer(stage, "videogen", 2.0)
    report = stage.finished()
    assert (report.steps["alone"].status, report.steps["draw"].status) == ("done", "stopped")
    assert stage.service.posts == 1


@pytest.mark.parametrize(("tool", "path"), [("upscaler", "make/up"), ("videogen", "last")])
def test_counts_steps_inside_a_recipe_as_following(tool, path):
    text = """
    steps:
      wait: {uses: craft_prompt, with: {brief: a, tool_name: image_editor, model: any}}
      draw: {needs: [wait], uses: image_editor, with: {prompt: drawn}}
      make: {uses: ./inner.yaml, with: {picture: "${{ steps.draw.asset_id }}"}}
      last: {uses: videogen, with: {prompt: last, image_assets: ["${{ steps.make.picture }}"]}}
    """
    stage = harness_of(text, {"inner.yaml": INNER}, budget=100)
    slow_words(stage)
    dearer(stage, tool, 2.0)
    report = stage.finished()
    assert (report.exit_status, stage.service.posts) == (4, 0)
    assert codes(report) == ["ZF633"] and f"`{path}`" in report.reasons[0][1]


def test_does_not_pay_more_for_a_real_asset_unasked(monkeypatch):
    text = """
    steps:
      photo: {uses: upload, with: {source: "data:image/png;base64,aGVsbG8="}}
      film: {uses: videogen, with: {prompt: x, image_assets: ["${{ steps.photo.asset_id }}"]}}
    """
    stage = harness_of(text, budget=100)
    price = ScriptedService.price

    def by_asset(self, tool, params):
        real = any(one in self.assets for one in params.get("image_assets", ()))
        return price(self, tool, params) + (3 if real else 0)

    monkeypatch.setattr(ScriptedService, "price", by_asset)
    report = stage.finished()
    assert (report.exit_status, codes(report), stage.service.posts) == (4, ["ZF633"], 0)
    assert "5 → 8 credits" in report.reasons[0][1]


def test_never_answers_a_real_question_with_a_placeholder_price():
    tool = OFFERS["upscaler"].tool
    guess, real = (
        price_request_for(tool, {"image_asset_id": Pending()}),
        price_request_for(tool, {"image_asset_id": ASSET}),
    )
    assert guess.key == real.key and guess.placeholder and not real.placeholder
    book = PriceBook()
    assert book.missing([guess, real]) == [real]
    assert not book.missing([guess, real])[0].placeholder
    book.add(guess, Quote(Decimal(1), NOW, placeholder=True))
    assert (book.missing([guess]), book.missing([real])) == ([], [real])
    book.add(real, Quote(Decimal(2), NOW))
    assert book.missing([guess, real]) == [] and book.find(guess).credits == 2


def test_asks_one_question_for_all_that_leads_there():
    many = CHAIN.replace("  draw:\n", "  draw:\n    foreach: ${{ range(6) }}\n")
    many = many.replace('"${{ steps.draw.asset_id }}"', '"${{ item }}"').replace(
        "  up:\n", "  up:\n    foreach: ${{ steps.draw.asset_ids }}\n"
    )
    many = many.replace('["${{ steps.up.asset_id }}"]', '["${{ steps.up[0].asset_id }}"]')
    stage = harness_of(many, budget=100, limits=Limits(batch=1))
    stage.service.fate = lambda tool, params, number: Fate(5.0)
    assert stage.finished().status == "done"
    assert stage.provider.asked["quote"] <= 6, "draw, up and film before draw; up and film for real"


def test_prices_the_rest_of_a_run_with_the_real_asset():
    text = """
    steps:
      photo: {uses: upload, with: {source: "data:image/png;base64,aGVsbG8="}}
      film: {uses: videogen, with: {prompt: x, image_assets: ["${{ steps.photo.asset_id }}"]}}
    """
    asked = []

    async def ask(price_requests):
        asked.extend(price_requests)
        return {
            q.key: Quote(Decimal(5 if q.placeholder else 8), NOW, placeholder=q.placeholder) for q in price_requests
        }

    known = ReuseEstimate(new=({"prompt": "x", "image_assets": [ASSET]},), complete=True)
    request = PlanRequest(
        recipe=recipe_of(text), inputs={}, server="scripted", catalog=catalog_of(), reuse_estimates={"film": known}
    )
    plan = asyncio.run(build_plan(request, ask))
    assert [price_request.placeholder for price_request in asked] == [True, False]
    assert plan.steps["film"].credits.expected == 8
    assert not any(quote.placeholder for quote in plan.prices.quotes.values())
