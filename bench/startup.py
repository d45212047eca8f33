"""What zenflow costs before it does anything: `python bench/startup.py`.

Wall time of whole processes, in turns with the baseline `python -c pass` of the same interpreter. Targets:
`zenflow --version` ≤ 45 ms, `--help` ≤ 65 ms, `import zenflow` ≤ 50 ms; a one-step recipe on the embedded sandbox
≤ 150 ms besides what the MCP SDK and the sandbox take to load, both shown. These last ones, longer than a busy machine
leaves alone, are in CPU; nothing in them waits, so that an idle machine's wall time is the same but for a few syncs.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from table import Row, cpu_ms, show, wall_ms

ZENFLOW = str(Path(sys.executable).parent / "zenflow")
ROUNDS = 15
FEW = 7
ONE_STEP = """\
zenflow: 1
name: one
version: 1.0.0
budget: 10
steps:
  make: {uses: by_prompt, with: {positive_prompt: a lamp, model: QWEN_IMAGE}}
"""
CALM = "import gc; from zenflow.cli.main import CALM_COLLECTOR; gc.set_threshold(*CALM_COLLECTOR)"
SDK = "from zenflow.providers.mcp.provider import McpProvider"
SANDBOX = "from zenflow.sandbox.server import build_app"
LEAVE = "gc.freeze()"  # as the command line does: what is taken off a run was loaded as the run loads it
RUN = ("run", "one.yaml", "--yes", "--quiet")


def rows() -> Iterator[Row]:
    python = (sys.executable, "-c")
    commands = ((*python, "pass"), (ZENFLOW, "--version"), (ZENFLOW, "--help"), (*python, "import zenflow"))
    bare, version, page, module = wall_ms(commands, ROUNDS)
    yield Row("python -c pass", bare, "ms")
    yield Row("zenflow --version", version, "ms", bare, 45)
    yield Row("zenflow --help", page, "ms", bare, 65)
    yield Row("import zenflow", module, "ms", bare, 50)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "one.yaml").write_text(ONE_STEP)
        (folder / "zenflow.toml").write_text("[service]\nspeed = 100000\n")  # the sandbox draws, and waits for nothing
        commands = (
            (*python, "pass"),
            (*python, f"{CALM}; {SDK}; {LEAVE}"),
            (*python, f"{CALM}; {SDK}; {SANDBOX}; {LEAVE}"),
            (ZENFLOW, "validate", "one.yaml"),
            (ZENFLOW, "plan", "one.yaml"),
            (ZENFLOW, *RUN),
        )
        bare, sdk, both, checked, planned, ran = cpu_ms(commands, FEW, folder)
    yield Row("  of what follows: the client's half of the MCP SDK, CPU", sdk - bare, "ms", bare)
    yield Row("  of what follows: the sandbox and the SDK's server half, CPU", both - sdk, "ms", bare)
    yield Row("zenflow validate, one step, CPU", checked, "ms", bare)
    yield Row("zenflow plan, one step, CPU", planned, "ms", bare)
    yield Row("zenflow run, one step on the embedded sandbox, CPU", ran, "ms", bare)
    yield Row("  less the loading of the sandbox and the SDK, CPU", ran - (both - bare), "ms", bare, 150)


if __name__ == "__main__":
    show(rows())
