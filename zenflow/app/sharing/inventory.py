"""What repositories a workspace uses, whether they are as they were locked, and what the cache holds for nobody."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zenflow.app.config.repositories import repositories_of
from zenflow.app.config.workspace import Workspace, find_workspace
from zenflow.errors import UsageError
from zenflow.host.git_objects import MOST_FILE
from zenflow.host.reading import read_regular
from zenflow.host.writing import new_file, replace_json
from zenflow.repos.cache import UNWRITABLE, key_of
from zenflow.repos.locker import editing, is_mutable, open_all
from zenflow.repos.remote import is_release, version_key
from zenflow.repos.resolver import MARK, VENDOR, Repositories, RepositoryTree


@dataclass(frozen=True, slots=True)
class RepositoryRow:
    """One repository. `newer`: tags after its own, as the fetch at `refs_at` has seen them."""

    name: str
    url: str
    rev: str
    commit: str | None
    recipes: int | None
    newer: tuple[str, ...]
    refs_at: str | None
    is_branch: bool
    is_vendored: bool
    problem: str = ""


def list_repositories(workspace: Workspace) -> tuple[RepositoryRow, ...]:
    """Return every repository of `zenflow.toml`. Asks no network."""
    repositories = repositories_of(workspace)
    lock = repositories.lock()
    rows = []
    for name, one in repositories.declared().items():
        locked, refs = lock.repos.get(name), repositories.cache.last_refs(one.address)
        tags = () if refs is None else newer_tags(one.rev, tuple(refs.tags))
        commit = None if locked is None else locked.commit
        recipes, problem = None, ""
        try:
            recipes = len(repositories.tree(name).recipes()) if _is_here(workspace, repositories, name) else None
        except UsageError as error:
            problem = error.message
        rows.append(
            RepositoryRow(
                name,
                one.written_url,
                one.rev,
                commit,
                recipes,
                tags,
                None if refs is None else refs.at,
                is_mutable(repositories, one),
                (workspace.root / VENDOR / name / MARK).is_file(),
                problem,
            )
        )
    return tuple(rows)


def _is_here(workspace: Workspace, repositories: Repositories, name: str) -> bool:
    """Whether a repository can be opened without a network, or fails without one."""
    locked = repositories.lock().repos.get(name)
    if locked is None or (workspace.root / VENDOR / name / MARK).is_file():
        return True
    return repositories.cache.tree_folder(repositories.named(name).address, locked.commit).is_dir()


def newer_tags(rev: str, tags: tuple[str, ...]) -> tuple[str, ...]:
    """Return the releases after a tag, the newest first; none for a branch or a commit."""
    if rev not in tags:
        return ()
    own = version_key(rev)
    wanted = [tag for tag in tags if version_key(tag) > own and (is_release(tag) or not is_release(rev))]
    return tuple(sorted(wanted, key=version_key, reverse=True))


@dataclass(frozen=True, slots=True)
class Deviation:
    """One file that is not what the lock says, or a repository that cannot be compared."""

    repository: str
    path: str
    what: str


def verify(workspace: Workspace) -> tuple[int, tuple[Deviation, ...]]:
    """Compare every locked file with the cache and with `vendor/`; return how many were compared, and what differs.

    Asks no network. Raises UsageError for a lock that cannot be read.
    """
    repositories = repositories_of(workspace)
    lock, declared = repositories.lock(), repositories.declared()
    count, found = 0, []
    for name in lock.repos.keys() - declared.keys():
        found.append(Deviation(name, "", "in zenflow.lock, and not in zenflow.toml"))
    for name, one in declared.items():
        if name in lock.repos and not _is_here(workspace, repositories, name):
            found.append(Deviation(name, "", f"commit {lock.repos[name].commit[:12]} of {one.rev} is not in the cache"))
            continue
        try:
            trees = open_all(repositories.tree(name))
        except UsageError as error:
            found.append(Deviation(name, "", error.message))
            continue
        for tree in trees:
            count += len(tree.digests)
            found += _differing(tree)
    return count, tuple(found)


def _differing(tree: RepositoryTree) -> Iterator[Deviation]:
    for path, digest in sorted(tree.digests.items()):
        place = tree.boundary / path
        try:
            same = hashlib.sha256(read_regular(place, MOST_FILE + 1)).hexdigest() == digest
        except OSError as error:
            yield Deviation(tree.origin.label, path, "missing" if not place.exists() else error.strerror or str(error))
            continue
        if not same:
            yield Deviation(tree.origin.label, path, "changed")
    if (tree.boundary / MARK).is_file():
        for file in sorted(tree.boundary.rglob("*")):
            inside = file.relative_to(tree.boundary).as_posix()
            is_extra = file.is_symlink() or (file.is_file() and inside not in tree.digests and inside != MARK)
            if is_extra and not inside.startswith(f"{VENDOR}/") and inside.endswith((".yaml", ".yml")):
                yield Deviation(tree.origin.label, inside, "not in the lock")


def vendor(name: str, workspace: Workspace) -> tuple[Path, int]:
    """Copy a repository, and those that it uses, into `vendor/`; return the folder and how many files. Raises UsageError."""
    repositories = repositories_of(workspace)
    with editing(workspace.root):
        shutil.rmtree(workspace.root / VENDOR / f".{name}.old", ignore_errors=True)
        target, aside = workspace.root / VENDOR / name, workspace.root / VENDOR / f".{name}.old"
        if target.is_symlink() or (workspace.root / VENDOR).is_symlink():
            raise UsageError(UNWRITABLE, f"cannot write {target}: it is a link", "Remove it, or put a folder there.")
        if target.exists():
            if not (target / MARK).is_file():
                raise UsageError(
                    UNWRITABLE, f"cannot write {target}: it is not a copy of a repository", "Move it away."
                )
            os.replace(target, aside)
        try:
            count = _copy(repositories.tree(name), target)
        except BaseException as error:
            shutil.rmtree(target, ignore_errors=True)
            if aside.exists():
                os.replace(aside, target)
            if isinstance(error, OSError):
                what = f"cannot write {target}: {error.strerror or error}"
                raise UsageError(UNWRITABLE, what, "Free some space, or check its rights.") from None
            raise
        shutil.rmtree(aside, ignore_errors=True)
    return target, count


def _copy(tree: RepositoryTree, target: Path) -> int:
    """Every file that the lock holds, each compared as it is read."""
    count = 0
    for path in tree.digests:
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with new_file(place) as file:
            file.write(tree.content(path))
        tree.forget(path)
        count += 1
    for name in tree.declared():
        inner = target / VENDOR / name
        if not inner.exists():
            count += _copy(tree.repository(name), inner)
    body = {"url": tree.origin.url, "rev": tree.origin.rev, "commit": tree.origin.commit}
    replace_json(target / MARK, body, indent=2, private=False)
    return count


def prune(workspace: Workspace) -> tuple[int, int, Path]:
    """Remove from the cache what no workspace that uses it needs; return commits, bytes and the folder."""
    cache = repositories_of(workspace).cache
    used = _used_by(workspace)
    for root in cache.workspaces():
        if root != workspace.root:
            used |= _used_by(find_workspace(root))
    commits, size = cache.prune(frozenset(used))
    return commits, size, cache.root


def _used_by(workspace: Workspace) -> set[tuple[str, str]]:
    """The commits that one workspace needs, as `(key, commit)`."""
    repositories = repositories_of(workspace)
    used: set[tuple[str, str]] = set()
    locked = repositories.lock().repos
    for name, one in repositories.declared().items():
        if name not in locked:
            continue
        used.add((key_of(one.address), locked[name].commit))
        if _is_here(workspace, repositories, name):
            used |= {(key_of(tree.address), tree.origin.commit) for tree in open_all(repositories.tree(name))}
    return used
