"""The errors of uploads, previews and prompt helpers, as the pages of docs/service.md, “Assets” and “Generation”
name them: over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SEND = """\
zenflow: 1
name: send
budget: 5
steps:
  up:
    uses: upload
    with:
      source: SOURCE
  make:
    uses: by_prompt
    with: {positive_prompt: a red hill, model: SEEDREAM_5}
  save:
    uses: download
    with: {asset_ids: "${{ steps.make.asset_ids }}"}
outputs:
  asset: ${{ steps.up.asset_id }}
"""


@pytest.fixture
def send(zenflow: Any, here: Path, town: Any) -> Any:
    def run(source: str) -> Any:
        (here / "send.yaml").write_text(SEND.replace("SOURCE", source))
        return zenflow("run", "send.yaml", "--server", town.url, "--yes", "--json")

    return run


@pytest.mark.parametrize(
    "source",
    [
        "file:///etc/hosts",
        "blob:abc",
        "javascript:alert(1)",
        "ftp://example.com/a.png",
        '"data:image/png"',
        '"data:image/png;base64,%%%"',
        '"data:image/gif;base64,R0lG"',
    ],
)
def test_refuses_another_kind_of_address_before_sending(send: Any, town: Any, source: str) -> None:
    said = send(source)
    assert (said.status, said.document["status"]) == (2, "invalid"), said.out
    assert (town.posts, town.state["requests"].get("upload_asset", 0)) == (0, 0)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "the bytes are not a decodable image"),
        (400, "pass exactly one of 'source_url' or 'data_base64'"),
        (400, "data_base64 is not valid base64"),
        (400, "payload > 50 MB cap"),
        (400, "could not determine an allowed media_type"),
        (422, "media_type: 'image/gif' is not one of the allowed types"),
    ],
)
def test_fails_the_branch_of_a_refused_upload_at_its_line(
    send: Any, here: Path, town: Any, status: int, message: str
) -> None:
    from PIL import Image

    Image.new("RGB", (64, 64), "teal").save(here / "face.png")
    town.fault(kind="tool_error", tool="upload_asset", status=status, message=message)
    said = send("face.png")
    assert (said.status, said.document["status"], said.code) == (1, "failed", "ZF708")
    assert message in said.message
    assert town.state["requests"]["upload_asset"] == 1  # the same bytes would be refused again
    assert said.document["steps"]["save"]["status"] == "done" and town.debits == [-1]


def test_a_damaged_picture_is_found_before_it_is_sent(send: Any, here: Path, town: Any) -> None:
    (here / "face.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"not a picture" * 20)
    said = send("face.png")
    assert (said.status, said.code) == (2, "ZF519")


def test_fails_the_branch_of_an_unfetchable_address(send: Any, town: Any) -> None:
    said = send(f"{town.base}/nothing-here.png")
    assert (said.status, said.document["steps"]["save"]["status"]) == (1, "done")
    assert said.document["steps"]["up"]["status"] == "failed"


# ------------------------------------------------------------------------------------------------------------- previews

SEEN = """\
zenflow: 1
name: seen
budget: 9
steps:
  make:
    foreach: [a red hill, a blue hill]
    uses: by_prompt
    with: {positive_prompt: "${{ item }}", model: SEEDREAM_5}
outputs:
  assets: ${{ steps.make.asset_ids }}
"""


def test_one_previews_failure_does_not_fail_the_rest(zenflow: Any, here: Path, town: Any) -> None:
    (here / "seen.yaml").write_text(SEEN)
    made = zenflow("run", "seen.yaml", "--server", town.url, "--yes", "--json").document["outputs"]["assets"]
    nobody = "11111111-1111-4111-8111-111111111111"
    said = zenflow("assets", "preview", made[0], nobody, made[1], "--server", town.url, "--json")
    assert (said.status, [row["error"] is None for row in said.document["assets"]]) == (1, [True, False, True])
    assert town.state["requests"]["get_asset_preview_urls"] == 1


# -------------------------------------------------------------------------------------------------------------- helpers

HELPED = """\
zenflow: 1
name: helped
budget: 5
steps:
  words:
    uses: craft_prompt
    ON_ERROR
    with: {brief: a red hill, tool_name: by_prompt, model: SEEDREAM_5}
  make:
    uses: by_prompt
    with:
      positive_prompt: PROMPT
      model: SEEDREAM_5
"""
STRICT = HELPED.replace("    ON_ERROR\n", "").replace("PROMPT", "${{ steps.words.prompt }}")
LENIENT = HELPED.replace("ON_ERROR", "on_error: continue").replace(
    "PROMPT", "${{ steps.words.prompt | default('a hill') }}"
)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 502, "message": "Upstream HTTP error (rate limit, model down)"},
        {"status": 500, "message": "Agent returned non-JSON"},
        {"status": 429, "message": "the upstream model is rate limited", "retry_after_s": 0.1},
    ],
    ids=lambda fault: str(fault["message"]),
)
def test_a_helpers_passing_trouble_is_asked_again(zenflow: Any, here: Path, town: Any, fault: dict[str, Any]) -> None:
    (here / "helped.yaml").write_text(STRICT)
    town.fault(kind="tool_error", tool="craft_prompt", times=1, **fault)
    said = zenflow("run", "helped.yaml", "--server", town.url, "--yes", "--json")
    assert (said.status, town.state["requests"]["craft_prompt"]) == (0, 2), said.err


def test_fails_or_skips_an_unconfigured_helper(zenflow: Any, here: Path, town: Any) -> None:
    """Listed, and disabled all the same: that shows when it is asked."""
    (here / "strict.yaml").write_text(STRICT)
    (here / "lenient.yaml").write_text(LENIENT)
    town.fault(kind="tool_error", tool="craft_prompt", status=503, message="PROMPT_AGENT_API_KEY not configured")
    strict = zenflow("run", "strict.yaml", "--server", town.url, "--yes", "--json")
    assert (strict.status, strict.code, town.posts) == (1, "ZF709", 0)
    assert town.state["requests"]["craft_prompt"] == 1  # asking again is no use
    lenient = zenflow("run", "lenient.yaml", "--server", town.url, "--yes", "--json")
    assert (lenient.status, town.posts) == (0, 1), lenient.err
