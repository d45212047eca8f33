"""The folder that a person works in: that of the nearest `zenflow.toml` upwards, else the current one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FILE = "zenflow.toml"
STATE = ".zenflow"


@dataclass(frozen=True, slots=True)
class Workspace:
    """`file` is None where no `zenflow.toml` was found."""

    root: Path
    file: Path | None


def find_workspace(start: Path) -> Workspace:
    """Look from `start` upwards. A folder that cannot be read ends the way up."""
    start = start.absolute()
    for folder in (start, *start.parents):
        file = folder / FILE
        try:
            if file.is_file():
                return Workspace(folder, file)
        except OSError:
            break
    return Workspace(start, None)
