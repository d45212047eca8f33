"""The folder that a person works in: that of the nearest `zenflow.toml` upwards, else the current one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from zenflow.errors import UsageError

FILE = "zenflow.toml"
OTHER_OWNER = "ZF035"
STATE = ".zenflow"
SNAPSHOT = Path("schemas") / "tools"  # of the server's tools, as `zenflow tools sync` writes them


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
                if folder != start:
                    _check_owner(file)
                return Workspace(folder, file)
        except OSError:
            break
    return Workspace(start, None)


def _check_owner(file: Path) -> None:
    """A file above the current folder may be anybody's, as in a shared temporary folder. Raises UsageError, as git does."""
    if not hasattr(os, "geteuid"):  # Windows
        return
    owner = file.stat().st_uid
    if owner not in (os.geteuid(), 0):
        message = f"invalid workspace: {file} belongs to another user (id {owner})"
        raise UsageError(OTHER_OWNER, message, f"Change into {file.parent} when you mean it.")
