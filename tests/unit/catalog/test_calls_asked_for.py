"""How many results, of what kind, for how long, and the price question of a call."""

from __future__ import annotations

import pytest

from zenflow.catalog.call_shapes import shape_of
from zenflow.catalog.check import check_call
from zenflow.catalog.model import Catalog
from zenflow.catalog.outputs import asked_bounds, asked_count, media_of, usual_duration_s
from zenflow.catalog.price_requests import price_request_for
from zenflow.catalog.prices import PLACEHOLDER_ASSET
from zenflow.expr.values import ASSET, STRING, Pending, Type

ASSET_ID = "0f0e0d0c-0000-4000-8000-000000000001"
OTHER_ID = "0f0e0d0c-0000-4000-8000-000000000002"
EDIT = {"prompt": "a hat", "image_assets": [ASSET_ID], "model": "SEEDREAM_5"}


def test_the_count_is_the_parameter_s_or_its_default_or_one(catalog: Catalog) -> None:
    editor, upscaler = catalog.tools["image_editor"], catalog.tools["upscaler"]
    assert asked_count(editor, {"number_of_images": 3}) == 3
    assert asked_count(editor, {}) == 1
    assert asked_count(upscaler, {}) == 1
    assert asked_count(catalog.tools["by_prompt"], {"batch_size": 4}) == 4
    assert asked_count("craft_prompt", {"count": 2}) == 2
    assert asked_count("pick", {}) == 1


def test_a_count_that_is_not_known_is_bounded_by_the_schema(catalog: Catalog) -> None:
    assert asked_bounds(catalog.tools["image_editor"], {"number_of_images": Pending()}) == (1, 4)
    assert asked_bounds("pick", {"count": Pending()}) == (1, None)


@pytest.mark.parametrize(
    ("tool", "media"), [("image_editor", "image"), ("videogen", "video"), ("lipsync", "video"), ("run_any_llm", "text")]
)
def test_what_a_tool_makes_is_read_from_its_schema(catalog: Catalog, tool: str, media: str) -> None:
    assert media_of(catalog.tools[tool]) == media


def test_takes_longer_for_clips_than_pictures(catalog: Catalog) -> None:
    video, picture = catalog.tools["videogen"], catalog.tools["image_editor"]
    assert usual_duration_s(picture) < usual_duration_s(video) < usual_duration_s(video, "wan@3.0")


def test_questions_that_differ_in_prompt_seed_and_assets_are_one(catalog: Catalog) -> None:
    tool = catalog.tools["image_editor"]
    one = price_request_for(tool, {**EDIT, "seed": 1})
    other = price_request_for(tool, {**EDIT, "prompt": "a coat", "image_assets": [OTHER_ID], "seed": 2})
    assert one.key == other.key
    assert not one.placeholder


@pytest.mark.parametrize(
    "change",
    [{"model": "NANO_BANANA"}, {"number_of_images": 2}, {"image_assets": [ASSET_ID, OTHER_ID]}, {"seed": 3}],
)
def test_questions_that_may_differ_in_price_are_two(catalog: Catalog, change: dict[str, object]) -> None:
    tool = catalog.tools["image_editor"]
    assert price_request_for(tool, EDIT).key != price_request_for(tool, {**EDIT, **change}).key


def test_a_field_that_a_debit_contradicted_counts_again(catalog: Catalog) -> None:
    tool, off = catalog.tools["image_editor"], frozenset({"prompt"})
    keys = {price_request_for(tool, {**EDIT, "prompt": text}, off_list=off).key for text in ("a", "b")}
    assert len(keys) == 2


def test_a_left_out_model_is_asked_as_the_default(catalog: Catalog) -> None:
    tool = catalog.tools["by_prompt"]
    left_out = price_request_for(tool, {"positive_prompt": "x"})
    written = price_request_for(tool, {"positive_prompt": "x", "model": "SEEDREAM_5"})
    assert left_out.key == written.key


def test_asks_with_placeholders_that_satisfy_the_schema(catalog: Catalog) -> None:
    tool = catalog.tools["image_editor"]
    assets = Pending("steps.x.asset_ids", Type("array", items=ASSET, count=3))
    params = {"prompt": Pending("p", STRING), "image_assets": assets, "tier": Pending(), "number_of_images": Pending()}
    question = price_request_for(tool, {**params, "model": "SEEDREAM_5"})
    assert question.placeholder
    assert question.params["image_assets"] == [PLACEHOLDER_ASSET] * 3
    assert check_call(tool, question.params) == []


def test_a_stand_in_has_the_price_key_of_the_real_thing(catalog: Catalog) -> None:
    tool = catalog.tools["image_editor"]
    planned = price_request_for(tool, {**EDIT, "prompt": Pending(), "image_assets": [Pending("x", ASSET)]})
    assert planned.key == price_request_for(tool, EDIT).key


def test_calls_that_differ_in_a_good_text_have_one_shape(catalog: Catalog) -> None:
    tool = catalog.tools["image_editor"]
    assert shape_of(tool, EDIT) == shape_of(tool, {**EDIT, "prompt": "another"})


@pytest.mark.parametrize("prompt", ["", 7, None, ["a"], "x" * 6000])
def test_a_bad_text_has_a_shape_of_its_own_so_that_it_is_checked(catalog: Catalog, prompt: object) -> None:
    tool = catalog.tools["image_editor"]
    assert shape_of(tool, EDIT) != shape_of(tool, {**EDIT, "prompt": prompt})


def test_a_boolean_and_a_number_are_not_alike(catalog: Catalog) -> None:
    tool = catalog.tools["image_editor"]
    assert shape_of(tool, {"number_of_images": 1}) != shape_of(tool, {"number_of_images": True})
