"""The cache that all workspaces share: one bare clone per URL, and the files of each commit that is in use.

    CACHE/repos/KEY/git            the clone, shallow
    CACHE/repos/KEY/refs.json      tags and branches as the last fetch has seen them
    CACHE/trees/KEY/COMMIT/files   the files, written at once under a lock
    CACHE/trees/KEY/COMMIT/index.json   their digests

A process that dies leaves a folder with a temporary name, which nobody reads and `prune` removes.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zenflow.errors import UsageError
from zenflow.host.git_objects import MOST_FILE, read_blobs
from zenflow.host.writing import make_private_folder, new_file, replace_json
from zenflow.repos import remote
from zenflow.repos.addresses import COMMIT, Address
from zenflow.repos.listing import files_of
from zenflow.repos.locking import exclusive

UNWRITABLE, CHANGED, MOVED = "ZF549", "ZF547", "ZF546"
VARIABLE = "ZENFLOW_CACHE"
_TEMPORARY = ".new-"


@dataclass(frozen=True, slots=True)
class Stored:
    """The files of one commit on this machine. `digests`: path → SHA-256, as they were read from git."""

    commit: str
    folder: Path
    digests: Mapping[str, str]


def cache_folder(environment: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Return the folder of the cache, as each system has it."""
    if environment.get(VARIABLE):
        return Path(environment[VARIABLE]).absolute()
    if environment.get("XDG_CACHE_HOME"):
        return Path(environment["XDG_CACHE_HOME"]) / "zenflow"
    if platform == "win32" and environment.get("LOCALAPPDATA"):
        return Path(environment["LOCALAPPDATA"]) / "zenflow" / "cache"
    home = Path(environment.get("HOME") or environment.get("USERPROFILE") or "~").expanduser()
    return home / "Library" / "Caches" / "zenflow" if platform == "darwin" else home / ".cache" / "zenflow"


@dataclass(frozen=True, slots=True)
class Cache:
    """The cache in one folder. `now`: the time of this process, for the date of a fetch."""

    root: Path
    now: str = ""

    def tree_folder(self, address: Address, commit: str) -> Path:
        """Return where the files of a commit are, or would be."""
        return self.root / "trees" / key_of(address) / commit

    def stored(self, address: Address, commit: str) -> Stored | None:
        """Return the files of a commit if they are here. Asks no network."""
        folder = self.tree_folder(address, commit)
        try:
            body = json.loads((folder / "index.json").read_bytes())
            return Stored(commit, folder / "files", {str(path): str(one) for path, one in body["files"].items()})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise damaged(str(folder / "index.json"), str(error)) from None

    def last_refs(self, address: Address) -> remote.Refs | None:
        """Return tags and branches as the last fetch has seen them."""
        try:
            body = json.loads((self._home(address) / "refs.json").read_bytes())
            tags, branches = (
                {str(name): remote.Ref(str(one[0]), str(one[1])) for name, one in body[kind].items()}
                for kind in ("tags", "branches")
            )
            return remote.Refs(str(body["at"]), tags, branches)
        except (OSError, ValueError, KeyError, AttributeError, TypeError, IndexError):
            return None

    def ask_refs(self, address: Address, *, accept_moved: bool = False) -> remote.Refs:
        """Ask the repository for its tags and branches. Raises UsageError.

        A tag that moved is remembered as it was, so that it is an error again the next time, until it is accepted.
        """
        with self._held(address) as home:
            before = None if accept_moved else self.last_refs(address)
            refs = remote.list_refs(address, self.now, home)
            kept = {} if before is None else {name: one for name, one in before.tags.items() if name in refs.tags}
            body: dict[str, Any] = {"at": refs.at, "url": address.url}
            for kind, found in (("tags", {**refs.tags, **kept}), ("branches", refs.branches)):
                body[kind] = {name: [one.commit, one.tag] for name, one in sorted(found.items())}
            replace_json(home / "refs.json", body)
        return refs

    def resolve(
        self, address: Address, rev: str, label: str, *, offline: bool, accept_moved: bool = False
    ) -> remote.Ref:
        """Return the commit that a revision names. `offline`: as the last fetch has seen it. Raises UsageError."""
        refs = self.last_refs(address) if offline else None
        if COMMIT.fullmatch(rev) and (offline or self.stored(address, rev) is not None):
            return remote.Ref(rev)
        if refs is None or refs.find(rev) is None:
            before = None if accept_moved else self.last_refs(address)
            refs = self.ask_refs(address, accept_moved=accept_moved)
            _check_moved(rev, label, before, refs)
        found = refs.find(rev)
        if found is not None:
            return found[1]
        if COMMIT.fullmatch(rev):
            return remote.Ref(rev)
        raise remote.no_such_revision(rev, label, refs)

    def ensure(self, address: Address, commit: str, label: str) -> Stored:
        """Return the files of a commit; fetch them if they are not here. Raises UsageError."""
        found = self.stored(address, commit)
        if found is not None:
            return found
        with self._held(address) as home:
            found = self.stored(address, commit)  # another process may have been faster
            if found is not None:
                return found
            bare = home / "git"
            self._fetch(address, bare, commit, label)
            return self._write_tree(address, bare, commit, label)

    def _fetch(self, address: Address, bare: Path, commit: str, label: str) -> None:
        remote.make_bare(bare, self.root)
        if remote.has_commit(bare, commit):
            return
        refs = self.last_refs(address)
        known = {} if refs is None else {**_named(refs.branches, "heads"), **_named(refs.tags, "tags")}
        if not remote.fetch_commit(address, bare, commit, known.get(commit)) and not (
            commit in known and remote.fetch_commit(address, bare, commit, None)
        ):
            hint = "Ask its author for it, or take another revision: `zenflow repo update`."
            raise UsageError(remote.NO_REVISION, f"unknown commit: {label} has no {commit[:12]} any more", hint)

    def _write_tree(self, address: Address, bare: Path, commit: str, label: str) -> Stored:
        final = self.tree_folder(address, commit)
        beside = final.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
        try:
            digests = write_files(commit, bare, beside / "files", label)
            replace_json(beside / "index.json", {"commit": commit, "url": address.url, "files": digests})
            os.replace(beside, final)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        return Stored(commit, final / "files", digests)

    def forget(self, address: Address, commit: str) -> None:
        """Remove the files of a commit, so that they are written again from git."""
        shutil.rmtree(self.tree_folder(address, commit), ignore_errors=True)

    def remember(self, workspace: Path) -> None:
        """Keep that a workspace uses this cache: `prune` leaves what it needs. Raises OSError."""
        known = hashlib.sha256(str(workspace).encode()).hexdigest()[:16]
        make_private_folder(self.root / "workspaces")
        replace_json(self.root / "workspaces" / f"{known}.json", {"root": str(workspace)})

    def workspaces(self) -> list[Path]:
        """Return the workspaces that use this cache and still exist."""
        found = []
        for file in sorted((self.root / "workspaces").glob("*.json")):
            with suppress(OSError, ValueError, KeyError, TypeError):
                root = Path(json.loads(file.read_bytes())["root"])
                if root.is_dir():
                    found.append(root)
        return found

    def prune(self, used: frozenset[tuple[str, str]]) -> tuple[int, int]:
        """Remove what no `(key, commit)` in `used` needs; return how many commits, and how many bytes."""
        commits = size = 0
        kept = {key for key, _ in used}
        for place in (*_folders(self.root / "trees"), *_folders(self.root / "repos")):
            is_tree = place.parent.name == "trees"
            gone = [one for one in _folders(place) if (place.name, one.name) not in used] if is_tree else []
            if not is_tree and place.name not in kept:
                gone = [place]
            for folder in gone:
                with exclusive(self.root / "locks" / f"{place.name}.lock"):
                    size += sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir())
                    shutil.rmtree(folder, ignore_errors=True)
                commits += is_tree and COMMIT.fullmatch(folder.name) is not None
        return commits, size

    def _home(self, address: Address) -> Path:
        return self.root / "repos" / key_of(address)

    @contextmanager
    def _held(self, address: Address) -> Iterator[Path]:
        """The folder of the clone, while no other process works in it."""
        home = self._home(address)
        try:
            with exclusive(self.root / "locks" / f"{key_of(address)}.lock"):
                make_private_folder(home)
                yield home
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT if hasattr(errno, "EDQUOT") else errno.ENOSPC)
            what = "no space left" if full else error.strerror or str(error)
            hint = "Free some space: `zenflow repo prune`." if full else f"Name another folder with {VARIABLE}."
            raise UsageError(UNWRITABLE, f"cannot write the cache {self.root}: {what}", hint) from None


def write_files(commit: str, repository: Path, folder: Path, label: str) -> dict[str, str]:
    """Write the files of a commit into a new folder; return their digests. Raises UsageError, OSError.

    `repository`: a clone of ours, or the operator's own.
    """
    files = files_of(commit, repository, label)
    digests: dict[str, str] = {}
    make_private_folder(folder)
    for blob, data in read_blobs(files, repository, MOST_FILE):
        if not is_blob(data, blob.object_id):
            raise damaged(f"{label}:{blob.path}", "git's own digest differs")
        path = folder / blob.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(path) as file:
            file.write(data)
        digests[blob.path] = hashlib.sha256(data).hexdigest()
    return digests


def key_of(address: Address) -> str:
    """Return the name of a repository in the cache: words for people, and a digest of the URL."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", address.url.removesuffix(".git").rpartition("://")[2]).strip("-")[-40:]
    return f"{words.strip('-').lower()}-{hashlib.sha256(address.url.encode()).hexdigest()[:16]}"


def is_blob(data: bytes, object_id: str) -> bool:
    """Whether git would call these bytes so."""
    made = hashlib.sha1 if len(object_id) == 40 else hashlib.sha256
    return made(b"blob %d\0" % len(data) + data).hexdigest() == object_id


def damaged(what: str, why: str) -> UsageError:
    """The error for content that is not what it was."""
    hint = "`zenflow repo verify` names all of it; `zenflow repo lock --repair` writes it again."
    return UsageError(CHANGED, f"changed content: {what}: {why}", hint)


def _named(refs: Mapping[str, remote.Ref], kind: str) -> dict[str, str]:
    return {one.commit: f"refs/{kind}/{name}" for name, one in refs.items()}


def _check_moved(rev: str, label: str, before: remote.Refs | None, now: remote.Refs) -> None:
    """A tag is a promise: one that names another commit than before is an error."""
    old, new = (None if refs is None else refs.tags.get(rev) for refs in (before, now))
    if old is not None and new is not None and old.commit != new.commit:
        raise moved_tag(label, rev, old.commit, new.commit)


def moved_tag(label: str, rev: str, before: str, now: str) -> UsageError:
    """The error for a tag that names another commit than it did."""
    hint = "Ask its author why. To take the new one: `zenflow repo update --accept-moved-tag`."
    return UsageError(MOVED, f"moved tag: {rev} of {label} was {before[:12]} and is {now[:12]}", hint)


def _folders(place: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(one for one in place.iterdir() if one.is_dir() and not one.is_symlink())
    return []
