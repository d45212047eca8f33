"""What every benchmark says its findings with: one row, its target, and the ratio to the baseline of the same run.

Knows nothing of what is measured. CPU is that of the process and its threads; the smallest of several rounds counts,
because on a shared machine the others hold somebody else's work.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT))  # for `tests.support`: a script has only its own folder on the path


@dataclass(frozen=True, slots=True)
class Row:
    """One finding. `baseline` in the same unit; `most` is what it may be; None where there is none."""

    what: str
    value: float
    unit: str
    baseline: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def ratio(self) -> str:
        return f"{self.value / self.baseline:.2f} ×" if self.baseline else ""

    @property
    def verdict(self) -> str:
        if self.most is None:
            return ""
        return "ok" if self.value <= self.most else "MISSED"


HEAD = ("what", "measured", "baseline", "ratio", "target", "", "")


def show(rows: Iterable[Row]) -> None:
    """One table on stdout."""
    lines = [HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    for line in lines:
        cells = (
            cell.ljust(width) if column in (0, 6) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join(cells).rstrip(), flush=True)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.what,
        f"{_number(row.value)} {row.unit}",
        "" if row.baseline is None else f"{_number(row.baseline)} {row.unit}",
        row.ratio,
        "" if row.most is None else f"≤ {_number(row.most)}",
        row.verdict,
        row.note,
    )


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


# ------------------------------------------------------------------------------------------------------------ measuring


def cpu_s(work: Callable[[], Any]) -> float:
    """CPU seconds of one call, its threads included."""
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


def peak_mb() -> float:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_a_process(script: str, *words: object) -> dict[str, Any]:
    """What `python SCRIPT WORDS…` prints, as JSON: a process of its own has a peak of memory of its own."""
    command = [sys.executable, str(Path(script).resolve()), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=quiet_environment())
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def least(rounds: int, measure: Callable[[], dict[str, Any]], key: str) -> dict[str, Any]:
    """The round with the smallest `key`."""
    return min((measure() for _ in range(rounds)), key=lambda found: float(found[key]))


def wall_ms(commands: Sequence[Sequence[str]], rounds: int, cwd: Path | None = None) -> list[float]:
    """The least wall time of each command, in turns, so that what disturbs one disturbs all. The first round is not
    counted: it writes the byte code that an installed program has."""
    best = [float("inf")] * len(commands)
    for turn in range(rounds + 1):
        for number, command in enumerate(commands):
            began = time.perf_counter()
            done = subprocess.run(command, capture_output=True, cwd=cwd, env=quiet_environment())
            if turn:
                best[number] = min(best[number], (time.perf_counter() - began) * 1e3)
            if done.returncode:
                raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout.decode()}{done.stderr.decode()}")
    return best


def cpu_ms(commands: Sequence[Sequence[str]], rounds: int, cwd: Path | None = None) -> list[float]:
    """`wall_ms`, in CPU of the process and its threads: of long starts a busy machine leaves no usable wall time."""
    best = [float("inf")] * len(commands)
    for turn in range(rounds + 1):
        for number, command in enumerate(commands):
            before = _children_s()
            done = subprocess.run(command, capture_output=True, cwd=cwd, env=quiet_environment())
            if turn:
                best[number] = min(best[number], (_children_s() - before) * 1e3)
            if done.returncode:
                raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout.decode()}{done.stderr.decode()}")
    return best


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@cache
def byte_code() -> str:
    """A folder for byte code that goes with this process: where the environment forbids writing it, every start would
    compile all of zenflow again, which nobody's installed program does."""
    folder = tempfile.mkdtemp(prefix="zenflow-bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def quiet_environment() -> dict[str, str]:
    """Ours, without what would name another server, token or folder, or another way to start Python."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("ZENFLOW_", "PYTHON"))}
    path = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
    return {**ours, **path, "PYTHONPYCACHEPREFIX": byte_code()}
