"""Ask a repository elsewhere for its tags and branches, and fetch one commit of it into a bare clone.

git speaks the one protocol of the address and no other; it gets no token of the service, runs no hook and no helper of a
repository, and a password is never asked for on the terminal.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zenflow.errors import UsageError
from zenflow.host.git import git_argv, git_environment
from zenflow.repos.addresses import COMMIT, Address
from zenflow.suggest import nearest

NO_REVISION, UNREACHABLE, FULL = "ZF544", "ZF545", "ZF549"
TIMEOUT_S = 600
MOST_REFS = 100_000
MOST_PACK = 1 << 30  # bytes of one file that git may write while it fetches
_SSH = "ssh -oBatchMode=yes"


@dataclass(frozen=True, slots=True)
class Ref:
    """What a tag or a branch names. `tag`: the id of the tag's own object, where it is annotated."""

    commit: str
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Refs:
    """The tags and branches of a repository at one time."""

    at: str
    tags: Mapping[str, Ref] = field(default_factory=dict)
    branches: Mapping[str, Ref] = field(default_factory=dict)

    def find(self, rev: str) -> tuple[str, Ref] | None:
        """Return the full name and what it names: a tag before a branch of the same name."""
        if rev in self.tags:
            return f"refs/tags/{rev}", self.tags[rev]
        return (f"refs/heads/{rev}", self.branches[rev]) if rev in self.branches else None


def list_refs(address: Address, at: str, folder: Path) -> Refs:
    """Return the tags and branches. `folder`: where git is started, one of ours. Raises UsageError."""
    said = _run(["ls-remote", "--heads", "--tags", "--", address.url], address, folder)
    found: dict[str, dict[str, str]] = {"tags": {}, "heads": {}}
    peeled: dict[str, str] = {}
    for line in said.decode("utf-8", "replace").splitlines()[:MOST_REFS]:
        object_id, _, name = line.partition("\t")
        parts = name.split("/", 2)
        if len(parts) != 3 or parts[0] != "refs" or parts[1] not in found or COMMIT.fullmatch(object_id) is None:
            continue
        if name.endswith("^{}"):
            peeled[parts[2].removesuffix("^{}")] = object_id
        else:
            found[parts[1]][parts[2]] = object_id
    tags = {name: Ref(peeled.get(name, one), one if name in peeled else "") for name, one in found["tags"].items()}
    return Refs(at, tags, {name: Ref(one) for name, one in found["heads"].items()})


def no_such_revision(rev: str, label: str, refs: Refs) -> UsageError:
    """The error for a revision that is not there: it names the nearest tags."""
    near = list(_nearest_tags(rev, refs))
    hint = f"The nearest tags: {', '.join(near)}." if near else "It has no tags: name a branch or a full commit."
    return UsageError(NO_REVISION, f"unknown revision: {label} has no `{rev}`", hint)


def _nearest_tags(rev: str, refs: Refs, most: int = 3) -> Iterator[str]:
    left = sorted(refs.tags, key=version_key, reverse=True)
    for _ in range(most):
        near = nearest(rev, left) or next(iter(left), None)
        if near is None:
            return
        left.remove(near)
        yield near


def version_key(tag: str) -> tuple[Any, ...]:
    """Sort tags by their numbers: v1.10.0 after v1.9.0, a release after its candidates; what has no number first."""
    found = re.fullmatch(r"(?:.*?/)?v?(\d+(?:\.\d+)*)(.*)", tag)
    if found is None:
        return (0, (), 0, tag)
    return (1, tuple(int(part) for part in found[1].split(".")), 0 if found[2] else 1, found[2])


def is_release(tag: str) -> bool:
    """Whether a tag is a version without a suffix such as `-rc1`."""
    key = version_key(tag)
    return bool(key[0] == 1 and key[2] == 1)


def make_bare(bare: Path, folder: Path) -> None:
    """Make an empty bare repository, unless there is one. Raises UsageError."""
    if not (bare / "HEAD").is_file():
        _local(["init", "--quiet", "--bare", "--template=", "--", str(bare)], folder)


def has_commit(bare: Path, commit: str) -> bool:
    """Whether a commit is in the clone, with its tree."""
    try:
        _local(["cat-file", "-e", f"{commit}^{{tree}}"], bare)
    except UsageError as error:
        if error.code == "ZF064":
            raise
        return False
    return True


def fetch_commit(address: Address, bare: Path, commit: str, ref: str | None) -> bool:
    """Fetch one commit without its history; return whether it is there. `ref`: what names it, where that is known."""
    target = f"refs/zenflow/{commit}"
    words = ["fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"]
    try:
        _run([*words, "--", address.url, f"+{ref or commit}:{target}"], address, bare)
    except UsageError as error:
        if ref is not None or error.code != NO_REVISION:
            raise
        everything = ["+refs/heads/*:refs/remotes/heads/*", "+refs/tags/*:refs/remotes/tags/*"]
        _run(
            [*words[:2], *words[3:], "--", address.url, *everything], address, bare
        )  # a server that gives no commit by its id
    return has_commit(bare, commit)


def _run(words: Sequence[str], address: Address, folder: Path) -> bytes:
    """git over the network. Raises UsageError that says what a person can do."""
    ssh = os.environ.get("GIT_SSH_COMMAND") or _SSH
    safe = ["-c", f"core.sshCommand={ssh}", "-c", "transfer.fsckObjects=true", "-c", "http.followRedirects=initial"]
    slow = ["-c", "http.lowSpeedLimit=100", "-c", "http.lowSpeedTime=30"]
    environment = git_environment((address.transport,))
    return _finish(_start(git_argv([*safe, *slow, *words]), folder, environment), address.url)


def _local(words: Sequence[str], folder: Path) -> bytes:
    return _finish(_start(git_argv(words), folder, git_environment()), str(folder))


def _start(argv: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a time-out ends its helpers too
            preexec_fn=_bound_files if os.name != "nt" else None,
        )
    except (OSError, ValueError) as error:
        raise UsageError("ZF064", f"git does not answer: {error}") from error


def _bound_files() -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    most = MOST_PACK if hard == resource.RLIM_INFINITY else min(MOST_PACK, hard)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))


def _finish(process: subprocess.Popen[bytes], what: str) -> bytes:
    try:
        said, complaint = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        _end(process)
        raise UsageError(UNREACHABLE, f"no answer from {what} within {TIMEOUT_S // 60} minutes", _LATER) from None
    except BaseException:
        _end(process)
        raise
    if process.returncode == 0:
        return said
    raise _translated(complaint.decode("utf-8", "replace"), process.returncode, what)


def _end(process: subprocess.Popen[bytes]) -> None:
    import signal

    try:
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.communicate()


_LATER = "Check the address and the network. What is in the cache already works without it."
_GONE = (
    "couldn't find remote ref",
    "not our ref",
    "does not allow request for unadvertised object",
    "no such remote ref",
)
_NO_SPACE = ("No space left on device", "Disk quota exceeded")


def _translated(complaint: str, status: int, what: str) -> UsageError:
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    reason = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "")
    reason = reason.removeprefix("fatal: ").removeprefix("error: ") or f"git ended with status {status}"
    if any(words in complaint for words in _NO_SPACE):
        return UsageError(
            FULL, f"cannot write the cache of {what}: no space left", "Free some space: `zenflow repo prune`."
        )
    if status == -25 or "File size limit" in complaint or "file too large" in complaint.lower():
        hint = "Keep large files out of the repository."
        return UsageError("ZF548", f"invalid repository: {what} is larger than {MOST_PACK >> 20} MiB", hint)
    if any(words in complaint for words in _GONE):
        return UsageError(NO_REVISION, f"unknown revision in {what}: {reason}", None)
    return UsageError(UNREACHABLE, f"cannot reach {what}: {reason[:300]}", _LATER)
