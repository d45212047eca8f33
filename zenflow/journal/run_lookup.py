"""The run that a person means: an id, the beginning of one, its last four letters, or `last`. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from zenflow.journal.base import NoSuchRun, RunRow

_SHOWN = 5


def find_by_word(runs: Sequence[RunRow], word: str) -> RunRow:
    """`runs` are newest first. Raises NoSuchRun."""
    if not runs:
        named = "There is no run here yet" if word == "last" else f"There is no run `{word}`: nothing was run here yet"
        raise NoSuchRun("ZF810", named, "Start one: `zenflow run RECIPE`.")
    if word == "last":
        return runs[0]
    found = (
        [run for run in runs if run.run_id == word]
        or [run for run in runs if word and run.run_id.startswith(word)]
        or [run for run in runs if word and run.run_id.endswith(f"-{word}")]
    )
    if len(found) == 1:
        return found[0]
    if found:
        raise NoSuchRun("ZF810", f"More than one run is meant by `{word}`: {_listed(found)}", "Give more of its id.")
    raise NoSuchRun(
        "ZF810", f"There is no run `{word}`. The newest: {_listed(runs)}", "`zenflow runs` lists all of them."
    )


def _listed(runs: Sequence[RunRow]) -> str:
    shown = ", ".join(run.run_id for run in runs[:_SHOWN])
    return shown if len(runs) <= _SHOWN else f"{shown} and {len(runs) - _SHOWN} more"
