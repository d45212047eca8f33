"""`NAME:path` → the file of a repository at its locked commit, checked against the lock each time it is read.

A repository uses others through its own `zenflow.toml` and `zenflow.lock`; names are local to who declares them.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from zenflow.errors import UsageError
from zenflow.host.git_objects import MOST_FILE
from zenflow.host.reading import read_regular
from zenflow.recipe.model import Origin
from zenflow.recipe.trees import NO_FILE, candidates, inner_prefix, no_such_repository
from zenflow.repos.addresses import Address, RecipeReference, checked_address, checked_path, checked_revision
from zenflow.repos.cache import Cache, Stored, damaged
from zenflow.repos.config import Declared, about, declared_in, tables_of
from zenflow.repos.lockfile import FILE, Lock, Locked, parse_lock, read_lock
from zenflow.suggest import nearest

MOST_DEEP = 8
NOT_LOCKED, OTHER_REV, TOO_DEEP, OLD_VENDOR = "ZF541", "ZF542", "ZF550", "ZF554"
CONFIG = "zenflow.toml"
VENDOR, MARK = "vendor", ".zenflow-vendor.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryTree:
    """The files of a repository at one commit. `digests`: what each file must be."""

    name: str
    origin: Origin
    address: Address
    digests: Mapping[str, str]
    named_from: str  # the folder in it that recipes are named from
    cache: Cache
    prefix: str = ""
    depth: int = 1
    _read: dict[str, bytes] = field(default_factory=dict)

    @property
    def boundary(self) -> Path:
        return Path(self.origin.folder)

    def read(self, path: str) -> bytes:
        """Return the content of a file, if it is what the lock says. Raises UsageError."""
        return self.content(posixpath.normpath(posixpath.join(self.origin.base, path)))

    def find(self, path: str) -> str:
        """Return the path of a recipe; `recipes/` is searched first, then the root. Raises UsageError."""
        for one in candidates(path):
            if posixpath.normpath(posixpath.join(self.named_from, one)) in self.digests:
                inside = posixpath.join(self.named_from, one)
                return (
                    posixpath.relpath(inside, self.origin.base or ".")
                    if self.origin.base
                    else posixpath.normpath(inside)
                )
        known = sorted(self.recipes())
        near = nearest(path, known)
        listed = (
            f"There are: {', '.join(known[:10])}{', …' if len(known) > 10 else ''}." if known else "It has no recipes."
        )
        hint = f"Did you mean `{near}`? {listed}" if near else listed
        raise UsageError(NO_FILE, f"{self.origin.label} has no recipe `{path}`", hint)

    def recipes(self) -> dict[str, str]:
        """Return every recipe that can be run: the name that a person types → the path from the root."""
        found: dict[str, str] = {}
        for path in self.digests:
            inside = posixpath.relpath(path, self.named_from or ".")
            if inside.startswith("../") or not path.endswith((".yaml", ".yml")) or ".test." in path:
                continue
            name = inside.rpartition(".")[0]
            short = name.removeprefix("recipes/")
            if "/" not in short or name.startswith("recipes/"):
                found.setdefault(short, path)
        return found

    def place(self, path: str) -> Path:
        return self.boundary / posixpath.normpath(posixpath.join(self.origin.base, path))

    def shown(self, path: str) -> str:
        inside = posixpath.normpath(posixpath.join(self.origin.base, path))
        return f"{self.origin.label}:{posixpath.relpath(inside, self.named_from or '.')}"

    def content(self, path: str) -> bytes:
        """The same by the path from the root of the repository."""
        if path not in self.digests:
            raise UsageError(NO_FILE, f"{self.origin.label} has no file `{path}`", None)
        if path not in self._read:
            try:
                data = read_regular(self.boundary / path, MOST_FILE + 1)
            except OSError as error:
                raise damaged(f"{self.origin.label}:{path}", error.strerror or str(error)) from None
            found = hashlib.sha256(data).hexdigest()
            if found != self.digests[path]:
                raise damaged(f"{self.origin.label}:{path}", f"SHA-256 is {found[:12]}, not {self.digests[path][:12]}")
            self.origin.files[path] = found  # type: ignore[index]
            self._read[path] = data
        return self._read[path]

    def check_file(self, place: Path) -> None:
        """Compare a file that a recipe uses with the lock; of a folder every file. Raises UsageError."""
        files = sorted(one for one in place.rglob("*") if not one.is_dir()) if place.is_dir() else [place]
        for file in files:
            inside = file.absolute().relative_to(self.boundary.absolute()).as_posix()
            self.content(posixpath.normpath(inside))
            self.forget(posixpath.normpath(inside))

    def forget(self, path: str) -> None:
        """Keep the content of a file in memory no longer: media are large."""
        self._read.pop(path, None)

    def as_outermost(self, recipe: str) -> RepositoryTree:
        """Return the same tree for a recipe that is run itself: its keys are relative to the recipe's folder."""
        named = posixpath.relpath(recipe, self.named_from or ".")
        return replace(self, origin=replace(self.origin, base=posixpath.dirname(recipe), recipe=named), prefix="")

    def declared(self) -> Mapping[str, Declared]:
        """Return the repositories that this one uses, by its own `zenflow.toml`."""
        if CONFIG not in self.digests:
            return {}
        return about(self.content(CONFIG), self.origin.label, self.address).declared

    def repository(self, name: str) -> RepositoryTree:
        """Return a repository that this one uses, by its own lock. Raises UsageError."""
        declared = self.declared()
        if name not in declared:
            no_such_repository(name, tuple(declared))
        if self.depth >= MOST_DEEP:
            raise UsageError(
                TOO_DEEP, f"repositories use each other deeper than {MOST_DEEP}: {self.origin.label}: {name}"
            )
        lock = Lock()
        if FILE in self.digests:
            lock = parse_lock(self.content(FILE), f"{self.origin.label}:{FILE}")
        if name not in lock.repos:
            what = f"{self.origin.label} uses the repository `{name}`, and its {FILE} does not hold it"
            raise UsageError(TOO_DEEP, what, "Tell its author to run `zenflow repo lock` and to commit the lock.")
        opener = Opener(self.boundary, self.cache, f"{CONFIG} of {self.origin.label}")
        prefix = inner_prefix(self.prefix, name)
        return opener.locked_tree(declared[name], lock.repos[name], prefix, self.depth + 1)


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens trees. `root`: the workspace, or the root of the repository that declares others: `vendor/` is in it."""

    root: Path
    cache: Cache
    file: str = CONFIG

    def locked_tree(self, declared: Declared, locked: Locked, prefix: str, depth: int = 1) -> RepositoryTree:
        """Return the tree at the locked commit, from `vendor/`, the cache or the network. Raises UsageError."""
        check_agrees(declared, locked, self.file)
        label = f"{declared.name}@{declared.rev}"
        folder = self._vendored(declared.name, locked, label)
        if folder is None:
            tree = self.cache.tree_folder(declared.address, locked.commit)
            if not tree.is_dir():
                self.cache.ensure(declared.address, locked.commit, label)
            folder = tree / "files"
        return self._tree(declared, locked.commit, folder, locked.files, prefix, depth)

    def stored_tree(self, declared: Declared, stored: Stored, prefix: str = "", depth: int = 1) -> RepositoryTree:
        """Return the tree of a commit that no lock holds: its files are those that were read from git."""
        return self._tree(declared, stored.commit, stored.folder, stored.digests, prefix, depth)

    def _tree(
        self, declared: Declared, commit: str, folder: Path, digests: Mapping[str, str], prefix: str, depth: int
    ) -> RepositoryTree:
        origin = Origin(declared.name, declared.address.url, declared.rev, commit, str(folder), {}, declared.path)
        return RepositoryTree(
            name=declared.name,
            origin=origin,
            address=declared.address,
            digests=digests,
            named_from=declared.path,
            cache=self.cache,
            prefix=prefix,
            depth=depth,
        )

    def _vendored(self, name: str, locked: Locked, label: str) -> Path | None:
        folder = self.root / VENDOR / name
        try:
            mark = json.loads((folder / MARK).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise damaged(str(folder / MARK), str(error)) from None
        commit = mark.get("commit") if isinstance(mark, dict) else None
        if commit != locked.commit:
            what = f"old copy: vendor/{name} is of commit {str(commit)[:12]}, and {label} is locked at {locked.commit[:12]}"
            raise UsageError(OLD_VENDOR, what, f"`zenflow repo vendor {name}` copies it again.")
        return folder


@dataclass(frozen=True, slots=True)
class Repositories:
    """The repositories of one workspace. Read when the first one is named."""

    root: Path
    file: Path | None
    cache: Cache

    def declared(self) -> dict[str, Declared]:
        """Return those of `zenflow.toml`. Raises UsageError."""
        return {} if self.file is None else declared_in(tables_of(self.file), CONFIG, self.root)

    def lock(self) -> Lock:
        """Return `zenflow.lock`. Raises UsageError."""
        return read_lock(self.root)

    def tree(self, name: str, prefix: str | None = None) -> RepositoryTree:
        """Return a repository at its locked commit, for `uses: NAME:path`. Raises UsageError."""
        one = self.named(name)
        locked = self.lock().repos.get(name)
        if locked is None:
            hint = "`zenflow repo lock` finds its commit and writes the lock; commit that file."
            raise UsageError(NOT_LOCKED, f"repository not locked: `{name}` is not in {FILE}", hint)
        return Opener(self.root, self.cache).locked_tree(
            one, locked, inner_prefix("", name) if prefix is None else prefix
        )

    def named(self, name: str) -> Declared:
        """Return one of `zenflow.toml`. Raises UsageError."""
        declared = self.declared()
        if name not in declared:
            no_such_repository(name, tuple(declared))
        return declared[name]

    def open(self, reference: RecipeReference, current: Path) -> tuple[RepositoryTree, str]:
        """Return the tree and the path of a recipe that a person names, ready to be the outermost. Raises UsageError."""
        checked_path(reference.path, "path")
        if reference.rev is None:
            tree = self.tree(reference.repository, "")
        else:
            tree = self._at(reference, current)
        path = tree.find(reference.path)
        inside = posixpath.normpath(posixpath.join(tree.origin.base, path))
        return tree.as_outermost(inside), posixpath.basename(inside)

    def _at(self, reference: RecipeReference, current: Path) -> RepositoryTree:
        """One off, at another revision, or without an entry in the workspace."""
        assert reference.rev is not None
        rev = checked_revision(reference.rev)
        if reference.is_url:
            address = checked_address(reference.repository, typed=True, base=current)
            declared = Declared(address.url, address, rev)
        else:
            one = self.named(reference.repository)
            declared = Declared(one.name, one.address, rev, one.path)
        label = f"{declared.name}@{rev}"
        found = self.cache.resolve(declared.address, rev, label, offline=True)
        stored = self.cache.ensure(declared.address, found.commit, label)
        return Opener(self.root, self.cache).stored_tree(declared, stored)


def reopened(cache: Cache, origin: Origin, *, typed: bool, root: Path) -> tuple[RepositoryTree, str]:
    """Return the tree and the recipe that a plan or a journal was made of, at that commit. Raises UsageError.

    `typed`: the operator's own workspace names that URL too, so it may be a folder of this machine.
    """
    address = checked_address(origin.url, typed=True, base=root)
    if cache.stored(address, origin.commit) is None:  # what is here was typed by the operator once
        address = checked_address(origin.url, typed=typed, base=root)
    path = posixpath.normpath(posixpath.join(origin.base, posixpath.basename(origin.recipe)))
    named_from = path.removesuffix(origin.recipe).rstrip("/")
    declared = Declared(origin.name, address, origin.rev, named_from)
    stored = cache.ensure(address, origin.commit, origin.label)
    return Opener(root, cache).stored_tree(declared, stored).as_outermost(path), posixpath.basename(path)


def check_stored(cache: Cache, origin: Origin, *, typed: bool, root: Path) -> None:
    """Compare every file that a run used with what is in the cache now; fetch the commit if it is gone. Raises UsageError."""
    folder = Path(origin.folder)
    if not folder.is_dir():
        stored = cache.ensure(checked_address(origin.url, typed=typed, base=root), origin.commit, origin.label)
        if stored.folder.resolve() != folder.resolve():
            raise damaged(origin.label, f"it was in {folder}, which is gone")
    for path, digest in origin.files.items():
        try:
            found = hashlib.sha256(read_regular(folder / path, MOST_FILE + 1)).hexdigest()
        except OSError as error:
            raise damaged(f"{origin.label}:{path}", error.strerror or str(error)) from None
        if found != digest:
            raise damaged(f"{origin.label}:{path}", f"SHA-256 is {found[:12]}, not {digest[:12]}")


def check_agrees(declared: Declared, locked: Locked, file: str) -> None:
    """`zenflow.toml` and the lock say the same. Raises UsageError with both values."""
    for what, written, held in (
        ("url", declared.written_url or declared.address.url, locked.url),
        ("rev", declared.rev, locked.rev),
        ("path", declared.path, locked.path),
    ):
        if written != held:
            message = f"stale lock: {declared.name}: {file} has {what} `{written}`, and {FILE} has `{held}`"
            raise UsageError(OTHER_REV, message, "`zenflow repo lock` takes what zenflow.toml says.")
