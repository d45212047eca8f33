"""The folder a journal lies in: made so that it survives a power cut, and not shared with other machines."""

from __future__ import annotations

import os
from pathlib import Path

from zenflow.host.writing import PRIVATE_FOLDER
from zenflow.journal import failures

# SQLite's WAL needs memory shared between all processes that have the file open, and locks that hold
# (sqlite.org/wal.html, “all processes must be on the same host”).
_NETWORK_TYPES = frozenset(
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "lustre", "beegfs", "gpfs", "davfs", "coda"]
) | frozenset(
    ["fuse.sshfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.davfs", "fuse.gvfsd-fuse", "fuse.ceph-fuse"]
)
_SYNCED_NAMES = frozenset(
    {"dropbox", "onedrive", "google drive", "googledrive", "icloud drive", "icloud", "icloudrive"}
)
_SYNCED_BEGINNINGS = ("dropbox (", "onedrive - ", "google drive (", "com~apple~clouddocs")
_SYNCED_PARENTS = frozenset({"cloudstorage", "mobile documents"})  # macOS: ~/Library/…
MOUNTS = Path("/proc/self/mounts")


def refuse_shared(folder: Path, mounts: str | None = None) -> None:
    """Raises JournalError for a network file system or a folder that a sync program copies under our feet.

    `mounts` is the text of /proc/self/mounts; where there is none, only names are looked at.
    """
    real = Path(os.path.realpath(folder))
    kind = _synced(real) or _network(real, _mounts() if mounts is None else mounts)
    if kind is not None:
        raise failures.shared_folder(folder, kind)


def make_folder(folder: Path) -> None:
    """Make the folder and every missing one above it, each synced into its parent. Raises JournalError."""
    missing = []
    there = folder
    try:
        while not there.exists():
            missing.append(there)
            there = there.parent
        if not there.is_dir():
            raise failures.unusable_folder(folder, f"{there} is a file, not a folder")
        for new in reversed(missing):
            try:
                new.mkdir(mode=PRIVATE_FOLDER)
            except FileExistsError:
                if not new.is_dir():
                    raise failures.unusable_folder(folder, f"{new} is a file, not a folder") from None
            sync_folder(new.parent)
    except OSError as error:
        raise failures.unusable_folder(folder, error.strerror or str(error)) from error


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable. Windows has no such call, and keeps names in its own journal."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _mounts() -> str:
    try:
        return MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _network(real: Path, mounts: str) -> str | None:
    if str(real).startswith("\\\\"):
        return "a network folder"
    best, found = -1, None
    for line in mounts.splitlines():
        parts = line.split(" ")
        if len(parts) < 4:
            continue
        where = Path(parts[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\"))
        if len(where.parts) >= best and (where == real or where in real.parents):  # a later mount hides an earlier one
            best, found = len(where.parts), (parts[2], parts[3])
    if found is None:
        return None
    kind, options = found
    if kind in _NETWORK_TYPES:
        return f"a network folder ({kind})"
    if kind == "9p" and "drvfs" in options:
        return "a Windows folder seen from WSL (9p)"
    return None


def _synced(real: Path) -> str | None:
    parts = [part.lower() for part in real.parts]
    for number, part in enumerate(parts):
        if part in _SYNCED_NAMES or part.startswith(_SYNCED_BEGINNINGS):
            return f"inside the synced folder {real.parts[number]}"
        if part in _SYNCED_PARENTS and number and parts[number - 1] == "library":
            return f"inside the synced folder {real.parts[number]}"
    return None
