"""What it costs to check a recipe: `python bench/validating.py`.

CPU of everything that `zenflow validate` does once it is loaded: text → tree with places → form → references, cycles,
parameters against the tools' schemas. Targets: 1,000 steps ≤ 90 ms, 10,000 ≤ 900, which is no more for each. The baseline is
PyYAML's own fast loader, which keeps no places and checks nothing.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from table import Row, cpu_s, in_a_process, least, peak_mb, show

HEAD = """\
zenflow: 1
name: many
version: 1.0.0
budget: 100000
inputs: {photo: {type: image}}
steps:
  first: {uses: upload, with: {source: "${{ inputs.photo }}"}}
"""
STEP = """\
  s{number}: {{uses: upscaler, with: {{image_asset_id: "${{{{steps.{before}.asset_id}}}}", output_format: png}}}}
"""  # short: a recipe is at most 1 MiB
MOST_MS, MOST_OF_MANY_MS, LINEAR = 90.0, 900.0, 1.15
ROUNDS = 3


def rows() -> Iterator[Row]:
    small = least(ROUNDS, lambda: in_a_process(__file__, 1_000), "ms")
    large = least(ROUNDS, lambda: in_a_process(__file__, 10_000), "ms")
    each = large["ms"] / small["ms"] / 10
    yield Row("validate 1,000 steps", small["ms"], "ms", small["bare_ms"], MOST_MS, "baseline: CSafeLoader")
    note = f"{large['peak_mb']:.0f} MB"
    yield Row("validate 10,000 steps", large["ms"], "ms", large["bare_ms"], MOST_OF_MANY_MS, note)
    yield Row("validate, a step of 10,000 beside one of 1,000", each, "×", None, LINEAR)


def measure(count: int) -> dict[str, float]:
    import yaml

    from zenflow.app.config.settings import load_settings
    from zenflow.app.config.workspace import find_workspace
    from zenflow.app.planning.prepare import RecipeRequest
    from zenflow.app.planning.validate import validate
    from zenflow.cli.main import CALM_COLLECTOR
    from zenflow.cli.running.event_loop import wait_for

    gc.set_threshold(*CALM_COLLECTOR)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        settings = load_settings(find_workspace(folder), {}, {}, current=folder)
        for number in (1, count):
            (folder / f"{number}.yaml").write_text(text_of(number))

        def check(number: int) -> None:
            request = RecipeRequest(recipe=f"{number}.yaml", current=folder)
            found = wait_for(validate(request, settings))
            if not found.is_valid:
                raise SystemExit(str(found.problems[:3]))

        check(1)  # loads what is loaded when first used
        ours = cpu_s(lambda: check(count))
        peak = peak_mb()
        text = (folder / f"{count}.yaml").read_text()
        bare = cpu_s(lambda: yaml.load(text, yaml.CSafeLoader))
    return {"ms": ours * 1e3, "bare_ms": bare * 1e3, "peak_mb": peak}


def text_of(count: int) -> str:
    """A chain: every step reads the one before it."""
    names = ["first", *(f"s{number}" for number in range(count))]
    return HEAD + "".join(STEP.format(number=number, before=names[number]) for number in range(count))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        show(rows())
