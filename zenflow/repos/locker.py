"""Pin repositories: revision → commit → the digest of each file, with every repository that they use in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from zenflow.errors import UsageError
from zenflow.media.types import UPLOAD_ENDINGS as MEDIA
from zenflow.recipe.trees import ENDINGS as RECIPES
from zenflow.repos.addresses import COMMIT
from zenflow.repos.cache import moved_tag
from zenflow.repos.config import Declared
from zenflow.repos.lockfile import FILE, Lock, Locked, write_lock
from zenflow.repos.locking import exclusive
from zenflow.repos.resolver import CONFIG, Opener, Repositories, RepositoryTree, check_agrees

_LOCKED_NAMES = frozenset({CONFIG, FILE})
_LOCKED_ENDINGS = tuple({*RECIPES, *MEDIA, ".json"})
Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Pinned:
    """What became of one repository. `before`: its entry in the old lock."""

    declared: Declared
    before: Locked | None
    now: Locked

    @property
    def is_new(self) -> bool:
        return self.before is None or self.before.commit != self.now.commit or self.before.rev != self.now.rev


def digests_to_lock(digests: Mapping[str, str]) -> dict[str, str]:
    """Return the files that a run may reach: recipes, tests with their plans, media, and the settings of the repository."""
    return {
        path: digest
        for path, digest in digests.items()
        if path in _LOCKED_NAMES or path.lower().endswith(_LOCKED_ENDINGS)
    }


def pin(
    repositories: Repositories,
    declared: Declared,
    before: Locked | None,
    *,
    today: str,
    accept_moved: bool = False,
    offline: bool = False,
) -> Pinned:
    """Find the commit of a revision, fetch it, and check all of it. Raises UsageError."""
    cache, label = repositories.cache, f"{declared.name}@{declared.rev}"
    ref = cache.resolve(declared.address, declared.rev, label, offline=offline, accept_moved=accept_moved)
    refs = cache.last_refs(declared.address)
    is_tag = refs is not None and declared.rev in refs.tags
    if before is not None and before.rev == declared.rev and before.url == declared.written_url:
        if is_tag and before.commit != ref.commit and not accept_moved:
            raise moved_tag(declared.name, declared.rev, before.commit, ref.commit)
        if before.commit == ref.commit and before.path == declared.path:
            today = before.locked  # the same facts make the same lock
    stored = cache.ensure(declared.address, ref.commit, label)
    now = Locked(
        url=declared.written_url,
        rev=declared.rev,
        commit=ref.commit,
        tag=ref.tag,
        path=declared.path,
        locked=today,
        files=digests_to_lock(stored.digests),
    )
    open_all(
        Opener(repositories.root, cache).stored_tree(
            declared, replace(stored, digests=now.files), f"{declared.name}://"
        )
    )
    return Pinned(declared, before, now)


def open_all(tree: RepositoryTree) -> list[RepositoryTree]:
    """Open every repository that a repository uses, to any depth, so that nothing is missing later. Raises UsageError."""
    found = [tree]
    for name in tree.declared():
        found += open_all(tree.repository(name))
    return found


def is_mutable(repositories: Repositories, declared: Declared) -> bool:
    """Whether a revision is a branch: it names another commit tomorrow."""
    refs = repositories.cache.last_refs(declared.address)
    return not COMMIT.fullmatch(declared.rev) and refs is not None and declared.rev not in refs.tags


def needs_pin(declared: Declared, locked: Locked | None) -> bool:
    """Whether the lock does not hold what `zenflow.toml` says."""
    if locked is None:
        return True
    try:
        check_agrees(declared, locked, CONFIG)
    except UsageError:
        return True
    return False


@contextmanager
def editing(root: Path) -> Iterator[None]:
    """Hold the workspace's repositories: two processes that lock at once do it one after the other. Raises UsageError."""
    try:
        with exclusive(root / ".zenflow" / "repositories.lock"):
            yield
    except OSError as error:
        raise UsageError("ZF549", f"cannot write in {root}: {error.strerror or error}", "Check its rights.") from None


def write_pins(root: Path, lock: Lock, pins: list[Pinned], declared: Mapping[str, Declared]) -> Lock:
    """Put new pins into the lock, leave out repositories that are not declared any more, and write it if it changed."""
    repos = {name: one for name, one in lock.repos.items() if name in declared}
    repos.update({one.declared.name: one.now for one in pins})
    changed = Lock(repos, lock.tools)
    if changed != lock or not (root / FILE).is_file():
        write_lock(root, changed)
    return changed
