"""What the tests of this room share: a recipe's text in, what is said about it out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from zenflow.errors import InvalidRecipe
from zenflow.problems import Problem
from zenflow.recipe.load import load_recipe_texts

Findings = Callable[[str], list[str]]

PHOTOSHOOT = """\
zenflow: 1
name: photoshoot
version: 1.0.0
description: One portrait in, a set of upscaled looks out.

inputs:
  photo:           {type: image, description: A portrait of the subject}
  looks:           {type: array, items: {type: string}, default: [studio portrait, street style]}
  model:           {type: string, default: SEEDREAM_5}
  images_per_look: {type: integer, minimum: 1, maximum: 4, default: 1}

budget: 60

steps:
  upload:
    uses: upload
    with:
      source: ${{ inputs.photo }}

  describe:
    uses: describe
    with:
      asset_id: ${{ steps.upload.asset_id }}

  craft_prompt:
    foreach: ${{ inputs.looks }}
    uses: craft_prompt
    with:
      brief: ${{ item }}, the same person
      tool_name: image_editor
      model: ${{ inputs.model }}
      references:
        - asset_id: ${{ steps.upload.asset_id }}
          description: ${{ steps.describe.description }}

  generate:
    foreach: ${{ steps.craft_prompt }}
    uses: image_editor
    with:
      prompt: ${{ item.prompt }}
      image_assets:
        - ${{ steps.upload.asset_id }}
      model: ${{ inputs.model }}
      number_of_images: ${{ inputs.images_per_look }}

  upscale:
    foreach: ${{ steps.generate.asset_ids }}
    max: 8
    uses: upscaler
    with:
      image_asset_id: ${{ item }}
      output_format: png

  download:
    uses: download
    with:
      asset_ids: ${{ steps.upscale.asset_ids }}
      name: ${{ origin.craft_prompt.item | slug }}-${{ index }}

outputs:
  images: ${{ steps.download.files }}
"""

HEAD = "zenflow: 1\nname: t\n"


@pytest.fixture
def photoshoot() -> str:
    return PHOTOSHOOT


def problems_of(text: str, **others: str) -> list[Problem]:
    """Every finding about a recipe that is not valid; nothing for one that is."""
    files = {"r.yaml": text} | {f"{name}.yaml": inner for name, inner in others.items()}
    try:
        load_recipe_texts(files, "r.yaml")
    except InvalidRecipe as error:
        return list(error.problems)
    return []


@pytest.fixture
def findings() -> Findings:
    """`CODE LINE:COLUMN-ENDCOLUMN` of every error."""

    def said(text: str) -> list[str]:
        return [short(problem) for problem in problems_of(text) if problem.severity == "error"]

    return said


def short(problem: Problem) -> str:
    place = problem.place
    return problem.code if place is None else f"{problem.code} {place.line}:{place.column}-{place.end_column}"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def writing(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writing
