"""Find a program of the operator's machine by its full path; the current folder is never searched."""

from __future__ import annotations

import os
from functools import lru_cache


@lru_cache(maxsize=16)
def find_program(name: str) -> str | None:
    """Return the full path of a program in an absolute folder of PATH, or None.

    Windows looks into the current folder first, and a received folder may hold a `git.exe`.
    """
    endings = os.environ.get("PATHEXT", ".EXE").split(os.pathsep) if os.name == "nt" else [""]
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        if not os.path.isabs(folder):
            continue
        for ending in endings:
            path = os.path.join(folder, name + ending)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    return None
