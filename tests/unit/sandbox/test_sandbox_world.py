"""The world as a state machine: what is bought, what becomes of it, what it costs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zenflow.sandbox.refusals import OutOfCredits, Refusal
from zenflow.sandbox.submission import FaultEffects


def test_debits_a_submission_at_once_in_one_row(make_scene: Any) -> None:
    scene = make_scene(credits=100)
    task = scene.world.submit("image_editor", [scene.edit(number_of_images=2), scene.edit(model="NANO_BANANA")], "hi")
    assert scene.world.balance() == 100 - 2 - 4
    total, rows = scene.world.transactions(10, 0)
    assert total == 2
    assert (rows[0]["amount"], rows[0]["task_id"], rows[0]["kind"]) == (-6, task["id"], "debit")
    assert rows[0]["created_at"] < task["created_at"]
    assert rows[1]["kind"] == "grant"


def test_the_same_submission_twice_is_two_tasks_and_two_charges(make_scene: Any) -> None:
    scene = make_scene(credits=100)
    inputs = [scene.edit()]
    first, second = (scene.world.submit("image_editor", inputs, "same") for _ in range(2))
    assert first["id"] != second["id"]
    assert scene.world.balance() == 98


def test_a_fresh_task_looks_as_recorded(make_scene: Any) -> None:
    scene = make_scene()
    task = scene.world.submit("image_editor", [scene.edit()], "note")
    assert task["status"] == "created" and task["done"] == 0 and task["total"] == 1 and task["channel"] == "mcp"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", task["created_at"])
    minute = task["created_at"][:16].replace("T", "-").replace(":", "-")
    assert task["unique_name"] == f"image_editor-{minute}-{task['id'][:8]}"


def test_moves_a_task_from_created_to_completed(make_scene: Any) -> None:
    scene = make_scene()
    task = scene.world.submit("image_editor", [scene.edit(), scene.edit()], None)
    seen = []
    for _ in range(800):
        status = scene.world.task(task["id"])["status"]
        if status not in seen:
            seen.append(status)
        scene.time.advance(0.1)
    assert seen == ["created", "processing", "partial", "completed"]


def test_outputs_are_lazy_and_exist_only_once_the_call_has_ended(make_scene: Any) -> None:
    scene = make_scene()
    task = scene.world.submit("image_editor", [scene.edit(number_of_images=2)], None)
    call_id = scene.world.task(task["id"])["calls"][0]["id"]
    assert scene.world.call_result(call_id) == {"call_id": call_id, "output": None, "asset_ids": []}
    scene.time.advance(60)
    done = scene.world.task(task["id"])
    assert done["calls"][0]["output"] is None and done["finished_at"] is not None
    result = scene.world.call_result(call_id)
    assert result["output"] == {"image_assets": result["asset_ids"]} and len(result["asset_ids"]) == 2
    assert scene.world.asset(result["asset_ids"][0]).media_type == "image/png"


def test_an_asset_cannot_be_used_before_its_call_has_ended(make_scene: Any) -> None:
    scene = make_scene(speed=1)
    scene.world.submit("image_editor", [scene.edit()], None)
    early = scene.world._assets._store.row("SELECT id FROM assets WHERE recipe IS NOT NULL")["id"]
    with pytest.raises(Refusal, match="no asset") as caught:
        scene.world.submit("upscaler", [{"image_asset_id": early, "output_format": "png"}], None)
    assert caught.value.status == 422


def test_speed_divides_durations(make_scene: Any) -> None:
    scene = make_scene(speed=1000)
    task = scene.world.submit("image_editor", [scene.edit()], None)
    scene.time.advance(0.06)
    assert scene.world.task(task["id"])["status"] == "completed"


def test_refuses_an_unpayable_task_with_the_documented_payload(make_scene: Any) -> None:
    scene = make_scene(credits=1)
    with pytest.raises(OutOfCredits) as caught:
        scene.world.submit("image_editor", [scene.edit(), scene.edit()], None)
    assert caught.value.structured == {
        "error_code": "insufficient_credits",
        "out_of_credits": True,
        "purchase_url": "https://app.zencreator.pro/billing",
        "message": "You're out of ZenCreator credits. Top up at https://app.zencreator.pro/billing to keep generating.",
    }
    assert scene.world.tasks()[0] == 0 and scene.world.balance() == 1


def test_every_violation_of_every_input_is_named_by_its_place(make_scene: Any) -> None:
    scene = make_scene()
    bad = {"prompt": "x", "image_assets": ["nonsense"], "ratio": "5:7", "negative_prompt": "no", "model": "SEEDREAM_5"}
    with pytest.raises(Refusal) as caught:
        scene.world.submit("image_editor", [scene.edit(), bad, scene.edit(model="SEEDREAM_6")], None)
    places = {violation["path"] for violation in caught.value.structured["violations"]}
    assert places == {"inputs[1].image_assets[0]", "inputs[1].ratio", "inputs[1].negative_prompt", "inputs[2].model"}
    assert scene.world.balance() == 1000


def test_refuses_a_missing_resolution_that_sets_the_price(make_scene: Any) -> None:
    scene = make_scene()
    with pytest.raises(Refusal, match=r"inputs\[0\]\.resolution: is required \(this tool is priced by resolution\)"):
        scene.world.submit("videogen", [{"ref_asset": scene.photo(), "prompt": "turn"}], None)


def test_an_asset_of_the_wrong_kind_is_refused(make_scene: Any) -> None:
    scene = make_scene()
    with pytest.raises(Refusal, match="expected video"):
        scene.world.submit("video_upscaler", [{"video_asset_id": scene.photo(), "resolution": "1080p"}], None)


def test_refuses_the_default_model_to_an_untrusted_account(make_scene: Any) -> None:
    scene = make_scene()
    inputs = {name: value for name, value in scene.edit().items() if name != "model"}
    with pytest.raises(Refusal, match="Trusted Status") as caught:
        scene.world.submit("image_editor", [inputs], None)
    assert caught.value.status == 403 and scene.world.balance() == 1000


def test_refuses_an_adult_model_while_disabled(make_scene: Any) -> None:
    scene = make_scene(trusted=True)
    with pytest.raises(Refusal, match="Adult content is disabled"):
        scene.world.submit("image_editor", [scene.edit(model="FLUX_KLEIN_NSFW")], None)
    assert scene.world.balance() == 1000


def test_a_blocked_model_is_refused(make_scene: Any) -> None:
    scene = make_scene(blocked=("image_editor:SEEDREAM_5",))
    with pytest.raises(Refusal, match="blocked"):
        scene.world.submit("image_editor", [scene.edit()], None)


def test_refunds_a_failed_call_by_a_row_of_its_own(make_scene: Any) -> None:
    scene = make_scene(credits=10)
    task = scene.world.submit("image_editor", [scene.edit(), scene.edit()], None, FaultEffects(failing=frozenset({1})))
    assert scene.world.balance() == 8
    scene.time.advance(60)
    assert scene.world.balance() == 9
    _, rows = scene.world.transactions(10, 0)
    assert (rows[0]["kind"], rows[0]["amount"], rows[0]["task_id"]) == ("refund", 1, task["id"])
    done = scene.world.task(task["id"])
    assert done["status"] == "partial" and done["finished_at"] is not None
    assert done["calls"][1]["error"]["category"] == "invalid_input"


def test_a_refund_can_come_later_or_never(make_scene: Any) -> None:
    scene = make_scene(credits=10)
    scene.world.submit("image_editor", [scene.edit()], None, FaultEffects(failing=None, refund_after_s=3600))
    scene.world.submit("image_editor", [scene.edit()], None, FaultEffects(failing=None, refund_after_s=None))
    scene.time.advance(60)
    assert scene.world.balance() == 8
    scene.time.advance(4000)
    assert scene.world.balance() == 9


def test_refunds_stay_in_order_with_what_is_bought_after_them(make_scene: Any) -> None:
    scene = make_scene(credits=10)
    scene.world.submit("image_editor", [scene.edit()], None, FaultEffects(failing=None))
    scene.time.advance(100)
    scene.world.submit("image_editor", [scene.edit()], None)
    _, rows = scene.world.transactions(10, 0)
    assert [row["kind"] for row in rows] == ["debit", "refund", "debit", "grant"]
    assert [row["created_at"] for row in rows] == sorted((row["created_at"] for row in rows), reverse=True)


def test_a_call_that_never_ends_keeps_its_task_processing(make_scene: Any) -> None:
    scene = make_scene()
    task = scene.world.submit("image_editor", [scene.edit(), scene.edit()], None, FaultEffects(endless=frozenset({0})))
    scene.time.advance(1_000_000)
    late = scene.world.task(task["id"])
    assert (late["status"], late["finished_at"]) == ("partial", None)
    assert scene.world.running_tools() == {"image_editor"}


def test_accepts_a_long_prompt_that_then_fails_in_the_worker(make_scene: Any) -> None:
    scene = make_scene()
    task = scene.world.submit("image_editor", [scene.edit(prompt="x" * 5001)], None)
    scene.time.advance(60)
    assert scene.world.task(task["id"])["status"] == "failed"
    assert scene.world.balance() == 1000


def test_listing_filters_searches_orders_and_pages(make_scene: Any) -> None:
    scene = make_scene()
    for number in range(5):
        scene.world.submit("image_editor", [scene.edit()] * (number + 1), f"Stamp{number} blue")
        scene.time.advance(1)
    scene.world.submit("run_any_llm", [{"prompt": "hello"}], "green")
    total, items = scene.world.tasks(query="BLUE", limit=2, offset=2)
    assert total == 5 and [item["comment"] for item in items] == ["Stamp2 blue", "Stamp1 blue"]
    assert scene.world.tasks(tool_name="run_any_llm")[0] == 1
    assert [item["total"] for item in scene.world.tasks(order_by="total", direction="desc", limit=2)[1]] == [5, 4]
    scene.time.advance(100)
    assert scene.world.tasks(status="completed")[0] == 6
    assert scene.world.tasks(status="processing")[0] == 0


def test_a_deleted_task_is_gone_and_stays_paid(make_scene: Any) -> None:
    scene = make_scene()
    task = scene.world.submit("image_editor", [scene.edit()], None)
    scene.world.delete_task(task["id"])
    with pytest.raises(Refusal, match="not recognised"):
        scene.world.task(task["id"])
    with pytest.raises(Refusal, match="not recognised"):
        scene.world.delete_task(task["id"])
    assert scene.world.balance() == 999 and scene.world.tasks()[0] == 0


def test_text_comes_in_the_output_and_makes_no_assets(make_scene: Any) -> None:
    scene = make_scene()
    task = scene.world.submit("run_any_llm", [{"prompt": "Say hello"}], None)
    scene.time.advance(10)
    result = scene.world.call_result(scene.world.task(task["id"])["calls"][0]["id"])
    assert "Say hello" in result["output"]["text"] and result["asset_ids"] == []


def test_the_same_request_has_the_same_content_in_another_world(make_scene: Any) -> None:
    prints = []
    for _ in range(2):
        scene = make_scene(seed=3)
        scene.photo()  # other ids, same content
        task = scene.world.submit("image_editor", [scene.edit()], None)
        scene.time.advance(60)
        call_id = scene.world.task(task["id"])["calls"][0]["id"]
        prints.append(scene.world.asset(scene.world.call_result(call_id)["asset_ids"][0]).fingerprint)
    assert prints[0] == prints[1]


def test_a_world_in_a_folder_survives_its_process(make_scene: Any, tmp_path: Path) -> None:
    first = make_scene(state_dir=tmp_path, credits=50)
    task = first.world.submit("image_editor", [first.edit()], "kept")
    again = make_scene(time=first.time, state_dir=tmp_path, credits=7)
    assert again.world.account_id == first.world.account_id
    assert again.world.balance() == 49
    assert again.world.task(task["id"])["comment"] == "kept"


def test_a_killed_process_has_kept_everything_that_it_answered(tmp_path: Path) -> None:
    script = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from zenflow.sandbox.settings import SandboxSettings\n"
        "from zenflow.sandbox.store import Store\n"
        "from zenflow.sandbox.world import World\n"
        "folder = Path(sys.argv[1])\n"
        "world = World(SandboxSettings(state_dir=folder), Store(folder), time.time)\n"
        "print(world.submit('run_any_llm', [{'prompt': 'x'}], None)['id'], flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    answered = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert answered.returncode == -9, answered.stderr
    from zenflow.sandbox.settings import SandboxSettings
    from zenflow.sandbox.store import Store
    from zenflow.sandbox.world import World

    world = World(SandboxSettings(state_dir=tmp_path), Store(tmp_path), lambda: 2e9)
    assert world.task(answered.stdout.strip())["status"] == "completed"
    assert world.balance() == 999
    world.close()


def test_two_processes_on_one_folder_spend_from_one_balance(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from zenflow.sandbox.settings import SandboxSettings\n"
        "from zenflow.sandbox.store import Store\n"
        "from zenflow.sandbox.world import World\n"
        "folder = Path(sys.argv[1])\n"
        "world = World(SandboxSettings(state_dir=folder, credits=100), Store(folder), time.time)\n"
        "for _ in range(20): world.submit('run_any_llm', [{'prompt': 'x'}], None)\n"
    )
    environment = {**os.environ}
    both = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stderr=subprocess.PIPE, env=environment)
        for _ in range(2)
    ]
    for process in both:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    from zenflow.sandbox.settings import SandboxSettings
    from zenflow.sandbox.store import Store
    from zenflow.sandbox.world import World

    world = World(SandboxSettings(state_dir=tmp_path), Store(tmp_path), lambda: 2e9)
    assert world.balance() == 60 and world.tasks(limit=100)[0] == 40
    world.close()


def test_delivers_a_postponed_request_once_when_due(make_scene: Any) -> None:
    scene = make_scene()
    scene.world.postpone("zencreator_create_task", {"tool_name": "x"}, 30)
    assert scene.world.take_due() == []
    scene.time.advance(31)
    assert scene.world.take_due() == [("zencreator_create_task", {"tool_name": "x"})]
    assert scene.world.take_due() == []
