"""A handful of recipes that differ in kind, for simulations: each with what it is given and what of it may differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Shape:
    """`loses`: it is done even when something failed, so that it may end with fewer files. `uploads`: it sends bytes."""

    name: str
    text: str
    others: Mapping[str, str] = field(default_factory=dict)
    loses: bool = False
    uploads: bool = False
    often: int = 4  # in so many of the seeds, beside the others


CHAIN = Shape(
    "chain",
    """
steps:
  draw:
    foreach: [a, b, c, d]
    uses: image_editor
    with: {prompt: "${{ item }}", number_of_images: 2}
  up:
    foreach: ${{ steps.draw.asset_ids }}
    uses: upscaler
    with: {image_asset_id: "${{ item }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.up.asset_ids }}", name: "${{ origin.draw.item }}-${{ index }}"}
outputs: {files: "${{ steps.save.files }}"}
""",
)
PHOTOSHOOT = Shape(
    "photoshoot",
    """
inputs:
  looks: {type: array, items: {type: string}, default: [studio, street, forest]}
steps:
  upload: {uses: upload, with: {source: "data:image/png;base64,AAAA"}}
  describe: {uses: describe, with: {asset_id: "${{ steps.upload.asset_id }}"}}
  craft_prompt:
    foreach: ${{ inputs.looks }}
    uses: craft_prompt
    with:
      brief: ${{ item }}
      tool_name: image_editor
      model: any
      references: [{asset_id: "${{ steps.upload.asset_id }}", description: "${{ steps.describe.description }}"}]
  generate:
    foreach: ${{ steps.craft_prompt }}
    uses: image_editor
    with: {prompt: "${{ item.prompt }}", image_assets: ["${{ steps.upload.asset_id }}"]}
  upscale:
    foreach: ${{ steps.generate.asset_ids }}
    max: 8
    uses: upscaler
    with: {image_asset_id: "${{ item }}"}
  download:
    uses: download
    with: {asset_ids: "${{ steps.upscale.asset_ids }}", name: "${{ origin.craft_prompt.item }}-${{ index }}"}
""",
    uploads=True,
)
MATRIX = Shape(
    "matrix",
    """
steps:
  shot:
    foreach: {product: [cup, bag, hat], place: [beach, loft]}
    retry: 2
    uses: image_editor
    with: {prompt: "${{ item.product }} at ${{ item.place }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.shot.asset_ids }}"}
  film:
    foreach: ${{ steps.shot }}
    if: ${{ origin.shot.item.place == "loft" }}
    retry: 1
    uses: videogen
    with: {prompt: "${{ origin.shot.item.product }}", image_assets: ["${{ item.asset_id }}"]}
  films:
    uses: download
    with: {asset_ids: "${{ steps.film.asset_ids }}", name: "film-${{ index }}"}
""",
)
STORY = Shape(
    "story",
    """
steps:
  scene:
    foreach: [one, two, three]
    uses: image_editor
    with: {prompt: "${{ item }}", image_assets: ["${{ previous.asset_id | default(none) }}"]}
  sheet:
    uses: image_editor
    with: {prompt: sheet, image_assets: "${{ steps.scene.asset_ids }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.sheet.asset_ids }}"}
""",
)
FAMILY = Shape(
    "family",
    """
steps:
  portrait:
    foreach: [ann, bob]
    uses: ./inner.yaml
    with: {subject: "${{ item }}"}
  film:
    foreach: ${{ steps.portrait }}
    uses: videogen
    with: {prompt: film, image_assets: ["${{ item.left }}", "${{ item.right }}"]}
  save:
    uses: download
    with: {asset_ids: "${{ steps.film.asset_ids }}"}
""",
    {
        "inner.yaml": """
inputs: {subject: {type: string}}
steps:
  draw:
    foreach: ${{ range(2) }}
    uses: image_editor
    with: {prompt: "${{ inputs.subject }} ${{ item }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.draw.asset_ids }}"}
outputs: {left: "${{ steps.draw[0].asset_id }}", right: "${{ steps.draw[1].asset_id }}"}
"""
    },
)
TOLERANT = Shape(
    "tolerant",
    """
steps:
  draw:
    foreach: ${{ range(6) }}
    on_error: continue
    retry: 1
    uses: image_editor
    with: {prompt: "picture ${{ item }}"}
  up:
    foreach: ${{ steps.draw }}
    on_error: continue
    uses: upscaler
    with: {image_asset_id: "${{ item.asset_id }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.up.asset_ids }}", name: "picture-${{ origin.draw.index }}"}
""",
    loses=True,
)
WIDE = Shape(
    "wide",
    """
steps:
  draw:
    foreach: ${{ range(50) }}
    uses: image_editor
    with: {prompt: "picture ${{ item }}"}
  save:
    uses: download
    with: {asset_ids: "${{ steps.draw.asset_ids }}"}
""",
    often=1,
)
SHAPES = (CHAIN, PHOTOSHOOT, MATRIX, STORY, FAMILY, TOLERANT, WIDE)
