"""Every reader has a bound: what a stranger's recipe, plan or picture can make zenflow do ends, and ends with a finding."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from tests.safety.hostile_git import RECIPE
from zenflow.app.queries.presets import step_of
from zenflow.artifacts import media
from zenflow.artifacts.base import ArtifactError, ExpectedFile
from zenflow.artifacts.received import MOST_PICTURE_BYTES, Receiving
from zenflow.errors import UsageError
from zenflow.plan.output.plan_file import content_digest
from zenflow.problems import MOST_KEPT, Problems
from zenflow.providers.base import ServiceTemplate
from zenflow.recipe.text.lookalikes import may_be_cut

Zenflow = Callable[..., Any]
HEAD = "zenflow: 1\nname: r\nversion: 1.0.0\n"


def codes(zenflow: Zenflow, here: Path, text: str) -> list[str]:
    (here / "r.yaml").write_text(text)
    answer = zenflow("validate", "r.yaml", "--json")
    assert answer.status in (0, 2), answer.err
    return [one["code"] for one in answer.document["problems"]]


# --- recipes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lists",
    [
        "{x: '${{ range(1000) }}', y: '${{ range(1000) }}'}",
        "{x: '${{ range(10000) }}', y: '${{ range(10000) }}'}",
        "{x: '${{ range(100000) }}', y: '${{ range(100000) }}', z: '${{ range(100000) }}'}",
    ],
)
def test_more_instances_than_can_be_counted_are_a_finding(zenflow: Zenflow, here: Path, lists: str) -> None:
    step = (
        f"steps:\n  make:\n    foreach: {lists}\n    uses: by_prompt\n    with: {{positive_prompt: x, ratio: '1:1'}}\n"
    )
    assert codes(zenflow, here, HEAD + step) == ["ZF357"]


def test_instances_are_counted_over_all_steps(zenflow: Zenflow, here: Path) -> None:
    steps = "".join(
        f"  s{n}: {{foreach: '${{{{ range(40000) }}}}', uses: by_prompt, with: {{positive_prompt: x, ratio: '1:1'}}}}\n"
        for n in range(3)
    )
    assert "ZF357" in codes(zenflow, here, f"{HEAD}steps:\n{steps}")


def test_a_batch_of_any_size_is_a_finding(zenflow: Zenflow, here: Path) -> None:
    steps = (
        f"  make: {{foreach: [a, b], uses: by_prompt, with: {{positive_prompt: x, ratio: '1:1', batch_size: {10**30}}}}}\n"
        "  save: {foreach: '${{ steps.make.asset_ids }}', uses: download, with: {asset_id: '${{ item }}'}}\n"
    )
    assert codes(zenflow, here, f"{HEAD}steps:\n{steps}")


def test_recipes_that_use_each_other_endlessly_are_a_finding(zenflow: Zenflow, here: Path) -> None:
    for number in range(8):
        uses = "".join(f"  s{n}: {{uses: ./r{number + 1}.yaml}}\n" for n in range(8))
        text = RECIPE if number == 7 else f"{HEAD}steps:\n{uses}"
        (here / f"r{number}.yaml").write_text(text.replace("name: r", f"name: r{number}"))
    found = zenflow("validate", "r0.yaml", "--json").document["problems"]
    assert any("too many steps" in one["message"] for one in found)


def test_a_pipe_is_no_recipe(zenflow: Zenflow, here: Path) -> None:
    os.mkfifo(here / "f.yaml")
    assert codes(zenflow, here, f"{HEAD}steps:\n  s: {{uses: ./f.yaml}}\n") == ["ZF228"]
    assert zenflow("validate", "f.yaml").status == 2


def test_a_line_of_comment_signs_is_searched_once() -> None:
    assert may_be_cut("a: b #c\n") and may_be_cut("a: b # x ${{ y\n") and not may_be_cut("a: b # x\n${{ y }}\n")
    assert not may_be_cut("# " * 400_000)


@pytest.mark.parametrize(
    "text",
    [
        "  make: {uses: download, with: {asset_ids: [" + ", ".join(f"bad{n}" for n in range(5_000)) + "]}}\n",
        "  make: {uses: download, with: {asset_ids: '${{ range(20000) }}'}}\n",
    ],
    ids=["written", "by an expression"],
)
def test_findings_are_drawn_up_to_a_number_and_counted(zenflow: Zenflow, here: Path, text: str) -> None:
    (here / "r.yaml").write_text(f"{HEAD}steps:\n{text}")
    answer = zenflow("validate", "r.yaml")
    assert answer.status == 2 and answer.err.count("error") < 300
    assert "more; `--json` lists them" in answer.err or answer.err.count("error:") < 100


def test_many_anchors_are_looked_up_once(zenflow: Zenflow, here: Path) -> None:
    anchors = "".join(f"  - &a{n} t\n" for n in range(20_000))
    found = codes(zenflow, here, f"{RECIPE}x-a:\n{anchors}")
    assert found.count("ZF127") == MOST_KEPT and found[-1] == "ZF234"


def test_findings_beyond_the_bound_are_counted() -> None:
    problems = Problems()
    for number in range(MOST_KEPT + 5):
        problems.warning("ZF127", str(number))
    assert not problems.has_errors
    problems.error("ZF101", "an error is kept all the same")
    found = problems.in_order()
    assert problems.has_errors and len(problems) == MOST_KEPT + 6
    assert [one.code for one in found].count("ZF101") == 1 and found[-1].message == "5 more findings are not listed"


@pytest.mark.parametrize("text", ["٣e3", "7᪁.0", "1_0٣", "𝟙 + 1"])
def test_digits_of_other_scripts_are_a_finding(zenflow: Zenflow, here: Path, text: str) -> None:
    assert codes(zenflow, here, RECIPE.replace("positive_prompt: x", f"positive_prompt: '${{{{ {text} }}}}'"))


# --- plans, options, presets -------------------------------------------------------------------------------------------


@pytest.fixture
def plan(zenflow: Zenflow, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZENFLOW_SPEED", "2000")
    (here / "r.yaml").write_text(RECIPE)
    assert zenflow("plan", "r.yaml", "-o", "plan.json").status == 0
    return here / "plan.json"


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(input_files=[{"path": "r.yaml", "bytes": float("inf"), "sha256": "0" * 64}]),
        lambda d: d["plan"].update(steps=[1]),
        lambda d: d["plan"].update(steps=[{"id": None}]),
        lambda d: d["plan"].update(steps={"a": 1}),
        lambda d: d["plan"].update(credits=[]),
        lambda d: d.update(plan={}),
        lambda d: d.update(tools=[]),
        lambda d: d.update(prices=[{"question": 1}]),
    ],
)
def test_a_crafted_plan_is_no_plan(zenflow: Zenflow, plan: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(plan.read_text())
    change(document)
    plan.write_text(json.dumps({**document, "digest": content_digest(document)}))
    for words in (("diff", "plan.json", "r.yaml"), ("run", "--plan", "plan.json")):
        assert zenflow(*words).status in (0, 2, 3), words


def test_a_plan_that_is_nested_without_end_is_no_plan(zenflow: Zenflow, plan: Path) -> None:
    plan.write_text('{"kind": "zenflow plan", "plan": ' + "[" * 100_000 + "]" * 100_000 + "}")
    for words in (("diff", "plan.json", "r.yaml"), ("run", "--plan", "plan.json")):
        assert zenflow(*words).status == 2


def test_an_increase_beyond_all_amounts_is_none(zenflow: Zenflow, plan: Path) -> None:
    for text in ("1e999999999%", "1e999999999", "NaN", "-1"):
        assert zenflow("diff", "r.yaml", "r.yaml", "--max-increase", text, "--json").code == "ZF005"


@pytest.mark.parametrize("name", ["a: b\n    evil", "x\x7f", "null", "on", "${{ steps }}", "a #b"])
def test_a_preset_s_names_stay_names(name: str) -> None:
    template = ServiceTemplate("id", name, "by_prompt", params={name: "\x7f\u202e"}, wants=(name + "s",))
    text = "steps:\n" + step_of(template, None)
    (step,) = yaml.safe_load(text)["steps"].values()
    assert set(step) == {"uses", "with"} and set(step["with"]) == {name, f"{name}s"}


# --- files -------------------------------------------------------------------------------------------------------------


def test_a_picture_of_many_large_frames_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [Image.new("RGB", (400, 400), colour) for colour in ("red", "green", "blue")]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    media.check(stream, "image/gif")
    monkeypatch.setattr(media, "MOST_DRAWN", 400 * 400 * 2)
    with pytest.raises(ArtifactError, match="too much of both"):
        media.check(stream, "image/gif")
    assert 13_000 * 13_000 * 1_999 > 4_200_000_000 >= 1920 * 1080 * 2_000


def test_a_picture_has_fewer_bytes_than_a_clip() -> None:
    picture, clip = Receiving(ExpectedFile("image/png")), Receiving(ExpectedFile("video/mp4"))
    clip.take(MOST_PICTURE_BYTES + 1)
    with pytest.raises(ArtifactError, match="1 GiB"):
        picture.take(MOST_PICTURE_BYTES + 1)


# --- Ctrl-C ------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an alarm")
def test_ctrl_c_breaks_work_that_never_comes_back_to_the_loop() -> None:
    program = """
        import os, signal
        from zenflow.cli.running.event_loop import wait_for

        async def work():
            os.kill(os.getpid(), signal.SIGINT)
            while True:
                pass

        try:
            wait_for(work())
        except KeyboardInterrupt:
            print("interrupted")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert done.stdout == "interrupted\n", done.stderr


def test_ctrl_c_lets_the_loop_end_its_work() -> None:
    program = """
        import asyncio, os, signal
        from zenflow.cli.running.event_loop import wait_for

        async def work():
            os.kill(os.getpid(), signal.SIGINT)
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(1.2)
                print("tidied up")

        try:
            wait_for(work())
        except KeyboardInterrupt:
            print("interrupted")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert done.stdout == "tidied up\ninterrupted\n", done.stderr


def test_amounts_have_a_bound() -> None:
    from zenflow.cli.params.parsers import parse_increase

    assert parse_increase("20%") == (Decimal(20), True)
    with pytest.raises(UsageError):
        parse_increase("1e16")
