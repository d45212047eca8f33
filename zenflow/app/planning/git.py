"""A recipe as it was in a revision of a git repository: its folder, written out from git's objects. Reads only."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from zenflow.errors import UsageError
from zenflow.host.git import NO_REVISION
from zenflow.host.git_objects import MOST_FILE, MOST_TOTAL, Blob, blobs_of, object_id_of, write_blobs
from zenflow.recipe.text.reader import MAX_BYTES

_MOST_RECIPES = 200
_MOST_MEDIA = 2_000
_RECIPES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class GitRevision:
    """`REV:path`; the path is relative to the repository, or with `./` to the current folder, as git has it."""

    name: str
    path: str

    def __str__(self) -> str:
        return f"{self.name}:{self.path}"


def split_revision(word: str) -> GitRevision | None:
    """None for what has not that form. A drive letter (`C:\\…`) and an address (`https://…`) have not."""
    name, colon, path = word.partition(":")
    if not colon or not name or not path or path.startswith(("//", "\\")) or len(name) == 1 or name.startswith("-"):
        return None
    return GitRevision(name, path)


@contextmanager
def checked_out(revision: GitRevision, current: Path) -> Iterator[Path]:
    """Yield the path of the recipe, beside the files of its folder in that revision. Raises UsageError."""
    below, name = posixpath.split(revision.path)
    within = f"{below}/" if revision.path.startswith(("./", "../")) else below
    tree = object_id_of(f"{revision.name}:{within}", current, str(revision))
    blobs = blobs_of(tree, current)
    if not any(blob.path == name for blob in blobs):
        raise UsageError(NO_REVISION, f"unreadable revision: {revision}: `{name}` is not a regular file there")
    with TemporaryDirectory(prefix="zenflow-rev-") as place:
        try:
            write_blobs(_wanted(blobs, name), current, Path(place))
        except OSError as error:
            raise UsageError(NO_REVISION, f"unreadable revision: {revision}: {error.strerror or error}") from error
        yield Path(place) / name


def _wanted(blobs: list[Blob], name: str) -> list[Blob]:
    """The recipe, the recipes that it may use, and as many of the other files as the bounds allow."""
    root = [blob for blob in blobs if blob.path == name]
    recipes = [one for one in blobs if one.path.endswith(_RECIPES) and one.path != name and one.size <= MAX_BYTES]
    others = [one for one in blobs if not one.path.endswith(_RECIPES) and one.path != name and one.size <= MOST_FILE]
    kept, total = [], 0
    for blob in (*root, *recipes[:_MOST_RECIPES], *others[:_MOST_MEDIA]):
        total += blob.size
        if total <= MOST_TOTAL:
            kept.append(blob)
    return kept
