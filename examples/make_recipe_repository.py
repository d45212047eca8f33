"""Make an example repository of recipes: three tags, a template, tests. Needs git and Python, nothing else.

    python examples/make_recipe_repository.py ~/studio-recipes

`docs/how-to/share-recipes.md` works with it, step by step.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

ABOUT = """\
[repo]
name = "studio"
description = "Portraits of the example studio."
requires = ">=0.1"
"""

LOOK = """\
zenflow: 1
name: look
version: {version}
description: The same person in another look. To be used as a step.

inputs:
  asset: {{type: string, description: The uploaded portrait}}
  look:  {{type: string, minLength: 1, description: What the picture should look like}}
{extra_input}
steps:
  generate:
    uses: image_editor
    with:
      prompt: ${{{{ inputs.look }}}}, the same person
      image_assets: ["${{{{ inputs.asset }}}}"]
      model: SEEDREAM_5{extra_with}

outputs:
  asset_ids: ${{{{ steps.generate.asset_ids }}}}
"""

PORTRAITS = """\
zenflow: 1
name: portraits
version: {version}
description: One portrait in, a picture for each look out.

inputs:
  photo: {{type: image, default: ../photos/portrait.png, description: A portrait of the subject}}
  looks: {{type: array, items: {{type: string}}, maxItems: {most}, default: [studio portrait, street style]}}
{extra_input}
budget: 60

steps:
  upload:
    uses: upload
    with: {{source: "${{{{ inputs.photo }}}}"}}

  look:
    foreach: ${{{{ inputs.looks }}}}
    uses: ../templates/look.yaml
    with:
      asset: ${{{{ steps.upload.asset_id }}}}
      look: ${{{{ item }}}}{extra_with}
{extra_step}
  download:
    uses: download
    with: {{asset_ids: "${{{{ steps.{last}.asset_ids }}}}"}}

outputs:
  {output}: ${{{{ steps.download.files }}}}
"""

UPSCALE = """
  upscale:
    foreach: ${{ steps.look.asset_ids }}
    max: 8
    uses: upscaler
    with: {image_asset_id: "${{ item }}", output_format: png}
"""

TESTS = """\
zenflow-test: 1

cases:
  as it stands:
    expect:
      status: done
      credits: {credits}
      calls: {calls}
      files: {{image: 2}}

  one look:
    inputs: {{looks: [at the sea]}}
    expect:
      status: done
      files: 1
"""


def main(folder: Path) -> None:
    """Write the files of each version, and commit and tag them."""
    if folder.exists() and any(folder.iterdir()):
        raise SystemExit(f"{folder} is not empty: name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    write(folder / "zenflow.toml", ABOUT)
    (folder / "photos").mkdir()
    (folder / "photos" / "portrait.png").write_bytes(picture())
    write_version(folder, "1.0.0", most=4, last="look", credits=2, calls="{image_editor: 2}")
    commit(folder, "Add portraits", "v1.0.0")
    write_version(
        folder,
        "1.1.0",
        most=8,
        last="upscale",
        credits=6,
        calls="{image_editor: 2, upscaler: 2}",
        look_input="  light: {type: string, default: soft, description: The light of the picture}\n",
        look_prompt=True,
        portrait_input="  light: {type: string, default: soft, description: The light of every picture}\n",
        portrait_with="\n      light: ${{ inputs.light }}",
        step=UPSCALE,
    )
    commit(folder, "Upscale every picture, choose the light", "v1.1.0")
    write_version(
        folder,
        "2.0.0",
        most=8,
        last="look",
        credits=2,
        calls="{image_editor: 2}",
        output="pictures",
    )
    commit(folder, "Rename the output, leave out upscaling", "v2.0.0")


def write_version(
    folder: Path,
    version: str,
    *,
    most: int,
    last: str,
    credits: int,
    calls: str,
    look_input: str = "",
    look_prompt: bool = False,
    portrait_input: str = "",
    portrait_with: str = "",
    step: str = "",
    output: str = "images",
) -> None:
    """Write the recipe, its template and its tests as one version has them."""
    look = LOOK.format(version=version, extra_input=look_input, extra_with="")
    if look_prompt:
        look = look.replace("the same person\n", "the same person, ${{ inputs.light }} light\n", 1)
        look = look.replace("description: The same person, ${{ inputs.light }} light", "description: The same person")
    write(folder / "templates" / "look.yaml", look)
    portraits = PORTRAITS.format(
        version=version,
        most=most,
        last=last,
        output=output,
        extra_input=portrait_input,
        extra_with=portrait_with,
        extra_step=step,
    )
    write(folder / "recipes" / "portraits.yaml", portraits)
    write(folder / "recipes" / "portraits.test.yaml", TESTS.format(credits=credits, calls=calls))


def write(file: Path, text: str) -> None:
    """Write a text file, and its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def picture(side: int = 64) -> bytes:
    """Return a small PNG: a plain round shape on a plain ground."""
    rows = b"".join(
        b"\0" + b"".join(pixel(x - side / 2, y - side / 2, side / 3) for x in range(side)) for y in range(side)
    )
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def pixel(x: float, y: float, radius: float) -> bytes:
    """Return the colour of one point."""
    return b"\xd9\xb3\x8c" if x * x + y * y < radius * radius else b"\x33\x44\x66"


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return one part of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def commit(folder: Path, message: str, tag: str) -> None:
    """Commit everything, and tag it."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    git(folder, "tag", "--annotate", "--message", message, tag)


def git(folder: Path, *words: str) -> None:
    """Run git in a folder, as an author of its own: nobody's settings are needed."""
    author = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (
            ("NAME", "Example Studio"),
            ("EMAIL", "studio@example.com"),
            ("DATE", "2026-11-01T12:00:00Z"),
        )
    }
    settings = ("-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false", "-c", "core.hooksPath=/dev/null")
    subprocess.run(["git", *settings, *words], cwd=folder, check=True, env={**os.environ, **author})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("Usage: python examples/make_recipe_repository.py FOLDER")
    main(Path(sys.argv[1]))
