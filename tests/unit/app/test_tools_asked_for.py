"""Which tools a service is asked about for a recipe."""

from __future__ import annotations

from tests.support.build import recipe_of
from zenflow.app.planning.prepare import tools_of


def test_asks_about_the_tool_that_a_prompt_is_for() -> None:
    recipe = recipe_of(
        "steps:\n"
        "  write: {uses: craft_prompt, with: {brief: a fox, tool_name: videogen, model: any}}\n"
        "  draw: {uses: image_editor, with: {prompt: '${{ steps.write.prompt }}'}}\n"
        "  inside: {uses: ./inner.yaml}\n",
        {
            "inner.yaml": "steps:\n  up: {uses: upscaler, with: {image_asset_id: 0f0e0d0c-0b0a-4908-8706-050403020100}}\n"
        },
    )
    assert sorted(tools_of(recipe)) == ["image_editor", "upscaler", "videogen"]
