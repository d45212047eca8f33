"""The commands that ask the service, over HTTP against a sandbox: tools, prices, tasks, assets, presets, account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

RECIPE = """\
zenflow: 1
name: two
budget: 20
steps:
  make:
    foreach: [a red hill, a blue hill]
    uses: by_prompt
    with:
      positive_prompt: ${{ item }}
      model: SEEDREAM_5
  save:
    uses: download
    with:
      asset_ids: ${{ steps.make.asset_ids }}
"""


@pytest.fixture
def made(zenflow: Any, here: Path, town: Any) -> dict[str, Any]:
    """A finished run: its document."""
    (here / "two.yaml").write_text(RECIPE)
    said = zenflow("run", "two.yaml", "--server", town.url, "--yes", "--json")
    assert said.status == 0, said.err
    return said.document


# ---------------------------------------------------------------------------------------------------------------- tools


def test_the_list_marks_what_is_blocked(zenflow: Any, serving_sandbox: Any) -> None:
    with serving_sandbox(blocked=("lipsync", "by_prompt:NANO_BANANA")) as town:
        said = zenflow("tools", "--server", town.url, "--json")
        text = zenflow("tools", "--server", town.url).out
    rows = {row["name"]: row for row in said.document["tools"]}
    assert rows["lipsync"]["blocked"] is True
    assert rows["by_prompt"]["blocked_models"] == ["NANO_BANANA"]
    assert next(line for line in text.splitlines() if line.strip().startswith("lipsync")).split()[2] == "blocked"
    assert "1 blocked" in next(line for line in text.splitlines() if line.strip().startswith("by_prompt"))


def test_shows_schema_models_gates_and_guide_of_a_tool(zenflow: Any, town: Any) -> None:
    out = zenflow("tools", "image_editor", "--server", town.url).out
    assert "image_assets *" in out and "* required" in out
    assert next(line for line in out.splitlines() if line.strip().startswith("GENERAL_NSFW")).count("trusted only") == 1
    assert "How to write for it" in out


def test_one_model_shows_its_own_prompt_guide(zenflow: Any, town: Any) -> None:
    said = zenflow("tools", "image_editor", "--model", "SEEDREAM_5", "--server", town.url, "--json")
    assert said.document["model"]["value"] == "SEEDREAM_5"
    assert said.document["prompt_guide"].startswith("# SEEDREAM_5")


def test_falls_back_to_the_tools_guide_for_a_model(zenflow: Any, town: Any) -> None:
    said = zenflow("tools", "videogen", "--model", "kling@2.6", "--server", town.url, "--json")
    assert (said.status, said.document["prompt_guide"]) == (0, None)
    assert said.document["tool_prompt_guide"]


def test_a_model_that_is_not_there_is_named_with_the_nearest(zenflow: Any, town: Any) -> None:
    said = zenflow("tools", "image_editor", "--model", "SEEDREM_5", "--server", town.url, "--json")
    assert (said.status, said.code, said.hint) == (2, "ZF052", "Did you mean `SEEDREAM_5`?")


def test_sync_writes_a_file_per_tool_with_its_digest(zenflow: Any, here: Path, town: Any) -> None:
    said = zenflow("tools", "sync", "--server", town.url, "--json")
    files = sorted(path.stem for path in (here / "schemas" / "tools").glob("*.json"))
    assert files == said.document["tools"]
    one = json.loads((here / "schemas" / "tools" / "by_prompt.json").read_text())
    assert len(one["_snapshot"]["digest"]) == 64 and one["input_schema"]["properties"]


# --------------------------------------------------------------------------------------------------------------- prices


def test_prices_come_cheapest_first_for_every_model(zenflow: Any, town: Any) -> None:
    document = zenflow("prices", "image_editor", "--server", town.url, "--json").document
    credits = [row["credits"] for row in document["prices"]]
    assert len(credits) == 9 and credits == sorted(credits)
    assert document["filled"] == ["prompt", "image_assets"]
    assert town.state["requests"]["compare_prices"] == 1


def test_compares_resolutions_and_reports_fixed_models(zenflow: Any, town: Any) -> None:
    document = zenflow(
        "prices", "videogen", "-p", "duration=5", "--resolutions", "720p,1080p", "--server", town.url, "--json"
    ).document
    assert {row["resolution"] for row in document["prices"]} == {"720p", "1080p"}
    assert document["params"] == {"duration": 5}
    assert all("1080p" in no["reason"] for no in document["without"] if no["resolution"] == "1080p")
    assert document["without"]


def test_a_tool_without_models_has_one_price(zenflow: Any, town: Any) -> None:
    document = zenflow("prices", "upscaler", "--server", town.url, "--json").document
    assert [row["credits"] for row in document["prices"]] == [2]
    assert "compare_prices" not in town.state["requests"]


def test_one_model_alone_is_estimated(zenflow: Any, town: Any) -> None:
    words = ("-p", "model=NANO_BANANA", "-p", "number_of_images=2", "--server", town.url, "--json")
    document = zenflow("prices", "image_editor", *words).document
    assert [(row["model"], row["credits"]) for row in document["prices"]] == [("NANO_BANANA", 8)]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("upscalr",), "ZF050", "upscaler"),
        (("videogen", "-p", "durration=5"), "ZF053", "duration"),
        (("image_editor", "-p", "number_of_images=77"), "ZF054", "77 is greater than the maximum of 4"),
        (("image_editor", "-p", "number"), "ZF009", "-p key=value"),
        (("videogen", "-p", "model=kling@2.6", "--resolutions", "720p"), "ZF056", "all models"),
    ],
)
def test_wrong_price_questions_are_usage_errors(
    zenflow: Any, town: Any, words: tuple[str, ...], code: str, says: str
) -> None:
    said = zenflow("prices", *words, "--server", town.url, "--json")
    assert (said.status, said.code) == (2, code)
    assert says in said.message + said.hint


# ---------------------------------------------------------------------------------------------------------------- tasks


def test_tasks_are_listed_filtered_and_paged(zenflow: Any, town: Any, made: dict[str, Any]) -> None:
    whole = zenflow("tasks", "--server", town.url, "--json").document
    assert len(whole["tasks"]) == town.posts >= 1
    assert zenflow("tasks", "--tool", "upscaler", "--server", town.url, "--json").document["tasks"] == []
    stamp = whole["tasks"][0]["comment"].split()[0]
    found = zenflow("tasks", "--query", stamp, "--status", "completed", "--server", town.url, "--json").document
    assert [task["task_id"] for task in found["tasks"]] == [whole["tasks"][0]["task_id"]]


def test_a_page_tells_where_the_next_begins(zenflow: Any, here: Path, town: Any) -> None:
    (here / "two.yaml").write_text(RECIPE)
    for _ in range(2):
        assert zenflow("run", "two.yaml", "--server", town.url, "--yes", "--json").status == 0
    first = zenflow("tasks", "--limit", "1", "--server", town.url, "--json").document
    second = zenflow("tasks", "--limit", "1", "--offset", "1", "--server", town.url, "--json").document
    assert first["next_offset"] == 1
    assert first["tasks"][0]["task_id"] != second["tasks"][0]["task_id"]
    assert "→ more: `zenflow tasks --offset 1`" in zenflow("tasks", "--limit", "1", "--server", town.url).out


def test_one_task_shows_its_calls_their_assets_and_the_run(zenflow: Any, town: Any, made: dict[str, Any]) -> None:
    task_id = zenflow("tasks", "--server", town.url, "--json").document["tasks"][0]["task_id"]
    document = zenflow("tasks", task_id, "--server", town.url, "--json").document
    assert document["run_id"] == made["run_id"]
    assets = [asset for call in document["task"]["calls"] for asset in call["asset_ids"]]
    assert set(assets) <= {file["asset_id"] for file in made["files"]} and assets


def test_finds_a_task_by_the_prefix_of_its_id(zenflow: Any, town: Any, made: dict[str, Any]) -> None:
    task_id = zenflow("tasks", "--server", town.url, "--json").document["tasks"][0]["task_id"]
    found = zenflow("tasks", task_id[:8], "--server", town.url, "--json")
    assert (found.status, found.document["task"]["task_id"]) == (0, task_id)
    nobody = zenflow("tasks", "0000-", "--server", town.url, "--json")
    assert (nobody.status, nobody.code) == (2, "ZF055")
    assert nobody.message == "None of the newest 100 tasks begins with `0000-`."
    kept = zenflow("tasks", "--delete", task_id[:8], "--yes", "--server", town.url, "--json")
    assert (kept.status, kept.code) == (2, "ZF055")


def test_deletes_a_task_on_consent_without_a_refund(zenflow: Any, town: Any, made: dict[str, Any]) -> None:
    task_id = zenflow("tasks", "--server", town.url, "--json").document["tasks"][0]["task_id"]
    before = town.state["credits"]
    refused = zenflow("tasks", "--delete", task_id, "--server", town.url, "--json")
    assert (refused.status, refused.code) == (3, "ZF666")
    assert f"Run {made['run_id']} needs this task" in refused.message
    assert any(task["id"] == task_id for task in town.state["tasks"])
    gone = zenflow("tasks", "--delete", task_id, "--yes", "--server", town.url, "--json")
    assert (gone.status, gone.document["deleted_task_id"]) == (0, task_id)
    assert all(task["id"] != task_id for task in town.state["tasks"])
    assert town.state["credits"] == before


def test_a_task_that_is_not_there_is_a_usage_error(zenflow: Any, town: Any) -> None:
    said = zenflow("tasks", "00000000-0000-4000-8000-00000000abcd", "--server", town.url, "--json")
    assert (said.status, said.code) == (2, "ZF055")


# --------------------------------------------------------------------------------------------------------------- assets


def test_originals_are_fetched_under_their_own_media_type(zenflow: Any, town: Any, made: dict[str, Any]) -> None:
    wanted = {file["asset_id"]: file for file in made["files"]}
    document = zenflow("assets", "get", *wanted, "--server", town.url, "--json").document
    for one in document["assets"]:
        assert (one["media_type"], one["sha256"]) == (
            wanted[one["asset_id"]]["media_type"],
            wanted[one["asset_id"]]["sha256"],
        )
        assert Path(one["path"]).suffix == ".png"


def test_a_preview_lies_apart_and_keeps_its_own_media_type(zenflow: Any, town: Any, made: dict[str, Any]) -> None:
    asset_id = made["files"][0]["asset_id"]
    one = zenflow("assets", "preview", asset_id, "--server", town.url, "--json").document["assets"][0]
    assert one["media_type"] == "image/webp"
    assert Path(one["path"]).suffix == ".webp" and "previews" in Path(one["path"]).parts
    assert one["sha256"] != made["files"][0]["sha256"]


def test_one_assets_failure_does_not_fail_the_rest(zenflow: Any, town: Any, made: dict[str, Any]) -> None:
    good, bad = made["files"][0]["asset_id"], "00000000-0000-4000-8000-00000000abcd"
    said = zenflow("assets", "get", bad, good, "--server", town.url, "--json")
    assert said.status == 1 and bad in said.message
    assert [one["error"] is None for one in said.document["assets"]] == [False, True]


def test_addresses_are_asked_for_fifty_at_a_time(zenflow: Any, town: Any) -> None:
    ids = [f"00000000-0000-4000-8000-{number:012d}" for number in range(120)]
    assert zenflow("assets", "get", *ids, "--server", town.url, "--json").status == 1
    assert town.state["requests"]["get_asset_download_urls"] == 3


def test_a_broken_download_is_fetched_again(zenflow: Any, town: Any, made: dict[str, Any]) -> None:
    for kind in ("download_truncated", "download_expired", "download_corrupt"):
        town.fault(kind=kind, times=1)
    asset_id = made["files"][0]["asset_id"]
    one = zenflow("assets", "get", asset_id, "--server", town.url, "--json").document["assets"][0]
    assert one["sha256"] == made["files"][0]["sha256"]


# -------------------------------------------------------------------------------------------------------------- presets


def test_presets_are_listed_and_searched(zenflow: Any, town: Any) -> None:
    whole = zenflow("presets", "--server", town.url, "--json").document["presets"]
    found = zenflow("presets", "portrait", "--server", town.url, "--json").document["presets"]
    assert {one["title"] for one in found} == {"Studio portrait", "Living portrait"} < {one["title"] for one in whole}
    videos = zenflow("presets", "portrait", "--tool", "videogen", "--server", town.url, "--json").document["presets"]
    assert [one["title"] for one in videos] == ["Living portrait"]


def test_a_preset_becomes_a_step_that_validates_and_runs(zenflow: Any, here: Path, town: Any) -> None:
    listed = zenflow("presets", "anime", "--server", town.url, "--json").document["presets"]
    step = zenflow("presets", listed[0]["preset_id"], "--step", "--server", town.url).out
    (here / "anime.yaml").write_text(f"zenflow: 1\nname: anime\nbudget: 5\nsteps:\n{step}")
    said = zenflow("run", "anime.yaml", "--server", town.url, "--yes", "--json")
    assert said.status == 0, said.err
    sent = town.state["tasks"]
    assert [task["tool_name"] for task in sent] == ["by_prompt"]
    assert "use_template" not in town.state["requests"]


def test_what_a_preset_leaves_to_its_user_is_a_reference(zenflow: Any, here: Path, town: Any) -> None:
    listed = zenflow("presets", "--tool", "image_editor", "--server", town.url, "--json").document["presets"]
    step = zenflow("presets", listed[0]["preset_id"], "--step", "--server", town.url).out
    assert "image_assets:  # yours to give\n        - ${{ steps.upload.asset_id }}" in step


def test_a_preset_that_is_not_there_is_a_usage_error(zenflow: Any, town: Any) -> None:
    said = zenflow("presets", "00000000-0000-4000-8000-00000000abcd", "--server", town.url, "--json")
    assert (said.status, said.code) == (2, "ZF058")


# -------------------------------------------------------------------------------------------------------------- account


def test_the_account_explains_its_gates_and_where_to_top_up(zenflow: Any, town: Any) -> None:
    document = zenflow("account", "--server", town.url, "--json").document
    assert (document["credits"], document["is_trusted"], document["nsfw_allowed"]) == (1000, False, False)
    assert len(document["gates"]) == 2 and "first payment" in document["gates"][1].lower()
    assert document["purchase_url"] == "https://app.zencreator.pro/billing"


def test_an_account_with_open_gates_has_nothing_to_explain(zenflow: Any, serving_sandbox: Any) -> None:
    with serving_sandbox(nsfw_allowed=True, trusted=True) as town:
        assert zenflow("account", "--server", town.url, "--json").document["gates"] == []
