"""Version numbers of recipes, and the tags of the author's own repository."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from zenflow.host.git import run_git
from zenflow.recipe.changes import Level
from zenflow.repos.addresses import COMMIT
from zenflow.repos.remote import version_key

_SEMVER = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:[-+].*)?")
Version = tuple[int, int, int]


def parse_version(text: str) -> Version | None:
    """Return `1.4.0` as numbers; None for what is not such a version."""
    found = _SEMVER.fullmatch(text.strip())
    return None if found is None else (int(found[1]), int(found[2]), int(found[3]))


def least_version(before: Version, level: Level | None) -> Version:
    """Return the smallest number that tells of a change. Before 1.0.0 the second number tells of major ones."""
    major, minor, patch = before
    if level is None:
        return before
    if level == "patch" or (level == "minor" and major == 0):
        return (major, minor, patch + 1)
    if level == "minor" or major == 0:
        return (major, minor + 1, 0)
    return (major + 1, 0, 0)


def version_text(version: Version) -> str:
    """Return the numbers as text."""
    return ".".join(map(str, version))


@dataclass(frozen=True, slots=True)
class Tag:
    """A release of the author's repository."""

    name: str
    commit: str


def root_of(folder: Path) -> Path:
    """Return the root of the repository that a folder is in. Raises UsageError."""
    return Path(run_git(["rev-parse", "--show-toplevel"], folder, str(folder)).decode("utf-8", "replace").strip())


def releases_before(root: Path) -> list[Tag]:
    """Return the tags to compare with, the newest first; that of the present state itself is none of them."""
    said = run_git(
        ["for-each-ref", "--format=%(objectname) %(*objectname) %(refname:strip=2)", "refs/tags"], root, "tags"
    )
    tags = []
    for line in said.decode("utf-8", "replace").splitlines():
        object_id, _, rest = line.partition(" ")
        peeled, _, name = rest.partition(" ")
        commit = peeled or object_id
        if COMMIT.fullmatch(commit) and version_key(name)[0] == 1:
            tags.append(Tag(name, commit))
    merged = _ancestors(root) if tags else set()
    is_clean = not run_git(["status", "--porcelain", "--untracked-files=no"], root, "status").strip()
    head = next(iter(_lines(["rev-parse", "HEAD"], root)), "")
    wanted = [tag for tag in tags if tag.commit in merged and not (is_clean and tag.commit == head)]
    return sorted(wanted, key=lambda tag: version_key(tag.name), reverse=True)


def has_file(root: Path, tag: Tag, path: str) -> bool:
    """Whether a file is in a tag."""
    words = ["ls-tree", "--name-only", "-z", "--full-tree", tag.commit, "--", path]
    return path in run_git(words, root, tag.name).decode("utf-8", "replace").split("\0")


def _ancestors(root: Path) -> set[str]:
    """The commits that tags of this line of work are of."""
    return set(_lines(["rev-list", "--simplify-by-decoration", "HEAD"], root))


def _lines(words: list[str], root: Path) -> list[str]:
    return run_git(words, root, "history").decode("utf-8", "replace").split()
