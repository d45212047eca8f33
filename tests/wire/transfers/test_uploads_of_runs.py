"""What a recipe may upload, what is uploaded once, and what is refused before anything is sent: over HTTP."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

RECIPE = """\
zenflow: 1
name: send
budget: 5
inputs:
  photo: {{type: {kind}, default: {default}}}
steps:
  up:
    uses: upload
{extra}    with:
      source: ${{{{ inputs.photo }}}}
outputs:
  asset: ${{{{ steps.up.asset_id }}}}
"""
LITERAL = """\
zenflow: 1
name: literal
budget: 5
steps:
  up:
    uses: upload
    with:
      source: {source}
outputs:
  asset: ${{{{ steps.up.asset_id }}}}
"""


def picture(path: Path, size: int = 64, colour: str = "teal") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (size, size), colour).save(path)
    return path


@pytest.fixture
def recipe(here: Path) -> Any:
    def write(kind: str = "image", default: str = "null", extra: str = "") -> str:
        (here / "send.yaml").write_text(RECIPE.format(kind=kind, default=default, extra=extra))
        return "send.yaml"

    return write


def uploads(town: Any) -> int:
    return int(town.state["requests"].get("upload_asset", 0))


# ------------------------------------------------------------------------------------------------- whose files may be sent


def test_a_file_that_the_user_named_is_sent_wherever_it_lies(
    zenflow: Any, tmp_path: Path, town: Any, recipe: Any
) -> None:
    elsewhere = picture(tmp_path / "elsewhere" / "face.png")
    said = zenflow("run", recipe(), "-i", f"photo={elsewhere}", "--server", town.url, "--yes", "--json")
    assert said.status == 0, said.err
    assert uploads(town) == 1


def test_a_file_named_in_an_inputs_file_is_sent(zenflow: Any, tmp_path: Path, town: Any, recipe: Any) -> None:
    picture(tmp_path / "elsewhere" / "face.png")
    (tmp_path / "elsewhere" / "inputs.yaml").write_text("photo: face.png\n")
    words = ("--inputs", str(tmp_path / "elsewhere" / "inputs.yaml"))
    assert zenflow("run", recipe(), *words, "--server", town.url, "--yes", "--json").status == 0
    assert uploads(town) == 1


def test_a_file_of_the_recipes_own_folder_is_sent(zenflow: Any, here: Path, town: Any) -> None:
    picture(here / "photos" / "face.png")
    (here / "literal.yaml").write_text(LITERAL.format(source="photos/face.png"))
    assert zenflow("run", "literal.yaml", "--server", town.url, "--yes", "--json").status == 0
    assert uploads(town) == 1


@pytest.mark.parametrize("how", ["absolute", "upwards", "by a link", "as a default"])
def test_refuses_to_send_a_file_from_elsewhere(zenflow: Any, here: Path, tmp_path: Path, town: Any, how: str) -> None:
    private = picture(tmp_path / "private" / "key.png")
    if how == "by a link":
        os.symlink(private, here / "innocent.png")
    source = {"absolute": str(private), "by a link": "innocent.png"}.get(how, "../private/key.png")
    text = (
        RECIPE.format(kind="image", default=source, extra="")
        if how == "as a default"
        else LITERAL.format(source=source)
    )
    (here / "literal.yaml").write_text(text)
    said = zenflow("run", "literal.yaml", "--server", town.url, "--yes", "--json")
    assert said.status in (1, 2)
    assert any(
        words in said.message
        for words in ("recipe's folder", "its own folder", "out of the folder", "workspace or repository")
    )
    assert any(words in said.hint for words in ("-i NAME=PATH", "name the file when", "name it when you run"))
    assert uploads(town) == 0


# -------------------------------------------------------------------------------------------------------- what is sent once


def test_the_same_bytes_are_not_sent_again_unless_told_otherwise(
    zenflow: Any, here: Path, town: Any, recipe: Any
) -> None:
    first, copy = picture(here / "face.png"), picture(here / "copy-of-face.png")
    assert first.read_bytes() == copy.read_bytes()
    ids = [
        zenflow("run", recipe(), "-i", f"photo={path}", "--server", town.url, "--yes", "--json").document["outputs"]
        for path in (first, copy)
    ]
    assert ids[0] == ids[1] and uploads(town) == 1
    again = zenflow("run", recipe(extra="    reuse: false\n"), "-i", f"photo={first}", "--server", town.url, "--json")
    assert again.document["status"] in ("done", "refused")
    if again.status == 3:  # nothing is paid here, so nobody needs to be asked
        again = zenflow(
            "run", recipe(extra="    reuse: false\n"), "-i", f"photo={first}", "--server", town.url, "--yes", "--json"
        )
    assert again.document["outputs"] != ids[0] and uploads(town) == 2


def test_an_asset_that_is_gone_is_sent_again(zenflow: Any, here: Path, town: Any, recipe: Any) -> None:
    path = picture(here / "face.png")
    words = ("run", recipe(), "-i", f"photo={path}", "--server", town.url, "--yes", "--json")
    assert zenflow(*words).status == 0
    town.fault(kind="tool_error", tool="get_asset", status=404, message="asset_id not recognised")
    assert zenflow(*words).status == 0
    assert uploads(town) == 2


# --------------------------------------------------------------------------------------------------------- kinds of sources


def test_an_asset_that_exists_is_passed_through(zenflow: Any, here: Path, town: Any, recipe: Any) -> None:
    path = picture(here / "face.png")
    words = ("--server", town.url, "--yes", "--json")
    asset = zenflow("run", recipe(), "-i", f"photo={path}", *words).document["outputs"]["asset"]
    said = zenflow("run", recipe(), "-i", f"photo={asset}", *words)
    assert said.document["outputs"]["asset"] == asset and uploads(town) == 1


def test_a_data_address_is_sent_and_kept_as_a_digest(zenflow: Any, here: Path, town: Any, recipe: Any) -> None:
    out = io.BytesIO()
    Image.new("RGB", (48, 48), "red").save(out, "PNG")
    address = "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
    said = zenflow("run", recipe(), "-i", f"photo={address}", "--server", town.url, "--yes", "--json")
    assert said.status == 0, said.err
    assert uploads(town) == 1


def test_a_web_address_is_fetched_by_the_service(zenflow: Any, here: Path, town: Any, recipe: Any) -> None:
    path = picture(here / "face.png")
    words = ("--server", town.url, "--yes", "--json")
    asset = zenflow("run", recipe(), "-i", f"photo={path}", *words).document["outputs"]["asset"]
    assets = zenflow("assets", "get", asset, *words[:2], "--json").document["assets"]
    assert assets[0]["bytes"] == path.stat().st_size  # never resized, never encoded anew
    said = zenflow("run", recipe(), "-i", f"photo={town.base}/healthz", *words)
    assert said.status == 1 and "media" in said.message


@pytest.mark.parametrize(("name", "code"), [("face.gif", "ZF851"), ("notes.txt", "ZF851")])
def test_refuses_a_media_kind_before_sending(
    zenflow: Any, here: Path, town: Any, recipe: Any, name: str, code: str
) -> None:
    path = here / name
    Image.new("RGB", (8, 8)).save(path, "GIF") if name.endswith("gif") else path.write_text("no picture")
    said = zenflow("run", recipe(), "-i", f"photo={path}", "--server", town.url, "--yes", "--json")
    assert said.status in (1, 2) and uploads(town) == 0


def test_what_is_too_large_is_a_clear_error_with_the_ways_out(zenflow: Any, here: Path, town: Any, recipe: Any) -> None:
    path = here / "huge.png"
    Image.frombytes("RGB", (2600, 2600), os.urandom(2600 * 2600 * 3)).save(path, compress_level=0)
    size = path.stat().st_size
    said = zenflow("run", recipe(), "-i", f"photo={path}", "--server", town.url, "--yes", "--json")
    assert (said.status, said.code, town.posts) == (2, "ZF514", 0)
    assert "18 MB" in said.message + said.hint and "http(s) address" in said.hint
    assert "never shrinks" in said.hint
    assert uploads(town) == 0 and path.stat().st_size == size


# ------------------------------------------------------------------------------------------------------------ the helpers

HELPED = """\
zenflow: 1
name: helped
budget: 5
steps:
  words:
    uses: craft_prompt
{on_error}    with: {{brief: a red hill, tool_name: by_prompt, model: SEEDREAM_5}}
  make:
    uses: by_prompt
    with:
      positive_prompt: {prompt}
      model: SEEDREAM_5
  save:
    uses: download
    with: {{asset_ids: "${{{{ steps.make.asset_ids }}}}"}}
"""


def test_refuses_a_recipe_that_needs_an_absent_helper(zenflow: Any, here: Path, serving_sandbox: Any) -> None:
    (here / "helped.yaml").write_text(HELPED.format(on_error="", prompt="${{ steps.words.prompt }}"))
    with serving_sandbox(helpers=False) as town:
        for command in ("validate", "run"):
            more = ("--yes",) if command == "run" else ()
            said = zenflow(command, "helped.yaml", "--server", town.url, *more, "--json")
            assert said.status == 2
            assert "on_error: continue" in said.out + said.err and "default" in said.out + said.err
        assert town.posts == 0


def test_a_recipe_that_can_do_without_runs_without(zenflow: Any, here: Path, serving_sandbox: Any) -> None:
    text = HELPED.format(
        on_error="    on_error: continue\n", prompt="${{ steps.words.prompt | default('a red hill') }}"
    )
    (here / "helped.yaml").write_text(text)
    with serving_sandbox(helpers=False) as town:
        said = zenflow("run", "helped.yaml", "--server", town.url, "--yes", "--json")
        assert (said.status, len(said.document["files"])) == (0, 1), said.err
