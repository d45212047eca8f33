"""Where the files of a recipe are: a folder, a repository at one commit, the texts of a stored run.

A tree reads files by path and finds the trees of the repositories that its recipes name. It knows nothing of YAML.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from zenflow.errors import UsageError
from zenflow.recipe.model import Origin
from zenflow.suggest import did_you_mean

ENDINGS = (".yaml", ".yml")
OUTSIDE, NO_FILE, NO_REPOSITORY = "ZF231", "ZF011", "ZF250"
BETWEEN = "://"  # no path without `..` and doubled slashes holds it: a key of one tree is never one of another


class Tree(Protocol):
    """Files below one root. Paths have `/` and are relative to the folder that the tree begins at."""

    @property
    def prefix(self) -> str:
        """Begins the keys of its files in `Recipe.files`: empty for the outermost tree, else `studio://`."""

    @property
    def boundary(self) -> Path:
        """The folder that no path leaves."""

    @property
    def origin(self) -> Origin | None:
        """The repository; its `files` grow with every file that is read."""

    def read(self, path: str) -> bytes | str:
        """Return the content of a file. Raises UsageError."""

    def find(self, path: str) -> str:
        """Return the path of a recipe that may be written without its ending. Raises UsageError."""

    def place(self, path: str) -> Path:
        """Return where a file is on this machine."""

    def shown(self, path: str) -> str:
        """Return what people call a file."""

    def check_file(self, place: Path) -> None:
        """Compare a file, or the files of a folder, with what the lock says. Raises UsageError."""

    def repository(self, name: str) -> Tree:
        """Return the tree of a repository that this one declares. Raises UsageError."""


@dataclass(frozen=True, slots=True)
class FolderTree:
    """The operator's own files."""

    folder: Path
    boundary: Path
    read_file: Callable[[Path], bytes]
    repositories: Callable[[str], Tree] | None = None
    prefix: str = ""
    origin: Origin | None = None

    def read(self, path: str) -> bytes:
        """Return the content. A link that leads out of the boundary is no way out of it."""
        place = self.folder / path
        if not place.resolve().is_relative_to(self.boundary.resolve()):
            raise UsageError(OUTSIDE, f"{path} leads out of {self.boundary}", None)
        return self.read_file(place)

    def find(self, path: str) -> str:
        return path

    def place(self, path: str) -> Path:
        return self.folder / path

    def shown(self, path: str) -> str:
        return str(self.folder / path)

    def check_file(self, place: Path) -> None:
        """Nothing is locked here."""

    def repository(self, name: str) -> Tree:
        if self.repositories is None:
            no_such_repository(name, ())
        return self.repositories(name)


@dataclass(frozen=True, slots=True)
class StoredTree:
    """The texts of a stored run. `origins`: the repositories that it used, by prefix."""

    files: Mapping[str, str]
    folder: Path
    boundary: Path
    origins: Mapping[str, Origin]
    prefix: str = ""

    @property
    def origin(self) -> Origin | None:
        return self.origins.get(self.prefix)

    def read(self, path: str) -> str:
        if self.prefix + path not in self.files:
            raise UsageError(NO_FILE, f"the stored recipe has no file {path}", None)
        return self.files[self.prefix + path]

    def find(self, path: str) -> str:
        return next((one for one in candidates(path) if self.prefix + one in self.files), path)

    def place(self, path: str) -> Path:
        return self.folder / path

    def shown(self, path: str) -> str:
        origin = self.origin
        return (
            str(self.folder / path)
            if origin is None
            else f"{origin.label}:{posixpath.normpath(posixpath.join(origin.base, path))}"
        )

    def check_file(self, place: Path) -> None:
        """A stored run is read without its files; a resume compares them before it goes on."""

    def repository(self, name: str) -> StoredTree:
        prefix = inner_prefix(self.prefix, name)
        origin = self.origins.get(prefix)
        if origin is None:
            no_such_repository(name, ())
        root = Path(origin.folder)
        return StoredTree(self.files, root / origin.base, root, self.origins, prefix)


def inner_prefix(prefix: str, name: str) -> str:
    """Return the prefix of a repository that the tree with `prefix` calls `name`."""
    return f"{prefix.removesuffix(BETWEEN)}{'/' if prefix else ''}{name}{BETWEEN}"


def candidates(path: str) -> Iterator[str]:
    """Where a recipe of a repository may be: in `recipes/`, then at the root; as written, then with an ending."""
    names = [path] if path.endswith(ENDINGS) else [path + ending for ending in ENDINGS]
    for folder in ("recipes", ""):
        for name in names:
            yield posixpath.join(folder, name)


def leads_out(path: str, file: Path, boundary: Path) -> bool:
    """Whether a path that is written in `file` names something out of the boundary. Links are not looked at."""
    plain = path.replace("\\", "/")
    if plain.startswith(("/", "~")) or plain[1:2] == ":" or "://" in plain:
        return True
    return is_outside(file.parent / plain, boundary)


def is_outside(place: Path, boundary: Path) -> bool:
    """Whether a path is out of the boundary, by its words. Links are not looked at."""
    path, root = os.path.abspath(place), os.path.abspath(boundary)
    return path != root and not path.startswith(root.rstrip(os.sep) + os.sep)


def no_such_repository(name: str, known: tuple[str, ...]) -> NoReturn:
    """Raise UsageError with the name that is probably meant."""
    near = did_you_mean(name, known)
    listed = f"There are: {', '.join(known)}." if known else f"`zenflow repo add {name} URL --rev TAG` adds it."
    raise UsageError(NO_REPOSITORY, f"unknown repository: `{name}`", near or listed)
