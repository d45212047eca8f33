"""The sandbox as the official SDK's client sees it: every tool, in both protocol eras."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image

pytestmark = pytest.mark.anyio

NOBODY = "00000000-0000-4000-8000-000000000000"


async def test_all_tools_are_listed_with_schemas(context: Any, era: str) -> None:
    async with context(era) as visitor:
        tools = (await visitor.client.list_tools()).tools
        assert len(tools) == 28 and all(tool.name.startswith("zencreator_") for tool in tools)
        for tool in tools:
            assert tool.input_schema["additionalProperties"] is False
            assert tool.input_schema["properties"]["response_format"]["enum"] == ["markdown", "json"]
            assert tool.output_schema is not None


async def test_a_deployment_may_lack_the_helpers(context: Any) -> None:
    async with context(helpers=False) as visitor:
        names = {tool.name for tool in (await visitor.client.list_tools()).tools}
        assert len(names) == 26 and "zencreator_craft_prompt" not in names
        with pytest.raises(Exception, match="Unknown tool"):
            await visitor.ask("craft_prompt", brief="x", tool_name="by_prompt", model="QWEN_IMAGE")


async def test_one_photo_goes_all_the_way_to_an_enlarged_file(context: Any, era: str) -> None:
    async with context(era, speed=1000) as visitor:
        await _photoshoot(visitor)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_same_way_over_a_socket(visit_by_socket: Any, mode: str) -> None:
    async with visit_by_socket(mode, speed=1000) as visitor:
        await _photoshoot(visitor)


async def _photoshoot(visitor: Any) -> None:
    submission = await visitor.edit()
    quote = await visitor.get("estimate_price", tool_name="image_editor", params=submission["inputs"][0])
    assert quote == {"tool_name": "image_editor", "price": 1, "raw": {"tool_name": "image_editor", "price": 1}}
    task = await visitor.get("create_task", **submission, comment="stamp a")
    await visitor.advance(60)
    done = await visitor.get("get_task", task_id=task["id"])
    assert done["status"] == "completed" and done["inputs"] == submission["inputs"] and done["channel"] == "mcp"
    assert done["calls"][0]["output"] is None and "error" in done["calls"][0]
    (edit,) = (await visitor.get("get_call_result", call_id=done["calls"][0]["id"]))["asset_ids"]
    larger = await visitor.get(
        "run_and_wait", tool_name="upscaler", inputs=[{"image_asset_id": edit, "output_format": "jpeg"}], timeout_s=20
    )
    assert larger["status"] == "completed" and not larger["timed_out"]
    urls = await visitor.get("get_asset_download_urls", asset_ids=[*larger["asset_ids"], NOBODY])
    assert (urls["count"], urls["succeeded"], urls["failed"]) == (2, 1, 1) and "404" in urls["items"][1]["error"]
    file = await visitor.http.get(urls["items"][0]["download_url"])
    assert file.status_code == 200 and file.headers["content-type"] == "image/jpeg"
    assert len(file.content) == int(file.headers["content-length"])
    assert Image.open(io.BytesIO(file.content)).size == (768 * 2, 1024 * 2)
    ledger = await visitor.get("list_credit_transactions")
    assert [row["amount"] for row in ledger["items"]] == [-2, -1, 1000]
    assert (await visitor.get("get_me"))["credits"] == 997


async def test_falls_back_to_the_older_protocol(context: Any) -> None:
    async with context("auto", legacy_only=True) as visitor:
        assert visitor.client.session.protocol_version == "2025-11-25"
        assert (await visitor.get("get_me"))["credits"] == 1000


async def test_without_the_right_token_nobody_comes_in(context: Any) -> None:
    async with context(token="right") as visitor:
        assert (await visitor.get("get_me"))["credits"] == 1000
        for headers in ({"authorization": "Bearer wrong"}, {"authorization": ""}):
            answer = await visitor.http.post("/mcp", headers=headers, json={})
            assert answer.status_code == 401 and "Bearer" in answer.headers["www-authenticate"]
            assert (await visitor.http.get("/admin/state", headers=headers)).status_code == 401
        assert (await visitor.http.get("/healthz", headers={"authorization": ""})).status_code == 200


async def test_admin_is_closed_unless_asked_for() -> None:
    import httpx2

    from zenflow.sandbox.server import build_app
    from zenflow.sandbox.settings import SandboxSettings

    app = build_app(SandboxSettings())
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as http,
    ):
        assert (await http.get("/admin/state")).status_code == 404


async def test_discovery_describes_tools_models_and_guides(context: Any) -> None:
    async with context(blocked=("lipsync", "videogen:kling@2.6")) as visitor:
        listed = await visitor.get("list_tools")
        rows = {row["name"]: row for row in listed["tools"]}
        assert listed["count"] == len(rows) == 11
        assert rows["lipsync"]["blocked_models"] == ["*"] and rows["videogen"]["blocked_models"] == ["kling@2.6"]
        assert "blocked_models" not in rows["upscaler"]
        kept = await visitor.get("list_tools", include_blocked=False)
        assert kept["count"] == 10
        schema = await visitor.get("get_tool_schema", tool_name="videogen")
        assert "resolution" in schema["input_schema"]["required"] and schema["prompt_guide"]
        editor = await visitor.get("get_tool_schema", tool_name="image_editor")
        default = next(model for model in editor["models"] if model.get("is_default"))
        assert default["value"] == "GENERAL_NSFW" and default["trusted_only"] is True
        assert "Template" in (await visitor.get("get_model_prompt_guide", model="SEEDREAM_5"))["prompt_guide"]
        text, _ = await visitor.refusal("get_model_prompt_guide", model="seedream_5")
        assert "SEEDREAM_5" in text
        text, structured = await visitor.refusal("get_tool_schema", tool_name="flux")
        assert "HTTP 404" in text and "by_prompt" in structured["valid_names"]


async def test_prices_are_compared_cheapest_first(context: Any) -> None:
    async with context() as visitor:
        editor = await visitor.get(
            "compare_prices",
            tool_name="image_editor",
            params={"prompt": "x", "image_assets": [NOBODY], "model": "NANO_BANANA"},
        )
        assert editor["count"] == 9 and "compared_resolutions" not in editor
        assert [row["price"] for row in editor["prices"]] == [1, 1, 1, 1, 1, 2, 2, 3, 4]
        assert editor["prices"][0]["model"] == "FLUX_KLEIN_NSFW" and editor["prices"][1]["is_default"] is True
        clips = await visitor.get("compare_prices", tool_name="videogen", params={"ref_asset": NOBODY, "prompt": "x"})
        assert clips["compared_resolutions"] == ["480p", "720p", "1080p"]
        assert clips["prices"][0]["resolution"] == "480p" and clips["errors"]
        pinned = await visitor.get(
            "compare_prices", tool_name="videogen", params={"ref_asset": NOBODY, "prompt": "x", "resolution": "720p"}
        )
        assert {row["resolution"] for row in pinned["prices"]} == {"720p"}
        text, _ = await visitor.refusal("compare_prices", tool_name="upscaler", params={})
        assert "zencreator_estimate_price" in text


async def test_price_questions_refuse_what_submission_would_refuse(context: Any) -> None:
    async with context() as visitor:
        good = {"prompt": "x", "image_assets": [NOBODY], "model": "SEEDREAM_5"}
        for params, words in (
            ({"prompt": "x"}, "params.image_assets: is required"),
            ({**good, "negative_prompt": "x"}, "params.negative_prompt"),
            ({**good, "ratio": "5:7"}, "params.ratio"),
            ({**good, "model": "GENERAL_NSFW"}, "Trusted Status"),
        ):
            text, _ = await visitor.refusal("estimate_price", tool_name="image_editor", params=params)
            assert words in text
        for wrapped in ({"inputs": [good]}, {"tool_name": "image_editor", "params": good}):
            _, structured = await visitor.refusal("estimate_price", tool_name="image_editor", params=wrapped)
            assert structured["corrected"] == {"tool_name": "image_editor", "params": good}


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("get_task", {"task_id": "nonsense"}, "task_id"),
        ("get_task", {"task_id": NOBODY}, "HTTP 404"),
        ("get_task", {}, "task_id: is required"),
        ("get_call_result", {"call_id": NOBODY}, "HTTP 404"),
        ("list_tasks", {"limit": 101}, "limit"),
        ("list_tasks", {"status": "done"}, "status"),
        ("list_tasks", {"page": 2}, "page: is not a field"),
        ("create_task", {"tool_name": "upscaler", "inputs": []}, "inputs"),
        ("create_task", {"tool_name": "upscaler", "inputs": [{}] * 51}, "inputs"),
        ("create_task", {"tool_name": "upscaler", "inputs": [{}], "comment": "x" * 501}, "comment"),
        ("create_task", {"tool_name": "unknown", "inputs": [{}]}, "Valid names"),
        ("upload_asset", {}, "exactly one of"),
        ("upload_asset", {"data_base64": "eA==", "source_url": "http://x"}, "exactly one of"),
        ("upload_asset", {"data_base64": "?"}, "not valid base64"),
        ("upload_asset", {"data_base64": ""}, "zero bytes"),
        ("upload_asset", {"data_base64": "eA=="}, "could not determine"),
        ("upload_asset", {"data_base64": "eA==", "filename": "x.png"}, "corrupt image"),
        ("upload_asset", {"source_url": "file:///etc/hosts"}, "unsupported scheme"),
        ("upload_asset", {"source_url": "data:nonsense"}, "malformed data: URL"),
        ("upload_asset", {"data_base64": "eA==", "media_type": "text/plain"}, "media_type"),
        ("get_asset", {"asset_id": NOBODY}, "HTTP 404"),
        ("craft_prompt", {"brief": "x", "tool_name": "by_prompt", "model": "nope"}, "not a model"),
        ("craft_prompt", {"brief": "x", "tool_name": "by_prompt", "model": "QWEN_IMAGE", "nsfw": True}, "HTTP 403"),
        ("get_template", {"template_id": NOBODY}, "HTTP 404"),
    ],
)
async def test_a_wrong_argument_is_a_tool_result(
    context: Any, tool: str, arguments: dict[str, Any], words: str
) -> None:
    async with context() as visitor:
        text, structured = await visitor.refusal(tool, **arguments)
        assert words in text and structured["http_status"] in (400, 403, 404, 422)


async def test_uploads_come_from_urls_too(context: Any, visit_by_socket: Any) -> None:
    async with visit_by_socket() as other, context() as visitor:
        asset_id = await other.photo()
        url = (await other.get("get_asset_download_url", asset_id=asset_id))["download_url"]
        fetched = await visitor.get("upload_asset", source_url=url)
        body = (await other.http.get(url)).content
        inline = f"data:image/jpeg;base64,{base64.b64encode(body).decode()}"
        given = await visitor.get("upload_asset", source_url=inline)
        for uploaded in (fetched, given):
            assert (uploaded["media_type"], uploaded["size_bytes"]) == ("image/jpeg", len(body))
        text, _ = await visitor.refusal("upload_asset", source_url=url.replace("signature=", "signature=0"))
        assert "HTTP 403" in text


async def test_uploading_twice_makes_two_assets(context: Any) -> None:
    async with context() as visitor:
        assert await visitor.photo() != await visitor.photo()


async def test_keeps_waiting_for_a_task_that_outlasts_the_wait(context: Any) -> None:
    from zenflow.sandbox.clock import ManualClock

    async with context(time=ManualClock()) as visitor:
        waited = await visitor.get("run_and_wait", **await visitor.edit())
        assert waited["timed_out"] is True and waited["status"] == "processing" and waited["polls"] > 3
        again = await visitor.get("wait_for_task", task_id=waited["task_id"], timeout_s=50)
        assert again["timed_out"] is False and again["status"] == "completed" and again["asset_ids"]
        assert (await visitor.state())["create_task_posts"] == 0
        assert len((await visitor.state())["tasks"]) == 1


async def test_processing_tools_are_told_cheaply(context: Any) -> None:
    async with context() as visitor:
        await visitor.get("create_task", **await visitor.edit())
        busy = await visitor.get("get_processing_tasks")
        assert busy["any_processing"] is True
        assert [row["tool_name"] for row in busy["tools"] if row["processing"]] == ["image_editor"]
        await visitor.advance(60)
        assert (await visitor.get("get_processing_tasks"))["any_processing"] is False


async def test_lists_are_paged_with_the_documented_envelope(context: Any) -> None:
    async with context() as visitor:
        submission = await visitor.edit()
        for number in range(5):
            await visitor.get("create_task", **submission, comment=f"run {number}")
        first = await visitor.get("list_tasks", limit=2)
        assert (first["total"], first["count"], first["has_more"], first["next_offset"]) == (5, 2, True, 2)
        last = await visitor.get("list_tasks", limit=2, offset=4)
        assert (last["count"], last["has_more"]) == (1, False) and "next_offset" not in last
        ledger = await visitor.get("list_credit_transactions", limit=3)
        assert ledger["total"] == 6 and ledger["next_offset"] == 3


async def test_previews_are_webp_inline_or_not(context: Any) -> None:
    async with context() as visitor:
        asset_id = await visitor.photo()
        result = await visitor.ask("get_asset_preview_url", asset_id=asset_id)
        assert result.structured_content["preview_media_type"] == "image/webp"
        assert result.structured_content["media_type"] == "image/jpeg"
        picture = result.content[1]
        assert (picture.type, picture.mime_type) == ("image", "image/webp")
        shown = base64.b64decode(picture.data)
        file = await visitor.http.get(result.structured_content["preview_url"])
        assert file.content == shown and file.headers["content-type"] == "image/webp"
        many = await visitor.ask("get_asset_preview_urls", asset_ids=[asset_id, NOBODY])
        assert {k: many.structured_content[k] for k in ("count", "succeeded", "failed", "inlined")} == {
            "count": 2,
            "succeeded": 1,
            "failed": 1,
            "inlined": 1,
        }
        plain = await visitor.ask("get_asset_preview_urls", asset_ids=[asset_id], inline=False)
        assert len(plain.content) == 1 and plain.structured_content["inlined"] == 0


async def test_helpers_write_prompts_and_describe_for_free(context: Any) -> None:
    async with context() as visitor:
        asset_id = await visitor.photo()
        first = await visitor.get("describe_asset", asset_id=asset_id)
        second = await visitor.get("describe_asset", asset_id=asset_id)
        fresh = await visitor.get("describe_asset", asset_id=asset_id, force_refresh=True)
        assert [answer["cached"] for answer in (first, second, fresh)] == [False, True, False]
        assert "60 by 80" in first["description"]
        question = {"tool_name": "image_editor", "model": "SEEDREAM_5", "count": 4}
        reference = {"asset_id": asset_id, "description": "a person in teal"}
        looks = [
            await visitor.get("craft_prompt", brief=brief, references=[reference], **question)
            for brief in ("studio portrait", "street style")
        ]
        prompts = [entry["prompt"] for look in looks for entry in look["prompts"]]
        assert len(set(prompts)) == 8 and all("a person in teal" in prompt for prompt in prompts)
        assert looks[0] == await visitor.get(
            "craft_prompt", brief="studio portrait", references=[reference], **question
        )
        assert (await visitor.get("get_me"))["credits"] == 1000


async def test_templates_are_listed_found_shown_and_made_ready(context: Any) -> None:
    async with context() as visitor:
        listed = await visitor.get("list_templates", tags=["avatar"])
        assert listed["total"] == 2 and "input" not in listed["items"][0]
        found = await visitor.get("search_templates", query="marble")
        template_id = found["items"][0]["id"]
        assert (await visitor.get("get_template", template_id=template_id))["input"]["model"] == "QWEN_IMAGE"
        card = await visitor.get("get_template_card", template_id=template_id)
        used = await visitor.get(
            "use_template", template_id=template_id, overrides={card["required_assets"][0]: [await visitor.photo()]}
        )
        task = await visitor.get("create_task", tool_name=used["tool_name"], inputs=used["inputs"])
        assert task["total"] == 1


async def test_the_format_changes_the_text_alone(context: Any) -> None:
    async with context() as visitor:
        plain = await visitor.ask("get_me")
        compact = await visitor.ask("get_me", response_format="json")
        assert plain.structured_content == compact.structured_content
        assert plain.content[0].text.startswith("# ")
        assert json.loads(compact.content[0].text) == compact.structured_content


async def test_long_text_is_cut_and_the_structure_is_not(context: Any) -> None:
    async with context() as visitor:
        submission = await visitor.edit(count=50, prompt="long " * 200)
        task = await visitor.get("create_task", **submission)
        result = await visitor.ask("get_task", task_id=task["id"])
        assert len(result.content[0].text) == 25_000 and "truncated" in result.content[0].text
        assert len(result.structured_content["inputs"]) == 50


async def test_too_many_requests_in_a_second_are_refused(context: Any) -> None:
    from zenflow.sandbox.clock import ManualClock

    time = ManualClock()
    async with context(time=time, requests_per_second=3) as visitor:
        answers = [await visitor.ask("get_me") for _ in range(5)]
        assert [answer.is_error for answer in answers] == [False, False, False, True, True]
        assert "HTTP 429" in answers[3].content[0].text
        time.advance(1)
        assert not (await visitor.ask("get_me")).is_error


async def test_a_whole_number_may_be_written_as_a_fraction(context: Any) -> None:
    async with context() as visitor:
        task = await visitor.get(
            "create_task", tool_name="by_prompt", inputs=[{"positive_prompt": "x", "batch_size": 2.0, "width": 128.0}]
        )
        await visitor.advance(60)
        call_id = (await visitor.get("get_task", task_id=task["id"]))["calls"][0]["id"]
        assert len((await visitor.get("get_call_result", call_id=call_id))["asset_ids"]) == 2
        assert (await visitor.get("list_tasks", limit=1.0, status="completed"))["count"] == 1


async def test_a_body_above_the_edges_limit_is_refused(context: Any) -> None:
    async with context() as visitor:
        answer = await visitor.http.post("/mcp", content=b"x" * (26 * 1024 * 1024))
        assert answer.status_code == 413
