"""What is found before anything is priced, with its exact place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from zenflow.catalog.model import Account
from zenflow.problems import Problem

Finder = Callable[..., list[Problem]]


def found(problems: list[Problem]) -> list[tuple[str, int, int]]:
    """Code, line and column of each error; the head of a recipe takes three lines."""
    return [(p.code, p.place.line, p.place.column) for p in problems if p.severity == "error" and p.place is not None]


def test_every_problem_of_every_step_is_found_in_one_go(problems_of: Finder) -> None:
    body = """\
inputs: {photo: image}
steps:
  gen:
    uses: image_editor
    with:
      prompt: 12
      image_assets: ["${{ inputs.photo }}"]
      model: seedream_5
      colour: red
  up:
    uses: upscaler
    with:
      image_asset_id: ${{ steps.gen.asset_ids }}
  other:
    uses: image_editr
    with: {prompt: a}
  save: {uses: download, with: {asset_ids: ["${{ steps.up.asset_id }}"], name: ../x}}
"""
    assert found(problems_of(body, {"photo": "/photos/me.jpg"})) == [
        ("ZF403", 9, 15),
        ("ZF408", 10, 22),
        ("ZF420", 11, 14),
        ("ZF401", 12, 7),
        ("ZF402", 14, 11),
        ("ZF409", 16, 23),
        ("ZF414", 18, 11),
        ("ZF360", 20, 80),
    ]


def test_an_input_that_nobody_gave_yet_is_checked_by_its_type(problems_of: Finder) -> None:
    body = """\
inputs: {photo: image, size: {type: string}}
steps:
  gen:
    uses: image_editor
    with:
      prompt: a
      image_assets: ["${{ inputs.photo }}"]
      number_of_images: ${{ inputs.size }}
      model: SEEDREAM_5
"""
    assert found(problems_of(body)) == [("ZF413", 10, 22), ("ZF403", 11, 25)]


def test_a_value_of_one_instance_is_told_once_with_its_number(problems_of: Finder) -> None:
    body = """\
inputs: {sizes: {type: array, default: [1, 2, 9, 8, 7]}}
steps:
  gen:
    uses: by_prompt
    foreach: ${{ inputs.sizes }}
    with: {positive_prompt: x, model: SEEDREAM_5, batch_size: "${{ item }}"}
"""
    errors = [p for p in problems_of(body) if p.severity == "error"]
    assert [p.code for p in errors] == ["ZF405"]
    assert "`gen.2`" in errors[0].message


def test_a_default_model_that_the_policy_denies_is_told_at_uses(problems_of: Finder) -> None:
    body = """\
steps:
  gen:
    uses: image_editor
    with: {prompt: a, image_assets: ["0f0e0d0c-0000-4000-8000-000000000001"]}
"""
    assert found(problems_of(body)) == [("ZF423", 6, 11)]


def test_a_trusted_model_is_refused_to_an_account_that_is_not(problems_of: Finder) -> None:
    body = """\
steps:
  gen:
    uses: image_editor
    with: {prompt: a, image_assets: ["0f0e0d0c-0000-4000-8000-000000000001"], model: FLUX_KLEIN_LORA}
"""
    assert found(problems_of(body)) == []
    assert found(problems_of(body, account=Account("me", None))) == [("ZF422", 7, 86)]
    assert found(problems_of(body, account=None)) == []


def test_reports_a_helper_that_the_service_lacks(problems_of: Finder) -> None:
    body = """\
steps:
  look:
    uses: describe
    with: {asset_id: "0f0e0d0c-0000-4000-8000-000000000001"}
  make: {uses: by_prompt, with: {positive_prompt: "${{ steps.look.description }}", model: SEEDREAM_5}}
"""
    assert found(problems_of(body, lacking=["describe_asset"])) == [("ZF415", 6, 11)]
    assert found(problems_of(body)) == []


def test_a_prompt_is_written_for_a_tool_and_model_that_exist(problems_of: Finder) -> None:
    body = """\
steps:
  a: {uses: craft_prompt, with: {brief: x, tool_name: by_promt, model: SEEDREAM_5}}
  b: {uses: craft_prompt, with: {brief: x, tool_name: by_prompt, model: SEEDREAM_55}}
"""
    errors = problems_of(body)
    assert found(errors) == [("ZF416", 5, 55), ("ZF420", 6, 73)]
    assert "`by_prompt`" in str(errors[0].hint)


def test_checks_a_step_without_instances_as_written(problems_of: Finder) -> None:
    body = """\
steps:
  up:
    uses: upscaler
    foreach: []
    with: {image_asset_id: "${{ item }}", output_format: jpg, colour: red}
"""
    assert sorted(code for code, _, _ in found(problems_of(body))) == ["ZF401", "ZF404"]


def test_a_first_instance_without_a_previous_one_is_an_error(problems_of: Finder) -> None:
    body = """\
steps:
  b:
    uses: image_editor
    foreach: [1, 2]
    with: {prompt: x, image_assets: ["${{ previous.asset_id }}"], model: SEEDREAM_5}
"""
    assert [code for code, _, _ in found(problems_of(body))] == ["ZF356"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../x", "ZF360"),
        ("a/../../x", "ZF360"),
        ("/etc/x", "ZF360"),
        ("C:/x", "ZF360"),
        ("same", "ZF361"),
        ("SAME-${{ (index > 0) | string | length }}", None),
        ("x-${{ index }}", None),
        ("${{ run.id }}-${{ index }}", None),
        ("${{ origin.make.item | slug }}", None),
    ],
)
def test_names_of_files_are_checked_as_far_as_they_are_known(problems_of: Finder, name: str, code: str | None) -> None:
    body = f"""\
steps:
  make: {{uses: by_prompt, foreach: [red, blue], with: {{positive_prompt: x, model: SEEDREAM_5}}}}
  save: {{uses: download, with: {{asset_ids: "${{{{ steps.make.asset_ids }}}}", name: "{name}"}}}}
"""
    assert [c for c, _, _ in found(problems_of(body))] == ([] if code is None else [code])


def test_two_files_of_one_instance_may_not_share_a_name(problems_of: Finder) -> None:
    body = """\
steps:
  make: {uses: by_prompt, foreach: [red, blue], with: {positive_prompt: x, model: SEEDREAM_5, batch_size: 2}}
  save: {uses: download, foreach: "${{ steps.make }}", with: {asset_ids: "${{ item.asset_ids }}", name: "p-${{ index }}"}}
"""
    assert [code for code, _, _ in found(problems_of(body))] == ["ZF361"]


def test_a_paid_step_that_nothing_reads_is_a_warning(problems_of: Finder) -> None:
    body = """\
steps:
  make: {uses: by_prompt, with: {positive_prompt: x, model: SEEDREAM_5}}
"""
    assert [(p.code, p.severity) for p in problems_of(body)] == [("ZF418", "warning")]


def test_a_list_longer_than_max_is_a_warning(problems_of: Finder) -> None:
    body = """\
steps:
  make: {uses: by_prompt, foreach: [1, 2, 3], max: 2, with: {positive_prompt: x, model: SEEDREAM_5}}
outputs: {x: "${{ steps.make.asset_ids }}"}
"""
    assert [p.code for p in problems_of(body)] == ["ZF353"]


def test_warns_when_max_is_below_the_expected_count(problems_of: Finder) -> None:
    body = """\
steps:
  make: {uses: by_prompt, foreach: [1, 2], with: {positive_prompt: x, model: SEEDREAM_5, batch_size: 2}}
  each: {uses: describe, foreach: "${{ steps.make }}", max: 1, with: {asset_id: "${{ item.asset_id }}"}}
  all: {uses: describe, foreach: "${{ steps.make.asset_ids }}", max: 3, with: {asset_id: "${{ item }}"}}
  enough: {uses: describe, foreach: "${{ steps.make.asset_ids }}", max: 4, with: {asset_id: "${{ item }}"}}
outputs: {x: "${{ [steps.each.description, steps.all.description, steps.enough.description] }}"}
"""
    rest = "the rest is not started, and the run ends with status 4"
    assert [(p.code, p.message) for p in problems_of(body)] == [
        ("ZF353", f"`each` goes over 2 instances of `make` and may start 1 of them: {rest}"),
        ("ZF353", f"`all` goes over 4 elements as asked for and may start 3 of them: {rest}"),
    ]
