"""A recipe as it was in a revision of a git repository: its folder, taken out into a temporary one. Reads only.

git is asked as a program, with arguments and never through a shell.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from zenflow.errors import UsageError

NO_GIT, NO_REVISION = "ZF064", "ZF065"
TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Revision:
    """`REV:path`; the path is relative to the repository, or with `./` to the current folder, as git has it."""

    name: str
    path: str

    def __str__(self) -> str:
        return f"{self.name}:{self.path}"


def split_revision(word: str) -> Revision | None:
    """None for what has not that form. A drive letter (`C:\\…`) and an address (`https://…`) have not."""
    name, colon, path = word.partition(":")
    if not colon or not name or not path or path.startswith(("//", "\\")) or len(name) == 1 or name.startswith("-"):
        return None
    return Revision(name, path)


@contextmanager
def checked_out(revision: Revision, current: Path) -> Iterator[Path]:
    """The recipe's file, beside everything else of its folder as it was then. Raises UsageError."""
    top = Path(_git(["rev-parse", "--show-toplevel"], current, revision).decode().strip())
    path = _in_repository(revision, current, top)
    _git(["cat-file", "-e", f"{revision.name}:{path}"], top, revision)
    folder = path.parent.as_posix()
    words = ["archive", "--format=tar", revision.name, *([] if folder == "." else ["--", folder])]
    with TemporaryDirectory(prefix="zenflow-rev-") as place:
        with tarfile.open(fileobj=io.BytesIO(_git(words, top, revision))) as archive:
            archive.extractall(place, filter="data")
        yield Path(place) / path


def _in_repository(revision: Revision, current: Path, top: Path) -> PurePosixPath:
    if not revision.path.startswith(("./", "../")):
        return PurePosixPath(revision.path)
    try:
        return PurePosixPath((current / revision.path).resolve().relative_to(top.resolve()).as_posix())
    except ValueError as error:
        raise UsageError(NO_REVISION, f"{revision.path} lies outside the repository {top}.") from error


def _git(words: Sequence[str], folder: Path, revision: Revision) -> bytes:
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, timeout=TIMEOUT_S, check=False)
    except FileNotFoundError as error:
        raise UsageError(NO_GIT, "git is not installed here.", "Name files instead of revisions.") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(NO_GIT, f"git does not answer: {error}.") from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[-1].removeprefix("fatal: ") if said else "git says no"
        raise UsageError(NO_REVISION, f"{revision} cannot be read: {reason}.", "As in `main:recipes/photoshoot.yaml`.")
    return done.stdout
