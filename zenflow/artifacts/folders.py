"""Folders that a power cut leaves in place, inside one folder that nothing leads out of; the disk's errors in words."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from zenflow.artifacts.base import ArtifactError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_IN_THE_WAY = frozenset({errno.ENOTDIR, errno.EISDIR, errno.EEXIST})
ELSEWHERE = "`zenflow fetch RUN --out DIR` saves what is paid elsewhere."  # a resume writes where the run began to


def make_inside(root: Path, inside: Path) -> None:
    """Make the folder `inside` and what is missing above it, and sync every new name. Raises ArtifactError.

    A link inside `root` that leads out of it is refused: who unpacked it there did not mean our files.
    """
    try:
        real_root, real = Path(os.path.realpath(root)), Path(os.path.realpath(inside))
        if real != real_root and real_root not in real.parents:
            raise ArtifactError(
                "ZF874",
                f"{inside} is a link that leads out of {root}",
                "Remove the link, or choose another folder with --out DIR.",
            )
        _make(inside)
    except OSError as error:
        raise from_system(error, inside) from error


def sync_folder(folder: Path) -> None:
    """Make the names in it durable. Windows has no such call."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def from_system(error: OSError, file: Path) -> ArtifactError:
    """What the disk said about `file`."""
    if error.errno in _FULL:
        return ArtifactError(
            "ZF860",
            f"No space is left for {file}",
            "Free some space, then `zenflow resume`: what is paid for is fetched, nothing is paid again.",
        )
    if error.errno in _FORBIDDEN:
        return ArtifactError(
            "ZF861",
            f"{file} cannot be written: {error.strerror}",
            f"Make the folder writable for you, then `zenflow resume`. {ELSEWHERE}",
        )
    if error.errno in _IN_THE_WAY:
        return ArtifactError(
            "ZF862",
            f"{file} cannot be written: a file or folder of that name is in the way",
            f"Move it away, then `zenflow resume`. {ELSEWHERE}",
        )
    if error.errno == errno.ENAMETOOLONG:
        return ArtifactError(
            "ZF873", f"The path {file} is too long", "Choose a shorter `name`, or a shorter --out DIR."
        )
    return ArtifactError(
        "ZF863",
        f"{file} could not be written: {error.strerror or error}",
        "Check the disk, then `zenflow resume`: what is paid for is fetched, nothing is paid again.",
    )


def _make(folder: Path) -> None:
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        if folder.parent == folder:
            break
        folder = folder.parent
    for new in reversed(missing):
        try:
            new.mkdir()
        except FileExistsError:
            if not new.is_dir():
                raise
        sync_folder(new.parent)
