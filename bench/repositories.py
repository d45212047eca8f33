"""What a recipe of a repository costs beside the same recipe as a file: `python bench/repositories.py`.

`zenflow run NAME:x` with a warm cache: at most 20 ms of CPU over the same recipe as a local file, also with a lock of 1,000
files. `zenflow list` of 1,000 recipes in a repository: at most one second of CPU. Whole processes, in turns.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from table import Row, cpu_ms, show

ZENFLOW = str(Path(sys.executable).parent / "zenflow")
ROUNDS = 7
MANY = 1000
RECIPE = """\
zenflow: 1
name: recipe-{number}
version: 1.0.0
description: The recipe number {number} of many, as a studio has them.
inputs:
  words: {{type: string, default: a lamp, description: What to draw}}
  count: {{type: integer, default: 1, minimum: 1, maximum: 4}}
budget: 10
steps:
  make: {{uses: by_prompt, with: {{positive_prompt: "${{{{ inputs.words }}}}", model: QWEN_IMAGE}}}}
  save: {{uses: download, with: {{asset_ids: "${{{{ steps.make.asset_ids }}}}"}}}}
"""
AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        work = workspace(folder)
        commands = (
            (ZENFLOW, "validate", "recipe-7"),
            (ZENFLOW, "validate", "studio:recipe-7"),
            (ZENFLOW, "run", "recipe-7", "--yes", "--quiet"),
            (ZENFLOW, "run", "studio:recipe-7", "--yes", "--quiet"),
            (ZENFLOW, "version"),
            (ZENFLOW, "list"),
        )
        local, named, local_run, named_run, nothing, listed = cpu_ms(commands, ROUNDS, work)
    yield Row("validate a local file, CPU", local, "ms")
    yield Row(f"validate NAME:x, a lock of {MANY:,} files, CPU", named, "ms", local)
    yield Row("  over the local file", named - local, "ms", None, 20)
    yield Row("run a local file, CPU", local_run, "ms")
    yield Row("run NAME:x, CPU", named_run, "ms", local_run)
    yield Row("  over the local file", named_run - local_run, "ms", None, 20)
    yield Row(f"list {MANY:,} recipes of a repository, CPU", listed, "ms", nothing, 1000)


def workspace(folder: Path) -> Path:
    """Make a repository of many recipes, and a workspace that has locked it."""
    studio, work = folder / "studio", folder / "work"
    (studio / "recipes").mkdir(parents=True)
    (work / "recipes").mkdir(parents=True)
    for number in range(MANY):
        (studio / f"recipes/recipe-{number}.yaml").write_text(RECIPE.format(number=number))
    (work / "recipes/recipe-7.yaml").write_text(RECIPE.format(number=7))
    for words in (("init", "-q"), ("add", "-A"), (*AUTHOR, "commit", "-qm", "x"), ("tag", "v1.0.0")):
        subprocess.run(["git", *words], cwd=studio, check=True, stdout=subprocess.DEVNULL)
    (work / "zenflow.toml").write_text("[service]\nspeed = 100000\n")
    subprocess.run([ZENFLOW, "repo", "add", "studio", str(studio), "--quiet"], cwd=work, check=True)
    return work


if __name__ == "__main__":
    show(rows())
