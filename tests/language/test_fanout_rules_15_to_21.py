"""Rules 15 to 21 and the table of fan-out, in recipes that were run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.service import Fate
from zenflow.errors import InvalidRecipe
from zenflow.history import events as e

DRAW = "  draw: {foreach: [a, b, c], uses: image_editor, with: {prompt: '${{ item }}', number_of_images: 2}}\n"
UP = "  up: {foreach: '${{ steps.draw.asset_ids }}', uses: upscaler, with: {image_asset_id: '${{ item }}'}}\n"


def test_over_a_list_the_element_is_item(ran: Any) -> None:
    assert ran("steps:\n" + DRAW).prompts() == ["a", "b", "c"]


def test_over_a_mapping_all_combinations_the_last_name_fastest(ran: Any) -> None:
    done = ran(
        "steps:\n  s: {foreach: {x: [1, 2], y: [a, b]}, uses: image_editor, with: {prompt: '${{ item.x }}${{ item.y }}'}}\n"
    )
    assert done.prompts() == ["1a", "1b", "2a", "2b"]


def test_fans_out_over_a_step_by_index_and_skips_with_it(ran: Any) -> None:
    done = ran(
        "steps:\n  a: {foreach: [1, 2, 3], if: '${{ item != 1 }}', uses: image_editor, with: {prompt: 'p${{ item }}'}}\n"
        "  b: {foreach: '${{ steps.a }}', uses: image_editor, with: {prompt: 'q${{ index }}', image_assets: "
        "['${{ item.asset_id }}']}}\n"
    )
    assert done.statuses("b") == ["skipped", "done", "done"] and done.prompts("b") == ["q1", "q2"]


def test_rule_15_a_missing_result_moves_no_other(ran: Any) -> None:
    done = ran("steps:\n" + DRAW + UP, fate=lambda tool, p, n: Fate(missing=1 if p.get("prompt") == "b" else 0))
    assert done.addresses("up") == ["up.0.0", "up.0.1", "up.1.0", "up.2.0", "up.2.1"]
    assert done.indexes("up") == [0, 1, 2, 4, 5]


def test_rule_16_an_instance_starts_with_its_own_element(ran: Any) -> None:
    done = ran("steps:\n" + DRAW + UP, fate=lambda tool, p, n: Fate(500.0 if p.get("prompt") == "c" else 10.0))
    assert done.stage.moment_of(e.Intended, "up.0.0") < 30 < 490 < done.stage.moment_of(e.Intended, "up.2.0")


def test_rule_16_the_whole_of_a_step_is_waited_for(ran: Any) -> None:
    done = ran(
        "steps:\n"
        + DRAW
        + "  all: {uses: image_editor, with: {prompt: all, image_assets: '${{ steps.draw.asset_ids }}'}}\n",
        fate=lambda tool, p, n: Fate(500.0 if p.get("prompt") == "c" else 10.0),
    )
    assert done.stage.moment_of(e.Intended, "all") > 490 and len(done.sent("all")[0]["image_assets"]) == 6


def test_rule_17_origin_leads_back_through_any_number_of_steps(ran: Any) -> None:
    done = ran(
        "steps:\n"
        + DRAW
        + UP
        + "  film: {foreach: '${{ steps.up }}', uses: videogen, with: {prompt: '${{ origin.draw.item }}"
        "${{ origin.draw.index }}${{ origin.up.index }}', image_assets: ['${{ item.asset_id }}']}}\n"
        + "  save: {uses: download, with: {asset_ids: '${{ steps.film.asset_ids }}', "
        "name: '${{ origin.draw.item }}-${{ index }}'}}\n"
    )
    assert done.prompts("film") == ["a00", "a01", "b12", "b13", "c24", "c25"]
    assert done.files == ["a-0.mp4", "a-1.mp4", "b-2.mp4", "b-3.mp4", "c-4.mp4", "c-5.mp4"]


def test_rule_18_previous_is_the_nearest_not_skipped(ran: Any) -> None:
    done = ran(
        "steps:\n  s: {foreach: [a, b, c], if: '${{ item != \"b\" }}', uses: image_editor, with: {prompt: '${{ item }}', "
        "image_assets: ['${{ previous.asset_id | default(none) }}']}}\noutputs: {ids: '${{ steps.s.asset_ids }}'}\n"
    )
    first, last = done.sent("s")
    assert first["image_assets"] == [] and last["image_assets"] == [done.outputs["ids"][0]]


def test_rule_18_a_failure_keeps_the_later_ones_from_starting(ran: Any) -> None:
    done = ran(
        "steps:\n  s: {foreach: [a, b, c], uses: image_editor, with: {prompt: '${{ item }}', "
        "image_assets: ['${{ previous.asset_id | default(none) }}']}}\n",
        fate=lambda tool, p, n: Fate(error="no" if p.get("prompt") == "b" else None),
    )
    assert done.statuses("s") == ["done", "failed", "blocked"]


def test_rule_19_max_bounds_and_the_rest_stops_the_run(ran: Any) -> None:
    done = ran("steps:\n" + DRAW + UP.replace("uses", "max: 4, uses", 1))
    assert len(done.sent("up")) == 4 and (done.report.status, done.report.exit_status) == ("stopped", 4)


def test_rule_19_without_max_the_plan_s_own_bound_serves(ran: Any) -> None:
    done = ran("steps:\n" + DRAW + UP)
    planned = done.stage.plan.steps["up"].instances
    assert (planned.expected, planned.max) == (6, 6)


def test_rule_20_a_fan_out_field_is_a_flat_list(ran: Any) -> None:
    done = ran(
        "steps:\n"
        + DRAW.replace("uses", "if: '${{ item != \"b\" }}', uses")
        + "outputs: {ids: '${{ steps.draw.asset_ids | length }}', firsts: '${{ steps.draw.asset_id | length }}', "
        "one: '${{ steps.draw[2].asset_ids | length }}', gone: '${{ steps.draw[1].asset_id is defined }}'}\n"
    )
    assert done.outputs == {"ids": 4, "firsts": 2, "one": 2, "gone": False}


def test_rule_20_an_empty_list_skips_nobody(ran: Any) -> None:
    done = ran(
        "steps:\n  a: {foreach: [1, 2], if: false, uses: image_editor, with: {prompt: x}}\n"
        "  b: {uses: image_editor, with: {prompt: 'n=${{ steps.a.asset_ids | length }}', "
        "image_assets: '${{ steps.a.asset_ids }}'}}\n"
    )
    assert done.prompts() == ["n=0"]


def test_rule_20_an_absent_instance_is_reported_before_paying(
    ran: Any,
) -> None:
    draw = "steps:\n  draw: {foreach: [1, 2], uses: image_editor, with: {prompt: x}}\n"
    with pytest.raises(InvalidRecipe, match="there is no instance 2 of `draw`: it has 2"):
        ran(draw + "  up: {uses: upscaler, with: {image_asset_id: '${{ steps.draw[2].asset_id }}'}}\n")
    for beyond in ("2", "-3"):
        done = ran(
            f"{draw}  up: {{uses: upscaler, with: {{image_asset_id: "
            f"'${{{{ steps.draw[{beyond}].asset_id | default(steps.draw[-1].asset_id) }}}}'}}}}\n"
        )
        last = done.report.steps["draw"].instances[1].asset_ids[0]
        assert done.sent("up") == [{"image_asset_id": last}]


def test_rule_21_an_empty_list_gives_a_done_step(ran: Any) -> None:
    done = ran(
        "steps:\n  a: {foreach: [], uses: image_editor, with: {prompt: x}}\n"
        "  b: {needs: a, uses: image_editor, with: {prompt: b}}\n"
    )
    assert (done.report.status, done.prompts()) == ("done", ["b"])


def test_a_budget_in_the_recipe_is_never_passed(ran: Any) -> None:
    done = ran("budget: 5\nsteps:\n  a: {foreach: [1, 2, 3], uses: image_editor, with: {prompt: 'p${{ item }}'}}\n")
    assert len(done.sent()) == 2 and done.report.exit_status == 4


def test_rule_19_the_plan_counts_elements_before_if(ran: Any) -> None:
    """What an `if` leaves out is an element all the same: it takes no place away from the others."""
    text = """
    steps:
      make: {foreach: [a, b, c], uses: image_editor, with: {prompt: "${{ item }}"}}
      some:
        foreach: ${{ steps.make.asset_ids }}
        if: ${{ index != 1 }}
        uses: upscaler
        with: {image_asset_id: "${{ item }}"}
      none:
        foreach: ${{ steps.make.asset_ids }}
        if: false
        uses: upscaler
        with: {image_asset_id: "${{ item }}"}
      save: {uses: download, with: {asset_ids: "${{ steps.some.asset_ids + steps.none.asset_ids }}"}}
    """
    done = ran(text)
    assert done.report.status == "done", done.report.reason
    assert done.statuses("some") == ["done", "skipped", "done"] and done.statuses("none") == ["skipped"] * 3
