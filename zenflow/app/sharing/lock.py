"""Add repositories to a workspace, and pin them: `zenflow.toml` says what is wanted, `zenflow.lock` what it is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from zenflow.app.config.repositories import repositories_of
from zenflow.app.config.workspace import FILE, Workspace
from zenflow.clock import SystemClock
from zenflow.errors import UsageError
from zenflow.repos.addresses import NAME, checked_address, checked_path, checked_revision
from zenflow.repos.editing import add_repository
from zenflow.repos.locker import Pinned, editing, is_mutable, needs_pin, pin, write_pins
from zenflow.repos.resolver import Opener, Repositories

TAKEN = "ZF560"


@dataclass(frozen=True, slots=True)
class LockReport:
    """What was pinned, what stayed, and what a person should know."""

    pinned: tuple[Pinned, ...]
    kept: tuple[str, ...]
    warnings: tuple[str, ...]
    file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRequest:
    name: str
    url: str
    current: Path
    rev: str | None = None  # None: the newest tag
    path: str = ""


def add(request: AddRequest, workspace: Workspace) -> LockReport:
    """Name a repository in `zenflow.toml`, and pin it. Nothing is written if it cannot be fetched. Raises UsageError."""
    if not NAME.fullmatch(request.name):
        hint = "Use 2 to 64 letters, digits, `-` and `_`, as in `studio`."
        raise UsageError("ZF540", f"invalid name: `{request.name}`", hint)
    file = workspace.file or workspace.root / FILE
    repositories = repositories_of(Workspace(workspace.root, file))
    address = checked_address(request.url, typed=True, base=request.current)
    path = checked_path(request.path, "path")
    with editing(workspace.root):
        declared = repositories.declared()
        if request.name in declared:
            hint = f"`zenflow repo update {request.name} --rev TAG` changes its revision."
            raise UsageError(TAKEN, f"repository exists already: `{request.name}`", hint)
        rev = checked_revision(request.rev) if request.rev else _newest_tag(repositories, address, request.name)
        url = request.url if address.transport != "file" else address.url
        before = file.read_bytes() if file.is_file() else None
        add_repository(file, request.name, url, rev, path)
        try:
            return _lock(repositories, [request.name], refresh=True)
        except BaseException:
            _restore(file, before)
            raise


def lock(workspace: Workspace, *, repair: bool = False) -> LockReport:
    """Pin every repository that the lock does not hold as `zenflow.toml` has it; leave the others. Raises UsageError.

    `repair`: write the files of each locked commit again from git.
    """
    repositories = repositories_of(workspace)
    with editing(workspace.root):
        if repair:
            locked = repositories.lock().repos
            for name, declared in repositories.declared().items():
                if name in locked:
                    repositories.cache.forget(declared.address, locked[name].commit)
        return _lock(repositories, None, refresh=False)


def _lock(repositories: Repositories, names: Sequence[str] | None, *, refresh: bool) -> LockReport:
    declared, lock = repositories.declared(), repositories.lock()
    today = SystemClock().now().date().isoformat()
    wanted = [one for name, one in declared.items() if names is None or name in names]
    pins, kept = [], []
    for one in wanted:
        before = lock.repos.get(one.name)
        if before is not None and not refresh and not needs_pin(one, before):
            kept.append(one.name)
            Opener(repositories.root, repositories.cache).locked_tree(one, before, f"{one.name}://")
        else:
            pins.append(pin(repositories, one, before, today=today))
    write_pins(repositories.root, lock, pins, declared)
    with suppress(OSError):  # `prune` alone reads it
        repositories.cache.remember(repositories.root)
    warnings = [branch_warning(one.name, one.rev) for one in wanted if is_mutable(repositories, one)]
    return LockReport(tuple(pins), tuple(kept), tuple(warnings), repositories.root / "zenflow.lock")


def branch_warning(name: str, rev: str) -> str:
    """The warning for a revision that moves."""
    return f"{name}: {rev} is a branch, which moves; a tag or a commit says what you mean a year later"


def _newest_tag(repositories: Repositories, address: object, name: str) -> str:
    from zenflow.repos.remote import is_release, version_key

    refs = repositories.cache.ask_refs(address)  # type: ignore[arg-type]
    releases = [tag for tag in refs.tags if is_release(tag)] or list(refs.tags)
    if not releases:
        raise UsageError("ZF544", f"{name} has no tags", "Name a branch or a commit: `--rev main`.")
    return max(releases, key=version_key)


def _restore(file: Path, before: bytes | None) -> None:
    from zenflow.host.writing import replace_file

    if before is None:
        file.unlink(missing_ok=True)
    else:
        replace_file(file, before)
