"""Make a first workspace that works: settings, a recipe with an example photo, a .gitignore. Never overwrites."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from zenflow.errors import UsageError
from zenflow.host.writing import new_file

_FILES = {  # where it goes: where it comes from in the package
    "zenflow.toml": "zenflow.toml",
    ".gitignore": "gitignore",
    "recipes/first.yaml": "first.yaml",
    "recipes/photos/example.jpg": "example.jpg",
}


@dataclass(frozen=True, slots=True)
class Made:
    folder: Path
    made: tuple[str, ...]
    left: tuple[str, ...]  # there already, untouched


def init(folder: Path) -> Made:
    """Put the starter files into `folder`. Raises UsageError when it cannot be written."""
    starter = resources.files("zenflow.app") / "starter"
    made, left = [], []
    for name, source in _FILES.items():
        target = folder / name
        if _write_new(target, (starter / source).read_bytes()):
            made.append(name)
        else:
            left.append(name)
    return Made(folder, tuple(made), tuple(left))


def _write_new(target: Path, content: bytes) -> bool:
    """False when there is something of that name."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with new_file(target) as file:
            file.write(content)
    except FileExistsError as error:
        if target.parent.is_dir():
            return False
        raise UsageError("ZF032", f"{target.parent} is a file, not a folder.", "Name another folder.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError("ZF032", f"{target} cannot be written: {reason}.", "Name a folder that is yours.") from error
    return True
