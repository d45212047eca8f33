"""Every key of a step and every action, in recipes that were run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.provider import Script
from tests.support.service import Fate

UPLOAD = "  up: {uses: upload, with: {source: 'data:image/png;base64,AAAA'}}\n"


def fails(*prompts: str) -> Any:
    return lambda tool, params, number: Fate(error="refused" if params.get("prompt") in prompts else None)


def test_asks_if_per_instance_and_skips_readers(ran: Any) -> None:
    done = ran(
        "steps:\n  a: {foreach: [1, 2, 3], if: '${{ item != 2 }}', uses: image_editor, with: {prompt: 'p${{ item }}'}}\n"
        "  b: {foreach: '${{ steps.a }}', uses: upscaler, with: {image_asset_id: '${{ item.asset_id }}'}}\n"
        "outputs: {n: '${{ steps.b.asset_ids | length }}'}\n"
    )
    assert done.statuses("a") == done.statuses("b") == ["done", "skipped", "done"]
    assert done.outputs == {"n": 2}


def test_waits_for_skipped_needs_and_blocks_on_failed_ones(ran: Any) -> None:
    text = (
        "steps:\n  a: {foreach: [x, y], if: '${{ item == \"x\" }}', uses: image_editor, with: {prompt: '${{ item }}'}}\n"
        "  b: {needs: a, uses: image_editor, with: {prompt: b}}\n"
        "  c: {needs: [a, b], uses: image_editor, with: {prompt: c}}\n"
    )
    assert ran(text).prompts() == ["x", "b", "c"]
    failed = ran(text, fate=fails("x"))
    assert (failed.statuses("b"), failed.statuses("c"), failed.report.exit_status) == (["blocked"], ["blocked"], 1)


def test_may_charge_each_retry_of_a_failed_call(ran: Any) -> None:
    text = "steps:\n  a: {retry: 2, uses: image_editor, with: {prompt: x}}\noutputs: {a: '${{ steps.a.asset_id }}'}\n"
    tries: list[int] = []

    def fate(tool: str, params: Any, number: int) -> Fate:
        tries.append(number)
        return Fate(error="no" if len(tries) < 3 else None)

    done = ran(text, fate=fate)
    assert (done.report.status, len(tries)) == ("done", 3)


def test_timeout_makes_a_call_late_and_submits_nothing(ran: Any) -> None:
    text = "steps:\n  a: {timeout: 90s, uses: image_editor, with: {prompt: x}}\n"
    done = ran(text, fate=lambda tool, params, number: Fate(100_000.0))
    assert (done.statuses("a"), done.report.exit_status, len(done.sent())) == (["late"], 4, 1)


def test_on_error_continue_shows_readers_a_skipped_one(ran: Any) -> None:
    done = ran(
        "steps:\n  a: {foreach: [x, y], on_error: continue, uses: image_editor, with: {prompt: '${{ item }}'}}\n"
        "  b: {foreach: '${{ steps.a }}', uses: upscaler, with: {image_asset_id: '${{ item.asset_id }}'}}\n",
        fate=fails("x"),
    )
    assert (done.statuses("a"), done.statuses("b")) == (["failed", "done"], ["skipped", "done"])


def test_blocks_only_the_reader_with_on_error_fail(ran: Any) -> None:
    done = ran(
        "steps:\n  a: {foreach: [x, y], uses: image_editor, with: {prompt: '${{ item }}'}}\n"
        "  b: {foreach: '${{ steps.a }}', uses: upscaler, with: {image_asset_id: '${{ item.asset_id }}'}}\n",
        fate=fails("x"),
    )
    assert done.statuses("b") == ["blocked", "done"] and done.report.exit_status == 1


def test_max_credits_stops_a_call_that_is_dearer(ran: Any) -> None:
    done = ran("steps:\n  a: {max_credits: 1, uses: image_editor, with: {prompt: x}}\n")
    assert (done.sent(), done.report.exit_status) == ([], 4)


def test_upload_passes_an_asset_through(ran: Any) -> None:
    done = ran(
        "steps:\n" + UPLOAD + "  same: {uses: upload, with: {source: '${{ steps.up.asset_id }}'}}\n"
        "outputs: {same: '${{ steps.up.asset_id == steps.same.asset_id }}', kind: '${{ steps.up.media_type }}'}\n"
    )
    assert done.outputs == {"same": True, "kind": "image/png"}


def test_describe_and_craft_prompt_give_what_the_page_says(ran: Any) -> None:
    done = ran(
        "steps:\n" + UPLOAD + "  d: {uses: describe, with: {asset_id: '${{ steps.up.asset_id }}'}}\n"
        "  c: {uses: craft_prompt, with: {brief: a hat, tool_name: image_editor, model: any, count: 2,\n"
        "      references: [{asset_id: '${{ steps.up.asset_id }}', description: '${{ steps.d.description }}'}]}}\n"
        "outputs: {d: '${{ steps.d.description | length > 0 }}', same: '${{ steps.d.asset_id == steps.up.asset_id }}',\n"
        "  n: '${{ steps.c.prompts | length }}', first: '${{ steps.c.prompts[0].prompt == steps.c.prompt }}'}\n"
    )
    assert done.outputs == {"d": True, "same": True, "n": 2, "first": True}


def test_a_generation_tool_gives_assets_output_ids_and_credits(ran: Any) -> None:
    done = ran(
        "steps:\n  a: {uses: image_editor, with: {prompt: x, number_of_images: 2}}\n"
        "outputs:\n  ids: ${{ steps.a.asset_ids | length }}\n  first: ${{ steps.a.asset_ids[0] == steps.a.asset_id }}\n"
        "  verbatim: ${{ steps.a.output is defined }}\n  task: ${{ steps.a.task_id is defined }}\n"
        "  call: ${{ steps.a.call_id is defined }}\n  credits: ${{ steps.a.credits }}\n"
    )
    assert done.outputs == {"ids": 2, "first": True, "verbatim": True, "task": True, "call": True, "credits": 4}


def test_download_and_preview_save_what_exists(ran: Any) -> None:
    done = ran(
        "steps:\n  a: {foreach: [x, y, z], uses: image_editor, with: {prompt: '${{ item }}'}}\n"
        "  d: {uses: download, with: {asset_ids: '${{ steps.a.asset_ids }}', name: 'pics/${{ origin.a.item }}'}}\n"
        "  p: {uses: preview, with: {asset_ids: '${{ steps.a.asset_ids }}'}}\n"
        "outputs: {n: '${{ steps.d.files | length }}', f: '${{ steps.d.files[0] }}'}\n",
        fate=fails("y"),
    )
    saved = [name for name in done.files if not name.startswith("previews/")]
    assert saved == ["pics/x.png", "pics/z.png"]
    assert len(done.files) == 4
    assert {"path", "asset_id", "media_type", "bytes", "sha256"} <= set(done.outputs["f"])


@pytest.mark.parametrize(
    "asset_ids",
    [
        "[steps.a.asset_id, steps.b.asset_id, steps.c.asset_id]",
        "steps.a.asset_ids + [steps.b.asset_id] + steps.c.asset_ids",
        "[steps.a.asset_id] + [steps.c.asset_id] if steps.a.credits > 0 else []",
    ],
)
@pytest.mark.parametrize("more", ["", "if: false, "])
def test_saves_what_exists_of_a_list(ran: Any, asset_ids: str, more: str) -> None:
    done = ran(
        "steps:\n  a: {uses: image_editor, with: {prompt: x}}\n"
        f"  b: {{{more}uses: image_editor, with: {{prompt: y}}}}\n"
        "  c: {uses: image_editor, with: {prompt: z}}\n"
        f"  d: {{uses: download, with: {{asset_ids: '${{{{ {asset_ids} }}}}'}}}}\n"
        f"outputs: {{ids: '${{{{ {asset_ids} }}}}', b: '${{{{ steps.b.asset_id }}}}'}}\n",
        fate=fails("y"),
    )
    assert done.files == ["a-0.png", "c-0.png"]
    assert (len(done.outputs["ids"]), done.outputs["b"]) == (2, None)


def test_skips_a_payer_of_a_list_with_missing_parts(ran: Any) -> None:
    done = ran(
        "steps:\n  a: {uses: image_editor, with: {prompt: x}}\n  b: {if: false, uses: image_editor, with: {prompt: y}}\n"
        "  c: {uses: image_editor, with: {prompt: z, image_assets: '${{ [steps.a.asset_id, steps.b.asset_id] }}'}}\n"
    )
    assert done.statuses("c") == ["skipped"]


def test_defaults_names_to_step_and_index(ran: Any) -> None:
    done = ran(
        "steps:\n  a: {foreach: [x, y], uses: image_editor, with: {prompt: '${{ item }}'}}\n"
        "  d: {uses: download, with: {asset_ids: '${{ steps.a.asset_ids }}'}}\n"
    )
    assert done.files == ["a-0.png", "a-1.png"]


def test_pick_waits_for_a_person_and_takes_what_was_chosen(ran: Any) -> None:
    text = (
        "steps:\n  a: {foreach: [x, y, z], uses: image_editor, with: {prompt: '${{ item }}'}}\n"
        "  choose: {uses: pick, with: {asset_ids: '${{ steps.a.asset_ids }}', count: 2, question: Which two?}}\n"
        "  up: {foreach: '${{ steps.choose.asset_ids }}', uses: upscaler, with: {image_asset_id: '${{ item }}'}}\n"
        "outputs: {n: '${{ steps.up.asset_ids | length }}'}\n"
    )
    waiting = ran(text)
    assert (waiting.report.exit_status, waiting.statuses("choose")) == (4, ["stopped"])
    chosen = ran(text, options={"picks": {"choose": (1, 3)}})
    assert (chosen.report.status, chosen.outputs) == ("done", {"n": 2})


INNER = (
    "inputs: {word: {type: string}, copies: {type: integer, default: 1}}\nbudget: 8\n"
    "steps:\n  draw: {uses: image_editor, with: {prompt: '${{ inputs.word }}', number_of_images: '${{ inputs.copies }}'}}\n"
    "  save: {uses: download, with: {asset_ids: '${{ steps.draw.asset_ids }}'}}\n"
    "outputs: {ids: '${{ steps.draw.asset_ids }}'}\n"
)


def test_gives_a_recipe_step_inputs_outputs_and_a_folder(ran: Any) -> None:
    done = ran(
        "steps:\n  look: {foreach: [a, b], uses: ./inner.yaml, with: {word: '${{ item }}', copies: 2}}\n"
        "outputs: {all: '${{ steps.look.ids | length }}'}\n",
        {"inner.yaml": INNER},
    )
    assert done.outputs == {"all": 4}
    assert done.addresses("look/draw") == ["look.0/draw", "look.1/draw"]
    assert sorted({name.partition("/")[0] for name in done.files}) == ["look.0", "look.1"]


def test_the_budget_of_an_inner_recipe_holds_per_instance(ran: Any) -> None:
    done = ran(
        "steps:\n  look: {foreach: [a, b], uses: ./inner.yaml, with: {word: '${{ item }}', copies: 4}}\n",
        {"inner.yaml": INNER},
    )
    assert done.report.status == "done", "8 credits each, and 8 each are allowed"


def test_suggests_a_default_to_readers_of_an_absent_helper(ran: Any) -> None:
    done = ran(
        "inputs: {looks: {type: array, items: {type: string}, default: [a, b]}}\nsteps:\n"
        "  w: {foreach: '${{ inputs.looks }}', on_error: continue, uses: craft_prompt, "
        "with: {brief: '${{ item }}', tool_name: image_editor, model: any}}\n"
        "  g: {foreach: '${{ inputs.looks }}', uses: image_editor, "
        "with: {prompt: '${{ steps.w[index].prompt | default(item) }}'}}\n",
        script=Script(helpers=frozenset()),
    )
    assert (done.prompts("g"), done.statuses("w"), done.report.status) == (["a", "b"], ["failed", "failed"], "done")


SKIPPING = (
    "inputs: {w: {type: boolean}, opt: {type: string, default: null}}\n"
    "steps:\n  a: {if: '${{ inputs.w }}', uses: image_editor, with: {prompt: '${{ recipe.name }}'}}\n"
    "outputs: {ids: '${{ steps.a.asset_ids }}', id: '${{ steps.a.asset_id }}', opt: '${{ inputs.opt }}'}\n"
)


def test_reads_a_lost_inner_output_as_skipped(ran: Any) -> None:
    done = ran(
        "steps:\n  p: {foreach: [true, false, true], uses: ./part.yaml, with: {w: '${{ item }}'}}\n"
        "  u: {foreach: '${{ steps.p.ids }}', max: 4, uses: upscaler, with: {image_asset_id: '${{ item }}'}}\n"
        "  v: {foreach: '${{ steps.p }}', uses: upscaler, with: {image_asset_id: '${{ item.id }}'}}\n"
        "  o: {foreach: '${{ steps.p }}', uses: image_editor, with: {prompt: '${{ item.opt | default(\"none\") }}'}}\n"
        "outputs: {ids: '${{ steps.p.ids | length }}', id: '${{ steps.p[1].id }}', opt: '${{ steps.p.opt }}',"
        " d: '${{ steps.p[1].id | default(7) }}'}\n",
        {"part.yaml": SKIPPING},
    )
    assert done.report.exit_status == 0
    assert done.outputs == {"ids": 2, "id": None, "opt": [None, None, None], "d": 7}
    assert done.addresses("u") == ["u.0.0", "u.2.0"]
    assert done.statuses("v") == ["done", "skipped", "done"]
    assert done.prompts("o") == ["none"] * 3


def test_a_pick_of_nothing_is_done_and_asks_nobody(ran: Any) -> None:
    done = ran(
        "steps:\n  a: {foreach: [], uses: image_editor, with: {prompt: x}}\n"
        "  c: {uses: pick, with: {asset_ids: '${{ steps.a.asset_ids }}'}}\n"
        "  d: {uses: download, with: {asset_ids: '${{ steps.c.asset_ids }}'}}\n"
    )
    assert (done.report.exit_status, done.statuses("c"), done.statuses("d")) == (0, ["done"], ["done"])


def test_outputs_of_a_run_that_stopped_are_what_there_is(ran: Any) -> None:
    done = ran(
        "steps:\n  a: {foreach: [x, y], uses: image_editor, with: {prompt: '${{ item }}', number_of_images: 2}}\n"
        "  c: {foreach: '${{ steps.a }}', uses: pick, with: {asset_ids: '${{ item.asset_ids }}'}}\n"
        "  d: {uses: download, with: {asset_ids: '${{ steps.c.asset_ids }}', name: '${{ origin.a.item }}'}}\n"
        "outputs: {n: '${{ steps.c.asset_ids | length }}', first: '${{ steps.c[0].asset_id }}',"
        " files: '${{ steps.d.files | map(attribute=\"asset_id\") }}', two: ['${{ steps.c[1].asset_id }}']}\n",
        options={"picks": {"c.1": (2,)}},
    )
    assert done.report.exit_status == 4
    assert done.files == ["y.png"]
    assert (done.outputs["n"], done.outputs["first"]) == (1, None)
    assert done.outputs["files"] == done.outputs["two"]
