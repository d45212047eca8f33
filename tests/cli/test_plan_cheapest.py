"""Other models and resolutions: what each would cost, what a switch saves and loses, the plan with the cheapest of them,
and how a person keeps it. Each distinct question is asked once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from zenflow.providers.mcp.provider import McpProvider

Zenflow = Callable[..., Any]
SCHEMA = Path(__file__).parents[2] / "schemas" / "plan.schema.json"

HEAD = "zenflow: 1\nname: shoot\nversion: 1.0.0\n"
STILLS = (
    HEAD
    + """\
inputs:
  model: {type: string, default: NANO_BANANA}
  looks: {type: array, items: {type: string}, default: [red, blue, green]}
steps:
  make:
    foreach: ${{ inputs.looks }}
    uses: by_prompt
    with:
      positive_prompt: ${{ item }}
      model: ${{ inputs.model }}
      ratio: "1:1"
  enlarge:
    foreach: ${{ steps.make.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}", output_format: png}
  save: {uses: download, with: {asset_ids: "${{ steps.enlarge.asset_ids }}"}}
"""
)
CLIP = (
    HEAD
    + """\
steps:
  film:
    uses: text_to_video
    with:
      prompt: A lamp
      model: wan@2.6-flash
      duration: 5
      resolution: 1080p
  enlarge:
    uses: video_upscaler
    with:
      video_asset_id: ${{ steps.film.asset_id }}
      resolution: 2160p
  save: {uses: download, with: {asset_id: "${{ steps.enlarge.asset_id }}"}}
"""
)


@pytest.fixture
def recipes(zenflow: Zenflow, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZENFLOW_SPEED", "2000")
    assert zenflow("init").status == 0
    (here / "recipes" / "stills.yaml").write_text(STILLS)
    (here / "recipes" / "clip.yaml").write_text(CLIP)
    return here / "recipes"


def planned(zenflow: Zenflow, *words: str) -> dict[str, Any]:
    answer = zenflow("plan", *words, "--json")
    assert answer.status == 0, answer.err
    document: dict[str, Any] = answer.document
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    return document


def test_shows_savings_and_closed_choices_in_compare(zenflow: Zenflow, recipes: Path) -> None:
    found = planned(zenflow, "stills", "--compare")
    [step] = found["comparison"]["steps"]
    assert [step["id"], step["calls"], found["comparison"]["saves"]] == ["make", 3, 3]
    [used] = [choice for choice in step["choices"] if choice["used"]]
    assert (used["model"], used["credits_each"], used["credits"], used["saves"]) == ("NANO_BANANA", 2, 6, 0)
    assert [choice["credits"] for choice in step["choices"]] == sorted(choice["credits"] for choice in step["choices"])
    assert {"model": "GENERAL_NSFW", "reason": "an adult model"} in step["closed"]
    assert found["comparison"]["not_compared"] == [{"id": "enlarge", "reason": "the tool has no models to choose from"}]
    assert found["credits"]["expected"] == 12  # the plan itself is the recipe's own


def test_resolutions_are_choices_also_of_a_tool_without_models(zenflow: Zenflow, recipes: Path) -> None:
    film, enlarge = planned(zenflow, "clip", "--compare")["comparison"]["steps"]
    assert {c["resolution"] for c in film["choices"] if c["model"] == "wan@2.6-flash"} == {"480p", "720p", "1080p"}
    assert [(c["model"], c["resolution"]) for c in enlarge["choices"]] == [
        (None, "1080p"),
        (None, "1440p"),
        (None, "2160p"),
    ]
    assert "1440p instead of 2160p" in enlarge["choices"][1]["loses"]


def test_each_distinct_question_is_asked_once(zenflow: Zenflow, recipes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    compare = McpProvider.compare

    async def counted(self: Any, tool: str, params: Mapping[str, Any], resolutions: Sequence[str] = ()) -> Any:
        asked.append(tool)
        return await compare(self, tool, params, resolutions)

    monkeypatch.setattr(McpProvider, "compare", counted)
    twice = STILLS.replace(
        "  save:", "  more: {uses: by_prompt, with: {positive_prompt: x, model: QWEN_IMAGE, ratio: '1:1'}}\n  save:"
    )
    (recipes / "twice.yaml").write_text(twice)
    found = planned(zenflow, "twice", "--compare")
    assert [step["id"] for step in found["comparison"]["steps"]] == ["make", "more"]
    assert asked == ["by_prompt"]  # prompts differ, and the model asked for: neither is part of the question


def test_the_cheapest_plan_is_the_plan_that_its_words_give(zenflow: Zenflow, recipes: Path) -> None:
    cheap = planned(zenflow, "stills", "--cheapest")
    assert (cheap["credits"]["expected"], cheap["cheapest"]["saves"]) == (9, 3)
    assert cheap["cheapest"]["before"]["expected"] == 12
    [switch] = cheap["cheapest"]["switches"]
    [keep] = switch["keep"]
    assert (switch["id"], keep["field"], keep["input"]) == ("make", "model", "model")
    kept = planned(zenflow, "stills", "-i", f"{keep['input']}={keep['value']}")
    assert kept["credits"] == cheap["credits"]
    assert [step["model"] for step in kept["steps"]] == [step["model"] for step in cheap["steps"]]
    text = zenflow("plan", "stills", "--cheapest").out
    assert f"To keep it, give the run `-i model={keep['value']}`." in text
    assert "Not as the recipe stands" in text and "9 instead of 12 credits are expected" in text


def test_what_stands_in_the_recipe_is_kept_by_changing_its_lines(zenflow: Zenflow, recipes: Path) -> None:
    cheap = planned(zenflow, "clip", "--cheapest")
    lines = CLIP.splitlines()
    for switch in cheap["cheapest"]["switches"]:
        assert switch["loses"]
        for keep in switch["keep"]:
            field, _, _ = lines[keep["line"] - 1].partition(":")
            assert field.strip() == keep["field"]
            lines[keep["line"] - 1] = f"{field}: {keep['value']}"
    (recipes / "clip.yaml").write_text("\n".join(lines) + "\n")
    assert planned(zenflow, "clip")["credits"] == cheap["credits"] != cheap["cheapest"]["before"]
    assert planned(zenflow, "clip", "--cheapest")["cheapest"]["switches"] == []
    assert "are used already" in zenflow("plan", "clip", "--cheapest").out


def test_a_choice_that_the_recipe_does_not_allow_is_passed_over(zenflow: Zenflow, recipes: Path) -> None:
    """An input that takes two models only: the cheapest of all is not one of them."""
    text = STILLS.replace(
        "{type: string, default: NANO_BANANA}", "{type: string, enum: [NANO_BANANA], default: NANO_BANANA}"
    )
    (recipes / "stills.yaml").write_text(text)
    [switch] = planned(zenflow, "stills", "--cheapest")["cheapest"]["switches"]
    assert [(keep["input"], keep["line"]) for keep in switch["keep"]] == [(None, 13)]  # the step itself may be changed


@pytest.mark.slow
def test_saves_a_cheapest_plan_only_if_inputs_suffice(zenflow: Zenflow, recipes: Path, here: Path) -> None:
    assert zenflow("plan", "stills", "--cheapest", "-o", "cheap.json").status == 0
    document = json.loads((here / "cheap.json").read_text())
    assert document["plan"]["credits"]["expected"] == 9
    report = zenflow("run", "--plan", "cheap.json", "--json")
    assert (report.status, report.document["credits"]["charged"]) == (0, 9)
    refused = zenflow("plan", "clip", "--cheapest", "-o", "clip.json")
    assert refused.status == 2 and "of the recipe as it stands" in refused.err and not (here / "clip.json").exists()


def test_the_verdict_is_that_of_the_plan_that_is_shown(zenflow: Zenflow, recipes: Path) -> None:
    assert zenflow("plan", "stills", "--budget", "10").status == 3
    assert zenflow("plan", "stills", "--budget", "10", "--cheapest").status == 0


def test_markdown_holds_the_comparison_as_it_is_drawn(zenflow: Zenflow, recipes: Path) -> None:
    text = zenflow("plan", "stills", "--compare", "--cheapest", "--format", "markdown").out
    assert text.count("```") == 4 and "| **total** |" in text
