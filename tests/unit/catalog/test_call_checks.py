"""What is said of a call before it is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from zenflow.catalog.check import check_call, with_default_model
from zenflow.catalog.gates import Gates, check_nsfw
from zenflow.catalog.model import Account, Catalog, Tool
from zenflow.expr.values import ASSET, INTEGER, Pending, Type
from zenflow.problems import Problem

ASSET_ID = "0f0e0d0c-0000-4000-8000-000000000001"
EDIT: dict[str, Any] = {"prompt": "a hat", "image_assets": [ASSET_ID], "model": "SEEDREAM_5"}
UPSCALE: dict[str, Any] = {"image_asset_id": ASSET_ID, "output_format": "png"}


def codes(problems: list[Problem]) -> list[str]:
    return [problem.code for problem in problems]


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, problems
    return problems[0]


def test_a_good_call_has_no_problem(catalog: Catalog) -> None:
    assert check_call(catalog.tools["image_editor"], EDIT, gates=Gates()) == []


def test_names_near_and_allowed_parameters(catalog: Catalog) -> None:
    problem = only(check_call(catalog.tools["image_editor"], {**EDIT, "promt": "x"}))
    assert problem.code == "ZF401"
    assert "Did you mean `prompt`?" in str(problem.hint)
    assert "number_of_images" in str(problem.hint)


def test_a_missing_output_format_is_an_error_with_the_choices(catalog: Catalog) -> None:
    problem = only(check_call(catalog.tools["upscaler"], {"image_asset_id": ASSET_ID}))
    assert problem.code == "ZF402"
    assert "png, jpeg, webp" in str(problem.hint)


def test_a_parameter_that_is_null_counts_as_missing(catalog: Catalog) -> None:
    assert codes(check_call(catalog.tools["upscaler"], {**UPSCALE, "output_format": None})) == ["ZF402"]


def test_an_optional_parameter_that_is_null_is_not_sent(catalog: Catalog) -> None:
    assert check_call(catalog.tools["image_editor"], {**EDIT, "seed": None}) == []


@pytest.mark.parametrize(
    ("name", "value", "code", "says"),
    [
        ("prompt", 2024, "ZF403", 'Quote it: `prompt: "2024"`'),
        ("number_of_images", "2", "ZF403", "Leave out the quotes"),
        ("rewrite_prompt", "yes", "ZF403", "true or false"),
        ("number_of_images", 9, "ZF405", "at most 4"),
        ("number_of_images", 0, "ZF405", "at least 1"),
        ("number_of_images", True, "ZF403", "whole number"),
        ("ratio", "3:5", "ZF404", "3:4"),
        ("prompt", "", "ZF406", "at least 1"),
        ("image_assets", [], "ZF407", "at least 1"),
        ("image_assets", ASSET_ID, "ZF409", "a list of one"),
        ("prompt", ["a"], "ZF409", "foreach"),
        ("image_assets", ["photos/me.jpg"], "ZF408", "upload"),
        ("image_assets", ["nonsense"], "ZF408", "UUID"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(
    catalog: Catalog, name: str, value: Any, code: str, says: str
) -> None:
    problem = only(check_call(catalog.tools["image_editor"], {**EDIT, name: value}))
    assert problem.code == code
    assert says in f"{problem.message} {problem.hint}"


def test_everything_wrong_with_a_call_is_said_at_once(catalog: Catalog) -> None:
    wrong = {"prompt": 1, "number_of_images": 9, "colour": "red", "model": "SEEDREAM5"}
    assert sorted(codes(check_call(catalog.tools["image_editor"], wrong, gates=Gates()))) == [
        "ZF401",
        "ZF402",
        "ZF403",
        "ZF405",
        "ZF420",
    ]


# --- values that are not known yet ----------------------------------------------------------------------------------


def test_a_pending_value_of_a_fitting_type_passes(catalog: Catalog) -> None:
    params = {**EDIT, "prompt": Pending(), "image_assets": [Pending("steps.upload.asset_id", ASSET)]}
    assert check_call(catalog.tools["image_editor"], params, gates=Gates()) == []


def test_a_pending_number_is_no_text(catalog: Catalog) -> None:
    problem = only(check_call(catalog.tools["image_editor"], {**EDIT, "prompt": Pending("inputs.n", INTEGER)}))
    assert problem.code == "ZF403"
    assert "inputs.n is an integer" in problem.message


def test_suggests_foreach_for_a_list_in_place_of_one_asset(catalog: Catalog) -> None:
    given = Pending("steps.generate.asset_ids", Type("array", items=ASSET))
    problem = only(check_call(catalog.tools["upscaler"], {**UPSCALE, "image_asset_id": given}))
    assert problem.code == "ZF409"
    assert "foreach: ${{ steps.generate.asset_ids }}" in str(problem.hint)
    assert "${{ steps.generate.asset_id }}" in str(problem.hint)


def test_one_asset_where_a_list_is_meant_suggests_brackets(catalog: Catalog) -> None:
    given = Pending("steps.upload.asset_id", ASSET)
    problem = only(check_call(catalog.tools["image_editor"], {**EDIT, "image_assets": given}))
    assert problem.code == "ZF409"
    assert '["${{ steps.upload.asset_id }}"]' in str(problem.hint)


def test_a_list_inside_brackets_says_to_leave_them_out(catalog: Catalog) -> None:
    given = [Pending("steps.generate.asset_ids", Type("array", items=ASSET))]
    problem = only(check_call(catalog.tools["image_editor"], {**EDIT, "image_assets": given}))
    assert "Without the brackets" in str(problem.hint)


def test_a_picture_that_is_not_uploaded_says_to_upload_it(catalog: Catalog) -> None:
    given = Pending("inputs.photo", Type("image"))
    problem = only(check_call(catalog.tools["upscaler"], {**UPSCALE, "image_asset_id": given}))
    assert problem.code == "ZF413"
    assert "upload it first" in problem.message


def test_a_sound_is_no_picture(catalog: Catalog) -> None:
    given = Pending("steps.voice.asset_id", Type("asset", media="audio"))
    problem = only(check_call(catalog.tools["upscaler"], {**UPSCALE, "image_asset_id": given}))
    assert problem.code == "ZF413"


def test_an_asset_of_unknown_kind_passes(catalog: Catalog) -> None:
    assert check_call(catalog.tools["upscaler"], {**UPSCALE, "image_asset_id": Pending("x", ASSET)}) == []


# --- models and gates -----------------------------------------------------------------------------------------------


def test_suggests_a_model_with_other_capitals(catalog: Catalog) -> None:
    problem = only(check_call(catalog.tools["image_editor"], {**EDIT, "model": "seedream_5"}, gates=Gates()))
    assert problem.code == "ZF420"
    assert "Did you mean `SEEDREAM_5`? Capitals count." in str(problem.hint)


def test_the_default_model_is_judged_like_a_written_one(catalog: Catalog) -> None:
    params = {key: value for key, value in EDIT.items() if key != "model"}
    problem = only(check_call(catalog.tools["image_editor"], params, gates=Gates()))
    assert problem.code == "ZF423"
    assert "default model" in problem.message


def test_the_default_model_is_sent_explicitly(catalog: Catalog) -> None:
    sent = with_default_model(catalog.tools["by_prompt"], {"positive_prompt": "x", "seed": None})
    assert sent == {"positive_prompt": "x", "model": "SEEDREAM_5"}


def _without_default(tool: Tool, *, kept: int | None = None, **field: Any) -> Tool:
    properties = {**tool.parameters, "model": {"type": "string", **field}}
    models = tuple(replace(model, is_default=False) for model in tool.models[:kept])
    schema = {**tool.input_schema, "properties": properties}
    return replace(tool, models=models, input_schema=schema, digest=f"{field} {kept}")


def test_a_tool_without_a_default_model_wants_one_named(catalog: Catalog) -> None:
    tool = _without_default(catalog.tools["by_prompt"])
    problem = only(check_call(tool, {"positive_prompt": "x"}, gates=Gates()))
    assert problem.code == "ZF427" and "SEEDREAM_5" in str(problem.hint) and "GENERAL_NSFW" not in str(problem.hint)
    assert check_call(tool, {"positive_prompt": "x", "model": "SEEDREAM_5"}, gates=Gates()) == []
    assert check_call(tool, {"positive_prompt": "x", "model": Pending("inputs.model")}, gates=Gates()) == []


def test_a_default_of_the_schema_or_an_only_model_is_the_default(catalog: Catalog) -> None:
    named = _without_default(catalog.tools["by_prompt"], default="QWEN_IMAGE")
    assert with_default_model(named, {"positive_prompt": "x"})["model"] == "QWEN_IMAGE"
    only_one = _without_default(catalog.tools["by_prompt"], kept=1)
    assert with_default_model(only_one, {"positive_prompt": "x"})["model"] == only_one.models[0].value
    unknown = _without_default(catalog.tools["by_prompt"], default="gone")
    assert only(check_call(unknown, {"positive_prompt": "x"}, gates=Gates())).code == "ZF427"


def test_a_trusted_model_needs_a_trusted_account(catalog: Catalog) -> None:
    account = Account("a", None, is_trusted=False)
    found = check_call(
        catalog.tools["image_editor"], {**EDIT, "model": "FLUX_KLEIN_LORA"}, gates=Gates(account=account)
    )
    assert codes(found) == ["ZF422"]
    assert "SEEDREAM_5" in str(found[0].hint)


def test_without_an_account_trust_is_not_judged(catalog: Catalog) -> None:
    assert check_call(catalog.tools["image_editor"], {**EDIT, "model": "FLUX_KLEIN_LORA"}, gates=Gates()) == []


@pytest.mark.parametrize(
    ("gates", "code"),
    [
        (Gates(), "ZF423"),
        (Gates("allow"), "ZF424"),
        (Gates("allow", True, Account("a", None, nsfw_allowed=False, is_trusted=True)), "ZF425"),
    ],
)
def test_adult_models_need_recipe_workspace_and_account(catalog: Catalog, gates: Gates, code: str) -> None:
    found = check_call(catalog.tools["image_editor"], {**EDIT, "model": "GENERAL_NSFW"}, gates=gates)
    assert codes(found) == [code]


def test_adult_work_needs_a_trusted_account_too(catalog: Catalog) -> None:
    gates = Gates("allow", True, Account("a", None, nsfw_allowed=True, is_trusted=False))
    found = list(check_nsfw({"nsfw": True}, gates))
    assert codes(found) == ["ZF422"] and "billing" in str(found[0].hint)
    tool = catalog.tools["image_editor"]
    assert codes(check_call(tool, {**EDIT, "model": "GENERAL_NSFW"}, gates=gates)) == ["ZF422"]
    plain = replace(tool, models=tuple(replace(m, trusted_only=False) for m in tool.models))
    assert codes(check_call(plain, {**EDIT, "model": "GENERAL_NSFW"}, gates=gates)) == ["ZF422"]


def test_a_tool_may_be_for_trusted_accounts(catalog: Catalog) -> None:
    tool = replace(catalog.tools["image_editor"], trusted_only=True)
    params = {**EDIT, "model": "SEEDREAM_5"}
    assert codes(check_call(tool, params, gates=Gates(account=Account("a", None)))) == ["ZF422"]
    assert check_call(tool, params, gates=Gates(account=Account("a", None, is_trusted=True))) == []


def test_adult_models_pass_where_all_three_allow_them(catalog: Catalog) -> None:
    gates = Gates("allow", True, Account("a", None, nsfw_allowed=True, is_trusted=True))
    assert check_call(catalog.tools["image_editor"], {**EDIT, "model": "GENERAL_NSFW"}, gates=gates) == []


def test_a_resolution_that_the_model_cannot_do_is_an_error(catalog: Catalog) -> None:
    params = {"prompt": "go", "ref_asset": ASSET_ID, "resolution": "480p", "model": "kling@2.6"}
    problem = only(check_call(catalog.tools["videogen"], params, gates=Gates()))
    assert problem.code == "ZF426"
    assert "720p, 1080p" in str(problem.hint)


def test_a_very_long_prompt_is_a_warning_only(catalog: Catalog) -> None:
    problem = only(check_call(catalog.tools["image_editor"], {**EDIT, "prompt": "x" * 5001}))
    assert (problem.code, problem.severity) == ("ZF412", "warning")
