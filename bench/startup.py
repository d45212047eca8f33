"""What zenflow costs before it does anything: `python bench/startup.py`.

Wall time of whole processes, in turns with the baseline `python -c pass` of the same interpreter. Targets:
`zenflow --version` ≤ 45 ms, `--help` ≤ 65 ms, `import zenflow` ≤ 50 ms; a one-step recipe on the embedded sandbox
≤ 150 ms besides what the client, the sandbox and the MCP SDK take to load, both shown; a plan against a server ≤ 260 ms.
`--beside FOLDER` measures another checkout in the same turns (`git worktree add FOLDER 983262e`). These last
ones, longer than a busy machine leaves alone, are in CPU; nothing in them waits, so that an idle machine's wall time is
the same but for a few syncs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from table import Row, cpu_ms, quiet_environment, show, wall_ms

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
SERVER = (
    "import asyncio; from zenflow.sandbox.server import serve; from zenflow.sandbox.settings import SandboxSettings;"
    "asyncio.run(serve(SandboxSettings(speed=100000.0), on_ready=lambda url: print(url, flush=True)))"
)
LEAVE = "gc.freeze()"  # as the command line does: what is taken off a run was loaded as the run loads it
RUN = ("run", "one.yaml", "--yes", "--quiet")


def of_checkout(folder: Path, *words: str) -> tuple[str, ...]:
    """The command line of another checkout, by the packages of this one."""
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); from zenflow.cli.main import main; main()"
    return (sys.executable, "-c", code, *words)


@contextmanager
def served_sandbox() -> Iterator[str]:
    """The address of a sandbox in a process of its own, whose CPU is not counted."""
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=quiet_environment()) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def against_a_server(beside: Path | None) -> Iterator[Row]:
    """`plan` and `validate` of one step, the plan against a server; beside another checkout where one is given."""
    ours = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as made, served_sandbox() as url:
        folder = Path(made)
        (folder / "one.yaml").write_text(ONE_STEP)
        commands = [(sys.executable, "-c", "pass")]
        for checkout in (ours, *((beside,) if beside else ())):
            commands.append(of_checkout(checkout, "validate", "one.yaml"))
            commands.append(of_checkout(checkout, "plan", "one.yaml", "--server", url))
        bare, checked, planned, *theirs = cpu_ms(commands, FEW, folder)
    yield Row(
        "zenflow validate, one step, CPU",
        checked,
        "ms",
        theirs[0] if theirs else bare,
        120,
        _saved(checked, theirs[:1]),
    )
    yield Row(
        "zenflow plan against a server, CPU",
        planned,
        "ms",
        theirs[1] if theirs else bare,
        260,
        _saved(planned, theirs[1:]),
    )


def _saved(ours: float, theirs: Sequence[float]) -> str:
    return f"{theirs[0] - ours:.0f} ms less than the other checkout" if theirs else ""


def rows(beside: Path | None = None) -> Iterator[Row]:
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
            (ZENFLOW, "plan", "one.yaml"),
            (ZENFLOW, *RUN),
        )
        bare, sdk, both, planned, ran = cpu_ms(commands, FEW, folder)
    yield Row("  of what follows: the client, CPU", sdk - bare, "ms", bare)
    yield Row("  of what follows: the sandbox and the SDK's server half, CPU", both - sdk, "ms", bare)
    yield Row("zenflow plan on the embedded sandbox, CPU", planned, "ms", bare)
    yield Row("zenflow run, one step on the embedded sandbox, CPU", ran, "ms", bare)
    yield Row("  less the loading of the client and the sandbox, CPU", ran - (both - bare), "ms", bare, 150)
    yield from against_a_server(beside)


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--beside", type=Path, help="measure this checkout too, in the same turns")
    show(rows(words.parse_args().beside))
