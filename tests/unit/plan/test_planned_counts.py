"""How many instances each step has: fewest, as asked for, most."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from zenflow.plan.model import Count, Plan

Planner = Callable[..., Plan]
PHOTOSHOOT = (Path(__file__).parents[3] / "recipes" / "photoshoot.yaml").read_text(encoding="utf-8")
ASSETS = [f"0f0e0d0c-0000-4000-8000-00000000000{n}" for n in range(3)]


def counts(plan: Plan) -> dict[str, tuple[int, int, int]]:
    return {path: (s.instances.min, s.instances.expected, s.instances.max) for path, s in plan.steps.items()}


def test_the_photoshoot_counts_what_it_asks_for(plan: Planner) -> None:
    inputs = {"photo": "me.jpg", "looks": ["a", "b", "c"], "images_per_look": 2}
    made = plan(PHOTOSHOOT.split("version: 1.0.0", 1)[1], inputs)
    assert counts(made) == {
        "upload": (1, 1, 1),
        "describe": (1, 1, 1),
        "craft_prompt": (3, 3, 3),
        "generate": (3, 3, 3),
        "upscale": (0, 6, 8),
        "download": (1, 1, 1),
    }
    assert (made.credits.low, made.credits.expected, made.credits.worst) == (6, 18, 22)


def test_a_mapping_gives_every_combination(plan: Planner) -> None:
    made = plan(
        """
        inputs: {photos: {type: array, items: {type: image}}}
        steps:
          upload: {uses: upload, foreach: "${{ inputs.photos }}", with: {source: "${{ item }}"}}
          shoot:
            uses: image_editor
            foreach: {photo: "${{ steps.upload.asset_id }}", place: [beach, city]}
            with: {prompt: "at the ${{ item.place }}", image_assets: ["${{ item.photo }}"], model: SEEDREAM_5}
          save: {uses: download, with: {asset_ids: "${{ steps.shoot.asset_ids }}"}}
        """,
        {"photos": ["a.jpg", "b.jpg", "c.jpg"]},
    )
    assert counts(made)["shoot"] == (6, 6, 6)


FAN = """
inputs: {{n: {{type: integer, default: 2}}, ok: {{type: boolean, default: true}}, list: {{type: array, default: [1, 2, 3]}}}}
steps:
  first: {{uses: by_prompt, with: {{positive_prompt: x, model: SEEDREAM_5, batch_size: "${{{{ inputs.n }}}}"}}}}
  next:
    {more}
    uses: upscaler
    with: {{image_asset_id: "${{{{ {asset} }}}}", output_format: png}}
  save: {{uses: download, with: {{asset_ids: "${{{{ steps.next.asset_ids }}}}"}}}}
"""


@pytest.mark.parametrize(
    ("more", "asset", "expected"),
    [
        ('foreach: "${{ steps.first.asset_ids }}"', "item", (0, 2, 2)),
        ('foreach: "${{ steps.first.asset_ids }}"\n    max: 5', "item", (0, 2, 5)),
        ('foreach: "${{ steps.first.asset_ids }}"\n    max: 1', "item", (0, 1, 1)),
        ('foreach: "${{ steps.first.asset_ids[:1] }}"', "item", (0, 1, 1)),
        ('foreach: "${{ steps.first.asset_ids + steps.first.asset_ids }}"', "item", (0, 4, 4)),
        ('foreach: "${{ inputs.list }}"', "steps.first.asset_id", (3, 3, 3)),
        ('foreach: "${{ inputs.list }}"\n    if: ${{ item > 1 }}', "steps.first.asset_id", (2, 2, 2)),
        ('foreach: "${{ inputs.list }}"\n    if: ${{ inputs.ok }}', "steps.first.asset_id", (3, 3, 3)),
        ('foreach: "${{ inputs.list }}"\n    if: ${{ not inputs.ok }}', "steps.first.asset_id", (0, 0, 0)),
        ("if: ${{ steps.first.credits > 1 }}", "steps.first.asset_id", (0, 1, 1)),
        ('foreach: "${{ inputs.list }}"\n    if: ${{ steps.first.credits > item }}', "steps.first.asset_id", (0, 3, 3)),
        ("foreach: []", "steps.first.asset_id", (0, 0, 0)),
        ("foreach: [1, 2, 3]\n    max: 2", "steps.first.asset_id", (2, 2, 2)),
    ],
)
def test_counts_follow_list_max_and_if(plan: Planner, more: str, asset: str, expected: tuple[int, int, int]) -> None:
    assert counts(plan(FAN.format(more=more, asset=asset)))["next"] == expected


def test_a_skipped_instance_skips_the_one_that_comes_from_it(plan: Planner) -> None:
    made = plan(
        """
        steps:
          a: {uses: by_prompt, foreach: [1, 2, 3], if: "${{ item != 2 }}", with: {positive_prompt: x, model: SEEDREAM_5}}
          b:
            uses: upscaler
            foreach: ${{ steps.a }}
            with: {image_asset_id: "${{ item.asset_id }}", output_format: png}
          c:
            uses: upscaler
            foreach: ${{ steps.b }}
            if: ${{ origin.a.item > 2 }}
            with: {image_asset_id: "${{ item.asset_id }}", output_format: png}
          save: {uses: download, with: {asset_ids: "${{ steps.c.asset_ids }}"}}
        """
    )
    assert counts(made) == {"a": (2, 2, 2), "b": (2, 2, 2), "c": (1, 1, 1), "save": (1, 1, 1)}


def test_skips_a_reader_of_a_skipped_step_without_default(plan: Planner) -> None:
    made = plan(
        """
        steps:
          a: {uses: by_prompt, if: false, with: {positive_prompt: x, model: SEEDREAM_5}}
          b: {uses: by_prompt, with: {positive_prompt: "${{ steps.a.output.text }}", model: SEEDREAM_5}}
          c: {uses: by_prompt, with: {positive_prompt: "${{ steps.a.output.text | default('x') }}", model: SEEDREAM_5}}
          save: {uses: download, with: {asset_ids: ["${{ steps.b.asset_id }}", "${{ steps.c.asset_id }}"]}}
        """
    )
    assert counts(made) == {"a": (0, 0, 0), "b": (0, 0, 0), "c": (1, 1, 1), "save": (1, 1, 1)}


def test_previous_is_skipped_at_the_first_instance_only(plan: Planner) -> None:
    made = plan(
        """
        steps:
          a: {uses: by_prompt, with: {positive_prompt: x, model: SEEDREAM_5}}
          b:
            uses: image_editor
            foreach: [1, 2, 3]
            with:
              prompt: frame ${{ item }}
              image_assets: ["${{ previous.asset_id | default(steps.a.asset_id) }}"]
              model: SEEDREAM_5
          save: {uses: download, with: {asset_ids: "${{ steps.b.asset_ids }}"}}
        """
    )
    assert counts(made)["b"] == (3, 3, 3)


def test_the_number_asked_for_may_differ_between_instances(plan: Planner) -> None:
    made = plan(
        """
        inputs: {jobs: {type: array, items: {type: object}, default: [{n: 1}, {n: 3}, {n: 2}]}}
        steps:
          a:
            uses: by_prompt
            foreach: ${{ inputs.jobs }}
            with: {positive_prompt: x, model: SEEDREAM_5, batch_size: "${{ item.n }}"}
          b:
            uses: upscaler
            foreach: ${{ steps.a.asset_ids }}
            if: ${{ origin.a.item.n == 3 }}
            with: {image_asset_id: "${{ item }}", output_format: png}
          save: {uses: download, with: {asset_ids: "${{ steps.b.asset_ids }}"}}
        """
    )
    assert counts(made)["b"] == (0, 3, 3)
    assert made.steps["a"].credits.expected == 6
    assert made.steps["a"].credits_each_range == (1, 3)


def test_an_override_of_max_counts_instead_of_the_written_one(plan: Planner) -> None:
    body = FAN.format(more='foreach: "${{ steps.first.asset_ids }}"\n    max: 1', asset="item")
    assert counts(plan(body, max_overrides={"next": 2}))["next"] == (0, 2, 2)


def test_a_lacking_helper_with_a_default_leaves_the_rest_planned(plan: Planner) -> None:
    made = plan(
        """
        inputs: {looks: {type: array, items: {type: string}, default: [a, b]}}
        steps:
          craft:
            uses: craft_prompt
            foreach: ${{ inputs.looks }}
            on_error: continue
            with: {brief: "${{ item }}", tool_name: by_prompt, model: SEEDREAM_5}
          make:
            uses: by_prompt
            foreach: ${{ inputs.looks }}
            with: {positive_prompt: "${{ steps.craft[index].prompt | default(item) }}", model: SEEDREAM_5}
          save: {uses: download, with: {asset_ids: "${{ steps.make.asset_ids }}"}}
        """,
        lacking=["craft_prompt"],
    )
    assert counts(made) == {"craft": (0, 0, 0), "make": (2, 2, 2), "save": (1, 1, 1)}
    assert "no craft_prompt" in made.steps["craft"].uncertain


def test_counts_multiply_like_intervals() -> None:
    assert Count(0, 2, 3).times(Count(2, 2, 4)) == Count(0, 4, 12)


def test_what_does_not_run_is_told_with_why(plan: Planner) -> None:
    made = plan(
        """
        inputs: {big: {type: boolean, default: false}, none: {type: array, items: {type: string}, default: []}}
        steps:
          make:
            foreach: [a, b, c]
            if: ${{ index != 1 }}
            uses: by_prompt
            with: {positive_prompt: "${{ item }}", model: SEEDREAM_5}
          enlarge:
            if: ${{ inputs.big }}
            foreach: ${{ steps.make.asset_ids }}
            uses: upscaler
            with: {image_asset_id: "${{ item }}", output_format: png}
          again:
            foreach: ${{ steps.make }}
            uses: upscaler
            with: {image_asset_id: "${{ item.asset_id }}", output_format: png}
          after: {uses: upscaler, with: {image_asset_id: "${{ steps.again[1].asset_id }}", output_format: png}}
          nothing: {foreach: "${{ inputs.none }}", uses: describe, with: {asset_id: "${{ item }}"}}
          save: {uses: download, with: {asset_ids: "${{ steps.enlarge.asset_ids + steps.again.asset_ids }}"}}
        """
    )
    assert {path: step.skipped for path, step in made.steps.items() if step.skipped} == {
        "make": "1 of 3 skipped: its `if` is false",
        "enlarge": "skipped: its `if` is false",
        "again": "1 of 3 skipped: what it goes over is skipped",
        "after": "skipped: what it reads is skipped",
        "nothing": "its list is empty",
    }
    assert made.steps["again"].instances == Count(2, 2, 2) and made.steps["enlarge"].uncertain == ""


SEVERAL = """
steps:
  one: {uses: by_prompt, with: {positive_prompt: x, model: SEEDREAM_5}}
  two: {uses: by_prompt, with: {positive_prompt: y, model: SEEDREAM_5, batch_size: 2}}
  look: {uses: describe, with: {asset_id: "${{ steps.one.asset_id }}"}}
  save: {uses: download, with: {asset_ids: "${{ LIST }}"}}
  next: {uses: upscaler, foreach: "${{ steps.save.asset_ids }}", with: {image_asset_id: "${{ item }}", output_format: png}}
  keep: {uses: download, with: {asset_ids: "${{ steps.next.asset_ids }}"}}
outputs:
  last: ${{ steps.save.files[LAST].path }}
"""


@pytest.mark.parametrize(
    ("written", "length"),
    [
        ("steps.one.asset_ids + steps.two.asset_ids", 3),
        ("(steps.one.asset_ids if steps.look.description == '' else steps.two.asset_ids)", 2),
        ("[steps.one.asset_id] + steps.two.asset_ids + [steps.one.asset_id]", 4),
    ],
)
def test_saves_the_total_length_of_several_lists(plan: Planner, written: str, length: int) -> None:
    made = plan(SEVERAL.replace("LIST", written).replace("LAST", str(length - 1)))
    assert counts(made)["next"] == (0, length, length)


def test_gives_an_output_of_lists_their_total_length(plan: Planner) -> None:
    inner = SEVERAL.partition("  save:")[0] + "outputs: {all: '${{ steps.one.asset_ids + steps.two.asset_ids }}'}\n"
    made = plan(
        """
        steps:
          both: {uses: ./inner.yaml}
          save: {uses: download, with: {asset_ids: "${{ steps.both.all }}"}}
          next:
            foreach: ${{ steps.both.all }}
            uses: upscaler
            with: {image_asset_id: "${{ item }}", output_format: png}
          last: {uses: upscaler, with: {image_asset_id: "${{ steps.save.asset_ids[2] }}", output_format: png}}
          keep: {uses: download, with: {asset_ids: "${{ steps.next.asset_ids + steps.last.asset_ids }}"}}
        """,
        beside={"inner": inner},
    )
    assert counts(made)["next"] == (0, 3, 3)
