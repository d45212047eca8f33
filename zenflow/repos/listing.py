"""The files of a commit, and what in them is refused: a repository may come from a stranger and lie in every line.

Nothing is checked out. What this allows may be written below a folder on every system.
"""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from zenflow.errors import UsageError
from zenflow.host.git import run_git
from zenflow.host.git_objects import MOST_ENTRIES, MOST_FILE, MOST_TOTAL, Blob, is_safe_path, read_blobs

REFUSED = "ZF548"
_REGULAR = frozenset({"100644", "100755", "100664"})
_LINK, _SUBMODULE = "120000", "160000"
_MOST_LINK = 4096


def files_of(commit: str, bare: Path, label: str) -> list[Blob]:
    """Return the regular files of a commit. Raises UsageError for one that holds what no repository of recipes may.

    A link inside the repository is left out; one that leads out of it refuses all of it.
    """
    said = run_git(["ls-tree", "-r", "-z", "--long", "--full-tree", "--end-of-options", commit], bare, label)
    files: list[Blob] = []
    links: list[Blob] = []
    for mode, object_id, size, path in _entries(said, label):
        if mode == _SUBMODULE:
            raise refused(
                label, f"{path} is a submodule", "Use it as a repository of its own: `[repos]` in zenflow.toml."
            )
        if not is_safe_path(path) or any(not c.isprintable() for c in path):
            raise refused(label, f"`{path[:120]}` is not a name that every system can hold")
        if mode == _LINK:
            links.append(Blob(path, object_id, size))
        elif mode in _REGULAR:
            files.append(Blob(path, object_id, size))
        else:
            raise refused(label, f"{path} is neither a file nor a link")
    _check_sizes(files, label)
    _check_names([one.path for one in (*files, *links)], label)
    for link, target in read_blobs(links, bare, _MOST_LINK):
        _check_link(link.path, target.decode("utf-8", "replace"), label)
    return files


def refused(label: str, what: str, hint: str | None = None) -> UsageError:
    """The error for a repository from which nothing is read."""
    return UsageError(
        REFUSED, f"invalid repository: {label}: {what}", hint or "Tell its author; use another version meanwhile."
    )


def _entries(said: bytes, label: str) -> Iterator[tuple[str, str, int, str]]:
    records = said.split(b"\0")
    if len(records) > MOST_ENTRIES:
        raise refused(label, f"more than {MOST_ENTRIES:,} files")
    for record in records:
        if not record:
            continue
        facts, _, name = record.partition(b"\t")
        try:
            mode, _, object_id, size = facts.decode("ascii").split()
            yield mode, object_id, int(size) if size.isdigit() else 0, name.decode("utf-8")
        except ValueError:
            raise refused(label, f"`{name[:120]!r}` is not a name in UTF-8") from None


def _check_sizes(files: list[Blob], label: str) -> None:
    for file in files:
        if file.size > MOST_FILE:
            raise refused(
                label, f"{file.path} has {file.size / 1e6:,.0f} MB, and a file may have {MOST_FILE >> 20} MiB"
            )
    total = sum(file.size for file in files)
    if total > MOST_TOTAL:
        raise refused(label, f"its files have {total / 1e6:,.0f} MB, and may have {MOST_TOTAL >> 20} MiB together")


def _check_names(paths: list[str], label: str) -> None:
    """Of two names that some system takes for one, one would overwrite the other there."""
    seen: dict[str, tuple[str, bool]] = {}
    complete: set[str] = set()
    for path in paths:
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            part, is_file = "/".join(parts[:depth]), depth == len(parts)
            folded = unicodedata.normalize("NFC", part).casefold()
            before = seen.setdefault(folded, (part, is_file))
            if before[0] != part:
                raise refused(label, f"`{before[0]}` and `{part}` are one name on some systems")
            if before[1] != is_file or (is_file and folded in complete):
                raise refused(label, f"`{part}` is there twice")
            if is_file:
                complete.add(folded)


def _check_link(path: str, target: str, label: str) -> None:
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if target.startswith(("/", "\\", "~")) or target[1:2] == ":" or place == ".." or place.startswith("../"):
        raise refused(label, f"the link {path} leads out of the repository")
